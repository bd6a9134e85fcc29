"""A role that lacks what it needs, or could do more, is named: on an emulated account, without Terraform."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.lyceum_lab.emulator.conftest import Emulator

from lyceum_lab.emulator import ACCOUNT, ROOT_KEY, ROOT_SECRET
from lyceum_lab.proofs.iam import roles
from lyceum_lab.proofs.iam.attempts import refused
from lyceum_lab.proofs.iam.roles import Place
from lyceum_lab.proofs.report import Broken
from lyceum_lab.rehearsal.infrastructure import Session

LOGS = [f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/lyceum/dev/{name}:*" for name in ("application", "system")]
PURGE = [
    {"Effect": "Allow", "Action": ["logs:DescribeLogStreams", "logs:DeleteLogStream"], "Resource": LOGS},
    {"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
     "Resource": f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/aws/lambda/lyceum-dev-purge-logs:*"},
]  # fmt: skip


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


class Account:
    """The roles of an environment and what the attempts are about; the tests say what the roles are given."""

    def __init__(self, emulator: Emulator, folder: Path) -> None:
        self.admin = Session.of(
            {
                "AWS_ACCESS_KEY_ID": ROOT_KEY,
                "AWS_SECRET_ACCESS_KEY": ROOT_SECRET,
                "AWS_ENDPOINT_URL": emulator.endpoint,
            }
        )
        self.place = Place("dev", self.admin, folder, folder / "log")
        iam, logs = self.admin.client("iam"), self.admin.client("logs")
        for name in ("application", "system", "sessions"):
            logs.create_log_group(logGroupName=f"/lyceum/dev/{name}")
        logs.create_log_group(logGroupName="/aws/lambda/lyceum-dev-purge-logs")
        for name in ("database", "secret-key"):
            self.admin.client("secretsmanager").create_secret(Name=f"lyceum-dev-{name}", SecretString="x")
        self.admin.client("rds").create_db_instance(
            DBInstanceIdentifier="lyceum-dev-database", DBInstanceClass="db.t4g.micro", Engine="postgres",
            MasterUsername="x", MasterUserPassword="only-for-this-test", AllocatedStorage=20,
        )  # fmt: skip
        self.boundary = iam.create_policy(PolicyName="boundary", PolicyDocument=document(*PURGE))["Policy"]["Arn"]
        for role in roles.ROLES:
            iam.create_role(RoleName=f"lyceum-dev-{role.name}", AssumeRolePolicyDocument=document(),
                            PermissionsBoundary=self.boundary)  # fmt: skip

    def give(self, role: str, *statements: dict[str, Any], environment: str = "dev") -> None:
        iam, name = self.admin.client("iam"), f"lyceum-{environment}-{role}"
        if statements:
            iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=document(*statements))
        else:
            iam.delete_role_policy(RoleName=name, PolicyName="own")

    def bound(self, *statements: dict[str, Any]) -> None:
        iam = self.admin.client("iam")
        before = iam.get_policy(PolicyArn=self.boundary)["Policy"]["DefaultVersionId"]
        iam.create_policy_version(
            PolicyArn=self.boundary, PolicyDocument=document(*PURGE, *statements), SetAsDefault=True
        )
        iam.delete_policy_version(PolicyArn=self.boundary, VersionId=before)  # AWS keeps five


@pytest.fixture(scope="module")
def account(start_emulator: Callable[..., Emulator], tmp_path_factory: pytest.TempPathFactory) -> Account:
    return Account(start_emulator("--enforce-iam"), tmp_path_factory.mktemp("roles"))


def test_a_role_that_can_do_more_is_named(account: Account) -> None:
    assert "all refused" in roles.contained(account.place)
    scan = {"Effect": "Allow", "Action": "dynamodb:Scan", "Resource": "*"}
    account.give("server", scan)
    assert "all refused" in roles.contained(account.place), "the boundary ends before it"
    account.bound(scan)
    with pytest.raises(Broken, match=r"^lyceum-dev-server can read all of the table$"):
        roles.contained(account.place)
    account.give("server")
    account.bound({"Effect": "Allow", "Action": "iam:CreateUser", "Resource": "*"})
    with pytest.raises(Broken) as broken:
        roles.contained(account.place)
    assert "lyceum-dev-backup could iam:CreateUser on " in str(broken.value)
    account.bound()


def test_the_purge_runs_with_its_role_and_lacks_a_right_by_name(account: Account) -> None:
    account.give("purge-logs", *PURGE)
    assert "the function's own code" in roles._purge(account.place)
    assert "2 of 2 statements, 4 of 4 actions" in roles.needed(account.place)
    account.give("purge-logs", *PURGE, {"Effect": "Allow", "Action": "logs:FilterLogEvents", "Resource": "*"})
    with pytest.raises(
        Broken, match=r"nothing notices that purge-logs/own/3, purge-logs/own/3 logs:FilterLogEvents is"
    ):
        roles.needed(account.place)
    account.give("purge-logs", {**PURGE[0], "Action": "logs:DescribeLogStreams"}, PURGE[1])
    with pytest.raises(Broken, match=r"the purge: .*not authorized to perform: logs:DeleteLogStream"):
        roles._purge(account.place)


def test_the_canary_runs_with_its_role_and_lacks_a_right_by_name(account: Account) -> None:
    place = Place("prod", account.admin, account.place.folder, account.place.log)
    account.admin.client("iam").create_role(
        RoleName="lyceum-prod-canary", AssumeRolePolicyDocument=document(), PermissionsBoundary=account.boundary
    )
    account.admin.client("logs").create_log_group(logGroupName="/aws/lambda/lyceum-prod-canary")
    tell = {"Effect": "Allow", "Action": "cloudwatch:PutMetricData", "Resource": "*"}
    log = {"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
           "Resource": f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/aws/lambda/lyceum-prod-canary:*"}  # fmt: skip
    account.bound(tell, log)
    account.give("canary", tell, log, environment="prod")
    assert "the function's own code" in roles._canary(place)
    session = Session.as_role(account.place.endpoint, "lyceum-prod-canary")
    could = [one.what for one in roles._refused_to_the_canary(place) if not refused(session, {}, one)]
    assert could == ["tell for the other environment", "tell in the name of AWS's agent"]
    only = {**tell, "Condition": {"StringEquals": {"cloudwatch:namespace": "Lyceum/prod"}}}
    account.give("canary", only, log, environment="prod")
    roles._canary(place)
    assert [one.what for one in roles._refused_to_the_canary(place) if not refused(session, {}, one)] == []
    account.give("canary", log, environment="prod")
    with pytest.raises(ClientError, match="not authorized to perform: cloudwatch:PutMetricData"):
        roles._canary(place)
    account.bound()


def test_a_role_without_its_boundary_is_named(account: Account) -> None:
    iam = account.admin.client("iam")
    iam.delete_role_permissions_boundary(RoleName="lyceum-dev-backup")
    with pytest.raises(Broken, match="lyceum-dev-backup has no boundary"):
        roles.principal(account.place, "backup")
    iam.put_role_permissions_boundary(RoleName="lyceum-dev-backup", PermissionsBoundary=account.boundary)


def test_what_a_service_lacks_is_named(account: Account) -> None:
    asks = roles._schedule(account.place)
    who = roles.principal(account.place, "purge-schedule")
    assert [allowed for _, allowed in roles.asked_of(who, asks)] == [False]
    start = {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": account.place.function("purge-logs")}
    account.give("purge-schedule", start)
    account.bound(start)
    who = roles.principal(account.place, "purge-schedule")
    assert [allowed for _, allowed in roles.asked_of(who, asks)] == [True]
    account.give("purge-schedule")
    account.bound()
