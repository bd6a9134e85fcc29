"""What starts by the clock on AWS, started here: deployed schedules, and the functions that they start.

schedule.py   when a schedule of EventBridge Scheduler is due
functions.py  a deployed function, run as Lambda would: its package, its settings, its role, its log
start.py      a schedule's start of its function, decided by its own role
"""
