"""A finding without a reason beside its resource breaks the proof, and so does a reason without a finding."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lyceum_lab.proofs.report import Broken
from lyceum_lab.proofs.static import plans, proof, scanner
from lyceum_lab.proofs.static.scanner import Finding, Scan
from lyceum_ops.errors import LyceumError, MissingTool

CODE = """\
resource "aws_s3_bucket" "this" {
  #checkov:skip=CKV_AWS_18:It is itself a log.

  bucket = "b"
}

module "inner" {
  for_each = toset(["a"])

  source = "../modules/inner"
}

data "aws_iam_policy_document" "key" {
}
"""
BY_CODE = Finding("CKV_AWS_18", "logging", "platform/main.tf", "", "aws_s3_bucket.this", 1)
BY_PLAN = Finding("CKV_AWS_18", "logging", "platform", "aws_s3_bucket.this", "aws_s3_bucket.this")


@pytest.fixture
def infra(tmp_path: Path) -> Path:
    for name, text in (("platform", CODE), ("modules/inner", 'resource "aws_sns_topic" "this" {\n}\n')):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "main.tf").write_text(text)
    return tmp_path


def rewrite(infra: Path, old: str, new: str) -> None:
    file = infra / "platform" / "main.tf"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))


@pytest.mark.parametrize("found", [[BY_CODE], [BY_PLAN], [BY_CODE, BY_PLAN]])
def test_a_finding_with_its_reason_is_answered(infra: Path, found: list[Finding]) -> None:
    assert "skipped by 1 comments" in proof.answered(Scan(3, found), Scan(2, []), infra)


@pytest.mark.parametrize(
    ("finding", "old", "new", "said"),
    [
        (BY_CODE, "CKV_AWS_18:", "CKV_AWS_19:", "aws_s3_bucket.this CKV_AWS_18: logging"),
        (BY_PLAN, "CKV_AWS_18:", "CKV_AWS_19:", "aws_s3_bucket.this CKV_AWS_18: logging"),
        (BY_CODE, "It is itself a log.", "", "is skipped without a reason"),
        (Finding("CKV_AWS_1", "x", "platform/main.tf", "", "a", 13), "b", "b", "CKV_AWS_18: is skipped, and checkov"),
        (Finding("CKV_AWS_18", "x", "platform/main.tf", "", "d.key", 13), "b", "b", "d.key CKV_AWS_18: x"),
    ],
)
def test_a_finding_without_one_is_not(infra: Path, finding: Finding, old: str, new: str, said: str) -> None:
    rewrite(infra, old, new)
    with pytest.raises(Broken, match=said):
        proof.answered(Scan(3, [finding]), Scan(2, []), infra)


def test_checkov_reads_a_copy_that_hides_nothing_and_keeps_its_lines(infra: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy" / "infra"
    scanner.copy_without_skips(infra, copy)
    before, after = ((folder / "platform" / "main.tf").read_text().split("\n") for folder in (infra, copy))
    assert [number for number, (one, other) in enumerate(zip(before, after, strict=True)) if one != other] == [1]
    assert not any("checkov" in line for line in after)


def test_a_skip_in_no_block_is_refused(infra: Path) -> None:
    rewrite(infra, "module", "  #checkov:skip=CKV_AWS_1:x\nmodule")
    with pytest.raises(LyceumError, match=r"main.tf:7: a skip of checkov's stands in no block"):
        scanner.blocks(infra)


def test_a_planned_resource_is_found_in_its_modules_folder(infra: Path) -> None:
    folders = scanner._Folders(infra)
    assert folders.of("platform", 'module.inner["a"].aws_sns_topic.this[0]') == ("modules/inner", "aws_sns_topic.this")
    assert folders.of("platform", "aws_s3_bucket.this") == ("platform", "aws_s3_bucket.this")


def stub(tmp_path: Path, says: str) -> Path:
    binary = tmp_path / "checkov"
    binary.write_text(f"#!/bin/sh\ncat <<'END'\n{says}\nEND\nexit 1\n")
    binary.chmod(0o755)
    return binary


@pytest.mark.parametrize(
    ("says", "said"),
    [
        ("No module named checkov", "checkov ended with 1 and said"),
        ('{"passed": 0, "failed": 0}', "checkov looked at nothing"),
        ('{"results": {"failed_checks": []}, "summary": {"passed": 9, "parsing_errors": 1}}', "cannot read 1 of"),
    ],
)
def test_what_checkov_cannot_tell_is_an_error_of_one_line(tmp_path: Path, says: str, said: str) -> None:
    with pytest.raises(LyceumError, match=said) as refused:
        scanner.scan_code(stub(tmp_path, says), tmp_path / "infra")
    assert "\n" not in str(refused.value)


def test_a_lock_that_cannot_be_installed_is_an_error_of_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = tmp_path / "checkov.txt"
    lock.write_text("no-such-package-anywhere==1.0 --hash=sha256:" + "0" * 64 + "\n")
    monkeypatch.setattr(scanner, "LOCK", lock)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(MissingTool, match="checkov could not be installed") as refused:
        scanner.install(tmp_path / "tools")
    assert "\n" not in str(refused.value)


@pytest.mark.terraform
def test_a_plan_that_cannot_be_made_is_an_error_of_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from concurrent.futures import ThreadPoolExecutor

    from lyceum_lab.proofs.cloud import bare
    from lyceum_lab.rehearsal import infrastructure

    monkeypatch.setattr("lyceum_lab.paths.HOME", tmp_path)
    kept = dict(os.environ)
    monkeypatch.setattr(infrastructure, "BOOTSTRAP_VARIABLES", {"alarm_email": "nobody"})
    try:
        with ThreadPoolExecutor() as pool, bare("broken") as cloud:
            future = plans.begin(cloud, pool, ("bootstrap",))["bootstrap"]
            with pytest.raises(LyceumError, match=r"No plan of bootstrap can be made: .*alarm_email") as refused:
                future.result()
        assert "\n" not in str(refused.value)
    finally:
        os.environ.update(kept)
