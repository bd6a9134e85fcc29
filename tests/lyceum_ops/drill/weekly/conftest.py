"""The emulated account around the live stores, with a vault; and the four stores, as a weekly drill has them.

Table and bucket come back from the emulated AWS Backup with what was in them; the database and the shared files, of
which it keeps records, from a second PostgreSQL and a folder.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from tests.lyceum_ops.conftest import ACCOUNT
from tests.lyceum_ops.drill.conftest import BUCKET, TABLE, Live
from tests.lyceum_ops.drill.emulated import FAST, Moving, Own

from lyceum_lab.drill import stores as lab
from lyceum_ops.drill.amazon.files import WeeklyFiles
from lyceum_ops.drill.amazon.reader import Reader, signing
from lyceum_ops.drill.amazon.vault import Vault
from lyceum_ops.drill.amazon.weekly import WeeklyBucket, WeeklyDatabase, WeeklyTable
from lyceum_ops.drill.stores import Copy, Point
from lyceum_ops.tunnel.login import Login

VAULT, ROLE = "lyceum-dev-backup", f"arn:aws:iam::{ACCOUNT}:role/lyceum-dev-backup"


@dataclass
class Account:
    """The emulated account around the live stores, as Terraform would have made it."""

    live: Live

    def client(self, name: str, **more: Any) -> Any:
        return self.live.client(name, **more)

    def back_up(self, *arns: str) -> None:
        for arn in arns:
            self.client("backup").start_backup_job(BackupVaultName=VAULT, ResourceArn=arn, IamRoleArn=ROLE)

    @property
    def vault(self) -> Vault:
        return Vault(self.client("backup"), VAULT, ROLE, FAST)

    @property
    def table_arn(self) -> str:
        return str(self.live.dynamodb.describe_table(TableName=TABLE)["Table"]["TableArn"])


@pytest.fixture
def account(live: Live) -> Iterator[Account]:
    there = Account(live)
    backup = there.client("backup")
    backup.create_backup_vault(BackupVaultName=VAULT)
    live.dynamodb.update_continuous_backups(
        TableName=TABLE, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    yield there
    for one in backup.list_recovery_points_by_backup_vault(BackupVaultName=VAULT)["RecoveryPoints"]:
        backup.delete_recovery_point(BackupVaultName=VAULT, RecoveryPointArn=one["RecoveryPointArn"])
    backup.delete_backup_vault(BackupVaultName=VAULT)


def table(account: Account) -> WeeklyTable:
    return WeeklyTable(Moving(account.live.dynamodb), "dev", FAST, vault=account.vault)


def bucket(account: Account) -> WeeklyBucket:
    return WeeklyBucket(account.live.s3, "dev", ACCOUNT, account.vault, FAST, uploads=timedelta(0))


def back_up_the_bucket(account: Account) -> None:
    time.sleep(1.1)  # S3 tells whole seconds: what is put in the second of the copy counts as in motion
    account.back_up(f"arn:aws:s3:::{BUCKET}")
    time.sleep(2.1)


@dataclass
class Weekly(WeeklyDatabase):
    """Whose copies are databases: those of the log the live one itself, the weekly one what `kept` leads to."""

    kept: str = field(kw_only=True)
    restored: str = ""

    def restore(self, point: Point, number: str) -> Copy:
        self.restored = self._copy(number)
        return super().restore(point, number)

    def _login(self, name: str) -> Login:
        self._urls[name] = self.kept if name == self.restored else self.owner.password
        return Own("lyceum_admin", self._urls[name], 0, "lyceum")


@pytest.fixture
def kept(live: Live, tmp_path: Path) -> Iterator[str]:
    """The live database, copied into a PostgreSQL of its own: what a snapshot would bring back."""
    copier = lab.Database(live.connect, lab.libpq(live.database.owner_url), tmp_path)
    made = copier.restore(copier.protect(), "0123abcd")
    yield copier._servers[made.name].owner_url
    copier.remove(made.name)


def database(account: Account, rds: Moving, kept: str) -> Weekly:
    def reach(host: str) -> Any:
        raise AssertionError(host)

    owner = Own("lyceum_admin", account.live.database.owner_url, 0, "lyceum")
    return Weekly(rds, "dev", owner, reach, FAST, vault=account.vault, kept=kept)


class Ec2:
    """The emulated service; an instance that is started runs its user data here, with a folder to mount."""

    def __init__(self, client: Any, restored: Path, work: Path) -> None:
        self._client, self._work = client, work
        self.mounts = f'cp -r {restored}/. "${{@: -1}}"'
        self.boots, self.started = True, ""
        self.asked: dict[str, Any] = {}
        self.threads: list[threading.Thread] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def run_instances(self, **told: Any) -> Any:
        self.asked = told
        made = self._client.run_instances(
            **{name: value for name, value in told.items() if name != "BlockDeviceMappings"}
        )
        self.started = str(made["Instances"][0]["InstanceId"])
        if not self.boots:
            self._client.terminate_instances(InstanceIds=[self.started])
            return made
        self.threads.append(threading.Thread(target=self._boot, args=(told["UserData"],)))
        self.threads[-1].start()
        return made

    def _boot(self, user_data: str) -> None:
        programs, root = self._work / f"bin-{uuid4().hex[:4]}", self._work / f"root-{uuid4().hex[:4]}"
        programs.mkdir(parents=True)
        (root / "tmp").mkdir(parents=True)
        for name, does in {"dnf": "true", "mount": self.mounts, "shutdown": "true", "sleep": "true"}.items():
            (programs / name).write_text(f"#!/bin/bash\n{does}\n")
            (programs / name).chmod(0o755)
        script = user_data.replace("=/tmp/", f"={root}/tmp/").replace("=/mnt/", f"={root}/mnt/")
        subprocess.run(
            ["bash", "-c", script], check=False, env={"PATH": f"{programs}:{os.environ['PATH']}"}, timeout=60
        )


@dataclass
class Shared:
    """The live file system, its copy as a folder, and who reads it."""

    account: Account
    ec2: Ec2
    store: WeeklyFiles
    restored: Path
    servers: str
    beside: str


@pytest.fixture
def shared(account: Account, tmp_path: Path) -> Iterator[Shared]:
    plain = account.client("ec2")
    vpc = plain.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        plain.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"us-east-1{zone}")["Subnet"][
            "SubnetId"
        ]
        for number, zone in enumerate("baa")
    ]
    groups = [
        plain.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"]
        for name in ("servers", "files")
    ]
    efs = account.client("efs")
    system = efs.create_file_system(
        CreationToken="lyceum-dev-files", Encrypted=True, KmsKeyId="alias/aws/elasticfilesystem"
    )
    target = efs.create_mount_target(
        FileSystemId=system["FileSystemId"], SubnetId=subnets[2], SecurityGroups=[groups[1]]
    )["MountTargetId"]
    image = plain.describe_images()["Images"][0]["ImageId"]
    plain.create_launch_template(
        LaunchTemplateName="lyceum-dev-server",
        LaunchTemplateData={
            "ImageId": image, "InstanceType": "t2.micro",
            "NetworkInterfaces": [{"DeviceIndex": 0, "Groups": [groups[0]]}],
        },
    )  # fmt: skip
    scaling = account.client("autoscaling")
    scaling.create_auto_scaling_group(
        AutoScalingGroupName="lyceum-dev-servers", MinSize=0, MaxSize=0, VPCZoneIdentifier=",".join(subnets[:2]),
        LaunchTemplate={"LaunchTemplateName": "lyceum-dev-server", "Version": "$Latest"},
    )  # fmt: skip
    account.back_up(system["FileSystemArn"])
    restored = tmp_path / "restored"
    shutil.copytree(account.live.folder / "shared", restored / "aws-backup-restore_2026-11-22T03-40-00-000Z" / "shared")
    ec2 = Ec2(plain, restored, tmp_path)

    reader = Reader(ec2, account.client("autoscaling"), signing(account.client), "dev", FAST)
    store = WeeklyFiles(account.client("efs"), reader, ACCOUNT, account.live.connect, account.vault, FAST)
    yield Shared(account, ec2, store, restored, groups[0], subnets[1])
    for thread in ec2.threads:
        thread.join()
    scaling.delete_auto_scaling_group(AutoScalingGroupName="lyceum-dev-servers", ForceDelete=True)
    plain.delete_launch_template(LaunchTemplateName="lyceum-dev-server")
    efs.delete_mount_target(MountTargetId=target)
    efs.delete_file_system(FileSystemId=system["FileSystemId"])
