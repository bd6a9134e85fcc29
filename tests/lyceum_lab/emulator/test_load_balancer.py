"""What the emulator adds to moto's load balancers: protection from deletion that protects, and one of a name."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.lyceum_lab.emulator.conftest import Emulator


def subnets_of(ec2: Any, network: str) -> list[str]:
    """Two subnets of a VPC of their own."""
    vpc = ec2.create_vpc(CidrBlock=f"{network}.0.0/16")["Vpc"]["VpcId"]
    zones = {"us-east-1a": f"{network}.0.0/24", "us-east-1b": f"{network}.1.0/24"}
    made = [ec2.create_subnet(VpcId=vpc, CidrBlock=cidr, AvailabilityZone=zone) for zone, cidr in zones.items()]
    return [each["Subnet"]["SubnetId"] for each in made]


def test_a_repeated_call_makes_no_second_one_and_a_different_one_is_refused(emulator: Emulator) -> None:
    elb = emulator.client("elbv2")
    subnets = subnets_of(emulator.client("ec2"), "10.9")
    first, again = (
        elb.create_load_balancer(Name="once", Subnets=order, Type="application")["LoadBalancers"][0]["LoadBalancerArn"]
        for order in (subnets, subnets[::-1])
    )
    assert again == first
    with pytest.raises(ClientError, match="DuplicateLoadBalancerName"):
        elb.create_load_balancer(Name="once", Subnets=subnets, Scheme="internal", Type="application")
    names = [each["LoadBalancerName"] for each in elb.describe_load_balancers()["LoadBalancers"]]
    assert names.count("once") == 1
    elb.delete_load_balancer(LoadBalancerArn=first)


def test_a_protected_load_balancer_stays_until_its_protection_is_lifted(emulator: Emulator) -> None:
    ec2, elb = emulator.client("ec2"), emulator.client("elbv2")
    subnets = subnets_of(ec2, "10.8")
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
