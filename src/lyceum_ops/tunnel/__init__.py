"""`./lyceum tunnel db`: an operator's way to the database, for as long as the command runs.

    place.py     where the bastion and the database are, and whether they answer
    forward.py   a Session Manager session that forwards a port, by AWS's own plugin
    login.py     as whom: by default a login that only reads and lasts an hour
    command.py   all of it together, and the clean end

Nothing of a password stands on a command line or is printed (docs/decisions/0027).
"""
