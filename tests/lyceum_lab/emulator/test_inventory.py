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
