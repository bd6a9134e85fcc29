"""The stores of an environment on AWS.

    pace.py      how long AWS may take
    database.py  RDS, brought back to one second of the last days by its own log
    table.py     DynamoDB, by its point-in-time recovery
    vault.py     the weekly recovery points of AWS Backup, and what is made of one
    buckets.py   buckets that a drill made, and how they go
    weekly.py    database, table and bucket out of the vault, held against what was there while they were copied
    files.py     the shared files out of the vault
    reader.py    an instance of the drill's own that reads them; reader.sh is what it does

Every copy costs what the original costs while it is there, and is made and removed only under a name with the drill's
mark. Whoever runs it has to be the account's administrator: nobody else may make a database.
"""
