"""The Auto Scaling group that acts: what the emulated AWS has recorded of it becomes machines, and the other way round.

    core.py      what to do now, given the group and its machines; pure, knows no clock
    refresh.py   an instance refresh: what it dooms, how far it is, how it ends; pure
    face.py      the group, its policies and its refreshes read through the API; facts reported back
    metrics.py   a minute's data points, published and read as CloudWatch keeps them
    alarms.py    the alarms about the group, decided each minute, as the refresh looks at their states
    loop.py      the loop that joins them with the load balancer and with whoever boots machines

Time. One factor divides what is *waited for*: warm-up, deregistration delay, bake time, the longest life, the minute of
the metrics and of the alarms. It never divides a *limit* on real work, as booting does not go faster for it: the health
check grace period and the patience with a refresh stay. Warm-up begins with the first passed check of the load
balancer; on AWS it begins when the instance runs, so that there booting is part of it.
"""
