"""An instance that reads a restored file system where the servers stand, and ends: no operator's machine can mount it.

It has the servers' image, size, disks and security groups, and no role. What it finds goes into a bucket of the drill's
by an address that was signed for that one object (reader.sh).
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from botocore.config import Config

from lyceum_ops import aws
from lyceum_ops.drill.amazon import buckets
from lyceum_ops.drill.amazon.pace import Pace
from lyceum_ops.drill.stores import prefix
from lyceum_ops.errors import LyceumError

SCRIPT = Path(__file__).with_name("reader.sh")
FOUND, FAILED = "found", "failed"
HERE = ("pending", "running", "stopping", "stopped")


@dataclass(frozen=True)
class Place:
    """Where it stands, and as what."""

    subnet: str
    groups: tuple[str, ...]
    image: str
    size: str
    disks: tuple[Any, ...]


def signing(client: Callable[..., Any]) -> Any:
    """A client of S3 whose signed addresses name the bucket's region: the general one knows nothing of a new bucket.

    `client` makes the client of a service, as a session's does.
    """
    style: Literal["virtual", "path"] = "virtual" if ".amazonaws.com" in client("s3").meta.endpoint_url else "path"
    return client("s3", config=Config(signature_version="s3v4", s3={"addressing_style": style}))


@dataclass
class Reader:
    """Of an environment. `s3` is a client of `signing`."""

    ec2: Any
    autoscaling: Any
    s3: Any
    environment: str
    pace: Pace = field(default_factory=Pace)

    def beside(self, subnet: str) -> Place:
        """Where the servers stand in the zone of a subnet. Raises LyceumError when they stand nowhere."""
        with aws.asking("ec2"):
            template = self.ec2.describe_launch_template_versions(
                LaunchTemplateName=f"lyceum-{self.environment}-server", Versions=["$Latest"]
            )["LaunchTemplateVersions"][0]["LaunchTemplateData"]
        name = f"lyceum-{self.environment}-servers"
        with aws.asking("autoscaling"):
            groups = self.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]
        if not groups:
            raise LyceumError(f"There is no group {name}.", "Was the environment applied?")
        subnets = groups[0]["VPCZoneIdentifier"].split(",")
        with aws.asking("ec2"):
            told = self.ec2.describe_subnets(SubnetIds=[*subnets, subnet])["Subnets"]
        zones = {one["SubnetId"]: one["AvailabilityZone"] for one in told}
        same = [one for one in subnets if zones[one] == zones[subnet]]
        return Place(
            (same or subnets)[0], tuple(template["NetworkInterfaces"][0]["Groups"]), template["ImageId"],
            template["InstanceType"], tuple(template.get("BlockDeviceMappings", ())),
        )  # fmt: skip

    def read(self, name: str, number: str, bucket: str, system: str, place: Place) -> str:
        """What sha256sum says of the files. Raises LyceumError with what the instance says when it cannot read them."""
        buckets.make(self.s3, bucket)
        seconds = int(self.pace.from_vault)
        with aws.asking("s3"):
            signed = {
                key: self.s3.generate_presigned_url("put_object", {"Bucket": bucket, "Key": key}, ExpiresIn=seconds)
                for key in (FOUND, FAILED)
            }
        told = {"FILE_SYSTEM": system, "FOUND": signed[FOUND], "FAILED": signed[FAILED]}
        script = "".join(f"{key}={shlex.quote(value)}\n" for key, value in told.items())
        tags = [{"Key": "Name", "Value": name}, {"Key": "Drill", "Value": number}]
        with aws.asking("ec2"):
            instance = self.ec2.run_instances(
                ImageId=place.image, InstanceType=place.size, MinCount=1, MaxCount=1,
                UserData=f"#!/bin/bash\n{script}{SCRIPT.read_text()}", InstanceInitiatedShutdownBehavior="terminate",
                NetworkInterfaces=[{"DeviceIndex": 0, "SubnetId": place.subnet, "Groups": list(place.groups),
                                    "AssociatePublicIpAddress": False, "DeleteOnTermination": True}],
                BlockDeviceMappings=list(place.disks), MetadataOptions={"HttpTokens": "required"},
                TagSpecifications=[{"ResourceType": kind, "Tags": tags} for kind in ("instance", "volume")],
            )["Instances"][0]["InstanceId"]  # fmt: skip
        return self._answer(instance, bucket)

    def left(self) -> list[tuple[str, str]]:
        """Of which copy each is that there is, and which it is."""
        wanted = [
            {"Name": "tag:Name", "Values": [f"{prefix(self.environment)}*-files"]},
            {"Name": "instance-state-name", "Values": list(HERE)},
        ]
        with aws.asking("ec2"):
            pages = list(self.ec2.get_paginator("describe_instances").paginate(Filters=wanted))
        instances = [one for page in pages for each in page["Reservations"] for one in each["Instances"]]
        tags = [({tag["Key"]: tag["Value"] for tag in one["Tags"]}, one["InstanceId"]) for one in instances]
        return [(named["Name"], instance) for named, instance in tags]

    def end(self, instance: str) -> None:
        with aws.asking("ec2"):
            self.ec2.terminate_instances(InstanceIds=[instance])

    def _answer(self, instance: str, bucket: str) -> str:
        said: dict[str, str] = {}
        seen = False

        def answered() -> bool:
            nonlocal seen
            # Before the bucket is looked at: what it said last was there when it was gone.
            there = instance in {one for _, one in self.left()}
            with aws.asking("s3"):
                for key in (one["Key"] for one in self.s3.list_objects_v2(Bucket=bucket).get("Contents", [])):
                    said[key] = self.s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode(errors="replace")
            # A new instance is not told of at once.
            if seen and not there and not said:
                raise LyceumError(f"{instance} ended without a word of the restored files.", f"Was {bucket} in reach?")
            seen = seen or there
            return bool(said)

        self.pace.wait(f"{instance} had not read the restored files", self.pace.from_vault, answered)
        if FOUND not in said:
            last = (said[FAILED].strip().splitlines() or ["it gave no reason"])[-1]
            raise LyceumError(f"{instance} could not read the restored files: {last}")
        return said[FOUND]
