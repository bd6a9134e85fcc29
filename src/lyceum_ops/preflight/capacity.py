"""What the region offers, and the account's quotas, held against what is in use and what an environment adds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from lyceum_ops.checks import Account, Check, Found, fail, ok, unknown, warn

INSTANCE_TYPE = "t2.micro"
ZONES = 2
# Families that share one quota of vCPUs: "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances".
STANDARD = set("acdhimrtz")
NATS = {"none": 0, "one": 1, "per_zone": ZONES}


def zones(asking: Account) -> Found:
    """infra/platform takes the first two zones by name; each of them has to offer the servers' type."""
    found = asking.all(
        "ec2", "describe_availability_zones", "AvailabilityZones",
        Filters=[
            {"Name": "opt-in-status", "Values": ["opt-in-not-required"]},
            {"Name": "state", "Values": ["available"]},
        ],
    )  # fmt: skip
    names = sorted(zone["ZoneName"] for zone in found)
    if len(names) < ZONES:
        return fail(f"{asking.region} has {len(names)} zones for us, {ZONES} are needed", "Take another region.")
    offers = asking.all(
        "ec2", "describe_instance_type_offerings", "InstanceTypeOfferings",
        LocationType="availability-zone", Filters=[{"Name": "instance-type", "Values": [INSTANCE_TYPE]}],
    )  # fmt: skip
    offered = {offer["Location"] for offer in offers}
    if not offered:
        return fail(f"{asking.region} does not offer {INSTANCE_TYPE}", "Take another, such as us-east-1 or eu-west-1.")
    if lacking := [name for name in names[:ZONES] if name not in offered]:
        return fail(
            f"{', '.join(lacking)} does not offer {INSTANCE_TYPE}, and is one of the two zones that would be used",
            "Take another region.",
        )
    return ok(f"{' and '.join(names[:ZONES])} offer {INSTANCE_TYPE}")


@dataclass(frozen=True)
class Quota:
    """A quota by AWS's codes, how much of it is in use, and how much more an environment takes."""

    name: str
    service: str
    code: str
    used: Callable[[Account], int]
    takes: Callable[[Account], int]
    asks: str

    def look(self, asking: Account) -> Found:
        limit = self._limit(asking)
        used = self.used(asking)
        more = 0 if _is_there(asking) else self.takes(asking)
        if limit is None:
            return unknown(
                f"AWS names no limit; {used} in use, {more} more needed", f"Quota {self.service}/{self.code}."
            )
        facts = f"{used} of {limit:.0f} in use, {more} more needed"
        raise_it = (
            f"aws service-quotas request-service-quota-increase --service-code {self.service} --quota-code {self.code} "
            f"--desired-value {max(used + more, int(limit) + 1)}"
        )
        if used + more > limit:
            return fail(facts, raise_it)
        if more and used + more == limit:
            return warn(f"{facts}: the last of them", raise_it)
        return ok(facts)

    def _limit(self, asking: Account) -> float | None:
        # An account has a value of its own only once it was raised, or applied, for some; else the default counts.
        for operation in ("get_service_quota", "get_aws_default_service_quota"):
            found = asking.ask("service-quotas", operation, ServiceCode=self.service, QuotaCode=self.code)
            if found is not None:
                return float(found["Quota"]["Value"])
        return None


def _is_there(asking: Account) -> bool:
    """Whether the environment exists already, so that its share is in use and not to come."""
    tags = {"Project": "lyceum", "Environment": asking.environment}
    filters = [{"Name": f"tag:{name}", "Values": [value]} for name, value in tags.items()]
    return bool(asking.all("ec2", "describe_vpcs", "Vpcs", Filters=filters))


def _vpcs(asking: Account) -> int:
    return len(asking.all("ec2", "describe_vpcs", "Vpcs"))


def _addresses(asking: Account) -> int:
    return len(asking.all("ec2", "describe_addresses", "Addresses"))


def _nats_in_fullest_zone(asking: Account) -> int:
    gateways = asking.all("ec2", "describe_nat_gateways", "NatGateways",
                          Filters=[{"Name": "state", "Values": ["pending", "available"]}])  # fmt: skip
    zone_of = {
        subnet["SubnetId"]: subnet["AvailabilityZone"] for subnet in asking.all("ec2", "describe_subnets", "Subnets")
    }
    count = Counter(zone_of.get(gateway["SubnetId"], "") for gateway in gateways)
    return max(count.values(), default=0)


def _vcpus(asking: Account) -> int:
    reservations = asking.all("ec2", "describe_instances", "Reservations",
                              Filters=[{"Name": "instance-state-name", "Values": ["pending", "running"]}])  # fmt: skip
    total = 0
    for reservation in reservations:
        for instance in reservation["Instances"]:
            if instance["InstanceType"][0] in STANDARD and instance.get("InstanceLifecycle") != "spot":
                cpu = instance.get("CpuOptions", {})
                total += cpu.get("CoreCount", 1) * cpu.get("ThreadsPerCore", 1)
    return total


def _databases(asking: Account) -> int:
    return len(asking.all("rds", "describe_db_instances", "DBInstances"))


def _load_balancers(asking: Account) -> int:
    found = asking.all("elbv2", "describe_load_balancers", "LoadBalancers")
    return sum(item["Type"] == "application" for item in found)


def _nats(asking: Account) -> int:
    return NATS.get(asking.nat, ZONES)


# Codes from AWS's Service Quotas. Two servers, one more while a release replaces one, and the bastion: four vCPUs.
QUOTAS = (
    Quota("VPCs", "vpc", "L-F678F1CE", _vpcs, lambda _: 1, "ec2:DescribeVpcs"),
    Quota("elastic IPs", "ec2", "L-0263D0A3", _addresses, _nats, "ec2:DescribeAddresses"),
    Quota("NAT gateways in a zone", "vpc", "L-FE5A380F", _nats_in_fullest_zone, lambda a: min(1, _nats(a)),
          "ec2:DescribeNatGateways, ec2:DescribeSubnets"),
    Quota("vCPUs of standard instances", "ec2", "L-1216C47A", _vcpus, lambda _: 4, "ec2:DescribeInstances"),
    Quota("databases", "rds", "L-7B6409FD", _databases, lambda _: 1, "rds:DescribeDBInstances"),
    Quota("application load balancers", "elasticloadbalancing", "L-53DA6B97", _load_balancers, lambda _: 1,
          "elasticloadbalancing:DescribeLoadBalancers"),
)  # fmt: skip

CHECKS = (
    Check("zones", "ec2:DescribeAvailabilityZones, ec2:DescribeInstanceTypeOfferings", zones),
    *(
        Check(
            f"quota: {quota.name}",
            f"servicequotas:GetServiceQuota, servicequotas:GetAWSDefaultServiceQuota, {quota.asks}",
            quota.look,
        )
        for quota in QUOTAS
    ),
)
