"""What an environment's alarms have to look at, found without them: by asking each service for what it has."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lyceum_lab.proofs.report import require
from lyceum_lab.rehearsal.infrastructure import ACCOUNT, Session


@dataclass(frozen=True)
class Places:
    """The values of dimensions, by what they point at; the largest size of the group; what the purge may purge."""

    account: str
    values: Mapping[str, str]
    full: int
    purged: tuple[str, ...]


def find(admin: Session, environment: str) -> Places:
    """Read an environment. Raises Broken where it has not exactly one of something."""
    name = f"lyceum-{environment}"

    def one(what: str, found: list[Any]) -> Any:
        require(len(found) == 1, f"{environment} has {len(found)} of {what}")
        return found[0]

    elb = admin.client("elbv2")
    balancers = [b for b in elb.describe_load_balancers()["LoadBalancers"] if b["LoadBalancerName"] == name]
    balancer = one("load balancer", balancers)["LoadBalancerArn"]
    targets = one("target group", elb.describe_target_groups(LoadBalancerArn=balancer)["TargetGroups"])[
        "TargetGroupArn"
    ]
    listeners = elb.describe_listeners(LoadBalancerArn=balancer)["Listeners"]
    certificates = [c["CertificateArn"] for listener in listeners for c in listener.get("Certificates", [])]
    groups = admin.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    group = one("group", [g for g in groups if g["AutoScalingGroupName"].startswith(name)])
    databases = admin.client("rds").describe_db_instances()["DBInstances"]
    tables = admin.client("dynamodb").list_tables()["TableNames"]
    systems = admin.client("efs").describe_file_systems()["FileSystems"]
    vaults = admin.client("backup").list_backup_vaults()["BackupVaultList"]
    functions = admin.client("lambda").list_functions()["Functions"]
    purge = one("purge", [f for f in functions if f["FunctionName"] == f"{name}-purge-logs"])
    canaries = [f["FunctionName"] for f in functions if f["FunctionName"] == f"{name}-canary"]
    ours = {"Key": "Environment", "Value": environment}
    values = {
        # As metrics name them: without what stands before it in the ARN.
        "balancer": balancer.split(":loadbalancer/")[1],
        "targets": targets.split(":")[-1],
        "group": group["AutoScalingGroupName"],
        "database": one("database", [d["DBInstanceIdentifier"] for d in databases
                                     if d["DBInstanceIdentifier"].startswith(name)]),
        "table": one("table", [t for t in tables if t.startswith(name)]),
        "files": one("file system", [s["FileSystemId"] for s in systems if ours in s["Tags"]]),
        "vault": one("vault", [v["BackupVaultName"] for v in vaults if v["BackupVaultName"].startswith(name)]),
        "purge": purge["FunctionName"],
    }  # fmt: skip
    if certificates:
        values["certificate"] = one("certificate", sorted(set(certificates)))
    # Where learners come from anywhere, and only there, somebody asks from outside.
    require(len(canaries) == bool(certificates), f"{environment} has {len(canaries)} of canary")
    if canaries:
        values["canary"] = canaries[0]
    purged = tuple(json.loads(purge["Environment"]["Variables"]["LOG_GROUPS"]))
    return Places(ACCOUNT, values, int(group["MaxSize"]), purged)
