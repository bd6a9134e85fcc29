"""haproxy in the place of the Application Load Balancer, set up as the emulated AWS says, and by nothing else.

    described.py       a load balancer with its listeners and target groups, read through the API
    configuration.py   the same as a haproxy configuration; pure
    runtime.py         haproxy's runtime socket: servers come, drain and go while requests flow
    targets.py         the states of a target, as the API names them
    haproxy.py         one process per zone, in a namespace if wanted, and all of them together

What is kept as AWS documents it: the headers it adds, keep-alive on both sides and the attributes' time limits, one
pool of connections to a target for all clients, no retry, 502 to a request that meets a connection which the target
has just closed, round robin, a target in service after one passed check, thresholds after that, all unhealthy targets
asked when none is healthy, draining. A time scale divides intervals and delays; never a number of checks, never a
limit on how long a request or an idle connection may last.
"""
