"""The servers of a site: each instance that the group launches gets its place in the network, and boots.

What a server is told about itself (user data, tags, role) comes from AWS's API. How much memory its container uses is
told to the agent on it once in a while, as the kernel shows a container the memory of the whole host.
"""

from __future__ import annotations

import base64
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from lyceum_lab.cloud.group.face import Launched
from lyceum_lab.cloud.network import vpc
from lyceum_lab.cloud.network.metadata import Instance
from lyceum_lab.cloud.servers.image import Image
from lyceum_lab.cloud.servers.machine import Machine
from lyceum_lab.cloud.site import Site
from lyceum_lab.rehearsal.infrastructure import ACCOUNT, REGION

MEASURE = 1.0  # seconds between two looks at the memory of all servers


@dataclass
class Fleet:
    """All servers of one site. Its methods may be called from any thread."""

    site: Site
    image: Image
    folder: Path
    scale: float
    machines: dict[str, Machine] = field(default_factory=dict)
    memory: dict[str, float] = field(default_factory=dict)  # in use, percent of the instance type's
    _booting: set[str] = field(default_factory=set)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _ended: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Measure from now on."""
        self._thread = threading.Thread(target=self._measure, name="memory", daemon=True)
        self._thread.start()

    def launch(self, instance: Launched) -> None:
        """Give it its place in the network and boot it. Raises LyceumError when it does not boot."""
        with self._lock:
            self._booting.add(instance.id)
        try:
            known = self._described(instance)
            host = self.site.place_server(instance.subnet, int(IPv4Address(instance.address)))
            with self._lock:
                self.site.instances[instance.address] = known
                attached = self.site.vpc.attach(instance.id, host)
            machine = Machine.boot(
                self.image,
                self.folder,
                name=instance.id,
                namespace=attached.namespace.path,
                resolver=vpc.RESOLVER,
                authority=self.site.authority.certificate.read_text(),
                agent={"LYCEUM_STANDIN_TIME_SCALE": f"{self.scale:g}"},
            )
            with self._lock:
                self.machines[instance.id] = machine
        except BaseException:
            self._leave(instance.id)
            raise
        finally:
            with self._lock:
                self._booting.discard(instance.id)

    def terminate(self, instance: str) -> None:
        """Shut it down in order and give back its place. Its console stays. Nothing when it is gone already."""
        with self._lock:
            machine = self.machines.pop(instance, None)
            self.memory.pop(instance, None)
        if machine:
            machine.terminate(keep_console=True)
        self._leave(instance)

    def alive(self, instance: str) -> bool:
        """Whether its machine boots or runs."""
        with self._lock:
            machine = self.machines.get(instance)
            return instance in self._booting or (machine is not None and machine.running)

    def cpu_seconds(self, instance: str) -> float | None:
        """CPU time of all its processes since it booted; None when it is gone."""
        with self._lock:
            machine = self.machines.get(instance)
        with suppress(OSError):
            return machine.cpu_seconds() if machine else None
        return None

    def stop(self) -> None:
        """Measure no more, and pull every plug."""
        self._ended.set()
        if self._thread:
            self._thread.join(timeout=10)
        for instance, machine in list(self.machines.items()):
            machine.kill(keep_console=True)
            self.machines.pop(instance, None)
            self._leave(instance)

    def _leave(self, instance: str) -> None:
        with self._lock:
            if instance in self.site.vpc.attached:
                address = self.site.vpc.attached[instance].address
                self.site.vpc.detach(instance)
                self.site.instances.pop(address, None)

    def _measure(self) -> None:
        while not self._ended.wait(MEASURE):
            with self._lock:
                running = dict(self.machines)
            for instance, machine in running.items():
                # A machine that ends while it is being measured.
                with suppress(OSError):
                    self.memory[instance] = machine.report_memory()

    def _described(self, instance: Launched) -> Instance:
        client = self.site.session.client
        (reservation,) = client("ec2").describe_instances(InstanceIds=[instance.id])["Reservations"]
        (told,) = reservation["Instances"]
        tags = {tag["Key"]: tag["Value"] for tag in told.get("Tags", [])}
        template = client("ec2").describe_launch_template_versions(
            LaunchTemplateId=tags["aws:ec2launchtemplate:id"], Versions=[instance.version]
        )["LaunchTemplateVersions"][0]["LaunchTemplateData"]
        names = (self.site.topology.groups.get(one) for one in instance.security_groups)
        return Instance(
            instance.id,
            instance.address,
            self.site.topology.subnets[instance.subnet].zone,
            REGION,
            ACCOUNT,
            str(template.get("ImageId", "")),
            str(template.get("InstanceType", "")),
            tuple(one.name for one in names if one),
            base64.b64decode(template.get("UserData", "")),
            tags if template.get("MetadataOptions", {}).get("InstanceMetadataTags") == "enabled" else {},
            _role(client("iam"), template.get("IamInstanceProfile", {})),
        )


def _role(iam: Any, profile: dict[str, str]) -> str:
    """The role in an instance profile, "" without one."""
    name = profile.get("Name") or profile.get("Arn", "").rsplit("/", 1)[-1]
    if not name:
        return ""
    return str(iam.get_instance_profile(InstanceProfileName=name)["InstanceProfile"]["Roles"][0]["RoleName"])
