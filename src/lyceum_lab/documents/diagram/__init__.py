"""docs/architecture.drawio and docs/architecture/*.svg: one model, two formats, held against what is applied.

model.py     groups, nodes, cards, tables and lines, in page coordinates
pages/       the five pages
kinds.py     types of resources that are part of what is drawn
geometry.py  no line through a box, no label over another
drawio.py    the .drawio, with draw.io's own AWS shapes
svg.py       the .svg of a page, with glyphs of our own (icons.py)
check.py     the diagram against the applied state, both ways; traffic.py: flows, rules and ranges
trials.py    takes each thing away, and sees that check.py misses it
"""

from __future__ import annotations

from pathlib import Path

from lyceum_lab import paths
from lyceum_lab.documents.diagram import check, drawio, svg, traffic
from lyceum_lab.documents.diagram.pages import pages
from lyceum_ops.errors import LyceumError

DRAWIO = paths.CHECKOUT / "docs" / "architecture.drawio"
FOLDER = paths.CHECKOUT / "docs" / "architecture"


def files() -> dict[Path, str]:
    """Every file and what it has to hold. Raises LyceumError when a page would not be readable."""
    if faults := check.on_paper():
        raise LyceumError(f"The diagram is not fit to be read: {'; '.join(faults)}.", "Mend its page in pages/.")
    return {DRAWIO: drawio.draw(pages()), **{FOLDER / f"{page.id}.svg": svg.draw(page) for page in pages()}}


def write() -> list[Path]:
    """Write the files, and remove the picture of a page that is gone. Returns what is there now."""
    wanted = files()
    FOLDER.mkdir(parents=True, exist_ok=True)
    for strange in set(FOLDER.glob("*.svg")) - wanted.keys():
        strange.unlink()
    for file, text in wanted.items():
        file.write_text(text)
    return list(wanted)


def current() -> str:
    """What there is. Raises LyceumError when the files are others than the model makes, or the model has another
    resource or flow than the code."""
    wanted = files()
    old = [file.name for file, text in wanted.items() if not file.exists() or file.read_text() != text]
    old += [file.name for file in set(FOLDER.glob("*.svg")) - wanted.keys()]
    if old:
        raise LyceumError(f"Not what the model makes: {', '.join(sorted(old))}.", "Make them with ./lyceum diagram.")
    infra = paths.CHECKOUT / "infra"
    found = check.kinds(pages(), check.kinds_of_code(infra))
    found += traffic.flows_of_code(check.network_page(), infra / "platform" / "flows.tf")
    if found:
        raise LyceumError(f"The diagram is not what infra/ says: {'; '.join(found)}.", "Mend its page in pages/.")
    return f"{len(pages())} pages, as the code says."
