"""AWS Backup's copies: recovery points that are made at once of what moto holds, and restored at once under new names.

A table and a bucket are copied with what is in them, a database and a file system as the records that moto keeps of
them. So this shows what a caller asks for and in what order; how AWS copies, how long that takes and at which instant,
it does not show.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from moto.backup.models import backup_backends
from moto.core.exceptions import JsonRESTError, ServiceException
from moto.dynamodb.models import dynamodb_backends
from moto.efs.models import efs_backends
from moto.rds.models import rds_backends
from moto.s3.models import s3_backends

from lyceum_lab.emulator import ACCOUNT
from lyceum_lab.emulator.fillers import Service
from lyceum_lab.emulator.fillers.backup import backup
from lyceum_lab.emulator.wire import ApiError, Call

copies = Service("backup", needed_by="./lyceum drill restore --weekly")
NO_JOBS = "moto keeps vaults and plans, and copies and restores nothing"

# What moto's services raise when they refuse.
REFUSED = (ServiceException, JsonRESTError)
# Told what the restore job is to make; returns its ARN.
Restore = Callable[[Mapping[str, str]], str]


@dataclass
class RecoveryPoint:
    """A copy of one resource in a vault."""

    arn: str
    vault: str
    resource: str
    kind: str
    role: str
    lifecycle: dict[str, Any]
    restore: Restore
    metadata: dict[str, str]
    job: str = field(default_factory=lambda: str(uuid4()))
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def told(self) -> dict[str, Any]:
        return {
            "RecoveryPointArn": self.arn, "BackupVaultName": self.vault, "ResourceArn": self.resource,
            "ResourceType": self.kind, "IamRoleArn": self.role, "Status": "COMPLETED", "CreationDate": self.at,
            "CompletionDate": self.at, "Lifecycle": self.lifecycle, "IsEncrypted": True, "IsParent": False,
        }  # fmt: skip

    def told_of_job(self) -> dict[str, Any]:
        told = {
            name: value for name, value in self.told().items() if name not in {"Status", "Lifecycle", "IsEncrypted"}
        }
        return {**told, "BackupJobId": self.job, "State": "COMPLETED", "PercentDone": "100.0", "AccountId": ACCOUNT}


def _points() -> dict[str, RecoveryPoint]:
    return copies.table("recovery points")


def _table(region: str, name: str) -> tuple[str, Restore, dict[str, str]]:
    there = dynamodb_backends[ACCOUNT][region]
    made = there.create_backup(name, f"awsbackup_{uuid4()}")

    def restore(asked: Mapping[str, str]) -> str:
        return str(there.restore_table_from_backup(asked["targetTableName"], made.arn).table_arn)

    return made.arn, restore, {"originalTableName": name}


def _database(region: str, name: str) -> tuple[str, Restore, dict[str, str]]:
    there = rds_backends[ACCOUNT][region]
    made = there.create_db_snapshot(name, f"awsbackup:job-{uuid4()}")

    def restore(asked: Mapping[str, str]) -> str:
        changed = {
            "db_instance_identifier": asked["DBInstanceIdentifier"], "db_instance_class": asked.get("DBInstanceClass"),
            "vpc_security_group_ids": json.loads(asked.get("VpcSecurityGroupIds", "[]")),
            "db_parameter_group_name": asked.get("DBParameterGroupName"),
        }  # fmt: skip
        copy = there.restore_db_instance_from_db_snapshot(made.db_snapshot_identifier, changed)
        copy.multi_az = asked.get("MultiAZ") == "true"
        copy.publicly_accessible = asked.get("PubliclyAccessible") == "true"
        copy.deletion_protection = asked.get("DeletionProtection") == "true"
        return str(copy.db_instance_arn)

    live = there.databases[name]
    return made.db_snapshot_arn, restore, {"DBInstanceClass": live.db_instance_class, "Engine": live.engine}


def _bucket(region: str, name: str) -> tuple[str, Restore, dict[str, str]]:
    there = s3_backends[ACCOUNT]["aws"]
    kept = [
        (key.name, key.value, dict(key.metadata))
        for key in there.get_bucket(name).keys.values()
        if hasattr(key, "value")
    ]

    def restore(asked: Mapping[str, str]) -> str:
        there.create_bucket(asked["DestinationBucketName"], region)
        for key, value, metadata in kept:
            there.put_object(asked["DestinationBucketName"], key, value).set_metadata(metadata)
        return f"arn:aws:s3:::{asked['DestinationBucketName']}"

    return f"arn:aws:backup:{region}:{ACCOUNT}:recovery-point:{name}-{uuid4().hex[:8]}", restore, {"BucketName": name}


def _file_system(region: str, name: str) -> tuple[str, Restore, dict[str, str]]:
    there = efs_backends[ACCOUNT][region]
    live = there.file_systems_by_id[name]

    def restore(asked: Mapping[str, str]) -> str:
        if asked["file-system-id"] != live.file_system_id:
            raise ApiError("InvalidParameterValueException", "The recovery point is of another file system.")
        copy = there.create_file_system(
            asked["CreationToken"], asked["PerformanceMode"], asked.get("Encrypted") == "true",
            asked.get("KmsKeyId", ""), "bursting", 0, "", False, [],
        )  # fmt: skip
        return str(copy.file_system_arn)

    arn = f"arn:aws:backup:{region}:{ACCOUNT}:recovery-point:{uuid4()}"
    return arn, restore, {"file-system-id": live.file_system_id}


# By the service in a resource's ARN: AWS Backup's word for its kind, what stands before its name, and who copies it.
COPIED = {
    "dynamodb": ("DynamoDB", "table/", _table), "rds": ("RDS", "db:", _database), "s3": ("S3", "", _bucket),
    "elasticfilesystem": ("EFS", "file-system/", _file_system),
}  # fmt: skip


def _vault(call: Call) -> str:
    name = str(call.parameters["BackupVaultName"])
    if name not in backup_backends[ACCOUNT][call.region].vaults:
        raise ApiError("ResourceNotFoundException", f"Backup vault {name} not found.")
    return name


def _point(call: Call) -> RecoveryPoint:
    vault, arn = _vault(call), call.parameters["RecoveryPointArn"]
    found = _points().get(arn)
    if found is None or found.vault != vault:
        raise ApiError("ResourceNotFoundException", f"Recovery point {arn} not found.")
    return found


@copies.stub("StartBackupJob", because=NO_JOBS)
def start_backup_job(call: Call) -> dict[str, Any]:
    vault, resource = _vault(call), call.parameters["ResourceArn"]
    service, name = resource.split(":", 5)[2::3]
    if service not in COPIED:
        raise ApiError("InvalidParameterValueException", f"Resource type of {resource} is not supported.")
    kind, before, copy = COPIED[service]
    try:
        arn, restore, metadata = copy(call.region, name.removeprefix(before))
    except (*REFUSED, KeyError) as error:
        raise ApiError("ResourceNotFoundException", f"{resource} not found.") from error
    role, lifecycle = call.parameters["IamRoleArn"], call.parameters.get("Lifecycle", {})
    made = RecoveryPoint(arn, vault, resource, kind, role, lifecycle, restore, metadata)
    _points()[arn] = made
    return {"BackupJobId": made.job, "RecoveryPointArn": arn, "CreationDate": made.at}


@copies.stub("DescribeBackupJob", because=NO_JOBS)
def describe_backup_job(call: Call) -> dict[str, Any]:
    wanted = call.parameters["BackupJobId"]
    for point in _points().values():
        if point.job == wanted:
            return point.told_of_job()
    raise ApiError("ResourceNotFoundException", f"Backup job {wanted} not found.")


@copies.stub("ListBackupJobs", because=NO_JOBS)
def list_backup_jobs(call: Call) -> dict[str, Any]:
    wanted = {"BackupVaultName": "ByBackupVaultName", "ResourceArn": "ByResourceArn", "State": "ByState"}
    return {"BackupJobs": _chosen(call, wanted, [point.told_of_job() for point in _points().values()])}


@backup.stub(
    "ListRecoveryPointsByBackupVault",
    because="moto knows none, and Terraform asks before it deletes a vault together with its recovery points",
)
def list_recovery_points(call: Call) -> dict[str, Any]:
    vault = _vault(call)
    told = [point.told() for point in _points().values() if point.vault == vault]
    return {"RecoveryPoints": _chosen(call, {"ResourceArn": "ByResourceArn", "ResourceType": "ByResourceType"}, told)}


@copies.stub("DescribeRecoveryPoint", because=NO_JOBS)
def describe_recovery_point(call: Call) -> dict[str, Any]:
    return _point(call).told()


@copies.stub("GetRecoveryPointRestoreMetadata", because=NO_JOBS)
def restore_metadata(call: Call) -> dict[str, Any]:
    point = _point(call)
    return {"RecoveryPointArn": point.arn, "ResourceType": point.kind, "RestoreMetadata": point.metadata}


@copies.stub("DeleteRecoveryPoint", because=NO_JOBS)
def delete_recovery_point(call: Call) -> dict[str, Any]:
    _points().pop(_point(call).arn)
    return {}


@copies.stub("StartRestoreJob", because=NO_JOBS)
def start_restore_job(call: Call) -> dict[str, Any]:
    asked = call.parameters
    point = _points().get(asked["RecoveryPointArn"])
    if point is None:
        raise ApiError("ResourceNotFoundException", f"Recovery point {asked['RecoveryPointArn']} not found.")
    if asked.get("ResourceType", point.kind) != point.kind:
        raise ApiError("InvalidParameterValueException", f"The recovery point is of type {point.kind}.")
    job = {
        "RestoreJobId": str(uuid4()), "AccountId": ACCOUNT, "RecoveryPointArn": point.arn, "ResourceType": point.kind,
        "IamRoleArn": asked["IamRoleArn"], "CreationDate": datetime.now(UTC),
    }  # fmt: skip
    try:
        job |= {"CreatedResourceArn": point.restore(asked["Metadata"]), "Status": "COMPLETED", "PercentDone": "100.00%"}
    except KeyError as error:
        job |= {"Status": "FAILED", "StatusMessage": f"Restore metadata {error} is missing."}
    except (*REFUSED, ApiError) as error:
        job |= {"Status": "FAILED", "StatusMessage": str(getattr(error, "message", error))}
    job["CompletionDate"] = datetime.now(UTC)
    copies.table("restore jobs")[job["RestoreJobId"]] = job
    return {"RestoreJobId": job["RestoreJobId"]}


@copies.stub("DescribeRestoreJob", because=NO_JOBS)
def describe_restore_job(call: Call) -> dict[str, Any]:
    wanted = call.parameters["RestoreJobId"]
    found: dict[str, Any] | None = copies.table("restore jobs").get(wanted)
    if found is None:
        raise ApiError("ResourceNotFoundException", f"Restore job {wanted} not found.")
    return found


@copies.stub("ListRestoreJobs", because=NO_JOBS)
def list_restore_jobs(call: Call) -> dict[str, Any]:
    jobs = list(copies.table("restore jobs").values())
    return {"RestoreJobs": _chosen(call, {"Status": "ByStatus", "ResourceType": "ByResourceType"}, jobs)}


def _chosen(call: Call, wanted: Mapping[str, str], found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those that have, of each of these fields, what the call asks for under the other name; the newest first."""
    chosen = [
        one for one in found
        if all(one.get(name) == call.parameters[asked] for name, asked in wanted.items() if asked in call.parameters)
    ]  # fmt: skip
    return sorted(chosen, key=lambda one: one["CreationDate"], reverse=True)
