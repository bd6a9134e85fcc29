"""Target tracking as AWS documents it, for policies that are really deployed. No emulator scales anything.

    metric_math   the little of CloudWatch's metric math that the policies use
    policies      policies as DescribePolicies returns them
    tracking      what Auto Scaling decides each minute; knows no clock, so that a live loop can ask it too
    simulation    a group of servers under a load curve, minute by minute

AWS documents the rules in prose and keeps some numbers to itself. Where it is silent, `tracking` takes what is worse
for the group under test, and says so. None of this shows that AWS behaves as documented.
"""
