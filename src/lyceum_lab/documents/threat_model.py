"""`docs/explanation/threat-model.md` from its YAML: by part and by STRIDE, each threat and the test that answers it.

A threat has a mitigation with its place and its tests, or it is open and says why. Complete means that each part
speaks of all six kinds; that no threat was overlooked is for a review to say.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lyceum_lab import paths
from lyceum_lab.documents import pointers, tables

SOURCE = paths.CHECKOUT / "docs" / "explanation" / "threat-model.yaml"
PAGE = paths.CHECKOUT / "docs" / "explanation" / "threat-model.md"
# Microsoft's six kinds of threats.
KINDS = (
    "Spoofing", "Tampering", "Repudiation", "Information disclosure", "Denial of service", "Elevation of privilege",
)  # fmt: skip
UP = "../../"
HEAD = """\
<!-- Made from threat-model.yaml by `./lyceum design`; change that file. -->
# Threat model: what could go wrong, and the test that answers it

By part, and by Microsoft's six kinds (STRIDE). Answered means that something is done about it and that the tests named
beside it pass in `./lyceum test`; they show that it is done, not that nobody finds a way around it. **Open** means that
it is accepted, or that nothing here has shown it, and says why. What the tests cannot see without AWS is in
[the list of the unproven](../unproven.md).

"""


@dataclass(frozen=True)
class Threat:
    """One threat to a part: answered by a mitigation in `where`, shown by tests as `place::name`; or open, and why."""

    kind: str
    threat: str
    mitigation: str = ""
    where: tuple[str, ...] = ()
    shown_by: tuple[str, ...] = ()
    open: str = ""


def write() -> Path:
    """Write the page. Returns its path; raises LyceumError as `page` does."""
    PAGE.write_text(page(read(SOURCE), paths.CHECKOUT))
    return PAGE


def current() -> str:
    """How many threats there are, and how many are open. Raises LyceumError when the page is an older one."""
    parts = read(SOURCE)
    pointers.require_current(PAGE, page(parts, paths.CHECKOUT), SOURCE)
    return _counted(parts)


def read(source: Path) -> dict[str, list[Threat]]:
    """The threats by part."""
    return tables.read(source, Threat)


def page(parts: dict[str, list[Threat]], checkout: Path) -> str:
    """The page's Markdown. Raises LyceumError that lists every dead pointer, missing kind and half answer."""
    pointers.refuse(SOURCE, [fault for part, threats in parts.items() for fault in _faults(part, threats, checkout)])
    made = [HEAD, f"{_counted(parts)}.\n"]
    for part, threats in parts.items():
        made.append(f"\n## {part}\n\n| kind | threat | what is done | where | shown by |\n|---|---|---|---|---|\n")
        for kind in KINDS:
            for one in (threat for threat in threats if threat.kind == kind):
                done = one.mitigation or f"**Open.** {one.open}"
                where, shown = pointers.places(one.where, UP), pointers.shown(one.shown_by, UP)
                made.append(f"| {kind} | {one.threat} | {done} | {where} | {shown} |\n")
    return "".join(made)


def _faults(part: str, threats: list[Threat], checkout: Path) -> list[str]:
    found = [f"{part} says nothing of {kind}" for kind in KINDS if kind not in {one.kind for one in threats}]
    found += [f"{one.kind} is no kind of threat" for one in threats if one.kind not in KINDS]
    for one in threats:
        if bool(one.mitigation) == bool(one.open):
            found.append(f"{one.threat!r} is neither answered nor open")
        elif one.mitigation:
            found += [] if one.where else [f"no place for {one.threat!r}"]
            found += pointers.faults(one.threat, one.where, one.shown_by, checkout)
    return found


def _counted(parts: dict[str, list[Threat]]) -> str:
    threats = [one for part in parts.values() for one in part]
    still_open = sum(1 for one in threats if one.open)
    return f"{len(threats)} threats to {len(parts)} parts: {len(threats) - still_open} answered, {still_open} open"
