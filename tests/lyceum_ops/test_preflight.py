"""Each check of the preflight: once with what it wants, then broken on purpose, then with nobody to ask."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.lyceum_ops.conftest import ACCOUNT, BUCKET, Emulated

from lyceum_ops import aws, preflight, terraform
from lyceum_ops.checks import Account, Check, Found
from lyceum_ops.errors import Usage
from lyceum_ops.operate import Asked, Here
from lyceum_ops.preflight.services import SERVICE_ROLES

CHECKS = {check.name: check for check in preflight.CHECKS}
USER = "lyceum-deployer"
REFUSED = {"error": ["AccessDenied", "User: arn:aws:iam::123456789012:user/eve is not authorized to perform: x:Y", 403]}


def verdict(emulated: Emulated, here: Here, name: str, **wanted: str) -> Found:
    """What one check finds in the account as it is."""
    session = emulated.session
    asking: dict[str, Any] = {"environment": "dev", "domain": "", "nat": "one", **wanted}
    account = Account(here=here, session=session, caller=aws.identify(session), region="us-east-1", **asking)
    return preflight.examine(account, (CHECKS[name],))[0][1]


def quota(value: float) -> dict[str, Any]:
    return {"servicequotas:GetServiceQuota": {"result": {"Quota": {"Value": value}}}}


def result(**answer: Any) -> dict[str, Any]:
    return {"result": answer}


def test_a_ready_account_passes_and_an_empty_one_is_told_what_it_lacks(
    account: Emulated, here: Here, capsys: pytest.CaptureFixture[str]
) -> None:
    assert preflight.run(here, "dev", asked=Asked()) == 1
    lines = capsys.readouterr().out.splitlines()
    assert (
        lines[0]
        == f"fail     bootstrap  there is no bucket {BUCKET}  As the account's administrator: ./lyceum bootstrap."
    )
    order = [line.split()[0] for line in lines[:-1]]
    assert order == sorted(order, key=["fail", "unknown", "warn", "ok"].index)
    assert len(order) == len(CHECKS)
    assert lines[-1].startswith("3 fail, ")

    iam = account.client("iam")
    account.client("s3").create_bucket(Bucket=BUCKET)
    account.client("s3").put_object(Bucket=BUCKET, Key="bootstrap.tfstate", Body=b"{}")
    iam.create_role(RoleName=USER, AssumeRolePolicyDocument="{}")
    iam.create_user(UserName=USER)
    device = iam.create_virtual_mfa_device(VirtualMFADeviceName=USER)["VirtualMFADevice"]["SerialNumber"]
    iam.enable_mfa_device(
        UserName=USER, SerialNumber=device, AuthenticationCode1="000000", AuthenticationCode2="000001"
    )
    for role in SERVICE_ROLES:
        iam.create_role(RoleName=role.name, Path=f"/aws-service-role/{role.principal}/", AssumeRolePolicyDocument="{}")
    account.client("budgets").create_budget(
        AccountId=ACCOUNT,
        Budget={"BudgetName": "all", "BudgetType": "COST", "TimeUnit": "MONTHLY",
                "BudgetLimit": {"Amount": "150", "Unit": "USD"}},
    )  # fmt: skip
    account.client("route53").create_hosted_zone(Name="example.org", CallerReference="1")
    account.say({
        **quota(20),
        "ses:GetEmailIdentity": result(VerifiedForSendingStatus=True),
        "ses:GetAccount": result(SendingEnabled=True, ProductionAccessEnabled=True),
        "codeconnections:ListConnections": result(Connections=[]),
    })  # fmt: skip
    assert preflight.run(here, "dev", asked=Asked(), domain="learn.example.org") == 0
    said = capsys.readouterr().out
    assert f"0 fail, 0 unknown, 0 warn, {len(CHECKS)} ok" in said, said


@pytest.mark.parametrize("name", [name for name, check in CHECKS.items() if not check.asks.startswith("this machine")])
def test_what_may_not_be_asked_is_unknown_and_never_ok(account: Emulated, here: Here, name: str) -> None:
    if name == "credentials":
        account.say({"*": {"error": ["ExpiredToken", "expired", 403]}})
        assert preflight.run(here, "dev", asked=Asked()) == 1
        return
    services = {part.split(":")[0].strip() for part in CHECKS[name].asks.split(",")}
    account.say({f"{service}:*": REFUSED for service in services})
    found = verdict(account, here, name, domain="learn.example.org")
    assert found.verdict == "unknown", found
    assert "may not ask" in found.text
    assert CHECKS[name].asks in found.hint


def test_without_credentials_what_needs_none_is_still_looked_at(
    account: Emulated, here: Here, capsys: pytest.CaptureFixture[str]
) -> None:
    account.say({"*": {"error": ["ExpiredToken", "expired", 403]}})
    assert preflight.run(here, "dev", asked=Asked()) == 1
    said = capsys.readouterr().out
    assert said.startswith("fail     credentials  The AWS credentials have expired.")
    assert "Terraform" in said
    assert f"{len(CHECKS) - 2} checks were not made" in said
    with pytest.raises(Usage, match=r"no environment"):
        preflight.run(here, "stage", asked=Asked())


def test_the_root_of_the_account_is_warned(account: Emulated, here: Here) -> None:
    account.say({"sts:GetCallerIdentity": result(Account=ACCOUNT, Arn=f"arn:aws:iam::{ACCOUNT}:root", UserId="x")})
    assert verdict(account, here, "credentials").verdict == "warn"


def test_bootstrap_in_another_region_or_without_its_state(account: Emulated, here: Here) -> None:
    s3 = account.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    assert "no state of bootstrap" in verdict(account, here, "bootstrap").text
    s3.put_object(Bucket=BUCKET, Key="bootstrap.tfstate", Body=b"{}")
    assert verdict(account, here, "bootstrap").verdict == "ok"
    account.say({"s3:HeadBucket": result(BucketRegion="eu-west-1")})
    found = verdict(account, here, "bootstrap")
    assert found.verdict == "fail"
    assert "lies in eu-west-1" in found.text


def test_a_deployer_without_a_second_factor(account: Emulated, here: Here) -> None:
    assert verdict(account, here, "second factor").text == "there is no user lyceum-deployer"
    account.client("iam").create_user(UserName=USER)
    found = verdict(account, here, "second factor")
    assert found.verdict == "fail"
    assert "enable-mfa-device" in found.hint


def test_zones(account: Emulated, here: Here) -> None:
    assert verdict(account, here, "zones").verdict == "ok"
    # The second of the two zones that infra/platform takes.
    offers = [{"InstanceType": "t2.micro", "Location": f"us-east-1{zone}"} for zone in "acd"]
    account.say({"ec2:DescribeInstanceTypeOfferings": result(InstanceTypeOfferings=offers)})
    found = verdict(account, here, "zones")
    assert (found.verdict, found.text.split()[0]) == ("fail", "us-east-1b")
    account.say({"ec2:DescribeInstanceTypeOfferings": result(InstanceTypeOfferings=[])})
    assert "does not offer t2.micro" in verdict(account, here, "zones").text
    account.say({"ec2:DescribeAvailabilityZones": result(AvailabilityZones=[{"ZoneName": "us-east-1a"}])})
    assert verdict(account, here, "zones").verdict == "fail"


def _network(account: Emulated, **tags: str) -> str:
    ec2 = account.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    if tags:
        ec2.create_tags(Resources=[vpc], Tags=[{"Key": key, "Value": value} for key, value in tags.items()])
    return str(
        ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24", AvailabilityZone="us-east-1a")["Subnet"]["SubnetId"]
    )


def _instance(account: Emulated) -> None:
    subnet = _network(account)
    account.client("ec2").run_instances(
        ImageId="ami-12345678", InstanceType="t2.micro", MinCount=2, MaxCount=2, SubnetId=subnet
    )


def _nat(account: Emulated) -> None:
    subnet = _network(account)
    address = account.client("ec2").allocate_address(Domain="vpc")["AllocationId"]
    account.client("ec2").create_nat_gateway(SubnetId=subnet, AllocationId=address)


def _database(account: Emulated) -> None:
    account.client("rds").create_db_instance(
        DBInstanceIdentifier="one", DBInstanceClass="db.t4g.micro", Engine="postgres"
    )


def _load_balancer(account: Emulated) -> None:
    ec2 = account.client("ec2")
    subnets = [item["SubnetId"] for item in ec2.describe_subnets()["Subnets"][:2]]
    account.client("elbv2").create_load_balancer(Name="one", Subnets=subnets)
    account.client("elbv2").create_load_balancer(Name="another-kind", Subnets=subnets, Type="network")


# quota → (how one fills it, how many are in use then, how many an environment takes)
FILLED: dict[str, tuple[Callable[[Emulated], object], int, int]] = {
    "VPCs": (_network, 2, 1),  # an account is born with one
    "elastic IPs": (lambda account: account.client("ec2").allocate_address(Domain="vpc"), 1, 1),
    "NAT gateways in a zone": (_nat, 1, 1),
    "vCPUs of standard instances": (_instance, 2, 4),
    "databases": (_database, 1, 1),
    "application load balancers": (_load_balancer, 1, 1),
}


def test_every_quota_is_tried() -> None:
    assert {f"quota: {name}" for name in FILLED} == {name for name in CHECKS if name.startswith("quota: ")}


@pytest.mark.parametrize("name", FILLED)
def test_a_quota_that_is_used_up_fails_and_the_last_of_it_warns(account: Emulated, here: Here, name: str) -> None:
    fill, used, takes = FILLED[name]
    fill(account)
    account.say(quota(used + takes + 1))
    assert verdict(account, here, f"quota: {name}") == Found(
        "ok", f"{used} of {used + takes + 1} in use, {takes} more needed"
    )
    account.say(quota(used + takes))
    assert verdict(account, here, f"quota: {name}").verdict == "warn"
    account.say(quota(used + takes - 1))
    found = verdict(account, here, f"quota: {name}")
    assert found.verdict == "fail"
    assert f"--desired-value {used + takes}" in found.hint


def test_a_quota_without_a_value_of_its_own_takes_awss_default(account: Emulated, here: Here) -> None:
    absent = {"error": ["NoSuchResourceException", "none", 400]}
    own, default = "servicequotas:GetServiceQuota", "servicequotas:GetAWSDefaultServiceQuota"
    account.say({own: absent, default: result(Quota={"Value": 1})})
    assert verdict(account, here, "quota: VPCs").verdict == "fail"
    account.say({own: absent, default: absent})
    assert verdict(account, here, "quota: VPCs").verdict == "unknown"


def test_an_environment_that_exists_takes_no_more_of_its_quotas(account: Emulated, here: Here) -> None:
    _network(account, Project="lyceum", Environment="dev")
    account.say(quota(2))
    assert verdict(account, here, "quota: VPCs").text == "2 of 2 in use, 0 more needed"
    assert verdict(account, here, "quota: VPCs", environment="prod").verdict == "fail"


def test_no_nat_takes_no_address_and_one_per_zone_takes_two(account: Emulated, here: Here) -> None:
    account.say(quota(1))
    assert verdict(account, here, "quota: elastic IPs", nat="none").text.endswith("0 more needed")
    assert verdict(account, here, "quota: elastic IPs", nat="per_zone").verdict == "fail"


@pytest.mark.parametrize("role", SERVICE_ROLES, ids=lambda role: role.principal)
def test_a_role_of_aws_that_is_missing_is_fine_only_if_it_may_be_made(account: Emulated, here: Here, role: Any) -> None:
    name = f"role of {role.principal.split('.')[0]}"
    assert verdict(account, here, name).verdict == "unknown", "the emulator cannot say what the deployer may"
    for decision, expected in (("allowed", "ok"), ("implicitDeny", "fail")):
        answer = result(EvaluationResults=[{"EvalActionName": "iam:CreateServiceLinkedRole", "EvalDecision": decision}])
        account.say({"iam:SimulatePrincipalPolicy": answer})
        assert verdict(account, here, name).verdict == expected
    assert role.principal in verdict(account, here, name).hint
    account.say({"iam:SimulatePrincipalPolicy": {"error": ["NoSuchEntity", "none", 404]}})
    assert verdict(account, here, name).verdict == "fail"
    account.client("iam").create_role(RoleName=role.name, AssumeRolePolicyDocument="{}")
    assert verdict(account, here, name).verdict == "ok"


def test_the_domains_zone(account: Emulated, here: Here) -> None:
    assert verdict(account, here, "hosted zone").verdict == "ok"
    assert verdict(account, here, "hosted zone", environment="prod").verdict == "fail"
    route53 = account.client("route53")
    route53.create_hosted_zone(Name="example.com", CallerReference="1")
    assert verdict(account, here, "hosted zone", domain="learn.example.org").verdict == "fail"
    vpc = account.client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"]
    where = {"VPCRegion": "us-east-1", "VPCId": vpc}
    private = {"PrivateZone": True, "Comment": ""}
    route53.create_hosted_zone(Name="learn.example.org", CallerReference="2", VPC=where, HostedZoneConfig=private)
    assert verdict(account, here, "hosted zone", domain="learn.example.org").verdict == "fail", (
        "only its VPC sees a private one"
    )
    route53.create_hosted_zone(Name="example.org", CallerReference="3")
    assert verdict(account, here, "hosted zone", domain="learn.example.org").text.startswith("example.org is zone ")


def test_mail(account: Emulated, here: Here) -> None:
    domain = {"domain": "learn.example.org"}
    assert "infra/platform makes it" in verdict(account, here, "mail domain", **domain).text
    for answer, expected in (
        ({"VerifiedForSendingStatus": True}, "ok"),
        ({"VerifiedForSendingStatus": False, "VerificationStatus": "PENDING"}, "warn"),
        ({"VerifiedForSendingStatus": False, "VerificationStatus": "FAILED"}, "fail"),
    ):
        account.say({"ses:GetEmailIdentity": result(**answer)})
        assert verdict(account, here, "mail domain", **domain).verdict == expected
    assert verdict(account, here, "mail sandbox").verdict == "unknown"
    for answer, expected in (
        ({"SendingEnabled": True, "ProductionAccessEnabled": True}, "ok"),
        ({"SendingEnabled": True, "ProductionAccessEnabled": False}, "warn"),
        ({"SendingEnabled": False, "ProductionAccessEnabled": True}, "fail"),
    ):
        account.say({"ses:GetAccount": result(**answer)})
        assert verdict(account, here, "mail sandbox").verdict == expected


@pytest.mark.parametrize(("status", "expected"), [("AVAILABLE", "ok"), ("PENDING", "warn"), ("ERROR", "fail")])
def test_the_pipelines_connection(account: Emulated, here: Here, status: str, expected: str) -> None:
    name = "pipeline's connection"
    assert verdict(account, here, name).verdict == "unknown"
    connection = {"ConnectionName": "lyceum", "ConnectionStatus": status}
    account.say({"codeconnections:ListConnections": result(Connections=[connection])})
    assert verdict(account, here, name).verdict == expected


def test_tools_of_this_machine(account: Emulated, here: Here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    bare = Here(here.infra, here.home, tmp_path / "tools")
    assert verdict(account, bare, "Terraform").verdict == "warn", "it is fetched when needed"
    kept = bare.tools / f"terraform-{terraform.PINNED}" / "terraform"
    kept.parent.mkdir(parents=True)
    kept.write_text("#!/bin/sh\nexit 1\n")
    kept.chmod(0o755)
    assert verdict(account, bare, "Terraform").verdict == "fail"
    monkeypatch.setattr(terraform, "MIRROR_PARENTS", (str(tmp_path / "nothing"),))
    monkeypatch.setattr(preflight.account, "REGISTRY", "http://127.0.0.1:9/")
    assert verdict(account, bare, "AWS provider").verdict == "fail"


def test_every_check_says_what_it_asks() -> None:
    for check in preflight.CHECKS:
        assert isinstance(check, Check)
        assert check.asks
    assert len(CHECKS) == len(preflight.CHECKS), "two checks of one name"
