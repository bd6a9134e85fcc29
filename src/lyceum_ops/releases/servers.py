"""The servers of an environment as AWS has them: the group, its launch template's versions, its instance refreshes.

A version of the template is a server to the last detail. Its tag `Release` says which artifact a server installs;
Terraform keeps that tag, the image and the description as the newest version has them (infra/modules/servers).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from lyceum_ops import aws
from lyceum_ops.errors import LyceumError, Refused
from lyceum_ops.releases.published import NO_RELEASE

IMAGE = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
# Of the environment's alarms those that a bad release rings; the others are about growth and upkeep. The first two
# decide within a minute; the others know what went wrong before.
WATCHED = ("release-errors", "release-memory", "target-errors", "balancer-errors", "no-healthy-server")
FORWARD = {"Pending", "InProgress", "Baking"}
BACK = {"RollbackInProgress"}
ACTIVE = FORWARD | BACK | {"Cancelling"}


@dataclass(frozen=True)
class Version:
    """One version of the launch template."""

    number: int
    release: str
    image: str
    data: dict[str, Any]

    def same_server(self, other: Version) -> bool:
        return self.data == other.data

    def bringing(self, release: str, image: str) -> dict[str, Any]:
        """What a server is made of that is as this one, but with this release and this image."""
        return {**self.data, "ImageId": image, "TagSpecifications": _tagged(self, release)}


@dataclass(frozen=True)
class Server:
    """One server of the group."""

    id: str
    state: str
    version: int


@dataclass(frozen=True)
class Group:
    """The group at one moment."""

    name: str
    template: str
    version: int
    desired: int
    maximum: int
    servers: tuple[Server, ...]
    target_groups: tuple[str, ...] = ()

    def running(self) -> str:
        """Which versions take requests, as "version 7 on 2 servers"."""
        count = Counter(server.version for server in self.servers if server.state == "InService")
        parts = [f"version {version} on {n} server{'s' * (n != 1)}" for version, n in sorted(count.items())]
        return " and ".join(parts) or "no server in service"


@dataclass(frozen=True)
class Refresh:
    """An instance refresh, as AWS tells of it."""

    id: str
    status: str
    percent: int
    reason: str
    target: int | None  # the version of the template that it brings

    @property
    def active(self) -> bool:
        return self.status in ACTIVE

    @property
    def replaces(self) -> bool:
        """Whether it still waits for servers; what bakes has all of them."""
        return self.status in FORWARD - {"Baking"}

    def __str__(self) -> str:
        return f"{self.status}, {self.percent} %{', ' + self.reason if self.reason else ''}"


class Servers:
    """One environment's group, through the API."""

    def __init__(self, session: Any, environment: str) -> None:
        self.environment, self.name = environment, f"lyceum-{environment}-servers"
        self._autoscaling, self._ec2 = session.client("autoscaling"), session.client("ec2")
        self._ssm, self._cloudwatch = session.client("ssm"), session.client("cloudwatch")

    def group(self) -> Group:
        """The group now. Raises LyceumError where there is none."""
        with aws.asking("autoscaling"):
            found = self._autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[self.name])
        if not found["AutoScalingGroups"]:
            raise LyceumError(
                f"There is no group {self.name}: {self.environment} was not applied in this account and region.",
                f"./lyceum apply {self.environment} makes it.",
            )
        group = found["AutoScalingGroups"][0]
        template = group["LaunchTemplate"]
        if not str(template.get("Version", "")).isdecimal():
            raise Refused(
                f"{self.name} runs version {template.get('Version')} of its template, which is no number: AWS could "
                "not roll it back.", f"./lyceum apply {self.environment} gives it one. Nothing was changed.",
            )  # fmt: skip
        servers = tuple(
            Server(one["InstanceId"], one["LifecycleState"], int(one.get("LaunchTemplate", {}).get("Version", 0)))
            for one in group["Instances"]
        )
        return Group(
            self.name, template["LaunchTemplateId"], int(template["Version"]), group["DesiredCapacity"],
            group["MaxSize"], servers, tuple(group.get("TargetGroupARNs", ())),
        )  # fmt: skip

    def version(self, template: str, number: int | str) -> Version:
        """A version of the template by its number, or the newest by "$Latest"."""
        with aws.asking("ec2"):
            found = self._ec2.describe_launch_template_versions(LaunchTemplateId=template, Versions=[str(number)])
        return _version(found["LaunchTemplateVersions"][0])

    def add_version(self, template: str, source: Version, *, release: str, image: str, description: str) -> Version:
        """Write a version as `source`, but with this release and this image."""
        with aws.asking("ec2"):
            made = self._ec2.create_launch_template_version(
                LaunchTemplateId=template,
                SourceVersion=str(source.number),
                VersionDescription=description[:255],
                LaunchTemplateData={"ImageId": image, "TagSpecifications": _tagged(source, release)},
            )["LaunchTemplateVersion"]
        return self.version(template, made["VersionNumber"])

    def newest_image(self) -> str:
        """The id of Amazon's newest image."""
        with aws.asking("ssm"):
            return str(self._ssm.get_parameter(Name=IMAGE)["Parameter"]["Value"])

    def alarms(self) -> dict[str, str]:
        """The watched alarms that exist, and the state of each."""
        names = [f"lyceum-{self.environment}-{what}" for what in WATCHED]
        with aws.asking("cloudwatch"):
            found = self._cloudwatch.describe_alarms(AlarmNames=names)["MetricAlarms"]
        return {alarm["AlarmName"]: alarm["StateValue"] for alarm in found}

    def refreshes(self, refresh: str = "") -> list[Refresh]:
        """The refresh with this id, or the latest of the last six weeks, the newest first."""
        wanted: dict[str, Any] = {"InstanceRefreshIds": [refresh]} if refresh else {"MaxRecords": 20}
        with aws.asking("autoscaling"):
            found = self._autoscaling.describe_instance_refreshes(AutoScalingGroupName=self.name, **wanted)
        return [_refresh(one) for one in found["InstanceRefreshes"]]

    def start(
        self, group: Group, version: int, *, alarms: list[str], bake_seconds: int, warm_up_seconds: int | None = None
    ) -> str:
        """Begin to bring the group to a version of its template. Returns the refresh's id."""
        with aws.asking("autoscaling"):
            started = self._autoscaling.start_instance_refresh(
                AutoScalingGroupName=self.name,
                Strategy="Rolling",
                # A number, never $Latest: only from a number does AWS know what to go back to.
                DesiredConfiguration={"LaunchTemplate": {"LaunchTemplateId": group.template, "Version": str(version)}},
                Preferences={
                    # Launch before terminate: of one server, none is ever missing.
                    "MinHealthyPercentage": 100,
                    "MaxHealthyPercentage": 200,
                    # What runs that version already stays: so the same command finishes what was cut short.
                    "SkipMatching": True,
                    "AutoRollback": True,
                    "BakeTime": bake_seconds,
                    **({"InstanceWarmup": warm_up_seconds} if warm_up_seconds else {}),
                    **({"AlarmSpecification": {"Alarms": alarms}} if alarms else {}),
                },
            )
        return str(started["InstanceRefreshId"])

    def roll_back(self) -> str:
        """Turn the refresh that runs round. Returns its id."""
        with aws.asking("autoscaling"):
            found = self._autoscaling.rollback_instance_refresh(AutoScalingGroupName=self.name)
        return str(found["InstanceRefreshId"])


def _version(found: dict[str, Any]) -> Version:
    data = found["LaunchTemplateData"]
    release = next(
        (tag["Value"] for one in data.get("TagSpecifications", []) if one["ResourceType"] == "instance"
         for tag in one["Tags"] if tag["Key"] == "Release"), NO_RELEASE,
    )  # fmt: skip
    return Version(int(found["VersionNumber"]), release, data.get("ImageId", ""), data)


def _tagged(source: Version, release: str) -> list[dict[str, Any]]:
    """The source's tags with another release: those that are given replace all of them."""
    specifications = [dict(one) for one in source.data.get("TagSpecifications", [])]
    if not any(one["ResourceType"] == "instance" for one in specifications):
        specifications.append({"ResourceType": "instance", "Tags": []})
    for one in specifications:
        if one["ResourceType"] == "instance":
            kept = [tag for tag in one["Tags"] if tag["Key"] != "Release"]
            one["Tags"] = [*kept, {"Key": "Release", "Value": release}]
    return specifications


def _refresh(found: dict[str, Any]) -> Refresh:
    wanted = str(found.get("DesiredConfiguration", {}).get("LaunchTemplate", {}).get("Version", ""))
    return Refresh(
        found["InstanceRefreshId"], found["Status"], int(found.get("PercentageComplete", 0)),
        " ".join(found.get("StatusReason", "").split()), int(wanted) if wanted.isdecimal() else None,
    )  # fmt: skip
