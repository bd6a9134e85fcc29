"""What exists in the emulated account, counted from moto's own backends.

What AWS puts into every account or every VPC by itself (the default VPC and all in it, main route tables, default
groups and ACLs, AWS's own keys and policies) is left out: the count shows what somebody made, and is empty again
when that is destroyed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from moto.backends import get_backend
from moto.kms.utils import RESERVED_ALIASES

from lyceum_lab.emulator import ACCOUNT

Counter = Callable[[Any], Iterable[Any]]


def resources() -> dict[str, dict[str, int]]:
    """Counts by service and type; nothing is listed with zero."""
    found: dict[str, dict[str, int]] = {}
    for (service, kind), items in COUNTED.items():
        total = sum(len(list(items(backend))) for backend in _backends(service))
        if total:
            found.setdefault(NAMES.get(service, service), {})[kind] = total
    return found


def _backends(service: str) -> list[Any]:
    """The backends of a service that were touched in any region; asking for others would make them."""
    accounts: Any = get_backend(service)  # type: ignore[call-overload]
    return list(accounts[ACCOUNT].values()) if ACCOUNT in accounts else []


def _default_vpcs(ec2: Any) -> set[str]:
    return {vpc.id for vpc in ec2.vpcs.values() if str(vpc.is_default).lower() == "true"}


def _ours(ec2: Any, items: Iterable[Any]) -> list[Any]:
    """Items outside the default VPCs."""
    defaults = _default_vpcs(ec2)
    return [item for item in items if getattr(item, "vpc_id", None) not in defaults]


def _nested(items: dict[Any, dict[Any, Any]]) -> list[Any]:
    return [item for inner in items.values() for item in inner.values()]


# How moto calls a service and how people do, where that differs.
NAMES = {"elbv2": "elasticloadbalancing"}

COUNTED: dict[tuple[str, str], Counter] = {
    ("ec2", "vpc"): lambda b: [v for v in b.vpcs.values() if v.id not in _default_vpcs(b)],
    ("ec2", "subnet"): lambda b: _ours(b, _nested(b.subnets)),
    ("ec2", "route table"): lambda b: [t for t in _ours(b, b.route_tables.values()) if not t.main_association_id],
    ("ec2", "internet gateway"): lambda b: [
        g for g in b.internet_gateways.values() if not g.vpc or g.vpc.id not in _default_vpcs(b)
    ],
    ("ec2", "NAT gateway"): lambda b: [g for g in b.nat_gateways.values() if g.state != "deleted"],
    ("ec2", "elastic address"): lambda b: b.addresses.values() if isinstance(b.addresses, dict) else b.addresses,
    ("ec2", "VPC endpoint"): lambda b: [e for e in b.vpc_end_points.values() if e.state != "deleted"],
    ("ec2", "security group"): lambda b: [g for g in _ours(b, _nested(b.groups)) if g.name != "default"],
    ("ec2", "network ACL"): lambda b: [
        a for a in _ours(b, b.network_acls.values()) if str(a.default).lower() != "true"
    ],
    ("ec2", "flow log"): lambda b: b.flow_logs.values(),
    ("ec2", "launch template"): lambda b: b.launch_templates.values(),
    ("ec2", "instance"): lambda b: [i for i in b.all_instances() if i.state != "terminated"],
    ("s3", "bucket"): lambda b: b.buckets.values(),
    ("dynamodb", "table"): lambda b: b.tables.values(),
    ("rds", "database"): lambda b: b.databases.values(),
    ("rds", "subnet group"): lambda b: b.subnet_groups.values(),
    ("rds", "parameter group"): lambda b: b.db_parameter_groups.values(),
    ("kms", "key"): lambda b: [
        k for k in b.keys.values() if k.key_state == "Enabled" and not k.aliases.keys() & set(RESERVED_ALIASES)
    ],
    ("secretsmanager", "secret"): lambda b: [s for s in b.secrets.values() if not s.is_deleted()],
    ("iam", "user"): lambda b: b.users.values(),
    ("iam", "group"): lambda b: b.groups.values(),
    ("iam", "role"): lambda b: b.roles.values(),
    ("iam", "policy"): lambda b: [p for p in b.managed_policies.values() if ACCOUNT in p.arn],
    ("iam", "instance profile"): lambda b: b.instance_profiles.values(),
    ("logs", "log group"): lambda b: b.groups.values(),
    ("logs", "metric filter"): lambda b: b.filters.metric_filters,
    ("logs", "resource policy"): lambda b: b.resource_policies.values(),
    ("cloudtrail", "trail"): lambda b: b.trails.values(),
    ("cloudwatch", "alarm"): lambda b: b.alarms.values(),
    ("cloudwatch", "dashboard"): lambda b: b.dashboards.values(),
    ("codepipeline", "pipeline"): lambda b: b.pipelines.values(),
    ("events", "rule"): lambda b: [rule for bus in b.event_buses.values() for rule in bus.rules.values()],
    ("budgets", "budget"): lambda b: _nested(b.budgets),
    ("sns", "topic"): lambda b: b.topics.values(),
    ("sns", "subscription"): lambda b: b.subscriptions.values(),
    ("lambda", "function"): lambda b: b._lambdas.all(),
    ("scheduler", "schedule"): lambda b: [s for g in b.schedule_groups.values() for s in g.schedules.values()],
    ("ssm", "document"): lambda b: b._documents.values(),
    ("ses", "email identity"): lambda b: b.email_identities.values(),
    ("ses", "configuration set"): lambda b: b.config_sets.values(),
    ("acm", "certificate"): lambda b: b._certificates.values(),
    ("route53", "hosted zone"): lambda b: b.zones.values(),
    # Every zone is born with the records of its name servers.
    ("route53", "record"): lambda b: [
        r for zone in b.zones.values() for r in zone.rrsets if r.type not in {"NS", "SOA"}
    ],
    ("wafv2", "web ACL"): lambda b: b.wacls.values(),
    ("wafv2", "logging configuration"): lambda b: b.logging_configurations.values(),
    ("efs", "file system"): lambda b: b.file_systems_by_id.values(),
    ("efs", "access point"): lambda b: b.access_points.values(),
    ("efs", "mount target"): lambda b: b.mount_targets_by_id.values(),
    ("elbv2", "load balancer"): lambda b: b.load_balancers.values(),
    ("elbv2", "listener"): lambda b: [x for each in b.load_balancers.values() for x in each.listeners.values()],
    ("elbv2", "target group"): lambda b: b.target_groups.values(),
    ("backup", "backup vault"): lambda b: b.vaults.values(),
    ("backup", "backup plan"): lambda b: b.plans.values(),
    ("autoscaling", "group"): lambda b: b.autoscaling_groups.values(),
    ("autoscaling", "scaling policy"): lambda b: b.policies.values(),
}
