"""The runbook is right today, and each thing that could be wrong with it is noticed."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from lyceum_lab.documents import pointers
from lyceum_lab.documents.runbook import alarms, awscli, check, pages

pytestmark = pytest.mark.runbook

CHECKOUT = Path(__file__).resolve().parents[3]
RUNBOOK, INFRA = CHECKOUT / "docs" / "runbook", CHECKOUT / "infra"
GOOD = "\n\n".join(
    f"## {heading}\n\n" + ("```console\n$ ./lyceum doctor dev\n```" if heading == "Diagnosis" else "Something.")
    for heading in pages.SECTIONS
)


def page(text: str, name: str = "a-routine") -> pages.Page:
    return pages.parse(name, text)


def told(block: str, *commands: str) -> list[str]:
    """What is said of these commands in one block."""
    lines = "\n".join(f"$ {command}" for command in commands)
    return check.commands(page(f"```{block}\n{lines}\n```"))


def test_nothing_is_wrong_with_the_runbook() -> None:
    assert check.problems(RUNBOOK, INFRA) == []


def test_it_holds_what_an_operator_needs() -> None:
    found = check.load(RUNBOOK)
    commands = [each for one in found.values() for each in one.commands]
    assert len(found) >= 50
    assert len(commands) > 200
    assert {"release", "roll-back", "restore-all", "restore-one-course", "erase-a-person", "leaked-key"} < set(found)


def test_each_alarm_names_its_page_in_aws() -> None:
    declared = alarms.declared(INFRA)
    assert len(declared.environment) >= 21
    assert len(declared.account) == 8
    for place in ("alarms/main.tf", "audit/alarms.tf"):
        assert "See docs/runbook/${each.key}.md." in (INFRA / "modules" / place).read_text(), place


def test_an_alarm_that_is_declared_elsewhere_is_noticed(tmp_path: Path) -> None:
    for name in ("modules/alarms/table.tf", "modules/audit/watches.tf", "bootstrap/budget.tf"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text((INFRA / name).read_text())
    assert alarms.declared(tmp_path) == alarms.declared(INFRA)
    (tmp_path / "modules" / "new").mkdir()
    (tmp_path / "modules" / "new" / "main.tf").write_text('resource "aws_cloudwatch_metric_alarm" "new" {}\n')
    with pytest.raises(ValueError, match="modules/new"):
        alarms.declared(tmp_path)


def test_an_alarm_without_a_page_and_a_page_that_nobody_finds() -> None:
    found, index = check.load(RUNBOOK), (RUNBOOK / "README.md").read_text()
    declared = alarms.declared(INFRA)
    assert check.coverage(found, index, declared) == []
    more = replace(declared, environment=(*declared.environment, "too-hot"), budgets=("lyceum-weekly",))
    assert check.coverage(found, index, more) == [
        "too-hot: an alarm without a page",
        "lyceum-weekly: a budget that no page speaks of",
    ]
    fewer = {name: one for name, one in found.items() if name != "latency"}
    assert check.coverage(fewer, index, declared) == [
        "latency: an alarm without a page",
        "latency: in the index, and no page",
    ]
    unlisted = {**found, "forgotten": page(GOOD, "forgotten")}
    assert check.coverage(unlisted, index, declared) == ["forgotten: not in the index"]


@pytest.mark.parametrize(
    ("harmed", "said"),
    [
        (GOOD.replace("## Undo", "## Regrets"), "its sections are"),
        (GOOD.replace("## Undo\n\nSomething.", "## Undo\n\n"), "Undo is empty"),
        (GOOD + "\n\n## Why this threshold\n\nSo.", "gives a threshold"),
        (GOOD.replace("Something.", "Details to follow.", 1), "is not finished"),
        (GOOD.replace("console", "text"), "no command that looks first"),
    ],
)
def test_a_page_that_lacks_something(harmed: str, said: str) -> None:
    declared = alarms.declared(INFRA)
    assert check.form(page(GOOD), declared) == []
    (found,) = check.form(page(harmed), declared)
    assert said in found


def test_an_alarm_has_to_say_why_it_rings_there() -> None:
    (found,) = check.form(page(GOOD, "latency"), alarms.declared(INFRA))
    assert "Why this threshold" in found


LATENCY = "aws cloudwatch describe-alarms --alarm-names lyceum-dev-latency"


@pytest.mark.parametrize(
    ("block", "good", "bad", "said"),
    [
        ("console", "./lyceum doctor $ENV", "./lyceum cure $ENV", "there is no ./lyceum cure"),
        ("console", "./lyceum doctor dev", "./lyceum doctor dev --quickly", "--quickly"),
        ("console", "./lyceum doctor dev", "./lyceum doctor", "ENV"),
        ("sh", "./lyceum unlock dev 5f2a", "./lyceum unlock dev", "ID"),
        ("sh", 'eval "$(./lyceum login --mfa 123456)"', 'eval "$(./lyceum login)"', "--mfa"),
        ("console", LATENCY, LATENCY.replace("cloudwatch", "clockwatch"), "no service clockwatch"),
        ("console", LATENCY, LATENCY.replace("describe-alarms", "describe-bells"), "no operation describe-bells"),
        ("console", LATENCY, LATENCY.replace("--alarm-names", "--alarm-name"), "no parameter --alarm-name"),
        ("console", LATENCY, f"{LATENCY} --state-value RINGING", "RINGING is none of"),
        ("console", f"{LATENCY} --max-records 3", f"{LATENCY} --max-records three", "wants a number"),
        ("console", f"{LATENCY} --query 'MetricAlarms[].StateValue'", f"{LATENCY} --query 'MetricAlarms[].State'",
         "asks for State,"),
        ("console", f"{LATENCY} --query 'length(MetricAlarms)'", f"{LATENCY} --query 'length(MetricAlarms'", "--query"),
        ("console", "aws rds describe-db-instances", "aws rds describe-db-parameters", "DBParameterGroupName"),
        ("console", "aws ec2 describe-instances --filters Name=tag:Name,Values=a,b",
         "aws ec2 describe-instances --filters Key=tag:Name,Values=a", "has no Key"),
        ("console", "aws logs tail /lyceum/$ENV/system --since 1h", "aws logs tail /lyceum/$ENV/system --until 1h",
         "no option --until"),
        ("sh", "aws rds wait db-instance-available --db-instance-identifier x",
         "aws rds wait db-instance-well --db-instance-identifier x", "cannot wait for db-instance-well"),
        ("sh", "aws rds reboot-db-instance --db-instance-identifier x --force-failover",
         "aws rds reboot-db-instance --force-failover", "DBInstanceIdentifier"),
        ("sh", "aws dynamodb delete-item --table-name t --key '{\"pk\": {\"S\": \"a\"}}'",
         "aws dynamodb delete-item --table-name t --key '{\"pk\": \"a\"}'", "Invalid type"),
        ("sh", "SERVER=i-1", "aws ec2 terminate-instances --instance-ids $SERVER", "nothing sets $SERVER"),
        ("sh", "terraform state rm module.database.aws_db_instance.this",
         "terraform state rm module.database.aws_db_instance.that", "Terraform has no module.database"),
        ("sh", "git revert HEAD", "rm -rf /", "no program that a page may use"),
    ],
)  # fmt: skip
def test_a_command_that_would_be_refused(block: str, good: str, bad: str, said: str) -> None:
    assert told(block, good) == []
    (found,) = told(block, bad)
    assert said in found


def test_what_changes_something_never_stands_among_what_looks() -> None:
    (found,) = told("console", "aws rds reboot-db-instance --db-instance-identifier x")
    assert "changes something" in found
    (found,) = told("console", "./lyceum apply dev")
    assert "changes something" in found
    (found,) = told("console", "aws secretsmanager get-secret-value --secret-id x")
    assert "changes something" in found
    (found,) = told("sh", LATENCY)
    assert "only reads" in found


def test_an_answer_that_is_shown_has_the_columns_that_are_asked_for() -> None:
    asked = f"{LATENCY} --query 'MetricAlarms[].[StateValue,StateReason]' --output text"
    assert check.commands(page(f"```console\n$ {asked}\nOK\tbecause\n```")) == []
    (found,) = check.commands(page(f"```console\n$ {asked}\nOK\n```"))
    assert "shows 1 columns, and --query picks 2" in found


def test_an_answer_is_kept_for_the_commands_after_it() -> None:
    keep = "SERVER=$(aws ec2 describe-instances --query 'Reservations[0].Instances[0].InstanceId' --output text)"
    assert told("sh", keep, "aws ec2 terminate-instances --instance-ids $SERVER") == []


def test_a_name_that_infra_does_not_give() -> None:
    known = alarms.names(INFRA)
    assert {"lyceum-dev-servers", "lyceum-prod-latency", "/lyceum/dev/system", "lyceum-audit-root-use"} <= known
    assert check.strange_names(page("`lyceum-$ENV-servers` and `lyceum-<env>-backup`"), known) == []
    assert check.strange_names(page("`lyceum-$ENV-server-group`"), known) == [
        "a-routine: infra/ gives no lyceum-dev-server-group"
    ]
    assert check.strange_names(page("```sh\n$ COPY=lyceum-$ENV-copy\n```\nlyceum-$ENV-copy"), known) == []


@pytest.mark.parametrize(
    ("file", "before", "after", "said"),
    [
        ("modules/servers/main.tf", '-servers"', '-fleet"', "infra/ gives no lyceum-dev-servers"),
        (
            "modules/logs/main.tf",
            "}/application",
            "}/app",
            "infra/ gives no /lyceum/dev/application",
        ),
        ("modules/alarms/table.tf", "    latency = {", "    slowness = {", "slowness: an alarm without a page"),
        ("bootstrap/budget.tf", "lyceum-monthly", "lyceum-yearly", "lyceum-yearly: a budget that no page speaks of"),
    ],
)
def test_what_is_renamed_in_infra_is_noticed(tmp_path: Path, file: str, before: str, after: str, said: str) -> None:
    infra = tmp_path / "infra"
    shutil.copytree(INFRA, infra, ignore=shutil.ignore_patterns(".terraform", "tests"))
    text = (infra / file).read_text()
    assert before in text
    (infra / file).write_text(text.replace(before, after))
    assert any(said in line for line in check.problems(RUNBOOK, infra))


def test_a_command_becomes_the_call_that_aws_gets() -> None:
    words = [
        "ec2",
        "describe-instances",
        "--filters",
        "Name=tag:Name,Values=a,b",
        "Name=x,Values=c",
        "--max-results",
        "5",
    ]
    assert awscli.parse(words) == awscli.Call(
        "ec2", "DescribeInstances",
        {"Filters": [{"Name": "tag:Name", "Values": ["a", "b"]}, {"Name": "x", "Values": ["c"]}], "MaxResults": 5},
        reads=True,
    )  # fmt: skip


def in_code(pattern: str, folder: str) -> set[str]:
    """What a pattern finds in the Python below a folder of src."""
    files = (CHECKOUT / "src" / folder).rglob("*.py")
    return {found for file in files for found in re.findall(pattern, file.read_text())}


def test_pages_that_the_code_names_are_there() -> None:
    named = in_code(r'page\("([a-z-]+)"\)', "lyceum_ops/doctor") | in_code(r"docs/runbook/([a-z-]+)\.md", "lyceum_ops")
    assert {"no-healthy-server", "backup-failed", "missing-permission", "state-lock-stuck"} <= named
    assert named <= set(check.load(RUNBOOK))


def test_what_the_doctor_looks_for_is_what_infra_makes() -> None:
    wanted = in_code(r'name\(asking, f?"([a-z-]+?)-?[{"]', "lyceum_ops/doctor")
    assert {"servers", "database", "progress", "files", "backup", "content"} <= wanted
    known = alarms.names(INFRA)
    assert [one for one in sorted(wanted) if not any(name.startswith(f"lyceum-dev-{one}") for name in known)] == []


# Which test or proof runs a command of the pages, on an emulated account or on the cloud on one machine. What of AWS
# they call by `aws` is made by tests/lyceum_ops/test_runbook.py.
DELIVERED = "tests/pipeline/test_pipeline.py::test_a_commit_becomes_a_running_release_with_nothing_done_by_hand"
RELEASED = "tests/rehearsal/test_releases.py::test_a_release_and_its_rollback_lose_nothing"
RUN_BY = {
    "apply": "prove apply::applied",
    "artifact": DELIVERED,
    "bootstrap": "prove apply::bootstrap",
    "cost": "prove cost::sums",
    "destroy": "prove apply::destroyed",
    "doctor": "tests/lyceum_ops/test_doctor.py::test_a_well_environment_is_told_so_within_ten_seconds",
    "drill": "tests/lyceum_ops/drill/test_drill.py::test_everything_comes_back_and_a_learner_goes_on",
    "login": "tests/lyceum_ops/test_login.py::test_the_command_gives_a_shell_the_session_of_the_role",
    "plan": "prove apply::empty",
    "preflight": "tests/lyceum_ops/test_preflight.py::"
    "test_a_ready_account_passes_and_an_empty_one_is_told_what_it_lacks",
    "publish": DELIVERED,
    "release": RELEASED,
    "releases": RELEASED,
    "restore": "tests/lyceum_ops/restore/test_course.py::test_a_deleted_course_comes_back_alone_and_as_it_was",
    "rollback": RELEASED,
    "smoke": DELIVERED,
    "tunnel": "tests/rehearsal/test_cloud.py::"
    "test_an_operator_reads_the_database_through_the_bastion_and_changes_nothing",
    "unlock": "tests/lyceum_ops/test_operate.py::test_a_held_lock_names_its_holder_and_unlock_removes_that_one_only",
}


def test_each_command_of_the_pages_is_run_by_a_test() -> None:
    used = {
        match[1]
        for one in (*check.load(RUNBOOK).values(), pages.read(RUNBOOK / "README.md"))
        for each in one.commands
        if (match := re.search(r"\./lyceum ([a-z]+)", each.text))
    }
    assert used == set(RUN_BY)
    assert [fault for name, test in RUN_BY.items() for fault in pointers.faults(name, (), (test,), CHECKOUT)] == []
