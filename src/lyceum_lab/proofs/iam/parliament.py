"""parliament, a linter of IAM policies, on every policy of the account's own: whatever it finds has its reason here.

It looks at one statement at a time, and knows an older list of AWS's actions than ours. Trust policies it does not
know; trust.py holds those. A reason that nothing needs any more is a finding. It has an environment of its own
(requirements/parliament.in).
"""

from __future__ import annotations

import json
import os
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from lyceum_lab import paths
from lyceum_lab.proofs import installed
from lyceum_lab.proofs.report import listed, require
from lyceum_ops.errors import LyceumError
from lyceum_ops.processes import die_with_parent

LOCK = paths.CHECKOUT / "requirements" / "parliament.txt"


@dataclass(frozen=True)
class Excuse:
    """Findings, as `policy ISSUE subject` with *, and why each of them may stand."""

    why: str
    findings: tuple[str, ...]


EXCUSES = (
    Excuse(
        "each resource of the action has its own statement, with conditions of its own",
        (
            "lyceum-deployer-compute RESOURCE_MISMATCH ec2:RunInstances",
            "lyceum-deployer-keys RESOURCE_MISMATCH kms:*Alias",
            "lyceum-deployer-edge RESOURCE_MISMATCH ses:CreateEmailIdentity",
            "lyceum-deployer-edge RESOURCE_MISMATCH ses:PutEmailIdentityConfigurationSetAttributes",
            "lyceum-pipeline-release RESOURCE_MISMATCH ec2:RunInstances",
        ),
    ),
    Excuse(
        "the ARN names every kind of the account's in the region; parliament looks for each kind by its name",
        ("lyceum-deployer-network RESOURCE_MISMATCH ec2:*",),
    ),
    Excuse(
        "a resource that has no name, or no tag yet when it is made: the statement's conditions narrow it",
        (
            "lyceum-deployer-network RESOURCE_STAR ec2:*",
            "lyceum-deployer-data RESOURCE_STAR elasticfilesystem:*",
            "lyceum-deployer-keys RESOURCE_STAR kms:TagResource",
            "lyceum-deployer-backup RESOURCE_STAR backup:DeleteRecoveryPoint",
        ),
    ),
    Excuse(
        "reads that say nothing of a learner; what they find is listed by the account, not by name",
        (
            "lyceum-deployer-data RESOURCE_STAR rds:Describe*",
            "lyceum-deployer-operations RESOURCE_STAR cloudwatch:DescribeAlarms",
            "lyceum-pipeline RESOURCE_STAR cloudwatch:DescribeAlarms",
            "lyceum-pipeline-release RESOURCE_STAR cloudwatch:DescribeAlarms",
        ),
    ),
    Excuse(
        "a reading prefix also stands for actions about other kinds, which the resource then leaves out",
        ("lyceum-deployer-data RESOURCE_MISMATCH dynamodb:Describe*",),
    ),
    Excuse(
        "Amazon's own parameters lie in no account",
        (
            "lyceum-deployer-compute RESOURCE_MISMATCH ssm:GetParameter*",
            "lyceum-pipeline-release RESOURCE_MISMATCH ssm:GetParameter",
        ),
    ),
    Excuse(
        "SES gives the resource since its second API; parliament's list is older",
        ("lyceum-deployer-edge RESOURCE_MISMATCH ses:*ConfigurationSet*",),
    ),
    Excuse(
        "newer than parliament's list, and in AWS's reference as we keep it (actions.json)",
        (
            "lyceum-deployer-edge UNKNOWN_ACTION elasticloadbalancing:*WebACL*",
            "lyceum-*-migrate UNKNOWN_CONDITION_FOR_ACTION *kms:ResourceAliases*",
        ),
    ),
    Excuse(
        "every reading verb for each service that Terraform asks; of a verb that a service has not, nothing is allowed",
        ("lyceum-pipeline-plan UNKNOWN_ACTION *",),
    ),
    Excuse(
        "AWS's own documents compare this ARN as a string",
        (
            "lyceum-deployer-identity MISMATCHED_TYPE_BUT_USABLE *",
            "lyceum-dev-server MISMATCHED_TYPE_BUT_USABLE *",
            "lyceum-prod-server MISMATCHED_TYPE_BUT_USABLE *",
        ),
    ),
    Excuse(
        "who writes a bucket's policy or lifecycle can let himself in, or let it be emptied: the deployer has to write "
        "both, and the audit trail's alarm rings (docs/unproven.md)",
        ("lyceum-deployer-data RESOURCE_POLICY_PRIVILEGE_ESCALATION *",),
    ),
    Excuse(
        "a boundary grants nothing: each role's own policy names its resources",
        ("lyceum-boundary *",),
    ),
)


def linted(documents: Iterable[tuple[str, str, Any]], excuses: Iterable[Excuse] = EXCUSES) -> str:
    """Raises Broken with what has no reason, and with reasons that nothing needs."""
    policies = dict(_policies(documents))
    found, excuses = sorted(_findings(policies)), tuple(excuses)
    wrong = [one for one in found if not any(_covers(p, one) for excuse in excuses for p in excuse.findings)]
    require(not wrong, f"{len(wrong)} found: {listed(wrong, 12)}")
    needless = [p for excuse in excuses for p in excuse.findings if not any(_covers(p, one) for one in found)]
    require(not needless, f"{listed(needless)}: found no more, and excused")
    of = Counter(next(e.why for e in excuses if any(_covers(p, one) for p in e.findings)) for one in found)
    lines = "".join(f"\n                  {count} excused: {why}" for why, count in of.most_common())
    return f"{len(policies)} policies, {len(found)} findings{lines}"


def _covers(pattern: str, finding: str) -> bool:
    return fnmatchcase(finding, pattern)


def _policies(documents: Iterable[tuple[str, str, Any]]) -> Iterator[tuple[str, Any]]:
    """By name, those that are attached to somebody; several inline ones of one owner are numbered."""
    for kind, name, document in documents:
        if kind == "trust":
            continue
        short = name.removeprefix("the inline policies of ")
        each = document if isinstance(document, list) else [document]
        for number, one in enumerate(each):
            yield (short if len(each) == 1 else f"{short}.{number + 1}"), one


def _findings(policies: dict[str, Any]) -> set[str]:
    binary = installed.install("parliament", LOCK, paths.TOOLS)
    with TemporaryDirectory() as folder:
        for name, document in policies.items():
            (Path(folder) / f"{name}.json").write_text(json.dumps(document))
        # It takes a policy by the name of its file, and wants no account.
        env = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        done = subprocess.run(
            [str(binary), "--directory", folder, "--json"],
            env={**env, "PYTHONWARNINGS": "ignore"}, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            check=False, preexec_fn=die_with_parent(),
        )  # fmt: skip
    found: set[str] = set()
    try:
        for line in done.stdout.splitlines():
            told = json.loads(line)
            name = Path(told["location"]["filepath"]).stem
            found |= {f"{name} {told['issue']} {subject}" for subject in _subjects(told)}
    except (ValueError, KeyError):
        last = (done.stderr.strip().splitlines() or done.stdout.splitlines() or ["nothing"])[-1]
        raise LyceumError(
            f"parliament ended with {done.returncode} and said: {last[:200]}", "Run it by hand."
        ) from None
    # It ends with 1 when it found something, and says nothing when it could not begin.
    if done.returncode not in {0, 1} or (done.returncode == 1) != bool(found):
        last = (done.stderr.strip().splitlines() or ["nothing"])[-1]
        raise LyceumError(f"parliament ended with {done.returncode} and said: {last[:200]}", "Run it by hand.")
    return found


def _subjects(told: dict[str, Any]) -> Iterator[str]:
    """What a finding is about: actions where it names some, or its own words."""
    detail = told.get("detail") or told["title"]
    if told["issue"] == "UNKNOWN_ACTION":
        yield str(told["location"]["string"])
    elif isinstance(detail, list):
        for one in detail:
            yield one if isinstance(one, str) else str(one["action"])
    else:
        yield " ".join(str(detail).split())
