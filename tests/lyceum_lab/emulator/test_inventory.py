"""What somebody made is counted; what AWS puts into every account is not."""

from __future__ import annotations

from collections.abc import Callable

from tests.lyceum_lab.emulator.conftest import Emulator


def test_an_account_is_empty_until_something_is_made_and_after_it_is_destroyed(
    start_emulator: Callable[[], Emulator],
) -> None:
    emulator = start_emulator()
    ec2, dynamodb = emulator.client("ec2"), emulator.client("dynamodb")
    assert ec2.describe_vpcs()["Vpcs"], "AWS gives every account a default VPC"
    kms = emulator.client("kms")
    kms.describe_key(KeyId="alias/aws/ebs")  # AWS makes its own keys when they are first asked for
    assert emulator.page("resources") == {}

    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24")["Subnet"]["SubnetId"] for n in range(2)]
    dynamodb.create_table(
        TableName="progress",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    assert emulator.page("resources") == {
        "ec2": {"vpc": 1, "subnet": 2},
        "dynamodb": {"table": 1},
        "kms": {"key": 1},
    }

    for subnet in subnets:
        ec2.delete_subnet(SubnetId=subnet)
    ec2.delete_vpc(VpcId=vpc)
    kms.schedule_key_deletion(KeyId=key)
    dynamodb.delete_table(TableName="progress")
    assert emulator.page("resources") == {}


def test_what_stands_between_the_internet_and_the_servers_is_counted(start_emulator: Callable[[], Emulator]) -> None:
    emulator = start_emulator()
    route53, acm, waf = emulator.client("route53"), emulator.client("acm"), emulator.client("wafv2")
    sesv2, logs = emulator.client("sesv2"), emulator.client("logs")
    zone = route53.create_hosted_zone(Name="lyceum.example", CallerReference="once")["HostedZone"]["Id"]
    certificate = acm.request_certificate(DomainName="learn.lyceum.example")["CertificateArn"]
    sesv2.create_email_identity(EmailIdentity="learn.lyceum.example")
    sesv2.create_configuration_set(ConfigurationSetName="letters")
    logs.put_resource_policy(policyName="waf", policyDocument='{"Version": "2012-10-17", "Statement": []}')
    wall = waf.create_web_acl(
        Name="wall",
        Scope="REGIONAL",
        DefaultAction={"Allow": {}},
        VisibilityConfig={"SampledRequestsEnabled": False, "CloudWatchMetricsEnabled": False, "MetricName": "wall"},
    )["Summary"]
    assert emulator.page("resources") == {
        "acm": {"certificate": 1},
        "logs": {"resource policy": 1},
        "route53": {"hosted zone": 1},
        "ses": {"email identity": 1, "configuration set": 1},
        "wafv2": {"web ACL": 1},
    }

    route53.delete_hosted_zone(Id=zone)
    acm.delete_certificate(CertificateArn=certificate)
    sesv2.delete_email_identity(EmailIdentity="learn.lyceum.example")
    sesv2.delete_configuration_set(ConfigurationSetName="letters")
    logs.delete_resource_policy(policyName="waf")
    waf.delete_web_acl(Name="wall", Scope="REGIONAL", Id=wall["Id"], LockToken=wall["LockToken"])
    assert emulator.page("resources") == {}
