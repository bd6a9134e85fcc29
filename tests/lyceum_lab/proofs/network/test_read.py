"""A small VPC, made through the API of an emulator and read back; and states that are not there, or not whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boto3
import pytest
from tests.lyceum_lab.emulator.conftest import Emulator, start_emulator

from lyceum_lab.proofs.network.read import read, require_whole
from lyceum_lab.proofs.network.topology import ANY, PROTOCOLS, Cidr, Host, Topology
from lyceum_lab.proofs.network.verdict import verdict
from lyceum_ops.errors import LyceumError

__all__ = ["start_emulator"]
NAME = "lyceum-small"


class Session:
    """boto3 clients of the emulator."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint

    def client(self, service: str) -> Any:
        return boto3.client(  # type: ignore[call-overload]
            service, endpoint_url=self.endpoint, region_name="us-east-1", aws_access_key_id="AKIATEST",
            aws_secret_access_key="any",
        )  # fmt: skip


def named(kind: str, name: str, **tags: str) -> list[dict[str, Any]]:
    pairs = [{"Key": key, "Value": value} for key, value in {"Name": name, **tags}.items()]
    return [{"ResourceType": kind, "Tags": pairs}]


@pytest.fixture(scope="module")
def session(start_emulator: Callable[[], Emulator]) -> Session:
    session = Session(start_emulator().endpoint)
    ec2 = session.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16", TagSpecifications=named("vpc", NAME))["Vpc"]["VpcId"]
    subnet = {}
    for index, tier in enumerate(("public", "data")):
        subnet[tier] = ec2.create_subnet(
            VpcId=vpc, CidrBlock=f"10.9.{index}.0/24", AvailabilityZone="us-east-1a",
            TagSpecifications=named("subnet", f"{NAME}-{tier}", Tier=tier),
        )["Subnet"]["SubnetId"]  # fmt: skip
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(VpcId=vpc, InternetGatewayId=gateway)
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    ec2.associate_route_table(RouteTableId=table, SubnetId=subnet["public"])
    acl = ec2.create_network_acl(VpcId=vpc, TagSpecifications=named("network-acl", f"{NAME}-data"))["NetworkAcl"]
    # Made in another order than that of their numbers.
    for number, action, protocol in ((200, "allow", "6"), (100, "deny", "-1")):
        ec2.create_network_acl_entry(
            NetworkAclId=acl["NetworkAclId"], Egress=False, RuleNumber=number, Protocol=protocol, RuleAction=action,
            CidrBlock="10.9.0.0/16", PortRange={"From": 5432, "To": 5432},
        )  # fmt: skip
    default = next(
        one["NetworkAclAssociationId"]
        for each in ec2.describe_network_acls()["NetworkAcls"]
        for one in each["Associations"]
        if one["SubnetId"] == subnet["data"]
    )
    ec2.replace_network_acl_association(AssociationId=default, NetworkAclId=acl["NetworkAclId"])
    group = {
        role: ec2.create_security_group(GroupName=f"{NAME}-{role}", Description=role, VpcId=vpc)["GroupId"]
        for role in ("load-balancer", "files")
    }
    ec2.authorize_security_group_ingress(
        GroupId=group["files"],
        IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 2049, "ToPort": 2049,
             "UserIdGroupPairs": [{"GroupId": group["load-balancer"]}]},
        ],
    )  # fmt: skip
    session.client("elbv2").create_load_balancer(Name=NAME, Subnets=[subnet["public"]],
                                                 SecurityGroups=[group["load-balancer"]])  # fmt: skip
    efs = session.client("efs")
    system = efs.create_file_system(CreationToken=NAME)["FileSystemId"]
    efs.create_mount_target(FileSystemId=system, SubnetId=subnet["data"], SecurityGroups=[group["files"]])
    return session


@pytest.fixture(scope="module")
def small(session: Session) -> Topology:
    return read(session, "small")


def host(topology: Topology, role: str) -> Host:
    return next(one for one in topology.hosts if one.role == role)


def test_hosts_are_read_with_subnet_group_and_whether_they_are_public(small: Topology) -> None:
    balancer, files = host(small, "load-balancer"), host(small, "files")
    assert (small.subnets[balancer.subnet].tier, small.subnets[files.subnet].tier) == ("public", "data")
    assert (balancer.public, files.public) == (True, False)
    assert [small.groups[one].name for one in files.groups] == [f"{NAME}-files"]
    assert Cidr.of("10.9.1.0/24").holds(files.address)


def test_acl_rules_are_in_the_order_of_their_numbers_and_a_rule_of_every_protocol_means_every_port(
    small: Topology,
) -> None:
    acl = small.acls[small.subnets[host(small, "files").subnet].acl]
    rules = [rule for rule in acl.rules if not rule.egress]
    assert [(rule.number, rule.allow, rule.protocol, rule.ports) for rule in rules] == [
        (100, False, ANY, (0, 65535)),
        (200, True, PROTOCOLS["tcp"], (5432, 5432)),
    ]


def test_a_subnet_without_a_table_of_its_own_has_the_main_one(small: Topology) -> None:
    data = small.subnets[host(small, "files").subnet]
    assert [route.kind for route in small.tables[data.table].routes] == ["local"]


def test_a_verdict_stands_on_what_was_read(small: Topology) -> None:
    found = verdict(small, host(small, "load-balancer"), host(small, "files"), PROTOCOLS["tcp"], 2049)
    assert str(found.deciding).startswith(
        f"request: network ACL {NAME}-data, in: rule 100 denies tcp 2049 from 10.9.0."
    )


def test_an_interface_endpoint_is_a_host_until_it_is_deleted(session: Session, small: Topology) -> None:
    ec2 = session.client("ec2")
    files = host(small, "files")
    vpc = ec2.describe_vpcs(Filters=[{"Name": "tag:Name", "Values": [NAME]}])["Vpcs"][0]["VpcId"]
    made = ec2.create_vpc_endpoint(
        VpcId=vpc, VpcEndpointType="Interface", ServiceName="com.amazonaws.us-east-1.sts", SubnetIds=[files.subnet],
        SecurityGroupIds=list(files.groups),
    )["VpcEndpoint"]["VpcEndpointId"]  # fmt: skip
    found = host(read(session, "small"), "endpoints")
    assert (found.subnet, found.groups) == (files.subnet, files.groups)
    ec2.delete_vpc_endpoints(VpcEndpointIds=[made])
    assert all(one.role != "endpoints" for one in read(session, "small").hosts)


def test_what_is_not_understood_is_told(session: Session, small: Topology) -> None:
    assert small.strange == ()
    ec2 = session.client("ec2")
    vpc = ec2.describe_vpcs(Filters=[{"Name": "tag:Name", "Values": [NAME]}])["Vpcs"][0]["VpcId"]
    subnet = host(small, "files").subnet
    image = ec2.describe_images()["Images"][0]["ImageId"]
    other = ec2.create_security_group(GroupName="theirs", Description="of somebody else", VpcId=vpc)["GroupId"]
    ec2.authorize_security_group_ingress(
        GroupId=other, IpPermissions=[{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    )
    made = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, SubnetId=subnet, SecurityGroupIds=[other])
    instance = made["Instances"][0]["InstanceId"]
    try:
        said = " ".join(read(session, "small").strange)
    finally:
        ec2.terminate_instances(InstanceIds=[instance])
    assert f"instance {instance} (no name) is of no known role" in said
    assert "is in the group theirs" in said


def test_a_state_that_is_not_there_is_one_clear_line(session: Session) -> None:
    with pytest.raises(LyceumError, match=r"^There is no VPC named lyceum-dev in this account\. Apply it: ./lyceum"):
        read(session, "dev")


def test_one_that_is_applied_in_part_says_what_is_missing(small: Topology) -> None:
    with pytest.raises(
        LyceumError, match=r"^small is applied in part: there is no second zone of the public tier.* more\. "
    ):
        require_whole(small, "small")


def test_a_whole_one_is_whole(development: Topology) -> None:
    require_whole(development, "dev")
