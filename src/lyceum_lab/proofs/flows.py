"""A change of the table of flows, which is a line of code and no variable: one flow more, and another reason for one.

Its reason is what a rule carries as its description.
"""

from __future__ import annotations

from pathlib import Path

from lyceum_lab.proofs.report import require

BEGIN = "  flows = concat(\n"
REASON = 'why = "student data"'
LINE = '    [{ from = "bastion", to = "files", port = 2049, why = "a flow that the proof adds" }],\n'


def change(root: Path) -> None:
    """Change it in a copy of infra/platform. Raises Broken when the table is not written as this expects."""
    flows = root / "flows.tf"
    table = flows.read_text()
    require(BEGIN in table, "the table of flows does not begin as the proof expects it to")
    require(REASON in table, "the table of flows has no longer the reason that the proof changes")
    flows.write_text(table.replace(REASON, 'why = "a reason that the proof gives"').replace(BEGIN, BEGIN + LINE, 1))
