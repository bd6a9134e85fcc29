"""AWS's IAM, as far as one account goes, decided without AWS. Knows nothing of the emulator.

policies.py    documents, read once
conditions.py  operators, absent keys, several values, variables, wildcards
evaluate.py    explicit deny, resource policy, identity, boundary, session: a decision with its statement
requests.py    what an API call asks for: actions, resources, context, and what else is needed for it
actions.py     what AWS documents of each action (actions.json, made by derive.py)
limits.py      how long a policy may be
"""
