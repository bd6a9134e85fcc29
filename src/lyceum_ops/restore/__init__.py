"""`./lyceum restore course`: one course that was deleted by mistake comes back alone, out of the database of before.

    catalogue.py  which rows belong to a course, as the database itself says by its foreign keys
    rows.py       those rows out of a copy and into the live database: one transaction, nothing overwritten
    content.py    the objects that the rows name, where they were deleted from the bucket
    course.py     all of it in order, whatever the stores are, and what came of it
    command.py    the stores of an environment on AWS

The copy is made, named and removed as a drill's is (lyceum_ops/drill): what a killed run left is found by the next, and
by the next drill. On one machine the same code runs on PostgreSQL's own recovery to a point in time
(lyceum_lab/drill/recovery.py). Why so: docs/decisions/0032.
"""
