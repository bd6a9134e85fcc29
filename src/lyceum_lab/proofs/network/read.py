"""Reads a topology from AWS's API: nothing here comes from the code that made it, or from Terraform's state.

Where a host is comes from its service (load balancer, database, file system, group of servers), because not every
address exists at every time: a server can stand in any subnet of its group, the database in any of its own. Such a host
gets an address near the beginning of the subnet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import Any, Protocol

from lyceum_lab.proofs.network.topology import (
    ALL_PORTS,
    ANY,
    LINUX_PORTS,
    PROTOCOLS,
    WIDE_PORTS,
    Acl,
    AclRule,
    Cidr,
    Group,
    GroupRule,
    Host,
    Nat,
    Route,
    RouteTable,
    Subnet,
    Topology,
)
from lyceum_ops.errors import LyceumError

LAST = 32767  # AWS's own last rule of every ACL
# Stand-ins for the addresses of AWS's services where the API names the list and not its ranges.
SERVICE_ADDRESSES = {"s3": "198.18.0.1", "dynamodb": "198.18.1.1"}
FIRST = 10  # AWS keeps the first four addresses of a subnet; what has an address already is among the next


class Session(Protocol):
    """What makes boto3 clients."""

    def client(self, service: str) -> Any: ...


def read(session: Session, environment: str) -> Topology:
    """The network of an environment. Raises LyceumError when there is none, or more than one."""
    return _Reader(session, f"lyceum-{environment}").topology()


def require_whole(topology: Topology, environment: str) -> None:
    """Raise LyceumError that names what an apply that did not finish left out."""
    tiers = {tier: {s.zone for s in topology.subnets.values() if s.tier == tier} for tier in _TIERS}
    missing = [f"no second zone of the {tier} tier" for tier, zones in tiers.items() if len(zones) < 2]
    there = {host.role for host in topology.hosts}
    missing += [f"no {role}" for role in _ROLES if role not in there]
    missing += [f"no way for subnet {s.name}" for s in topology.subnets.values() if s.table not in topology.tables]
    missing += [f"no network ACL for subnet {s.name}" for s in topology.subnets.values() if s.acl not in topology.acls]
    if missing:
        more = f" and {len(missing) - 4} more" if len(missing) > 4 else ""
        raise LyceumError(
            f"{environment} is applied in part: there is {', '.join(missing[:4])}{more}.",
            f"Finish it with ./lyceum apply {environment}.",
        )


_TIERS = ("public", "app", "data", "management")
_ROLES = ("load-balancer", "server", "database", "files", "bastion", "jobs")


@dataclass
class _Reader:
    session: Session
    name: str
    strange: list[str] = field(default_factory=list)
    assumed: list[str] = field(default_factory=list)
    taken: dict[str, set[int]] = field(default_factory=dict)

    def topology(self) -> Topology:
        ec2 = self.session.client("ec2")
        vpcs = ec2.describe_vpcs(Filters=[{"Name": "tag:Name", "Values": [self.name]}])["Vpcs"]
        if len(vpcs) != 1:
            there = "no VPC" if not vpcs else f"{len(vpcs)} VPCs"
            environment = self.name.removeprefix("lyceum-")
            raise LyceumError(
                f"There is {there} named {self.name} in this account.", f"Apply it: ./lyceum apply {environment}."
            )
        self.vpc = vpcs[0]
        here = [{"Name": "vpc-id", "Values": [self.vpc["VpcId"]]}]
        self.ec2, self.here = ec2, here
        self.vpc_acls = _pages(ec2, "describe_network_acls", "NetworkAcls", Filters=here)
        self.vpc_tables = _pages(ec2, "describe_route_tables", "RouteTables", Filters=here)
        self.subnets = {one.id: one for one in self._subnets()}
        self.groups = {one.id: one for one in self._groups()}
        # What is deleted is shown for a while.
        self.endpoints = [
            one
            for one in _pages(ec2, "describe_vpc_endpoints", "VpcEndpoints", Filters=here)
            if one["State"].lower() not in {"deleted", "deleting", "rejected", "failed", "expired"}
        ]
        nats = {one.id: one for one in self._nats()}
        hosts = tuple(self._hosts())
        self._look_for_more()
        return Topology(
            self.name,
            Cidr.of(self.vpc["CidrBlock"]),
            self.subnets,
            {one.id: one for one in self._tables()},
            {one.id: one for one in self._acls()},
            self.groups,
            nats,
            hosts,
            tuple(self.strange),
            tuple(self.assumed),
        )

    # ------------------------------------------------------------------------------------- lists, routes and subnets

    def _subnets(self) -> Iterator[Subnet]:
        acls = {one["SubnetId"]: acl["NetworkAclId"] for acl in self.vpc_acls for one in acl["Associations"]}
        tables, main = {}, ""
        for table in self.vpc_tables:
            for one in table["Associations"]:
                if one.get("SubnetId"):
                    tables[one["SubnetId"]] = table["RouteTableId"]
                elif one.get("Main"):
                    main = table["RouteTableId"]
        for one in _pages(self.ec2, "describe_subnets", "Subnets", Filters=self.here):
            tags, id_ = _tags(one), one["SubnetId"]
            yield Subnet(
                id_,
                tags.get("Name", id_),
                tags.get("Tier", ""),
                one["AvailabilityZone"],
                Cidr.of(one["CidrBlock"]),
                acls.get(id_, ""),
                tables.get(id_, main),
            )

    def _tables(self) -> Iterator[RouteTable]:
        gateways = {
            one["InternetGatewayId"]: any(
                a.get("VpcId") == self.vpc["VpcId"] and a["State"] in {"available", "attached"}
                for a in one["Attachments"]
            )
            for one in _pages(self.ec2, "describe_internet_gateways", "InternetGateways")
        }
        working = {one["VpcEndpointId"] for one in self.endpoints if one["State"].lower() == "available"}
        for table in self.vpc_tables:
            routes = []
            for route in table["Routes"]:
                if "DestinationIpv6CidrBlock" in route:
                    self.strange.append(f"{table['RouteTableId']} routes IPv6")
                    continue
                to = (
                    Cidr.of(route["DestinationCidrBlock"])
                    if route.get("DestinationCidrBlock")
                    else route["DestinationPrefixListId"]
                )
                target = next((route[key] for key in _TARGETS if route.get(key)), "nowhere")
                kind = _kind(target, gateways, working)
                if route.get("State") == "blackhole":
                    kind = "blackhole"
                if kind == "unknown":
                    self.strange.append(f"{table['RouteTableId']} leads to {target}")
                routes.append(Route(to, kind, target))
            yield RouteTable(table["RouteTableId"], _tags(table).get("Name", table["RouteTableId"]), tuple(routes))

    def _acls(self) -> Iterator[Acl]:
        for acl in self.vpc_acls:
            name = _tags(acl).get("Name", "default" if acl.get("IsDefault") else acl["NetworkAclId"])
            rules = []
            for entry in sorted(acl["Entries"], key=lambda one: (one["Egress"], one["RuleNumber"])):
                if entry["RuleNumber"] == LAST:
                    continue
                if "CidrBlock" not in entry:
                    self.strange.append(f"network ACL {name} has an IPv6 rule {entry['RuleNumber']}")
                    continue
                protocol = int(entry["Protocol"])
                ports = entry.get("PortRange", {})
                # With every protocol, AWS shows no ports or 0 to 0, and means all of them.
                span = (ports["From"], ports["To"]) if ports and protocol != ANY else ALL_PORTS
                rules.append(
                    AclRule(
                        name,
                        entry["Egress"],
                        entry["RuleNumber"],
                        entry["RuleAction"] == "allow",
                        protocol,
                        Cidr.of(entry["CidrBlock"]),
                        span,
                    )
                )
            yield Acl(acl["NetworkAclId"], name, tuple(rules))

    def _groups(self) -> Iterator[Group]:
        groups = _pages(self.ec2, "describe_security_groups", "SecurityGroups", Filters=self.here)
        names = {one["GroupId"]: one["GroupName"] for one in groups}
        rules: dict[str, list[GroupRule]] = {id_: [] for id_ in names}
        query = [{"Name": "group-id", "Values": list(names)}]
        for one in _pages(self.ec2, "describe_security_group_rules", "SecurityGroupRules", Filters=query):
            peer = (one.get("ReferencedGroupInfo") or {}).get("GroupId", "")
            if not peer and not one.get("CidrIpv4"):
                self.strange.append(
                    f"{one['SecurityGroupRuleId']} of {names[one['GroupId']]} names no IPv4 range or group"
                )
                continue
            protocol = PROTOCOLS.get(one["IpProtocol"]) or int(one["IpProtocol"])
            ports = (one.get("FromPort", -1), one.get("ToPort", -1))
            rules[one["GroupId"]].append(
                GroupRule(
                    one["SecurityGroupRuleId"],
                    names[one["GroupId"]],
                    one["IsEgress"],
                    protocol,
                    ALL_PORTS if protocol == ANY or ports[0] < 0 else ports,
                    None if peer else Cidr.of(one["CidrIpv4"]),
                    peer,
                    names.get(peer, peer),
                )
            )
        for id_, name in names.items():
            yield Group(id_, name, tuple(rules[id_]))

    def _nats(self) -> Iterator[Nat]:
        found = _pages(self.ec2, "describe_nat_gateways", "NatGateways", Filters=self.here)
        for one in found:
            if one["State"] not in {"deleted", "deleting"}:
                works = one["State"] == "available" and one.get("ConnectivityType", "public") == "public"
                yield Nat(one["NatGatewayId"], _tags(one).get("Name", one["NatGatewayId"]), one["SubnetId"], works)

    # --------------------------------------------------------------------------------------------------------- hosts

    def _hosts(self) -> Iterator[Host]:
        seen: set[tuple[str, str, frozenset[str], bool]] = set()
        for host in (
            *self._load_balancers(),
            *self._servers(),
            *self._databases(),
            *self._files(),
            *self._instances(),
            *self._jobs(),
            *self._interface_endpoints(),
        ):
            key = (host.role, host.subnet, host.groups, host.public)
            if key not in seen:
                seen.add(key)
                yield host
        yield from self._services()

    def _place(
        self,
        role: str,
        subnet: str,
        groups: Iterable[str],
        *,
        address: str = "",
        public: bool = False,
        ports: tuple[int, int] = LINUX_PORTS,
    ) -> Iterator[Host]:
        if subnet not in self.subnets:
            self.strange.append(f"{role} stands in {subnet}, which is no subnet of this VPC")
            return
        where = self.subnets[subnet]
        # Not every emulated address lies in its subnet.
        number = int(IPv4Address(address)) if address else 0
        if not where.cidr.holds(number):
            taken = self.taken.setdefault(subnet, set())
            number = next(n for n in range(where.cidr.first + FIRST, where.cidr.last, 2) if n not in taken)
            taken.add(number)
        yield Host(role, number, where.zone, subnet, frozenset(groups), public, ports)

    def _load_balancers(self) -> Iterator[Host]:
        elb = self.session.client("elbv2")
        for one in _pages(elb, "describe_load_balancers", "LoadBalancers"):
            if one["VpcId"] == self.vpc["VpcId"]:
                for zone in one["AvailabilityZones"]:
                    public = one.get("Scheme", "internet-facing") == "internet-facing"
                    groups = one.get("SecurityGroups", [])
                    yield from self._place("load-balancer", zone["SubnetId"], groups, public=public, ports=WIDE_PORTS)

    def _servers(self) -> Iterator[Host]:
        for one in _pages(self.session.client("autoscaling"), "describe_auto_scaling_groups", "AutoScalingGroups"):
            subnets = [id_ for id_ in one.get("VPCZoneIdentifier", "").split(",") if id_ in self.subnets]
            if subnets and (template := one.get("LaunchTemplate")):
                data = self.ec2.describe_launch_template_versions(
                    LaunchTemplateId=template["LaunchTemplateId"], Versions=[template["Version"]]
                )["LaunchTemplateVersions"][0]["LaunchTemplateData"]
                first: dict[str, Any] = next(iter(data.get("NetworkInterfaces", [])), {})
                groups = first.get("Groups") or data.get("SecurityGroupIds", [])
                public = first.get("AssociatePublicIpAddress", False)
                for subnet in subnets:
                    yield from self._place("server", subnet, groups, public=public)

    def _databases(self) -> Iterator[Host]:
        for one in _pages(self.session.client("rds"), "describe_db_instances", "DBInstances"):
            if one.get("DBSubnetGroup", {}).get("VpcId") == self.vpc["VpcId"]:
                groups = [group["VpcSecurityGroupId"] for group in one["VpcSecurityGroups"]]
                for subnet in one["DBSubnetGroup"]["Subnets"]:
                    public = one.get("PubliclyAccessible", False)
                    yield from self._place("database", subnet["SubnetIdentifier"], groups, public=public)

    def _files(self) -> Iterator[Host]:
        efs = self.session.client("efs")
        for system in _pages(efs, "describe_file_systems", "FileSystems"):
            for one in efs.describe_mount_targets(FileSystemId=system["FileSystemId"])["MountTargets"]:
                if one["SubnetId"] in self.subnets:
                    groups = efs.describe_mount_target_security_groups(MountTargetId=one["MountTargetId"])
                    yield from self._place("files", one["SubnetId"], groups["SecurityGroups"], address=one["IpAddress"])

    def _instances(self) -> Iterator[Host]:
        live = {"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]}
        for reservation in _pages(self.ec2, "describe_instances", "Reservations", Filters=[*self.here, live]):
            for one in reservation["Instances"]:
                tags = _tags(one)
                if "aws:autoscaling:groupName" in tags:
                    continue  # a server: where its group may put one was read already
                role = tags.get("Name", "").removeprefix(f"{self.name}-")
                if role not in _ROLES:
                    self.strange.append(
                        f"instance {one['InstanceId']} ({tags.get('Name', 'no name')}) is of no known role"
                    )
                    continue
                groups = [group["GroupId"] for group in one["SecurityGroups"]]
                yield from self._place(role, one["SubnetId"], groups, address=one.get("PrivateIpAddress", ""),
                                       public=bool(one.get("PublicIpAddress")))  # fmt: skip

    def _jobs(self) -> Iterator[Host]:
        """What migrates and checks in the VPC. Before there is any, its group stands for it in the management tier."""
        placed = list(self._running_jobs())
        yield from placed
        if placed:
            return
        for group in self.groups.values():
            if group.name == f"{self.name}-jobs":
                self.assumed.append("jobs: nothing runs in its group yet; it is taken to be in the management tier")
                for subnet in self.subnets.values():
                    if subnet.tier == "management":
                        yield from self._place("jobs", subnet.id, [group.id])

    def _running_jobs(self) -> Iterator[Host]:
        build = self.session.client("codebuild")
        names = build.list_projects().get("projects", [])
        for one in build.batch_get_projects(names=names)["projects"] if names else []:
            config = one.get("vpcConfig") or {}
            if config.get("vpcId") == self.vpc["VpcId"]:
                for subnet in config["subnets"]:
                    yield from self._place("jobs", subnet, config["securityGroupIds"])
        for one in _pages(self.session.client("lambda"), "list_functions", "Functions"):
            config = one.get("VpcConfig") or {}
            if config.get("VpcId") == self.vpc["VpcId"]:
                for subnet in config["SubnetIds"]:
                    yield from self._place("jobs", subnet, config["SecurityGroupIds"], ports=WIDE_PORTS)

    def _interface_endpoints(self) -> Iterator[Host]:
        for one in self.endpoints:
            if one["VpcEndpointType"] == "Interface":
                groups = [group["GroupId"] for group in one["Groups"]]
                for subnet in one["SubnetIds"]:
                    yield from self._place("endpoints", subnet, groups)

    def _services(self) -> Iterator[Host]:
        lists = {one["PrefixListName"]: one for one in _pages(self.ec2, "describe_prefix_lists", "PrefixLists")}
        for service, stand_in in SERVICE_ADDRESSES.items():
            found = next((one for name, one in lists.items() if name.endswith(f".{service}")), {})
            address = Cidr.of(found["Cidrs"][0]).first if found.get("Cidrs") else int(IPv4Address(stand_in))
            yield Host(service, address, prefix_list=found.get("PrefixListId", service))

    def _look_for_more(self) -> None:
        """What would lead in or out unseen: other ranges, other gateways, interfaces of groups that nobody knows."""
        blocks = [one["CidrBlock"] for one in self.vpc.get("CidrBlockAssociationSet", [])]
        self.strange += [f"the VPC has a second range {block}" for block in blocks if block != self.vpc["CidrBlock"]]
        if self.vpc.get("Ipv6CidrBlockAssociationSet"):
            self.strange.append("the VPC has an IPv6 range")
        for operation, key, own in _OTHER_WAYS:
            for one in _pages(self.ec2, operation, key):
                if self.vpc["VpcId"] in own(one):
                    self.strange.append(f"{key} lead in or out: {one}")
        known = {group for group, one in self.groups.items() if one.name.startswith(f"{self.name}-")}
        known |= {group for group, one in self.groups.items() if not one.rules}
        for one in _pages(self.ec2, "describe_network_interfaces", "NetworkInterfaces", Filters=self.here):
            if unknown := [group["GroupName"] for group in one["Groups"] if group["GroupId"] not in known]:
                self.strange.append(f"{one['NetworkInterfaceId']} is in the group {', '.join(unknown)}")


_TARGETS = (
    "GatewayId", "NatGatewayId", "TransitGatewayId", "VpcPeeringConnectionId", "NetworkInterfaceId", "InstanceId",
    "EgressOnlyInternetGatewayId", "LocalGatewayId", "CarrierGatewayId", "CoreNetworkArn",
)  # fmt: skip


def _peers(one: dict[str, Any]) -> list[str]:
    live = one.get("Status", {}).get("Code") not in {"deleted", "rejected", "expired", "failed"}
    return [one[end].get("VpcId", "") for end in ("AccepterVpcInfo", "RequesterVpcInfo") if end in one and live]


_OTHER_WAYS: tuple[tuple[str, str, Callable[[dict[str, Any]], list[str]]], ...] = (
    ("describe_vpc_peering_connections", "VpcPeeringConnections", _peers),
    ("describe_transit_gateway_vpc_attachments", "TransitGatewayVpcAttachments", lambda one: [one.get("VpcId", "")]),
    ("describe_vpn_gateways", "VpnGateways", lambda one: [a.get("VpcId", "") for a in one.get("VpcAttachments", [])]),
)


def _kind(target: str, gateways: dict[str, bool], endpoints: set[str]) -> str:
    if target == "local":
        return "local"
    if target in gateways:
        return "internet" if gateways[target] else "blackhole"
    if target.startswith("nat-"):
        return "nat"
    if target.startswith("vpce-"):
        return "gateway" if target in endpoints else "blackhole"
    return "unknown"


def _pages(client: Any, operation: str, key: str, **arguments: Any) -> list[dict[str, Any]]:
    if client.can_paginate(operation):
        pages = client.get_paginator(operation).paginate(**arguments)
        return [one for page in pages for one in page.get(key, [])]
    return list(getattr(client, operation)(**arguments).get(key, []))


def _tags(one: dict[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in one.get("Tags") or one.get("TagSet") or []}
