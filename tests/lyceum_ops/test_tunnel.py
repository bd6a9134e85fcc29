"""What stands in a tunnel's way is told in one line; the way itself is tried in tests/rehearsal/test_cloud.py."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import pytest
from tests.lyceum_ops.conftest import ACCOUNT, Emulated, write_plugin

from lyceum_ops.errors import CommandFailed, LyceumError, MissingTool, NoCredentials, Usage
from lyceum_ops.operate import Asked, Here
from lyceum_ops.processes import free_port
from lyceum_ops.tunnel import forward, login, place
from lyceum_ops.tunnel.command import Wanted, run
from lyceum_ops.tunnel.forward import Way

DATABASE = {
    "DBInstanceIdentifier": "lyceum-dev-database", "DBInstanceStatus": "available", "DBName": "lyceum",
    "MasterUsername": "lyceum_admin", "Endpoint": {"Address": "database.internal", "Port": 5432},
}  # fmt: skip


def bastion(state: str) -> dict[str, Any]:
    instance = {"InstanceId": "i-0123456789abcdef0", "State": {"Name": state, "Code": 80}}
    return {"result": {"Reservations": [{"Instances": [instance]}]}}


def database(**other: Any) -> dict[str, Any]:
    return {"result": {"DBInstances": [{**DATABASE, **other}]}}


def tunnel(here: Here, **wanted: Any) -> int:
    return run(here, Wanted("dev", port=wanted.pop("port", free_port()), **wanted), asked=Asked())


def test_without_the_plugin_it_says_where_it_is(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(MissingTool, match=r"session-manager-plugin is not here\. Install it: https://docs\.aws"):
        tunnel(here)


@pytest.mark.parametrize("version", ["1.2.463.0", "''"])
def test_a_plugin_that_wants_the_token_among_its_words_is_too_old(here: Here, plugin: Path, version: str) -> None:
    write_plugin(plugin, version, "")
    with pytest.raises(MissingTool, match=r"1\.2\.497 is the least"):
        tunnel(here)


def test_a_port_in_use_another_environment_and_another_command_are_refused(here: Here, plugin: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(LyceumError, match=r"is taken .*--port"):
        tunnel(here, port=taken.getsockname()[1])
    with pytest.raises(Usage, match="There is no environment named 'moon'"):
        run(here, Wanted("moon"), asked=Asked())
    with pytest.raises(MissingTool, match="pgadmin9 is not here"):
        tunnel(here, command=("pgadmin9",))


def test_expired_credentials_are_told(here: Here, plugin: Path, account: Emulated) -> None:
    account.say({"sts:GetCallerIdentity": {"error": ["ExpiredToken", "The security token is expired", 403]}})
    with pytest.raises(NoCredentials, match=r"have expired\. Get new ones"):
        tunnel(here)


def test_what_is_not_there_or_does_not_run_is_told(here: Here, plugin: Path, account: Emulated) -> None:
    with pytest.raises(LyceumError, match=r"no database lyceum-dev-database\. Was the environment applied"):
        tunnel(here)
    account.say({"rds:DescribeDBInstances": database(DBInstanceStatus="storage-full")})
    with pytest.raises(LyceumError, match="is storage-full and answers nobody"):
        tunnel(here)
    there = {"rds:DescribeDBInstances": database()}
    for found, said in (
        ({"result": {"Reservations": []}}, "There is no bastion lyceum-dev-bastion"),
        (bastion("stopped"), r"is stopped\. aws ec2 start-instances --instance-ids i-0123456789abcdef0"),
        (bastion("pending"), "is starting"),
        (bastion("running"), "Session Manager does not reach the bastion i-0123456789abcdef0"),
    ):
        account.say({**there, "ec2:DescribeInstances": found})
        with pytest.raises(LyceumError, match=said):
            tunnel(here)
    account.say({**there, "ec2:DescribeInstances": bastion("running"),
                 "ssm:StartSession": {"error": ["InvalidDocument", "no such document", 400]}})  # fmt: skip
    with pytest.raises(LyceumError, match="There is no session document lyceum-dev-database"):
        tunnel(here)


STARTED = {"result": {"SessionId": "alice-1", "TokenValue": "a-token-to-keep", "StreamUrl": "wss://nowhere/"}}


def test_a_session_that_ends_says_why_and_keeps_its_token(
    account: Emulated, plugin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.say({"ssm:StartSession": STARTED, "ssm:TerminateSession": {"result": {"SessionId": "alice-1"}}})
    told = tmp_path / "told"
    write_plugin(plugin, "1.2.707.0", f'echo "$@" >{told}; echo "Cannot perform start session: EOF"; exit 1')
    way = Way.to_database("i-0123456789abcdef0", "dev")
    with (
        pytest.raises(CommandFailed, match="The session ended: Cannot perform start session: EOF") as said,
        forward.opened(account.session, way),
    ):
        pytest.fail("there is no way")
    words = told.read_text()
    assert words.startswith("AWS_SSM_START_SESSION_RESPONSE us-east-1 StartSession")
    assert "lyceum-dev-database" in words
    assert "a-token-to-keep" not in words + str(said.value)


def test_a_port_that_does_not_open_ends_the_plugin(
    account: Emulated, plugin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.say({"ssm:StartSession": STARTED, "ssm:TerminateSession": {"result": {"SessionId": "alice-1"}}})
    file = tmp_path / "pid"
    # Deaf to the friendly signal, too.
    write_plugin(plugin, "1.2.707.0", f"trap '' INT; echo $$ >{file}; exec sleep 60")
    monkeypatch.setattr(forward, "OPEN", 1.0)
    monkeypatch.setattr(forward, "END", 0.5)
    with (
        pytest.raises(CommandFailed, match="did not open within 1 s"),
        forward.opened(account.session, Way.to_host("i-0", "h", 1)),
    ):
        pytest.fail("there is no way")
    with pytest.raises(ProcessLookupError):
        os.kill(int(file.read_text()), 0)


@pytest.mark.parametrize(
    ("who", "name"),
    [
        (f"arn:aws:iam::{ACCOUNT}:user/people/Alice.B", "alice_b"),
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/operator/bob@example.org", "bob_example_org"),
        (f"arn:aws:iam::{ACCOUNT}:root", "root"),
        ("arn:aws:iam::1:user/" + "x" * 64, "x" * 30),
        ("", "somebody"),
    ],
)
def test_a_login_carries_whose_it_is(who: str, name: str) -> None:
    assert login.person(who) == name


def test_the_owners_password_is_rds_own_and_shown_nowhere(account: Emulated) -> None:
    account.say({"rds:DescribeDBInstances": database()})
    found = place.find_database(account.session, "lyceum-dev-database")
    with pytest.raises(LyceumError, match="RDS keeps no password"):
        login.owner(account.session, found, 1)
    secret = account.client("secretsmanager").create_secret(Name="rds!db", SecretString='{"password": "hunter2-x"}')
    account.say({"rds:DescribeDBInstances": database(MasterUserSecret={"SecretArn": secret["ARN"]})})
    found = place.find_database(account.session, "lyceum-dev-database")
    who = login.owner(account.session, found, 1)
    assert (who.user, who.password) == ("lyceum_admin", "hunter2-x")
    assert "hunter2" not in repr(who) + str(who)
    account.client("secretsmanager").put_secret_value(SecretId="rds!db", SecretString="hunter2-in-plain")
    with pytest.raises(LyceumError, match="not as RDS writes it") as said:
        login.owner(account.session, found, 1)
    assert "hunter2" not in str(said.value)
