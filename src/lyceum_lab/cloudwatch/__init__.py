"""CloudWatch as AWS documents it, as far as infra/ uses it. Pure: time is given, nothing is kept here.

    patterns  filter patterns of CloudWatch Logs: does this event match?
    series    samples of a metric, and the statistic of a period
    alarms    alarms as DescribeAlarms returns them, and which state one is in at a moment

What is outside of what is known here is refused, never guessed; so is what AWS's documents leave open. The emulator
makes it act (lyceum_lab.emulator.watch). None of it shows that AWS keeps to its documents.
"""
