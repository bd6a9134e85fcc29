"""What of the deployer's rights no call here shows, and why it stays; what of them can be no narrower, and why.

Each reason is held against the replay: one that covers nothing any more is a finding of the proof.
"""

from __future__ import annotations

from lyceum_lab.proofs.iam.minimal import Reason

UNSEEN: tuple[Reason, ...] = ()
AS_WIDE: tuple[Reason, ...] = ()
