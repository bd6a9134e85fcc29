"""What was approved is what is applied, or nothing: a kept plan is refused as soon as anything is otherwise."""

from __future__ import annotations

import json
import stat
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from tests.lyceum_ops.conftest import Emulated

from lyceum_ops import operate, saved_plans
from lyceum_ops.errors import Refused, Usage, WrongPlace
from lyceum_ops.operate import Asked, Here

pytestmark = pytest.mark.terraform
YES = Asked(yes=True)


def size(account: Emulated) -> int:
    return int(account.states()["platform-dev.tfstate"]["outputs"]["size"]["value"])


def planned(here: Here, tmp_path: Path, environment: str = "dev", **values: str) -> Path:
    file = tmp_path / "kept.plan"
    operate.plan(here, environment, asked=Asked(values=values), out_file=file)
    return file


def test_a_kept_plan_is_applied_in_another_checkout(
    bootstrapped: Emulated, here: Here, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = planned(here, tmp_path, size="3")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert saved_plans.read(file).summary == "2 to create; no data is lost; +0.00 US dollars a month; at commit unknown"
    assert bootstrapped.states() == {}
    operate.apply(Here(here.infra, tmp_path / "other-home", here.tools), "dev", asked=YES, plan_file=file)
    assert size(bootstrapped) == 3
    assert "+ create   terraform_data.server" in capsys.readouterr().out
    assert not list((tmp_path / "other-home").rglob("*.tfplan")), "a plan may hold secrets"


def test_a_machine_without_git_knows_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert saved_plans._commit(tmp_path) == ""


def test_a_plan_on_an_older_state_is_refused(bootstrapped: Emulated, here: Here, tmp_path: Path) -> None:
    file = planned(here, tmp_path, size="3")
    operate.apply(here, "dev", asked=replace(YES, values={"size": "2"}))
    with pytest.raises(
        Refused, match=r"state of dev has changed since .* serial was 0 and is \d.*no longer what would"
    ):
        operate.apply(here, "dev", asked=YES, plan_file=file)
    assert size(bootstrapped) == 2


def test_a_plan_that_was_applied_is_not_applied_again(bootstrapped: Emulated, here: Here, tmp_path: Path) -> None:
    file = planned(here, tmp_path, size="3")
    operate.apply(here, "dev", asked=YES, plan_file=file)
    with pytest.raises(Refused, match=r"has changed since"):
        operate.apply(here, "dev", asked=YES, plan_file=file)


def test_a_plan_of_other_code_is_refused(bootstrapped: Emulated, here: Here, tmp_path: Path) -> None:
    file = planned(here, tmp_path)
    main = here.infra / "platform" / "main.tf"
    main.write_text(main.read_text() + "# a word\n")
    with pytest.raises(Refused, match=r"code was changed since the plan was made"):
        operate.apply(here, "dev", asked=YES, plan_file=file)
    assert bootstrapped.states() == {}


def test_a_plan_of_another_commit_is_refused(bootstrapped: Emulated, here: Here, tmp_path: Path) -> None:
    def git(*words: str) -> None:
        author = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *author, *words], cwd=here.infra.parent, check=True, capture_output=True)

    git("init")
    git("add", "infra")
    git("commit", "-m", "One.")
    file = planned(here, tmp_path)
    git("commit", "--allow-empty", "-m", "Two.")
    with pytest.raises(Refused, match=r"The plan is of commit [0-9a-f]{12}, and this is [0-9a-f]{12}"):
        operate.apply(here, "dev", asked=YES, plan_file=file)
    assert bootstrapped.states() == {}


def test_a_plan_of_another_environment_or_account_is_refused(
    bootstrapped: Emulated, here: Here, tmp_path: Path
) -> None:
    file = planned(here, tmp_path)
    with pytest.raises(Refused, match=r"The plan is of dev, and prod is asked for"):
        operate.apply(here, "prod", asked=YES, plan_file=file)
    with zipfile.ZipFile(file) as bundle:
        told = {**json.loads(bundle.read(saved_plans.TOLD)), "account": "210987654321"}
    with zipfile.ZipFile(file, "w") as bundle:
        bundle.writestr(saved_plans.TOLD, json.dumps(told))
    with pytest.raises(WrongPlace, match=r"The plan is of account 210987654321"):
        operate.apply(here, "dev", asked=YES, plan_file=file)
    assert bootstrapped.states() == {}


def test_an_empty_plan_is_kept_and_does_nothing(
    bootstrapped: Emulated, here: Here, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    operate.apply(here, "dev", asked=YES)
    file = planned(here, tmp_path)
    assert saved_plans.read(file).summary.startswith("nothing to change")
    operate.apply(here, "dev", asked=YES, plan_file=file)
    assert "Nothing to change." in capsys.readouterr().out


def test_what_is_no_plan_is_refused_in_a_line(bootstrapped: Emulated, here: Here, tmp_path: Path) -> None:
    file = tmp_path / "kept.plan"
    with pytest.raises(Usage, match=r"There is no file"):
        operate.apply(here, "dev", asked=YES, plan_file=file)
    file.write_text("a plan")
    with pytest.raises(Usage, match=r"is no saved plan"):
        operate.apply(here, "dev", asked=YES, plan_file=file)
    with pytest.raises(Usage, match=r"holds its variables already"):
        operate.apply(here, "dev", asked=replace(YES, values={"size": "2"}), plan_file=file)
    with pytest.raises(Usage, match=r"cannot be written"):
        planned(here, tmp_path / "nowhere")
