"""What the emulator adds to moto's load balancers: protection from deletion that protects."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError
from tests.lyceum_lab.emulator.conftest import Emulator


def test_a_protected_load_balancer_stays_until_its_protection_is_lifted(emulator: Emulator) -> None:
    ec2, elb = emulator.client("ec2"), emulator.client("elbv2")
    vpc = ec2.create_vpc(CidrBlock="10.8.0.0/16")["Vpc"]["VpcId"]
    zones = {"us-east-1a": "10.8.0.0/24", "us-east-1b": "10.8.1.0/24"}
    made_subnets = [ec2.create_subnet(VpcId=vpc, CidrBlock=c, AvailabilityZone=z) for z, c in zones.items()]
    subnets = [each["Subnet"]["SubnetId"] for each in made_subnets]
    made = elb.create_load_balancer(Name="kept", Subnets=subnets, Type="application")["LoadBalancers"][0]
    arn = made["LoadBalancerArn"]

    def protect(value: str) -> None:
        elb.modify_load_balancer_attributes(
            LoadBalancerArn=arn, Attributes=[{"Key": "deletion_protection.enabled", "Value": value}]
        )

    protect("true")
    with pytest.raises(ClientError, match="deletion protection is enabled") as refused:
        elb.delete_load_balancer(LoadBalancerArn=arn)
    assert refused.value.response["Error"]["Code"] == "OperationNotPermitted"
    assert elb.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"]

    protect("false")
    elb.delete_load_balancer(LoadBalancerArn=arn)
    with pytest.raises(ClientError, match="LoadBalancerNotFound"):
        elb.describe_load_balancers(LoadBalancerArns=[arn])
