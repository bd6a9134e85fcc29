"""The proof of permissions: the emulated AWS decides every call by the account's own policies (lyceum_lab.iam).

prove.py      the promises, on an account in which dev and prod are applied, and again once they are destroyed
account.py    what there is of policies, and what the emulator decided by them
attempts.py   the deployer and its user: what they may, and their ways to more
minimal.py    each part of a role's policies taken away, and widened: replayed, nothing applied
reasons.py    what of the deployer's rights no call here shows, and why it stays
roles.py      the roles of servers, functions and AWS's services: what they do, and nothing more
trust.py      who may become which role, held against a list written by hand
parliament.py what the linter of policies says of all of them
"""

from lyceum_lab.proofs.iam.prove import PROMISES, prove

__all__ = ["PROMISES", "prove"]
