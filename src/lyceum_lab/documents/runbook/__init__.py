"""The runbook held against what it speaks of: docs/runbook must be right on the night when somebody reads it.

    pages.py     a page's sections, its blocks and the commands in them
    alarms.py    which alarms Terraform declares, and the names that infra/ gives to what it makes
    awscli.py    an `aws …` command as the call that botocore would make, typed, with what --query picks from the answer
    command.py   a `./lyceum …` command against the command itself
    check.py     all of it over all pages: one line for each thing that is wrong

Two kinds of blocks hold commands. A ```console block only reads, and may be pasted without a thought; a ```sh block
changes something. Which of the two a command belongs into is decided by its operation, not by the author.
"""
