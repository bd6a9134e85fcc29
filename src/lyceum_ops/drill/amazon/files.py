"""The shared files out of the vault: a file system of its own, read by an instance that does nothing else.

No operator's machine can mount a file system in the data subnets. So a small instance is started where the servers
stand, with their security groups and without any role; it mounts the copy, tells each file's checksum (reader.sh) and
ends. A copy is a file system, its mount target, that instance, and a bucket into which the instance writes by an
address that was signed for one object.

What has to be there is what the live database says of files that were shared before the copying began: a shared file
never changes. What was removed since is not looked for.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from botocore.config import Config

from lyceum_ops import aws
from lyceum_ops.drill.amazon import buckets
from lyceum_ops.drill.amazon.pace import Pace
from lyceum_ops.drill.amazon.vault import Vault
from lyceum_ops.drill.manifest import part
from lyceum_ops.drill.stores import Copy, Point, require_mark
from lyceum_ops.errors import LyceumError

SHARED = "SELECT course_id, id, sha256 FROM shared_sharedfile WHERE uploaded_at < %s"
# A line of sha256sum, for a file of a course: <anything>/<course>/<file>.
LINE = re.compile(r"([0-9a-f]{64})  .*?/(\d+/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
READER = Path(__file__).with_name("reader.sh")
FOUND, FAILED = "found", "failed"
HERE = ("pending", "running", "stopping", "stopped")


@dataclass(frozen=True)
class Place:
    """Where the copy can be mounted, and by what: beside the live file system, as the servers do it."""

    data_subnet: str
    data_groups: tuple[str, ...]
    subnet: str
    groups: tuple[str, ...]
    image: str
    size: str
    disks: tuple[Any, ...]


@dataclass
class WeeklyFiles:
    """EFS. `connect` opens the live database; `client` makes the client of an AWS service."""

    client: Callable[..., Any]
    environment: str
    account: str
    connect: Callable[[], AbstractContextManager[psycopg.Connection[Any]]]
    vault: Vault
    pace: Pace = field(default_factory=Pace)
    name: str = "files"
    _expected: frozenset[str] = frozenset()

    @property
    def live(self) -> str:
        return f"lyceum-{self.environment}-files"

    def protect(self) -> Point:
        with aws.asking("elasticfilesystem"):
            arn = self._live()["FileSystemArn"]
        point = self.vault.newest(arn)
        with self.connect() as database:
            rows = [
                (f"{course}/{file}", sha) for course, file, sha in database.execute(SHARED, [point.began]).fetchall()
            ]
        self._expected = frozenset(key for key, _ in rows)
        shared = {"files": part((key, f"{key} {sha}") for key, sha in rows)}
        return Point(point.arn, point.began, shared, shared)

    def restore(self, point: Point, number: str) -> Copy:
        name = require_mark(f"lyceum-{self.environment}-drill-{number}-files", number)
        with aws.asking("elasticfilesystem"):
            live = self._live()
        restored = self.vault.restore(point.name, "EFS", {
            "file-system-id": live["FileSystemId"], "newFileSystem": "true", "Encrypted": "true",
            "KmsKeyId": live["KmsKeyId"], "PerformanceMode": live["PerformanceMode"], "CreationToken": name,
        })  # fmt: skip
        system = restored.rpartition("/")[2]
        with aws.asking("elasticfilesystem"):
            tags = [{"Key": "Name", "Value": name}, {"Key": "Drill", "Value": number}]
            self.client("efs").tag_resource(ResourceId=system, Tags=tags)
        place = self._place(live["FileSystemId"])
        self._mountable(system, place)
        lines = self._read(name, number, system, place)
        found = {match[2]: match[1] for match in map(LINE.fullmatch, lines.splitlines()) if match}
        rows = ((key, f"{key} {sha}") for key, sha in found.items() if key in self._expected)
        return Copy(name, {"files": part(rows)})

    def learners_see(self, copy: Copy) -> Mapping[str, str]:
        return {}  # nor can the machine on which the learner is tried mount it

    def left(self) -> list[str]:
        found = {name for name, _ in self._systems()} | {name for name, _ in self._readers()}
        found |= {name.removesuffix(f"-{self.account}") for name in self._buckets()}
        return sorted(found)

    def remove(self, name: str) -> None:
        require_mark(name)
        for of, reader in self._readers():
            if of == name:
                with aws.asking("ec2"):
                    self.client("ec2").terminate_instances(InstanceIds=[reader])
        for of, system in self._systems():
            if of == name:
                self._unmade(system)
        for bucket in self._buckets():
            if bucket == f"{name}-{self.account}":
                buckets.remove(self.client("s3"), bucket, self.pace)

    def _live(self) -> Any:
        found = self.client("efs").describe_file_systems(CreationToken=self.live)["FileSystems"]
        if not found:
            raise LyceumError(f"There is no file system {self.live}.", "Was the environment applied?")
        return found[0]

    def _place(self, live: str) -> Place:
        efs, ec2 = self.client("efs"), self.client("ec2")
        with aws.asking("elasticfilesystem"):
            target = efs.describe_mount_targets(FileSystemId=live)["MountTargets"][0]
            groups = efs.describe_mount_target_security_groups(MountTargetId=target["MountTargetId"])["SecurityGroups"]
        with aws.asking("ec2"):
            template = ec2.describe_launch_template_versions(
                LaunchTemplateName=f"lyceum-{self.environment}-server", Versions=["$Latest"]
            )["LaunchTemplateVersions"][0]["LaunchTemplateData"]
        with aws.asking("autoscaling"):
            names = [f"lyceum-{self.environment}-servers"]
            group = self.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=names)
        subnets = group["AutoScalingGroups"][0]["VPCZoneIdentifier"].split(",")
        with aws.asking("ec2"):
            zones = {
                one["SubnetId"]: one["AvailabilityZone"]
                for one in ec2.describe_subnets(SubnetIds=[*subnets, target["SubnetId"]])["Subnets"]
            }
        beside = [one for one in subnets if zones[one] == zones[target["SubnetId"]]]
        servers = template["NetworkInterfaces"][0]["Groups"]
        return Place(
            target["SubnetId"], tuple(groups), (beside or subnets)[0], tuple(servers), template["ImageId"],
            template["InstanceType"], tuple(template.get("BlockDeviceMappings", ())),
        )  # fmt: skip

    def _mountable(self, system: str, place: Place) -> None:
        efs = self.client("efs")
        with aws.asking("elasticfilesystem"):
            made = efs.create_mount_target(
                FileSystemId=system, SubnetId=place.data_subnet, SecurityGroups=list(place.data_groups)
            )["MountTargetId"]

        def available() -> bool:
            with aws.asking("elasticfilesystem"):
                told = efs.describe_mount_targets(MountTargetId=made)["MountTargets"][0]
            return bool(told["LifeCycleState"] == "available")

        self.pace.wait(f"The mount target of {system} was not available", self.pace.recoverable, available)

    def _read(self, name: str, number: str, system: str, place: Place) -> str:
        """What sha256sum says of the copy's files. Raises LyceumError with what the instance says when it cannot."""
        # An address that is signed as S3 asks for today; boto3's own choice is older where there is one region.
        s3, bucket = self.client("s3", config=Config(signature_version="s3v4")), f"{name}-{self.account}"
        buckets.make(s3, bucket)
        with aws.asking("s3"):
            signed = {
                key: s3.generate_presigned_url(
                    "put_object", {"Bucket": bucket, "Key": key}, ExpiresIn=int(self.pace.from_vault)
                )
                for key in (FOUND, FAILED)
            }
        told = {"FILE_SYSTEM": system, "FOUND": signed[FOUND], "FAILED": signed[FAILED]}
        script = "".join(f"{key}={shlex.quote(value)}\n" for key, value in told.items())
        tags = [{"Key": "Name", "Value": name}, {"Key": "Drill", "Value": number}]
        with aws.asking("ec2"):
            instance = self.client("ec2").run_instances(
                ImageId=place.image, InstanceType=place.size, MinCount=1, MaxCount=1,
                UserData=f"#!/bin/bash\n{script}{READER.read_text()}", InstanceInitiatedShutdownBehavior="terminate",
                NetworkInterfaces=[{"DeviceIndex": 0, "SubnetId": place.subnet, "Groups": list(place.groups),
                                    "AssociatePublicIpAddress": False, "DeleteOnTermination": True}],
                BlockDeviceMappings=list(place.disks), MetadataOptions={"HttpTokens": "required"},
                TagSpecifications=[{"ResourceType": kind, "Tags": tags} for kind in ("instance", "volume")],
            )["Instances"][0]["InstanceId"]  # fmt: skip
        said: dict[str, str] = {}

        def answered() -> bool:
            with aws.asking("s3"):
                for key in (one["Key"] for one in s3.list_objects_v2(Bucket=bucket).get("Contents", [])):
                    said[key] = s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode(errors="replace")
            if not said and instance not in {reader for _, reader in self._readers()}:
                raise LyceumError(f"{instance} ended without a word of the restored files.", f"Was {bucket} in reach?")
            return bool(said)

        self.pace.wait(f"{instance} had not read the restored files", self.pace.from_vault, answered)
        if FOUND not in said:
            last = (said[FAILED].strip().splitlines() or ["it gave no reason"])[-1]
            raise LyceumError(f"{instance} could not read the restored files: {last}")
        return said[FOUND]

    def _unmade(self, system: str) -> None:
        efs = self.client("efs")
        with aws.asking("elasticfilesystem"):
            for target in efs.describe_mount_targets(FileSystemId=system)["MountTargets"]:
                if target["LifeCycleState"] not in {"deleting", "deleted"}:
                    efs.delete_mount_target(MountTargetId=target["MountTargetId"])

        def alone() -> bool:
            with aws.asking("elasticfilesystem"):
                return not efs.describe_mount_targets(FileSystemId=system)["MountTargets"]

        self.pace.wait(f"The mount target of {system} was not removed", self.pace.recoverable, alone)
        with aws.asking("elasticfilesystem"):
            efs.delete_file_system(FileSystemId=system)

    def _systems(self) -> list[tuple[str, str]]:
        """The copies' file systems: of which copy, and which it is."""
        with aws.asking("elasticfilesystem"):
            pages = list(self.client("efs").get_paginator("describe_file_systems").paginate())
        found = []
        for one in (one for page in pages for one in page["FileSystems"]):
            # By its token from its first moment on, by its tag once it is restored.
            names = [name for name in (one["CreationToken"], one.get("Name", "")) if self._is_copy(name)]
            if names and one["LifeCycleState"] not in {"deleting", "deleted"}:
                found.append((names[0], one["FileSystemId"]))
        return found

    def _readers(self) -> list[tuple[str, str]]:
        """The same of the instances that read them."""
        wanted = [
            {"Name": "tag:Name", "Values": [f"lyceum-{self.environment}-drill-*-files"]},
            {"Name": "instance-state-name", "Values": list(HERE)},
        ]
        with aws.asking("ec2"):
            pages = list(self.client("ec2").get_paginator("describe_instances").paginate(Filters=wanted))
        instances = [one for page in pages for each in page["Reservations"] for one in each["Instances"]]
        tags = [({tag["Key"]: tag["Value"] for tag in one["Tags"]}, one["InstanceId"]) for one in instances]
        return [(named["Name"], instance) for named, instance in tags]

    def _is_copy(self, name: str) -> bool:
        return name.startswith(f"lyceum-{self.environment}-drill-") and name.endswith("-files")

    def _buckets(self) -> list[str]:
        return buckets.left(self.client("s3"), f"lyceum-{self.environment}-drill-", f"-files-{self.account}")
