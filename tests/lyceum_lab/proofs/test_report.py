"""A proof cannot pass by trying nothing, and a change is not as expected when it is less or more."""

from __future__ import annotations

import pytest

from lyceum_lab.proofs.apply import CHANGES, FLOW, Expected
from lyceum_lab.proofs.report import Broken, Report, require
from lyceum_ops.changes import Change


def kept() -> str:
    return "as promised"


def broken() -> str:
    raise Broken("it is not so")


def test_all_kept_is_a_success(capsys: pytest.CaptureFixture[str]) -> None:
    report = Report({"one": "the first", "two": "the second"})
    report.try_("one", kept)
    report.try_("two", kept)
    assert report.close() == 0
    assert capsys.readouterr().out.splitlines()[-1] == "2 passed, 0 failed"


def test_one_broken_promise_fails_the_proof_and_says_what_was_found(capsys: pytest.CaptureFixture[str]) -> None:
    report = Report({"one": "the first", "two": "the second"})
    report.try_("one", kept)
    report.try_("two", broken)
    assert report.close() == 1
    said = capsys.readouterr().out
    assert "it is not so" in said
    assert said.splitlines()[-1] == "1 passed, 1 failed"


def test_a_promise_that_nobody_tried_is_a_broken_one(capsys: pytest.CaptureFixture[str]) -> None:
    report = Report({"one": "the first", "two": "the second"})
    report.try_("one", kept)
    assert report.close() == 1
    assert "not tried" in capsys.readouterr().out


def test_a_promise_broken_once_stays_broken() -> None:
    report = Report({"one": "the first"})
    report.try_("one", broken)
    report.try_("one", kept)
    assert report.close() == 1


def test_a_defect_is_no_broken_promise() -> None:
    with pytest.raises(ZeroDivisionError):
        Report({"one": "the first"}).try_("one", lambda: str(1 / 0))


EXPECTED = Expected("a larger database", {}, (r"update module\.database\.aws_db_instance\.this",))
AS_EXPECTED = Change("module.database.aws_db_instance.this", "aws_db_instance", "update")


def test_the_expected_change_is_accepted() -> None:
    EXPECTED.hold_against([AS_EXPECTED])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ([], "lacks"),
        ([Change("module.database.aws_db_instance.this", "aws_db_instance", "replace")], "also wants to replace"),
        ([AS_EXPECTED, Change("module.content.aws_s3_bucket.this", "aws_s3_bucket", "destroy")], "also wants to"),
    ],
)
def test_less_more_or_another_change_is_not(changes: list[Change], said: str) -> None:
    with pytest.raises(Broken, match=said):
        EXPECTED.hold_against(changes)


def test_every_change_expects_something() -> None:
    assert all(expected.patterns for expected in (*CHANGES, FLOW))
    with pytest.raises(Broken, match="why"):
        require(condition=False, otherwise="why")
