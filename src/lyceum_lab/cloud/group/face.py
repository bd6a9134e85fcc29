"""The group as the API shows it, and what is told back to the emulator so that the API goes on showing the truth."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.error import HTTPError

from lyceum_lab.cloud.group.core import Group
from lyceum_lab.cloud.group.refresh import ACTIVE, Refresh, Status
from lyceum_lab.emulator.pages import page
from lyceum_ops.errors import LyceumError

# How long AWS waits for an instance of a refresh to become healthy before it gives up.
# https://docs.aws.amazon.com/autoscaling/ec2/userguide/understand-instance-refresh-default-values.html
PATIENCE = 3600.0


@dataclass(frozen=True)
class Recorded:
    """One instance of the group, as the API tells."""

    id: str
    subnet: str
    address: str
    version: str
    lifecycle: str
    healthy: bool
    protected: bool


@dataclass(frozen=True)
class Shown:
    """The group at one moment."""

    group: Group
    template: str
    instances: tuple[Recorded, ...]
    target_groups: tuple[str, ...]
    metrics: frozenset[str]


@dataclass(frozen=True)
class Launched:
    """An instance that exists in the API, and that somebody has to boot."""

    id: str
    subnet: str
    address: str
    version: str
    security_groups: tuple[str, ...]


@dataclass
class Face:
    """One group. `clients` makes a boto3 client of a service; `endpoint` is the emulator's own address."""

    name: str
    region: str
    endpoint: str
    clients: Any
    scale: float = 1.0
    _zones: dict[str, str] = field(default_factory=dict)
    _places: dict[str, tuple[str, str]] = field(default_factory=dict)  # instance → subnet, address

    def __post_init__(self) -> None:
        self.autoscaling = self.clients("autoscaling")
        self._ec2 = self.clients("ec2")
        self._elbv2 = self.clients("elbv2")
        self.cloudwatch = self.clients("cloudwatch")
        # The emulator is on this machine: no proxy lies between.

    # ------------------------------------------------------------------------------------------------ read

    def read(self) -> Shown:
        """The group now. Raises LyceumError when there is none of that name."""
        found = self.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[self.name])["AutoScalingGroups"]
        if not found:
            raise LyceumError(f"There is no Auto Scaling group {self.name}.")
        told = found[0]
        template = told["LaunchTemplate"]
        policy = told.get("InstanceMaintenancePolicy") or {}
        subnets = [each for each in str(told.get("VPCZoneIdentifier") or "").split(",") if each]
        return Shown(
            group=Group(
                name=self.name,
                desired=int(told["DesiredCapacity"]),
                version=self._literal(template["LaunchTemplateId"], str(template.get("Version") or "$Default")),
                subnets=self._in_zones(subnets),
                least=int(told["MinSize"]),
                most=int(told["MaxSize"]),
                asks_balancer=told["HealthCheckType"] == "ELB",
                grace=float(told.get("HealthCheckGracePeriod") or 0),
                warm_up=float(told.get("DefaultInstanceWarmup") or 0) / self.scale,
                min_healthy=policy.get("MinHealthyPercentage"),
                max_healthy=policy.get("MaxHealthyPercentage"),
                lifetime=float(told.get("MaxInstanceLifetime") or 0) / self.scale,
                suspended=frozenset(each["ProcessName"] for each in told.get("SuspendedProcesses") or []),
            ),
            template=str(template["LaunchTemplateId"]),
            instances=tuple(self._recorded(told.get("Instances") or [])),
            target_groups=tuple(told.get("TargetGroupARNs") or []),
            metrics=frozenset(each["Metric"] for each in told.get("EnabledMetrics") or []),
        )

    def refresh(self, group: Group) -> tuple[Refresh, dict[str, Any]] | None:
        """The refresh under way as it was asked for, with the names of its alarms; None where there is none."""
        found = self.autoscaling.describe_instance_refreshes(AutoScalingGroupName=self.name, MaxRecords=1)
        if not found["InstanceRefreshes"]:
            return None
        told = found["InstanceRefreshes"][0]
        wanted = told.get("Preferences") or {}
        template = (told.get("DesiredConfiguration") or {}).get("LaunchTemplate") or {}
        version = group.version
        if template:
            version = self._literal(
                str(template.get("LaunchTemplateId") or self._named(template["LaunchTemplateName"])),
                str(template.get("Version") or "$Default"),
            )
        warm_up = wanted.get("InstanceWarmup")
        return Refresh(
            id=str(told["InstanceRefreshId"]),
            status=Status(told["Status"]),
            version=version,
            min_healthy=int(wanted.get("MinHealthyPercentage", 90)),
            max_healthy=int(wanted.get("MaxHealthyPercentage", 100)),
            warm_up=group.warm_up if warm_up is None else float(warm_up) / self.scale,
            bake=float(wanted.get("BakeTime") or 0) / self.scale,
            patience=PATIENCE,
            skip_matching=bool(wanted.get("SkipMatching", False)),
            auto_rollback=bool(wanted.get("AutoRollback", False)),
            reason=str(told.get("StatusReason") or ""),
        ), told

    def ringing(self, told: dict[str, Any]) -> str:
        """The first of a refresh's alarms that rings, or ""."""
        wanted = ((told.get("Preferences") or {}).get("AlarmSpecification") or {}).get("Alarms") or []
        if not wanted:
            return ""
        found = self.cloudwatch.describe_alarms(AlarmNames=wanted)["MetricAlarms"]
        return next((str(alarm["AlarmName"]) for alarm in found if alarm["StateValue"] == "ALARM"), "")

    # ------------------------------------------------------------------------------------------------ write

    def claim(self) -> None:
        """From now on what the group decides happens here, and moto makes nothing up."""
        self.tell({"fact": "claim", "group": self.name})

    def release(self) -> None:
        self.tell({"fact": "release", "group": self.name})

    def launch(self, template: str, version: str, subnet: str) -> Launched:
        """An instance of that version of the template, in the group and `Pending`."""
        data = self._ec2.describe_launch_template_versions(LaunchTemplateId=template, Versions=[version])[
            "LaunchTemplateVersions"
        ][0]["LaunchTemplateData"]
        interfaces = data.get("NetworkInterfaces") or [{}]
        groups = interfaces[0].get("Groups") or data.get("SecurityGroupIds") or []
        wanted: dict[str, Any] = {
            "LaunchTemplate": {"LaunchTemplateId": template, "Version": version},
            "MinCount": 1,
            "MaxCount": 1,
            # Moto takes image, user data and tags from the template, and these not.
            "ImageId": data.get("ImageId"),
            "InstanceType": data.get("InstanceType"),
            "NetworkInterfaces": [
                {
                    "DeviceIndex": 0,
                    "SubnetId": subnet,
                    "Groups": groups,
                    "AssociatePublicIpAddress": bool(interfaces[0].get("AssociatePublicIpAddress", False)),
                }
            ],
            "TagSpecifications": [{"ResourceType": "instance", "Tags": self._propagated(data)}],
            "ClientToken": str(uuid.uuid4()),
        }
        for name in ("IamInstanceProfile", "MetadataOptions", "Monitoring"):
            if data.get(name):
                wanted[name] = data[name]
        made = self._ec2.run_instances(**{name: value for name, value in wanted.items() if value})["Instances"][0]
        identity, address = str(made["InstanceId"]), str(made["PrivateIpAddress"])
        self._places[identity] = subnet, address
        self.tell({"fact": "attach", "group": self.name, "instance": identity, "version": version})
        return Launched(identity, subnet, address, version, tuple(groups))

    def register(self, arn: str, instance: str) -> None:
        self._elbv2.register_targets(TargetGroupArn=arn, Targets=[{"Id": instance}])

    def deregister(self, arn: str, instance: str) -> None:
        # One that moto does not know is signed out already.
        known = self._elbv2.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
        if any(each["Target"]["Id"] == instance for each in known):
            try:
                self._elbv2.deregister_targets(TargetGroupArn=arn, Targets=[{"Id": instance}])
            except self._elbv2.exceptions.InvalidTargetException:
                return

    def set_desired(self, capacity: int) -> None:
        self.autoscaling.set_desired_capacity(AutoScalingGroupName=self.name, DesiredCapacity=capacity)

    def adopt(self, template: str, version: str) -> None:
        """The group's own version from now on, as after a refresh."""
        self.autoscaling.update_auto_scaling_group(
            AutoScalingGroupName=self.name, LaunchTemplate={"LaunchTemplateId": template, "Version": version}
        )

    def activity(self, description: str, cause: str, *, identity: str = "", status: str = "InProgress") -> str:
        """Note an activity, or how one that was noted goes on. Returns its id."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        known = bool(identity)
        identity = identity or str(uuid.uuid4())
        told: dict[str, Any] = {"fact": "activity", "group": self.name, "ActivityId": identity, "StatusCode": status}
        if not known:
            told |= {"Description": description, "Cause": f"At {now} {cause}.", "StartTime": now, "Progress": 50}
        if status in {"Successful", "Failed"}:
            told |= {"EndTime": now, "Progress": 100}
        self.tell(told)
        return identity

    def report_refresh(self, refresh: Refresh, told: dict[str, Any]) -> None:
        """How far it is; nothing when the API shows that already."""
        shown: dict[str, Any] = {"Status": refresh.status.value, "StatusReason": refresh.reason}
        if refresh.status in {Status.ROLLING_BACK, Status.ROLLED_BACK, Status.ROLLBACK_FAILED}:
            shown |= {"RollbackDetails": {"RollbackReason": refresh.reason}}
        shown |= {"PercentageComplete": refresh.percent, "InstancesToUpdate": refresh.remaining}
        if all(told.get(name) == value for name, value in shown.items()):
            return
        if refresh.status not in ACTIVE:
            shown["EndTime"] = datetime.now(UTC).isoformat()
        self.tell({"fact": "refresh", "group": self.name, "id": refresh.id, **shown})

    def tell(self, *facts: dict[str, Any]) -> None:
        """Hand facts to the emulator. Raises LyceumError with its reason when it takes none."""
        try:
            page(self.endpoint, "/_lyceum/groups", {"region": self.region, "facts": facts}, timeout=30)
        except HTTPError as error:
            raise LyceumError(f"The emulator refuses what the group tells: {error.read().decode()}") from error

    # ------------------------------------------------------------------------------------------------ details

    def _recorded(self, told: list[dict[str, Any]]) -> list[Recorded]:
        unknown = [each["InstanceId"] for each in told if each["InstanceId"] not in self._places]
        if unknown:
            for reservation in self._ec2.describe_instances(InstanceIds=unknown)["Reservations"]:
                for one in reservation["Instances"]:
                    place = str(one.get("SubnetId") or ""), str(one.get("PrivateIpAddress") or "")
                    self._places[one["InstanceId"]] = place
        return [
            Recorded(
                id=str(each["InstanceId"]),
                subnet=self._places[each["InstanceId"]][0],
                address=self._places[each["InstanceId"]][1],
                version=str((each.get("LaunchTemplate") or {}).get("Version") or ""),
                lifecycle=str(each["LifecycleState"]),
                healthy=each["HealthStatus"] == "Healthy",
                protected=bool(each.get("ProtectedFromScaleIn", False)),
            )
            for each in told
            if each["InstanceId"] in self._places
        ]

    def _in_zones(self, subnets: list[str]) -> dict[str, str]:
        if any(subnet not in self._zones for subnet in subnets):
            for each in self._ec2.describe_subnets(SubnetIds=subnets)["Subnets"]:
                self._zones[each["SubnetId"]] = each["AvailabilityZone"]
        return {subnet: self._zones[subnet] for subnet in subnets}

    def _literal(self, template: str, version: str) -> str:
        if version.isdigit():
            return version
        found = self._ec2.describe_launch_template_versions(LaunchTemplateId=template, Versions=[version])
        return str(found["LaunchTemplateVersions"][0]["VersionNumber"])

    def _named(self, name: str) -> str:
        found = self._ec2.describe_launch_templates(LaunchTemplateNames=[name])["LaunchTemplates"]
        return str(found[0]["LaunchTemplateId"])

    def _propagated(self, data: dict[str, Any]) -> list[dict[str, str]]:
        """The group's tags that its instances get; a template's own win over them."""
        told = self.autoscaling.describe_tags(Filters=[{"Name": "auto-scaling-group", "Values": [self.name]}])["Tags"]
        tags = {each["Key"]: each["Value"] for each in told if each.get("PropagateAtLaunch")}
        for each in data.get("TagSpecifications") or []:
            if each["ResourceType"] == "instance":
                tags |= {tag["Key"]: tag["Value"] for tag in each.get("Tags") or []}
        return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]
