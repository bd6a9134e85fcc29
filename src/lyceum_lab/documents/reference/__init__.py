"""The pages of docs/reference, made from the code: what is in the code and not described there is a fault.

commands.py    every `./lyceum` command with its arguments and options, from Typer
settings.py    every environment variable that the code reads
terraform.py   every variable and output of both roots and each module, read by hcl.py
api.py         the REST API, from its own OpenAPI description
alarms.py      every alarm with its threshold and its page
pages.py       all of them: written, and held against what is committed
"""
