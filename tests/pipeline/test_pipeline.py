"""The declared pipeline, run by the very files that CodeBuild runs: a commit becomes a running release by itself."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.pipeline.conftest import ACCOUNT, Place

from lyceum_lab.delivery.buildspec import Buildspec
from lyceum_lab.delivery.pipeline import Run, Stage, Stopped
from lyceum_ops.errors import LyceumError

pytestmark = pytest.mark.pipeline
CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def delivered(place: Place) -> Run:
    """The first commit, all the way."""
    run = place.run(place.commit("A small platform."))
    run.go()
    return run


def done(run: Run) -> list[str]:
    return [f"{one.stage} {one.action}" for one in run.ran]


def test_a_commit_becomes_a_running_release_with_nothing_done_by_hand(place: Place, delivered: Run) -> None:
    version = delivered.variables["Build.LYCEUM_VERSION"]
    assert delivered.commit[:12] in version
    assert place.live("dev") == place.live("prod") == version
    in_turn = ["Apply", "Publish", "Migrate", "Release", "Smoke"]
    assert done(delivered) == [
        "Verify Verify", "Verify Build",
        "Dev Plan", *[f"Dev {one}" for one in in_turn],
        "Prod Plan", "Prod Approve", *[f"Prod {one}" for one in in_turn],
    ]  # fmt: skip
    s3 = place.client("s3")
    archives = [
        s3.head_object(Bucket=f"lyceum-{name}-releases-{ACCOUNT}", Key=f"{version}/lyceum.tar.gz")["ETag"]
        for name in ("dev", "prod")
    ]
    assert archives[0] == archives[1], "built once, the very same in both"
    with psycopg.connect(place.database.url_of("lyceum_app", "a-password-of-the-servers-own")) as server:
        assert server.execute("SELECT count(*) FROM accounts_user").fetchone() == (0,)


def test_whoever_approves_reads_what_the_plan_does_and_costs(place: Place, delivered: Run) -> None:
    [text] = [one.output for one in delivered.ran if one.action == "Approve"]
    assert re.fullmatch(
        r"prod: 4 to create; no data is lost; \+\d+\.\d\d US dollars a month; at commit "
        + delivered.commit[:12]
        + r"\. Release "
        + re.escape(delivered.variables["Build.LYCEUM_VERSION"])
        + r"\.",
        text,
    ), text


def test_no_secret_stands_in_any_log(place: Place, delivered: Run) -> None:
    logs = "\n".join(one.output for one in delivered.ran)
    assert "lyceum_app may read and write rows" in logs
    assert "a-password-of-the-servers-own" not in logs
    secret = place.client("secretsmanager").get_secret_value(SecretId="master")["SecretString"]
    password = secret.split('"password": "')[1].rstrip('"}')
    assert len(password) < 8 or password not in logs


def test_a_bad_commit_is_stopped_by_verify(place: Place, delivered: Run) -> None:
    run = place.run(place.commit("Breaks.", {"src/lyceum/broken.py": "def broken(:\n"}))
    with pytest.raises(Stopped, match=r"Verify/Verify failed"):
        run.go()
    assert done(run) == ["Verify Verify"], "nothing after it was begun"
    assert place.live("dev") == delivered.variables["Build.LYCEUM_VERSION"]
    place.git("revert", "--no-edit", "HEAD")


def part(place: Place, delivered: Run, stage: str, *actions: str, **more: Any) -> Run:
    """A run of the delivered commit that begins at a stage, with what the stages before had handed on."""
    source, *_ = place.stages
    [whole] = [one for one in place.stages if one.name == stage]
    chosen = Stage(stage, tuple(one for one in whole.actions if not actions or one.name in actions))
    run = place.run(delivered.commit, **more)
    run.stages, run.variables = [source, chosen], dict(delivered.variables)
    return run


def test_a_plan_that_changed_after_its_approval_is_not_applied(place: Place, delivered: Run) -> None:
    def meanwhile(_: str, action: str) -> None:
        # Somebody applies in between: the state moves on.
        if action == "Apply":
            s3, key = place.client("s3"), "platform-prod.tfstate"
            state = s3.get_object(Bucket=f"lyceum-state-{ACCOUNT}", Key=key)["Body"].read().decode()
            found = re.search(r'"serial": (\d+)', state)
            assert found
            moved = state.replace(found[0], f'"serial": {int(found[1]) + 1}')
            s3.put_object(Bucket=f"lyceum-state-{ACCOUNT}", Key=key, Body=moved)

    run = part(place, delivered, "Prod", before=meanwhile)
    with pytest.raises(Stopped, match=r"(?s)Prod/Apply failed.*The state of prod has changed since the plan was made"):
        run.go()
    assert done(run) == ["Prod Plan", "Prod Approve", "Prod Apply"], "approved, and all the same not done"


def test_what_is_not_approved_is_not_done(place: Place, delivered: Run) -> None:
    run = part(place, delivered, "Prod", approve=lambda _stage, _text: False)
    with pytest.raises(Stopped, match=r"Prod/Approve was not approved"):
        run.go()
    assert done(run) == ["Prod Plan"]


# ------------------------------------------------------------------------------------------------ the files


def test_every_project_has_its_buildspec_and_every_buildspec_is_run(place: Place, delivered: Run) -> None:
    files = {file.name for file in (CHECKOUT / "pipeline").iterdir()}
    named = {
        project["source"][0]["buildspec"].removeprefix("pipeline/")
        for project in place.projects.values()
        if project["source"][0]["buildspec"]
    }
    assert named | {"migrate.yml"} == files
    ran = {f"{one.action.lower()}.yml" for one in delivered.ran if one.action != "Approve"}
    assert ran == files


def test_buildspecs_call_the_command_and_little_else() -> None:
    for file in (CHECKOUT / "pipeline").iterdir():
        for command in Buildspec.read(file).commands:
            assert re.match(r'(\./lyceum |export \w+="\$\((\./lyceum |ls )|PLAN=\w+)', command), command


def test_a_buildspec_that_uses_what_is_not_run_here_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "x.yml"
    good = 'version: 0.2\nenv:\n  shell: bash\nphases:\n  build:\n    commands:\n      - "true"\n'
    file.write_text(good)
    assert Buildspec.read(file).run(tmp_path, {"PATH": "/usr/bin:/bin"}).code == 0
    for more in ("cache:\n  paths: []\n", "phases:\n  build:\n    on-failure: CONTINUE\n"):
        file.write_text(good + more)
        with pytest.raises(LyceumError):
            Buildspec.read(file)


def test_a_failing_command_ends_a_build_and_its_exports_count_until_then(tmp_path: Path) -> None:
    file = tmp_path / "x.yml"
    file.write_text(
        "version: 0.2\nenv:\n  shell: bash\n  variables:\n    A: low\n  exported-variables: [B]\nphases:\n  build:\n"
        "    commands:\n      - export B=$A\n      - test $A = high\n      - echo reached\n"
    )
    spec = Buildspec.read(file)
    high = spec.run(tmp_path, {"PATH": "/usr/bin:/bin", "A": "high"})
    assert (high.code, high.exported, high.output.splitlines()[-1]) == (0, {"B": "high"}, "reached")
    low = spec.run(tmp_path, {"PATH": "/usr/bin:/bin"})
    assert (low.code, low.exported) == (1, {})
    assert "\nreached" not in low.output
