"""`docs/well-architected.md` from `docs/well-architected.yaml`: pillar, control, resource, and the test that shows it.

Complete means: each of the framework's six pillars has controls, each control has its resource and a test that is
there. It does not mean that the framework asks for nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lyceum_lab import paths
from lyceum_lab.documents import pointers, tables

SOURCE = paths.CHECKOUT / "docs" / "well-architected.yaml"
PAGE = paths.CHECKOUT / "docs" / "well-architected.md"
# AWS Well-Architected Framework, "The pillars of the framework".
PILLARS = (
    "Operational excellence",
    "Security",
    "Reliability",
    "Performance efficiency",
    "Cost optimization",
    "Sustainability",
)
HEAD = """\
<!-- Made from well-architected.yaml by `./lyceum design`; change that file. -->
# Well-Architected: pillar, control, resource, proof

What this infrastructure does for each pillar of AWS's framework, with what, and which test shows it. A control stands
here only as long as its tests pass; that it is enough is for a review to say. What no test can show without AWS is in
[the list of the unproven](unproven.md).
"""


@dataclass(frozen=True)
class Control:
    """One control: where it lies in the code, its resource, and the tests that show it, as `place::name`."""

    control: str
    resource: str
    where: tuple[str, ...]
    shown_by: tuple[str, ...]


def write() -> Path:
    """Write the page. Returns its path; raises LyceumError when a row points at nothing or a pillar has no row."""
    PAGE.write_text(page(read(SOURCE), paths.CHECKOUT))
    return PAGE


def current() -> str:
    """How many controls each pillar has. Raises LyceumError as `write` does, and when the page is an older one."""
    pillars = read(SOURCE)
    pointers.require_current(PAGE, page(pillars, paths.CHECKOUT), SOURCE)
    return ", ".join(f"{name} {len(controls)}" for name, controls in pillars.items())


def read(source: Path) -> dict[str, list[Control]]:
    """The controls by pillar."""
    return tables.read(source, Control)


def page(pillars: dict[str, list[Control]], checkout: Path) -> str:
    """The page's Markdown. Raises LyceumError that lists every dead pointer and every pillar without a control."""
    faults = [f"no control of {pillar}" for pillar in PILLARS if not pillars.get(pillar)]
    faults += [f"{pillar} is no pillar" for pillar in pillars if pillar not in PILLARS]
    for controls in pillars.values():
        for one in controls:
            faults += pointers.faults(one.control, one.where, one.shown_by, checkout)
    pointers.refuse(SOURCE, faults)
    parts = [HEAD]
    for pillar in PILLARS:
        parts.append(f"\n## {pillar}\n\n| control | resource | where | shown by |\n|---|---|---|---|\n")
        for one in pillars[pillar]:
            where, shown = pointers.places(one.where), pointers.shown(one.shown_by)
            parts.append(f"| {one.control} | `{one.resource}` | {where} | {shown} |\n")
    return "".join(parts)
