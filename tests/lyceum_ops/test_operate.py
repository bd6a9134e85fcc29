"""What an engineer's commands do to an account: to an emulated one, with real Terraform and the smallest of roots."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.lyceum_ops.conftest import ACCOUNT, BUCKET, DEPLOYER, TABLE, Emulated

from lyceum_ops import operate
from lyceum_ops.errors import (
    CommandFailed,
    LyceumError,
    NoCredentials,
    NotPermitted,
    Refused,
    StateLocked,
    StateLost,
    Usage,
    WrongPlace,
)
from lyceum_ops.operate import Asked, Here
from lyceum_ops.roots import Platform
from lyceum_ops.terraform import Inputs, Terraform

pytestmark = pytest.mark.terraform
YES = Asked(yes=True)
EMAIL = "operator@example.org"
EXPIRED = {"error": ["ExpiredToken", "The security token included in the request is expired", 403]}


def asked(yes: bool = True, name: str = "", account: str = "", **values: str) -> Asked:
    return Asked(values=values, yes=yes, yes_destroy=name, account=account)


def commands(here: Here, key: str = "platform-dev") -> list[str]:
    """The Terraform commands that were run for a root, in their order."""
    log = here.home / "aws" / ACCOUNT / key / "terraform.log"
    return [line.split()[2] for line in log.read_text().splitlines() if line.startswith("$ terraform ")]


def resources(account: Emulated, key: str = "platform-dev.tfstate") -> set[str]:
    return {f"{one['type']}.{one['name']}" for one in account.states()[key]["resources"] if one["instances"]}


def size(account: Emulated) -> int:
    return int(account.states()["platform-dev.tfstate"]["outputs"]["size"]["value"])


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Sit at a terminal and type this line."""

    def give(line: str) -> None:
        writer, reader = pty.openpty()
        os.write(writer, f"{line}\n".encode())
        monkeypatch.setattr(sys, "stdin", os.fdopen(reader))

    return give


# ------------------------------------------------------------------------------------------------ bootstrap


def test_the_first_state_moves_into_the_bucket_and_the_second_run_uses_it(
    account: Emulated, here: Here, capsys: pytest.CaptureFixture[str]
) -> None:
    operate.bootstrap(here, asked=asked(alarm_email=EMAIL))
    assert resources(account, "bootstrap.tfstate") == {"terraform_data.bucket", "terraform_data.last"}
    assert not list(here.home.rglob("bootstrap.tfstate*"))
    assert not list(here.infra.rglob("*.tfstate*")), "the checkout stays as it is"
    capsys.readouterr()
    # Elsewhere, with nothing of the first time at hand.
    operate.bootstrap(Here(here.infra, here.home / "other", here.tools), asked=asked(alarm_email=EMAIL))
    assert "Nothing to change." in capsys.readouterr().out


def test_a_first_apply_that_was_cut_short_goes_on_from_its_local_state(account: Emulated, here: Here) -> None:
    with pytest.raises(CommandFailed, match=r"What was done until then is kept"):
        operate.bootstrap(here, asked=asked(alarm_email=EMAIL, breaks="true"))
    assert list(here.home.rglob("bootstrap.tfstate"))
    # A colleague's checkout has neither state: it must not begin anew on what exists.
    with pytest.raises(StateLost, match=r"is there, and the state of bootstrap is neither in it nor at .*import"):
        operate.bootstrap(Here(here.infra, here.home / "other", here.tools), asked=asked(alarm_email=EMAIL))
    operate.bootstrap(here, asked=asked(alarm_email=EMAIL))
    assert "terraform_data.last" in resources(account, "bootstrap.tfstate")


def test_bootstrap_says_which_value_it_lacks_and_leaves_the_region_where_it_is(account: Emulated, here: Here) -> None:
    with pytest.raises(Usage, match=r"alarm_email.*--alarm-email"):
        operate.bootstrap(here, asked=YES)
    account.client("s3").create_bucket(Bucket=BUCKET)
    account.client("s3").put_object(
        Bucket=BUCKET, Key="bootstrap.tfstate", Body=b'{"version": 4, "serial": 1, "lineage": "a"}'
    )
    with pytest.raises(WrongPlace, match=r"asks for eu-west-1, and the account was bootstrapped in us-east-1"):
        operate.bootstrap(here, asked=asked(alarm_email=EMAIL), region="eu-west-1")


def test_the_deployer_may_not_bootstrap(bootstrapped: Emulated, here: Here) -> None:
    with pytest.raises(Refused, match=r"bootstrap is the administrator's"):
        operate.bootstrap(here, asked=asked(alarm_email=EMAIL))


# ------------------------------------------------------------------------------------------------ plan and apply


def test_a_plan_lists_changes_by_address_and_changes_nothing(
    bootstrapped: Emulated, here: Here, capsys: pytest.CaptureFixture[str]
) -> None:
    operate.plan(here, "dev", asked=YES)
    said = capsys.readouterr()
    assert "2 to create" in said.out
    assert "+ create   terraform_data.server" in said.out
    assert "warning" not in said.err
    assert bootstrapped.states() == {}
    assert not list(here.home.rglob("*.tfplan")), "a plan may hold secrets"
    operate.apply(here, "dev", asked=YES)
    operate.plan(here, "dev", asked=asked(size="2"))
    said = capsys.readouterr()
    assert "1 to update, 1 to replace" in said.out
    assert "± replace  terraform_data.zone  because of triggers_replace" in said.out
    assert size(bootstrapped) == 1
    operate.plan(here, "dev", asked=YES)
    said = capsys.readouterr()
    assert "nothing to change" in said.out
    assert "paid for" not in said.out


def test_a_plan_ends_with_what_it_changes_of_the_monthly_bill(
    bootstrapped: Emulated, here: Here, capsys: pytest.CaptureFixture[str]
) -> None:
    head, rest = TABLE.split("variable", maxsplit=1)
    provider = head + next(line for line in rest.splitlines() if line.startswith("provider ")) + "\n"
    keys = here.infra / "platform" / "keys.tf"
    one = provider + 'resource "aws_kms_key" "logs" {\n  count = 1\n}\n'
    keys.write_text(one)
    operate.apply(here, "dev", asked=YES)
    keys.write_text(one.replace("count = 1", "count = 2") + 'resource "aws_sqs_queue" "jobs" {}\n')
    capsys.readouterr()
    operate.plan(here, "dev", asked=YES)
    said = capsys.readouterr().out
    assert "What the plan changes, US dollars a month, with 500 learners, 10 h each:" in said
    assert re.search(r"\+1\.00 fixed .*: 1\.00 to 2\.00", said)
    assert re.search(r"\+1\.\d\d from 1\.\d\d to 2\.\d\d", said)
    assert "NOT COUNTED, as nobody has said what it costs (rates.py): aws_sqs_queue.jobs" in said
    assert not list(here.home.rglob("*.tfplan")), "a plan may hold secrets"
    keys.write_text(one)
    operate.plan(here, "dev", asked=asked(size="2"))
    assert "The plan changes nothing that is paid for, with 500 learners, 10 h each." in capsys.readouterr().out


def test_an_administrator_who_applies_is_warned(
    bootstrapped: Emulated, here: Here, capsys: pytest.CaptureFixture[str]
) -> None:
    bootstrapped.say({})
    operate.plan(here, "dev", asked=YES)
    assert "is not the deployer (./lyceum login)" in " ".join(capsys.readouterr().err.split())


def test_what_was_shown_is_what_is_applied(bootstrapped: Emulated, here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    class Typist:
        """Says yes, after somebody else has changed the code and the settings that the plan was made from."""

        def isatty(self) -> bool:
            return True

        def readline(self) -> str:
            for root in (here.infra, *here.home.glob("aws/*/platform-dev/infra")):
                (root / "platform" / "env" / "dev.tfvars").write_text('environment = "dev"\nsize = 7\n')
                code = root / "platform" / "main.tf"
                code.write_text(code.read_text() + 'resource "terraform_data" "unseen" {}\n')
            return "yes\n"

    monkeypatch.setattr(sys, "stdin", Typist())
    operate.apply(here, "dev", asked=Asked())
    assert size(bootstrapped) == 1
    assert resources(bootstrapped) == {"terraform_data.server", "terraform_data.zone"}


def test_without_a_yes_nothing_is_applied(
    bootstrapped: Emulated, here: Here, answer: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    with open(os.devnull) as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        with pytest.raises(Refused, match=r"no terminal; nothing was done.*--yes"):
            operate.apply(here, "dev", asked=Asked())
    answer("y")
    with pytest.raises(Refused, match=r"'y' and not 'yes'"):
        operate.apply(here, "dev", asked=Asked())
    assert bootstrapped.states() == {}
    answer("yes")
    operate.apply(here, "dev", asked=Asked())
    assert size(bootstrapped) == 1


def test_a_plan_that_was_overtaken_is_not_applied(bootstrapped: Emulated, here: Here, tmp_path: Path) -> None:
    def platform(work: str) -> Platform:
        tool = Terraform.prepare(here.tools)
        root = Platform("dev", tool=tool, session=bootstrapped.session, account=ACCOUNT, source=here.infra,
                        work=tmp_path / work, log=tmp_path / "log")  # fmt: skip
        root.open()
        return root

    one, other = platform("one"), platform("other")
    inputs = Inputs((one.var_file,), {"region": "us-east-1"})
    plan = one.plan(inputs)
    other.apply(other.plan(Inputs((other.var_file,), {"region": "us-east-1", "size": "3"})))
    with pytest.raises(CommandFailed, match=r"stale"):
        one.apply(plan)
    assert size(bootstrapped) == 3
    assert not plan.file.exists()


def test_a_state_that_could_not_be_written_is_pushed_by_the_next_command(bootstrapped: Emulated, here: Here) -> None:
    operate.apply(here, "dev", asked=YES)
    code = here.infra / "platform" / "main.tf"
    plain = code.read_text()
    # While this resource is being made, the deployer loses the right to write the state.
    answers = here.home / "answers"
    answers.write_text(json.dumps({"s3:PutObject": {"error": ["AccessDenied", "Access Denied", 403]}}))
    code.write_text(plain + 'resource "terraform_data" "more" {\n  provisioner "local-exec" {\n'
                    f'    command = "cp {answers} {bootstrapped._answers}"\n  }}\n}}\n')  # fmt: skip
    with pytest.raises(NotPermitted):
        operate.apply(here, "dev", asked=YES)
    bootstrapped.as_the_deployer()
    assert "terraform_data.more" not in resources(bootstrapped)
    code.write_text(plain + 'resource "terraform_data" "more" {}\n')
    bootstrapped.client("s3").delete_object(Bucket=BUCKET, Key="platform-dev.tfstate.tflock")
    operate.plan(here, "dev", asked=YES)
    assert "terraform_data.more" in resources(bootstrapped)
    assert not list(here.home.rglob("*errored*"))


# ------------------------------------------------------------------------------------------------ destroy


def test_what_is_protected_is_not_destroyed_until_the_named_variable_is_applied(
    bootstrapped: Emulated, here: Here
) -> None:
    operate.apply(here, "prod", asked=YES)
    before = commands(here, "platform-prod")
    with pytest.raises(Refused, match=r"prod is protected.*apply prod --var protected=false"):
        operate.destroy(here, "prod", asked=asked(name="prod"))
    assert commands(here, "platform-prod") == [*before, "init"], "Terraform was to plan nothing"
    # Saying it to destroy alone does not help: what counts is what was applied.
    with pytest.raises(Refused, match=r"is protected"):
        operate.destroy(here, "prod", asked=asked(name="prod", protected="false"))
    assert len(resources(bootstrapped, "platform-prod.tfstate")) == 2
    operate.apply(here, "prod", asked=asked(protected="false"))
    operate.destroy(here, "prod", asked=asked(name="prod"))
    assert resources(bootstrapped, "platform-prod.tfstate") == set()


def test_another_name_than_the_environments_destroys_nothing(
    bootstrapped: Emulated, here: Here, answer: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    operate.apply(here, "dev", asked=asked(protected="false"))
    with pytest.raises(Refused, match=r"--yes-destroy names 'prod'"):
        operate.destroy(here, "dev", asked=asked(name="prod"))
    for typed in ("prod", "yes", ""):
        answer(typed)
        with pytest.raises(Refused, match=r"nothing was done"):
            operate.destroy(here, "dev", asked=Asked())
    assert len(resources(bootstrapped)) == 2
    answer("dev")
    operate.destroy(here, "dev", asked=Asked())
    assert resources(bootstrapped) == set()
    operate.destroy(here, "dev", asked=Asked())
    assert "There is nothing of dev to destroy." in capsys.readouterr().out


def test_a_change_that_loses_data_is_shown_loudly_and_wants_the_name(
    bootstrapped: Emulated,
    here: Here,
    capsys: pytest.CaptureFixture[str],
    answer: Callable[[str], None],
    tmp_path: Path,
) -> None:
    (here.infra / "platform" / "table.tf").write_text(TABLE)
    code = here.infra / "platform" / "main.tf"
    code.write_text(code.read_text().replace('output "protected" { value = var.protected }', ""))
    operate.apply(here, "dev", asked=YES)
    # Without the output, the deletion protection of what exists speaks.
    with pytest.raises(Refused, match=r"aws_dynamodb_table.progress has deletion protection"):
        operate.destroy(here, "dev", asked=asked(name="dev"))
    capsys.readouterr()
    answer("yes")
    with pytest.raises(Refused, match=r"'yes' and not 'dev'"):
        operate.apply(here, "dev", asked=asked(key="course"))
    said = capsys.readouterr().out
    lines = [line for line in said.splitlines() if "replace " in line]
    assert "aws_dynamodb_table.progress  because of hash_key   DATA IS LOST: table" in lines[0]
    assert "This loses data: 1 of the resources above hold it (table)." in said
    # A kept plan says so too.
    operate.plan(here, "dev", asked=asked(key="course"), out_file=tmp_path / "kept.plan")
    capsys.readouterr()
    answer("yes")
    with pytest.raises(Refused, match=r"'yes' and not 'dev'"):
        operate.apply(here, "dev", asked=Asked(), plan_file=tmp_path / "kept.plan")
    assert "This loses data: 1 of the resources above hold it (table)." in capsys.readouterr().out
    key = bootstrapped.client("dynamodb").describe_table(TableName="lyceum-dev-progress")["Table"]["KeySchema"]
    assert key[0]["AttributeName"] == "learner"


# ------------------------------------------------------------------------------------------------ bad days


def test_a_held_lock_names_its_holder_and_unlock_removes_that_one_only(bootstrapped: Emulated, here: Here) -> None:
    operate.apply(here, "dev", asked=YES)
    lock = {
        "ID": "5c1b6a4e-0000-1111-2222-333344445555", "Operation": "OperationTypeApply", "Info": "", "Path": "x",
        "Who": "ada@laptop", "Version": "1.11.4", "Created": "2026-11-01T10:00:00Z",
    }  # fmt: skip
    s3 = bootstrapped.client("s3")
    s3.put_object(Bucket=BUCKET, Key="platform-dev.tfstate.tflock", Body=json.dumps(lock).encode())
    with pytest.raises(StateLocked) as caught:
        operate.apply(here, "dev", asked=asked(size="2"))
    said = str(caught.value)
    assert "ada@laptop runs apply since 2026-11-01 10:00:00" in said
    assert f"./lyceum unlock dev {lock['ID']} (terraform force-unlock)" in said
    assert size(bootstrapped) == 1
    with pytest.raises(LyceumError, match=r"force-unlock"):
        operate.unlock(here, "dev", "another", asked=YES)
    assert "platform-dev.tfstate.tflock" in bootstrapped.states()
    operate.unlock(here, "dev", lock["ID"], asked=YES)
    operate.apply(here, "dev", asked=asked(size="2"))
    assert size(bootstrapped) == 2


def test_without_a_bucket_and_with_a_deleted_state_nothing_begins_anew(account: Emulated, here: Here) -> None:
    with pytest.raises(StateLost, match=rf"{ACCOUNT} has no bucket {BUCKET}.*./lyceum bootstrap"):
        operate.apply(here, "dev", asked=YES)
    s3 = account.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    operate.apply(here, "dev", asked=YES)
    mark = s3.delete_object(Bucket=BUCKET, Key="platform-dev.tfstate")["VersionId"]
    with pytest.raises(StateLost, match=r"was deleted from.*older versions are still there") as caught:
        operate.apply(here, "dev", asked=YES)
    assert f"--key platform-dev.tfstate --version-id {mark}" in caught.value.hint
    # The hint is right.
    s3.delete_object(Bucket=BUCKET, Key="platform-dev.tfstate", VersionId=mark)
    assert size(account) == 1


def test_credentials_of_another_account_are_noticed(bootstrapped: Emulated, here: Here) -> None:
    with pytest.raises(WrongPlace, match=rf"are of account {ACCOUNT}, and 999988887777 is meant"):
        operate.plan(here, "dev", asked=asked(account="999988887777"))
    with pytest.raises(Usage, match=r"twelve digits"):
        operate.plan(here, "dev", asked=asked(account="dev"))
    operate.plan(here, "dev", asked=asked(account=ACCOUNT))
    other = {"Account": "999988887777", "Arn": "arn:aws:iam::999988887777:user/eve", "UserId": "x"}
    bootstrapped.say({"sts:GetCallerIdentity": {"result": other}})
    with pytest.raises(WrongPlace, match=rf"999988887777; here, platform-dev was last worked on in {ACCOUNT}"):
        operate.apply(here, "dev", asked=YES)
    # Named, it is meant; that account then lacks its bucket.
    with pytest.raises(StateLost, match=r"999988887777 has no bucket"):
        operate.apply(here, "dev", asked=asked(account="999988887777"))


def test_an_environment_in_another_region_than_its_account_is_refused(bootstrapped: Emulated, here: Here) -> None:
    (here.infra / "platform" / "env" / "dev.tfvars").write_text('environment = "dev"\nregion = "eu-west-1"\n')
    with pytest.raises(WrongPlace, match=r"asks for eu-west-1, and the account was boot.*us-east-1"):
        operate.apply(here, "dev", asked=YES)
    operate.plan(here, "dev", asked=asked(region="us-east-1"))


def test_none_wrong_and_expired_credentials(
    bootstrapped: Emulated, here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    operate.apply(here, "dev", asked=YES)
    bootstrapped.say({"*": EXPIRED})
    with pytest.raises(NoCredentials, match=r"have expired.*\./lyceum login"):
        operate.apply(here, "dev", asked=asked(size="2"))
    # They may also expire while Terraform is at work.
    bootstrapped.as_the_deployer()
    with operate._environment(here, "dev", YES) as (root, inputs):
        bootstrapped.say({"*": EXPIRED})
        with pytest.raises(NoCredentials, match=r"have expired"):
            root.plan(inputs)
    bootstrapped.say({"*": {"error": ["InvalidClientTokenId", "The security token is invalid.", 403]}})
    with pytest.raises(NoCredentials, match=r"does not know these credentials"):
        operate.apply(here, "dev", asked=YES)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(NoCredentials, match=r"There are no AWS credentials"):
        operate.apply(here, "dev", asked=YES)
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(NoCredentials, match=r"nobody"):
        operate.apply(here, "dev", asked=YES)


def test_a_missing_right_is_named_with_its_page_and_a_missing_zone_too(bootstrapped: Emulated, here: Here) -> None:
    provider = TABLE.split("resource", maxsplit=1)[0]
    zone = 'data "aws_route53_zone" "domain" {\n  name = "learn.example.org"\n}\n'
    (here.infra / "platform" / "zone.tf").write_text(provider + zone)
    said = (
        f"User: {DEPLOYER} is not authorized to perform: route53:ListHostedZones because no "
        "identity-based policy allows the route53:ListHostedZones action"
    )
    bootstrapped.as_the_deployer(**{"route53:*": {"error": ["AccessDenied", said, 403]}})
    with pytest.raises(NotPermitted) as caught:
        operate.apply(here, "dev", asked=YES)
    assert f"does not permit route53:ListHostedZones to {DEPLOYER} (no identity-based policy)" in caught.value.message
    assert "docs/runbook/missing-permission.md" in caught.value.hint
    bootstrapped.as_the_deployer()
    with pytest.raises(LyceumError, match=r"no hosted zone in this account's Route 53"):
        operate.apply(here, "dev", asked=YES)
    # Before Terraform, on the way to the state.
    bootstrapped.as_the_deployer(**{"s3:HeadBucket": {"error": ["AccessDenied", "", 403]}})
    with pytest.raises(NotPermitted, match=r"s3:ListBucket"):
        operate.apply(here, "dev", asked=YES)
    bootstrapped.as_the_deployer()
    assert bootstrapped.states() == {}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_apply_keeps_what_it_made_and_leaves_no_lock(
    bootstrapped: Emulated, here: Here, number: signal.Signals
) -> None:
    code = here.infra / "platform" / "main.tf"
    slow = 'resource "terraform_data" "slow" {\n  provisioner "local-exec" {\n    command = "sleep 30"\n  }\n}\n'
    code.write_text(code.read_text() + slow)
    program = (
        "from pathlib import Path\nfrom lyceum_ops.operate import Asked, Here, apply\n"
        f"apply(Here(*map(Path, {[str(here.infra), str(here.home), str(here.tools)]})), 'dev', asked=Asked(yes=True))\n"
    )
    source = Path(operate.__file__).parents[1]
    process = subprocess.Popen([sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": str(source)},
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # fmt: skip
    log = here.home / "aws" / ACCOUNT / "platform-dev" / "terraform.log"
    deadline = time.monotonic() + 20
    while not (log.exists() and "Provisioning with" in log.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(number)
    _, said = process.communicate(timeout=20)
    assert process.returncode != 0
    assert ("interrupted: Terraform ends what it has begun" in said) == (number != signal.SIGKILL)
    # Terraform itself hears of the death of the command, and ends in order all the same.
    while any(key.endswith(".tflock") for key in bootstrapped.objects()):
        assert time.monotonic() < deadline + 20, "a lock is left"
        time.sleep(0.1)
    assert {"terraform_data.server", "terraform_data.zone"} <= resources(bootstrapped)
    code.write_text(code.read_text().replace(slow, ""))
    operate.apply(here, "dev", asked=YES)
    assert resources(bootstrapped) == {"terraform_data.server", "terraform_data.zone"}


def test_two_commands_do_not_work_in_one_checkout(bootstrapped: Emulated, here: Here) -> None:
    with (
        operate._environment(here, "dev", YES),
        pytest.raises(Refused, match=r"Another ./lyceum is at work on platform-dev"),
    ):
        operate.plan(here, "dev", asked=YES)


def test_words_that_mean_nothing(here: Here, tmp_path: Path) -> None:
    with pytest.raises(Usage, match=r"no environment named 'stage'.*dev, prod"):
        operate.plan(here, "stage", asked=YES)
    with pytest.raises(Usage, match=r"name=value; got 'protected'"):
        operate.parse_variables(["protected"])
    assert operate.parse_variables(["a={x=1}", "b="]) == {"a": "{x=1}", "b": ""}
    with pytest.raises(Usage, match=r"is no file"):
        operate.require_files([tmp_path / "none.tfvars"])
