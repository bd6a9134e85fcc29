"""What is applied is seen: alarms that fire, recover and are heard; an audit that tells attacks from work; two days of
logs.

    expected   which alarms there have to be, and the data that must and must not raise each
    published  who publishes which metric under which dimensions, from AWS's documents
    places     what an environment's alarms have to look at, found without them
    alarms     each alarm's play
    events     CloudTrail's events of a normal day and of attacks
    audit      those events, through the filters and alarms that are applied
    logs       a week of hourly streams, purged by the hour
    clock      what is started by schedules
    snapshot   what is applied, as a file that the suites break
    prove      the promises, on an account that is there or on one of its own
"""
