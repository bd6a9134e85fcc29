"""What is kept: database, table, bucket, shared files, and how old their newest recovery points are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from lyceum_ops.checks import Account, Check, Found, fail, ok, warn
from lyceum_ops.doctor.pages import missing, name, page

# How RDS calls an instance that answers, and one that will by itself. Whatever else it says, somebody has to look.
ANSWERS = {
    "available",
    "backing-up",
    "storage-optimization",
    "configuring-enhanced-monitoring",
    "configuring-log-exports",
}
WILL = {
    "creating",
    "maintenance",
    "modifying",
    "rebooting",
    "renaming",
    "resetting-master-credentials",
    "starting",
    "upgrading",
}
GIB = 2**30
# The alarm rings at 1 GiB; storage grows by itself below a tenth.
LEAST_FREE, TENTH = 1 * GIB, 0.1
# A weekly backup, and a day for it to be made.
OLDEST = timedelta(days=8)
BACKED_UP = ("DynamoDB", "EFS", "RDS", "S3")


def database(asking: Account) -> Found:
    wanted = name(asking, "database")
    found = asking.ask("rds", "describe_db_instances", DBInstanceIdentifier=wanted)
    if not found or not found["DBInstances"]:
        return missing(f"database {wanted}")
    told = found["DBInstances"][0]
    status, size = told["DBInstanceStatus"], told["AllocatedStorage"]
    if status not in ANSWERS:
        return (warn if status in WILL else fail)(f"it is {status}", page("lose-the-database"))
    free = _free(asking, wanted)
    text = f"{status}, {size} GiB" + (f", {free / GIB:.1f} free" if free is not None else ", free storage not reported")
    if free is not None and free <= LEAST_FREE:
        return fail(text, page("database-storage"))
    if free is not None and free <= TENTH * size * GIB:
        return warn(text, page("database-storage"))
    if waiting := _maintenance(asking, told["DBInstanceArn"]):
        return warn(f"{text}; AWS wants maintenance: {', '.join(waiting)}", page("patch"))
    return ok(text)


def _free(asking: Account, database: str) -> float | None:
    now = datetime.now(UTC)
    found = asking.ask("cloudwatch", "get_metric_statistics", Namespace="AWS/RDS", MetricName="FreeStorageSpace",
                       Dimensions=[{"Name": "DBInstanceIdentifier", "Value": database}], Statistics=["Minimum"],
                       StartTime=now - timedelta(minutes=30), EndTime=now, Period=300)  # fmt: skip
    points = sorted(found["Datapoints"], key=lambda point: point["Timestamp"]) if found else []
    return float(points[-1]["Minimum"]) if points else None


def _maintenance(asking: Account, arn: str) -> list[str]:
    found = asking.all("rds", "describe_pending_maintenance_actions", "PendingMaintenanceActions",
                       Filters=[{"Name": "db-instance-id", "Values": [arn]}])  # fmt: skip
    return sorted({action["Action"] for each in found for action in each.get("PendingMaintenanceActionDetails", [])})


def table(asking: Account) -> Found:
    wanted = name(asking, "progress")
    found = asking.ask("dynamodb", "describe_table", TableName=wanted)
    if found is None:
        return missing(f"table {wanted}")
    status = found["Table"]["TableStatus"]
    if status not in {"ACTIVE", "UPDATING"}:
        return fail(f"it is {status}", page("progress-errors"))
    backups = asking.ask("dynamodb", "describe_continuous_backups", TableName=wanted) or {}
    recovery = backups.get("ContinuousBackupsDescription", {}).get("PointInTimeRecoveryDescription", {})
    if recovery.get("PointInTimeRecoveryStatus") != "ENABLED":
        return warn(f"{status}, and its point-in-time recovery is off", page("drift"))
    return ok(status)


def bucket(asking: Account) -> Found:
    wanted = name(asking, f"content-{asking.who.account}")
    if asking.ask("s3", "head_bucket", Bucket=wanted) is None:
        return missing(f"bucket {wanted}")
    found = asking.ask("s3", "get_public_access_block", Bucket=wanted) or {}
    shut = found.get("PublicAccessBlockConfiguration", {})
    if len(shut) < 4 or not all(shut.values()):
        return fail("public access to it is not blocked", page("bucket-policy-changes"))
    if (asking.ask("s3", "get_bucket_versioning", Bucket=wanted) or {}).get("Status") != "Enabled":
        return warn("it keeps no versions", page("drift"))
    return ok("private, with versions")


def files(asking: Account) -> Found:
    found = asking.all("efs", "describe_file_systems", "FileSystems", CreationToken=name(asking, "files"))
    if not found:
        return missing(f"file system {name(asking, 'files')}")
    told = found[0]
    targets = asking.all("efs", "describe_mount_targets", "MountTargets", FileSystemId=told["FileSystemId"])
    reachable = sum(target["LifeCycleState"] == "available" for target in targets)
    text = f"{told['FileSystemId']} is {told['LifeCycleState']}, {reachable} of {len(targets)} mount targets"
    if told["LifeCycleState"] not in {"available", "updating"} or not reachable:
        return fail(text, page("files-io"))
    return warn(text, page("lose-a-zone")) if reachable < len(targets) else ok(text)


def backups(asking: Account) -> Found:
    vault = name(asking, "backup")
    found = asking.ask("backup", "describe_backup_vault", BackupVaultName=vault)
    if found is None:
        return missing(f"vault {vault}")
    points = asking.all("backup", "list_recovery_points_by_backup_vault", "RecoveryPoints", BackupVaultName=vault)
    newest: dict[str, Any] = {}
    for point in points:
        if point["Status"] in {"COMPLETED", "AVAILABLE"}:
            kind = point["ResourceType"]
            newest[kind] = max(point["CreationDate"], newest.get(kind, point["CreationDate"]))
    if not newest:
        return warn("no recovery point yet; the first comes on Sunday at 03:00 UTC", page("backup-failed"))
    now = datetime.now(UTC)
    said = [
        f"{kind} {(now - newest[kind]).days} days old" if kind in newest else f"{kind} has none" for kind in BACKED_UP
    ]
    late = any(kind not in newest or now - newest[kind] > OLDEST for kind in BACKED_UP)
    return fail(", ".join(said), page("backup-failed")) if late else ok(", ".join(said))


CHECKS = (
    Check("database", "rds:DescribeDBInstances, rds:DescribePendingMaintenanceActions, cloudwatch:GetMetricStatistics",
          database),
    Check("table", "dynamodb:DescribeTable, dynamodb:DescribeContinuousBackups", table),
    Check("bucket", "s3:ListBucket, s3:GetBucketPublicAccessBlock, s3:GetBucketVersioning", bucket),
    Check("shared files", "elasticfilesystem:DescribeFileSystems, elasticfilesystem:DescribeMountTargets", files),
    Check("backups", "backup:DescribeBackupVault, backup:ListRecoveryPointsByBackupVault", backups),
)  # fmt: skip
