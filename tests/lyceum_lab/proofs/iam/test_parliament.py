"""What parliament finds is named unless it has its reason; a reason that nothing needs is named too."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lyceum_lab.proofs.iam.parliament import Excuse, linted
from lyceum_lab.proofs.report import Broken
from lyceum_ops.errors import LyceumError

POLICY = {"Version": "2012-10-17", "Statement": []}
DOCUMENTS = [("managed", "own", POLICY), ("role", "the inline policies of server", [POLICY]), ("trust", "t", POLICY)]
STAR = {"issue": "RESOURCE_STAR", "title": "x", "detail": ["s3:GetObject", "s3:PutObject"]}
MISMATCH = {
    "issue": "RESOURCE_MISMATCH",
    "title": "x",
    "detail": [{"action": "ec2:RunInstances", "required_format": "*"}],
}


@pytest.fixture
def says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    """A parliament that says this of the policy `own`, and ends as it does; it tells which files it was given."""

    def say(*findings: dict[str, object], code: int | None = None, text: str = "") -> None:
        lines = [json.dumps({**one, "location": {"filepath": "x/own.json", "string": "a:B"}}) for one in findings]
        answer = tmp_path / "answer"
        answer.write_text(text or "".join(f"{line}\n" for line in lines))
        binary = tmp_path / "parliament"
        ended = (1 if findings else 0) if code is None else code
        binary.write_text(f"#!/bin/sh\nls $2 > {tmp_path}/files\ncat {answer}\nexit {ended}\n")
        binary.chmod(0o755)
        monkeypatch.setattr("lyceum_lab.proofs.installed.install", lambda *_: binary)

    return say


def test_each_finding_is_named_by_policy_issue_and_action(says, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    says(STAR, MISMATCH)
    with pytest.raises(Broken, match=r"^3 found: own RESOURCE_MISMATCH ec2:RunInstances, own RESOURCE_STAR s3:Get"):
        linted(DOCUMENTS, ())
    assert (tmp_path / "files").read_text().split() == ["own.json", "server.json"], "and no trust policy"


def test_a_reason_covers_what_it_names_and_is_itself_needed(says) -> None:  # type: ignore[no-untyped-def]
    says(STAR)
    assert "2 excused: why" in linted(DOCUMENTS, [Excuse("why", ("own RESOURCE_STAR s3:*",))])
    with pytest.raises(Broken, match=r"own RESOURCE_STAR s3:PutObject"):
        linted(DOCUMENTS, [Excuse("why", ("own RESOURCE_STAR s3:Get*",))])
    with pytest.raises(Broken, match=r"other \*: found no more, and excused"):
        linted(DOCUMENTS, [Excuse("why", ("own RESOURCE_STAR s3:*", "other *"))])


@pytest.mark.parametrize(("code", "text"), [(0, "Traceback"), (1, ""), (127, "")])
def test_what_it_cannot_tell_is_an_error_of_one_line(says, code: int, text: str) -> None:  # type: ignore[no-untyped-def]
    says(code=code, text=text)
    with pytest.raises(LyceumError, match="parliament ended with") as refused:
        linted(DOCUMENTS, ())
    assert "\n" not in str(refused.value)
