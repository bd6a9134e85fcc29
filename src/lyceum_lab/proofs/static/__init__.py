"""`./lyceum prove static`: what the code and its plans tell before anything is applied.

proof.py        the promises, and their order
plans.py        dev, prod and bootstrap planned against an empty emulated account
resources.py    a plan as plain resources and statements, "(known after apply)" resolved to what it points at
exposure.py     public, TLS, metadata
encryption.py   keys
keeping.py      tags, ends of logs, backups, protection
policies.py     strangers, everything, the boundary
excuses.py      what stays against a check, with its reason
scanner.py      checkov, and the skips in the code
"""

from lyceum_lab.proofs.static.proof import PROMISES, prove

__all__ = ["PROMISES", "prove"]
