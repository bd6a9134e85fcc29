"""docs/explanation/threat-model.md is what its source makes of it; no part keeps silent, and no answer is half."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from lyceum_lab import paths
from lyceum_lab.documents import threat_model
from lyceum_lab.documents.threat_model import KINDS
from lyceum_ops.errors import LyceumError

ANSWER = {"mitigation": "it is refused", "where": "infra/modules/network", "shown_by": "prove static::tls"}


def made(folder: Path, **changed: object) -> str:
    """The page of one part that speaks of all kinds, the first of its threats changed; None takes a field away."""
    threats: list[dict[str, object]] = [{"kind": kind, "threat": f"{kind} happens", **ANSWER} for kind in KINDS]
    threats[0] = {name: value for name, value in {**threats[0], **changed}.items() if value is not None}
    source = folder / "threat-model.yaml"
    source.write_text(yaml.safe_dump({"The door": threats}))
    return threat_model.page(threat_model.read(source), paths.CHECKOUT)


def test_the_page_is_made_from_its_source() -> None:
    made = threat_model.page(threat_model.read(threat_model.SOURCE), paths.CHECKOUT)
    assert made == threat_model.PAGE.read_text(), "run ./lyceum design"


def test_an_older_page_is_noticed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert "11 parts" in threat_model.current()
    page = tmp_path / "threat-model.md"
    page.write_text(threat_model.PAGE.read_text() + "| one more |\n")
    monkeypatch.setattr(threat_model, "PAGE", page)
    with pytest.raises(LyceumError, match="is not what"):
        threat_model.current()


def test_an_open_threat_says_why_and_needs_no_test(tmp_path: Path) -> None:
    page = made(tmp_path, mitigation=None, where=None, shown_by=None, open="It costs more than it saves.")
    assert "**Open.** It costs more than it saves." in page
    assert "6 threats to 1 parts: 5 answered, 1 open" in page


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"kind": "Tampering"}, "The door says nothing of Spoofing"),
        ({"kind": "Bad luck"}, "Bad luck is no kind of threat"),
        ({"mitigation": None}, "is neither answered nor open"),
        ({"open": "and yet"}, "is neither answered nor open"),
        ({"where": None}, "no place for 'Spoofing happens'"),
        ({"where": "infra/nowhere"}, "infra/nowhere"),
        ({"shown_by": None}, "no test for 'Spoofing happens'"),
        ({"shown_by": "tests/test_docs.py::test_nothing"}, "tests/test_docs.py::test_nothing"),
        ({"shown_by": "prove iam::nothing"}, "prove iam::nothing"),
    ],
)
def test_half_an_answer_is_refused(tmp_path: Path, changed: dict[str, object], said: str) -> None:
    assert "Spoofing happens" in made(tmp_path)
    with pytest.raises(LyceumError, match=said):
        made(tmp_path, **changed)
