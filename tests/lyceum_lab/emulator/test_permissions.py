"""The account's policies decide, over HTTP: each denial beside the same call with the right to it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.lyceum_lab.emulator.conftest import Emulator

from lyceum_lab.emulator import CREDENTIALS, ROOT_KEY, ROOT_SECRET

ACCOUNT = "123456789012"
TAGS = [{"Key": "Project", "Value": "lyceum"}]


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


@pytest.fixture(scope="module")
def strict(start_emulator: Callable[..., Emulator]) -> Emulator:
    """An emulator that enforces, for the tests of this module."""
    return start_emulator("--enforce-iam")


class Admin:
    """The account's administrator, who makes users and roles with the policies that a test wants."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.iam = self.client("iam")
        self.made = 0

    def client(self, service: str) -> Any:
        return self.emulator.client(service, ROOT_KEY, ROOT_SECRET)

    def user(self, *statements: dict[str, Any]) -> Callable[[str], Any]:
        """A new user's clients."""
        self.made += 1
        name = f"user-{self.made}"
        self.iam.create_user(UserName=name)
        self.iam.put_user_policy(UserName=name, PolicyName="test", PolicyDocument=document(*statements))
        key = self.iam.create_access_key(UserName=name)["AccessKey"]
        return lambda service: self.emulator.client(service, key["AccessKeyId"], key["SecretAccessKey"])

    def session(self, *statements: dict[str, Any], boundary: str | None = None, policy: str | None = None) -> Any:
        """A new role's clients, assumed by its administrator."""
        self.made += 1
        name = f"role-{self.made}"
        trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
        more: dict[str, Any] = {}
        if boundary:
            made = self.iam.create_policy(PolicyName=f"boundary-{self.made}", PolicyDocument=boundary)
            more["PermissionsBoundary"] = made["Policy"]["Arn"]
        self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust), **more)
        self.iam.put_role_policy(RoleName=name, PolicyName="test", PolicyDocument=document(*statements))
        limit = {"Policy": policy} if policy else {}
        found = self.client("sts").assume_role(
            RoleArn=f"arn:aws:iam::{ACCOUNT}:role/{name}", RoleSessionName="test", **limit
        )["Credentials"]
        return lambda service: self.emulator.client(
            service, found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"]
        )


@pytest.fixture(scope="module")
def admin(strict: Emulator) -> Admin:
    return Admin(strict)


def denied(call: Callable[[], object]) -> tuple[str, int, str]:
    """Code, status and message of a refusal; fails when there is none."""
    with pytest.raises(ClientError) as error:
        call()
    told = error.value.response
    return told["Error"]["Code"], told["ResponseMetadata"]["HTTPStatusCode"], told["Error"].get("Message", "")


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "action", "code", "status"),
    [
        ("ec2", "describe_vpcs", {}, "ec2:DescribeVpcs", "UnauthorizedOperation", 403),
        ("s3", "list_buckets", {}, "s3:ListAllMyBuckets", "AccessDenied", 403),
        ("iam", "list_users", {}, "iam:ListUsers", "AccessDenied", 403),
        ("sns", "create_topic", {"Name": "a"}, "sns:CreateTopic", "AccessDenied", 403),
        ("route53", "list_hosted_zones", {}, "route53:ListHostedZones", "AccessDenied", 403),
        ("dynamodb", "describe_table", {"TableName": "a"}, "dynamodb:DescribeTable", "AccessDeniedException", 400),
        ("kms", "list_aliases", {}, "kms:ListAliases", "AccessDeniedException", 400),
        ("lambda", "get_function", {"FunctionName": "a"}, "lambda:GetFunction", "AccessDeniedException", 403),
        ("efs", "describe_file_systems", {}, "elasticfilesystem:DescribeFileSystems", "AccessDeniedException", 403),
    ],
)
def test_each_protocol_has_its_denial(admin: Admin, service: str, operation: str, parameters: Any, action: str,
                                      code: str, status: int) -> None:  # fmt: skip
    nobody = admin.user(allow("sts:GetCallerIdentity"))
    told = denied(lambda: getattr(nobody(service), operation)(**parameters))
    assert told[:2] == (code, status)
    assert f"is not authorized to perform: {action} on resource: " in told[2]
    assert told[2].endswith(f"because no identity-based policy allows the {action} action")
    somebody = admin.user(allow(action))
    with contextlib.suppress(somebody(service).exceptions.ClientError):  # allowed, and there is none
        getattr(somebody(service), operation)(**parameters)
    assert admin.emulator.recorded()[-1]["by"] != "refused"


def test_a_denial_is_recorded_with_its_action_and_without_the_key_of_an_object(admin: Admin, strict: Emulator) -> None:
    reader = admin.user(allow("s3:GetObject", "arn:aws:s3:::other/*"))
    assert denied(lambda: reader("s3").get_object(Bucket="mine", Key="letters/to-anna"))[0] == "AccessDenied"
    line = strict.recorded()[-1]
    assert (line["by"], line["status"], line["operation"]) == ("refused", 403, "GetObject")
    assert line["iam"][0]["action"] == "s3:GetObject"
    assert line["iam"][0]["resource"] == "arn:aws:s3:::mine/…"
    assert "anna" not in json.dumps(line)
    assert strict.page("permissions")["refused"][-1]["action"] == "s3:GetObject"


def test_a_key_that_nobody_holds_opens_nothing_and_the_administrators_all(admin: Admin, strict: Emulator) -> None:
    assert denied(lambda: strict.client("ec2", "AKIANOBODY").describe_vpcs())[0] == "InvalidClientTokenId"
    assert admin.client("ec2").describe_vpcs()["Vpcs"]


def test_a_boundary_and_a_session_policy_limit_what_a_role_may(admin: Admin, strict: Emulator) -> None:
    everything, tables = allow("*"), document(allow("dynamodb:*"))
    assert admin.session(everything)("sns").list_topics()
    bounded = admin.session(everything, boundary=tables)
    assert "no permissions boundary allows" in denied(lambda: bounded("sns").list_topics())[2]
    assert bounded("dynamodb").list_tables()
    asked = strict.page("asked")[f"arn:aws:iam::{ACCOUNT}:role/role-{admin.made}"]
    assert [one["action"] for one in asked] == ["sns:ListTopics", "dynamodb:ListTables"]
    limited = admin.session(everything, policy=tables)
    assert "no session policy allows" in denied(lambda: limited("sns").list_topics())[2]
    assert limited("dynamodb").list_tables()


def test_a_tag_decides_whose_a_resource_is(admin: Admin) -> None:
    made = admin.client("ec2").create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    ours = {"StringEquals": {"aws:ResourceTag/Project": "lyceum"}}
    keeper = admin.user(allow("ec2:DeleteVpc", Condition=ours), allow("ec2:Describe*"))
    assert denied(lambda: keeper("ec2").delete_vpc(VpcId=made))[0] == "UnauthorizedOperation"
    admin.client("ec2").create_tags(Resources=[made], Tags=TAGS)
    keeper("ec2").delete_vpc(VpcId=made)


def test_whoever_makes_something_with_tags_needs_the_right_to_tag(admin: Admin) -> None:
    request = {"CidrBlock": "10.2.0.0/16", "TagSpecifications": [{"ResourceType": "vpc", "Tags": TAGS}]}
    maker = admin.user(allow("ec2:CreateVpc"))
    assert "ec2:CreateTags" in denied(lambda: maker("ec2").create_vpc(**request))[2]
    tagger = admin.user(
        allow("ec2:CreateVpc"), allow("ec2:CreateTags", Condition={"StringEquals": {"ec2:CreateAction": "CreateVpc"}})
    )
    made = tagger("ec2").create_vpc(**request)["Vpc"]["VpcId"]
    assert "ec2:CreateTags" in denied(lambda: tagger("ec2").create_tags(Resources=[made], Tags=TAGS))[2]


def test_a_role_is_handed_to_a_service_only_with_the_right_to_pass_it(admin: Admin) -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/handed"
    request = {
        "ResourceIds": ["vpc-12345678"], "ResourceType": "VPC", "TrafficType": "ALL", "LogGroupName": "flows",
        "DeliverLogsPermissionArn": role,
    }  # fmt: skip
    passing = {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}
    maker = admin.user(allow("ec2:CreateFlowLogs"), allow("iam:PassRole", role, Condition=passing))
    assert "iam:PassRole" in denied(lambda: maker("ec2").create_flow_logs(**request))[2]
    passing = {"StringEquals": {"iam:PassedToService": "vpc-flow-logs.amazonaws.com"}}
    allowed = admin.user(allow("ec2:CreateFlowLogs"), allow("iam:PassRole", role, Condition=passing))
    with pytest.raises(ClientError) as error:
        allowed("ec2").create_flow_logs(**request)
    assert "NotFound" in error.value.response["Error"]["Code"]  # allowed; that network is not there


def test_a_bucket_lets_in_and_keeps_out_by_its_own_policy(admin: Admin) -> None:
    s3 = admin.client("s3")
    s3.create_bucket(Bucket="shared")
    s3.put_object(Bucket="shared", Key="a", Body=b"a")
    nobody = admin.user(allow("sts:GetCallerIdentity"))
    assert denied(lambda: nobody("s3").get_object(Bucket="shared", Key="a"))[0] == "AccessDenied"
    who = nobody("sts").get_caller_identity()["Arn"]
    grant = {"Principal": {"AWS": who}, **allow("s3:GetObject", "arn:aws:s3:::shared/*")}
    s3.put_bucket_policy(Bucket="shared", Policy=document(grant))
    assert nobody("s3").get_object(Bucket="shared", Key="a")["Body"].read() == b"a"
    s3.put_bucket_policy(Bucket="shared", Policy=document({**grant, "Effect": "Deny"}))
    everybody = admin.user(allow("s3:*"))
    assert everybody("s3").get_object(Bucket="shared", Key="a")
    message = denied(lambda: nobody("s3").get_object(Bucket="shared", Key="a"))[2]
    assert "with an explicit deny in a resource-based policy" in message


def test_a_key_is_used_only_through_its_own_policy(admin: Admin) -> None:
    kms = admin.client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    user = admin.user(allow("kms:*"))
    assert user("kms").describe_key(KeyId=key)
    service = {"Principal": {"Service": "logs.amazonaws.com"}, **allow("kms:*")}
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=document(service))
    assert "no resource-based policy allows" in denied(lambda: user("kms").describe_key(KeyId=key))[2]


def test_an_object_in_an_encrypted_bucket_needs_its_key(admin: Admin) -> None:
    s3, key = admin.client("s3"), admin.client("kms").create_key()["KeyMetadata"]["Arn"]
    s3.create_bucket(Bucket="sealed")
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
    s3.put_bucket_encryption(Bucket="sealed", ServerSideEncryptionConfiguration={"Rules": [rule]})
    writer = admin.user(allow("s3:PutObject"))
    assert "kms:GenerateDataKey" in denied(lambda: writer("s3").put_object(Bucket="sealed", Key="a", Body=b"a"))[2]
    via = {"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}
    allowed = admin.user(allow("s3:PutObject"), allow("kms:GenerateDataKey", key, Condition=via))
    allowed("s3").put_object(Bucket="sealed", Key="a", Body=b"a")


def test_the_second_factor_counts_for_becoming_a_role(admin: Admin) -> None:
    user = admin.user(allow("*"))
    name = user("sts").get_caller_identity()["Arn"].rsplit("/", 1)[-1]
    trust = {
        "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/{name}"}, "Action": "sts:AssumeRole",
        "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
    }  # fmt: skip
    admin.iam.create_role(RoleName="guarded", AssumeRolePolicyDocument=document(trust))
    request = {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/guarded", "RoleSessionName": "test"}
    device = admin.iam.create_virtual_mfa_device(VirtualMFADeviceName=name)["VirtualMFADevice"]["SerialNumber"]
    with_code = {**request, "SerialNumber": device, "TokenCode": "000000"}
    assert "sts:AssumeRole" in denied(lambda: user("sts").assume_role(**request))[2]
    assert "sts:AssumeRole" in denied(lambda: user("sts").assume_role(**with_code))[2]  # not registered yet
    admin.iam.enable_mfa_device(
        UserName=name, SerialNumber=device, AuthenticationCode1="000000", AuthenticationCode2="000001"
    )
    assert user("sts").assume_role(**with_code)


def test_nothing_is_enforced_unless_it_is_asked_for(emulator: Emulator) -> None:
    assert emulator.client("ec2", "AKIANOBODY").describe_vpcs()["Vpcs"]


def test_a_machine_is_given_the_credentials_of_its_role_and_no_more(strict: Emulator, admin: Admin) -> None:
    trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    admin.iam.create_role(RoleName="machine", AssumeRolePolicyDocument=document(trust))
    metrics = allow("cloudwatch:PutMetricData", Condition={"StringEquals": {"cloudwatch:namespace": "Ours"}})
    admin.iam.put_role_policy(RoleName="machine", PolicyName="test", PolicyDocument=document(metrics))
    # As the SDKs fetch it: the variable of their container credentials, and no key in the environment.
    program = (
        "import boto3, sys\n"
        "client = boto3.client('cloudwatch', region_name='us-east-1')\n"
        "client.put_metric_data(Namespace=sys.argv[1], MetricData=[{'MetricName': 'x', 'Value': 1.0}])\n"
    )
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    env = {
        **clean, "AWS_ENDPOINT_URL": strict.endpoint, "AWS_CONFIG_FILE": os.devnull, "NO_PROXY": "127.0.0.1",
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{strict.endpoint}{CREDENTIALS}machine",
    }  # fmt: skip

    def report(namespace: str) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, "-c", program, namespace]
        return subprocess.run(argv, env=env, capture_output=True, text=True, check=False)

    assert report("Ours").returncode == 0
    assert "assumed-role/machine/machine is not authorized to perform: cloudwatch:PutMetric" in report("Theirs").stderr
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{strict.endpoint}{CREDENTIALS}nobody")
