"""infra/modules/servers, applied to an emulator: its plan stays empty, a live release outlasts every later apply, its
user data is a sound script, its waiting room answers, its policies are those that the simulation tries."""

from __future__ import annotations

import base64
import fnmatch
import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.lyceum_lab.emulator.conftest import Emulator, start_emulator

from lyceum_ops.processes import free_port
from lyceum_ops.terraform import Terraform

CHECKOUT = Path(__file__).resolve().parents[2]
RECORDED = CHECKOUT / "tests" / "lyceum_lab" / "scaling" / "deployed_policies.json"
WAITING_ROOM = CHECKOUT / "instance" / "waiting_room.py"

pytestmark = pytest.mark.terraform
__all__ = ["start_emulator"]


@dataclass
class Applied:
    """The root of servers_root, applied."""

    folder: Path
    tool: Terraform
    emulator: Emulator

    def terraform(self, *arguments: str, codes: tuple[int, ...] = (0,)) -> str:
        done = subprocess.run(
            [str(self.tool.binary), *arguments],
            cwd=self.folder, env=self.tool.environment(), capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode in codes, done.stdout + done.stderr
        return done.stdout

    def apply(self, *arguments: str) -> None:
        self.terraform("apply", "-auto-approve", "-no-color", *arguments)

    def assert_empty_plan(self, *arguments: str) -> None:
        # Exit code 2 would be a change.
        self.terraform("plan", "-detailed-exitcode", "-no-color", *arguments)

    def versions(self) -> list[dict[str, Any]]:
        found = self.emulator.client("ec2").describe_launch_template_versions(LaunchTemplateName="lyceum-dev-server")
        return sorted(found["LaunchTemplateVersions"], key=lambda version: int(version["VersionNumber"]))

    def group(self) -> dict[str, Any]:
        found = self.emulator.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
        return dict(found[0])

    def instances(self) -> list[dict[str, Any]]:
        found = self.emulator.client("ec2").describe_instances(
            Filters=[{"Name": "instance-state-name", "Values": ["running"]}]
        )
        return [instance for each in found["Reservations"] for instance in each["Instances"]]


def tags(listed: list[dict[str, str]]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in listed}


def release_of(version: dict[str, Any]) -> str:
    kinds = {each["ResourceType"]: tags(each["Tags"]) for each in version["LaunchTemplateData"]["TagSpecifications"]}
    assert set(kinds) == {"instance", "volume"}
    return kinds["instance"]["Release"]


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory, start_emulator: Callable[[], Emulator]) -> Iterator[Applied]:
    emulator = start_emulator()
    copy = tmp_path_factory.mktemp("servers")
    for folder in ("infra/modules/servers", "instance", "tests/infra/servers_root"):
        shutil.copytree(CHECKOUT / folder, copy / folder, ignore=shutil.ignore_patterns(".terraform*"))
    environment = {
        "AWS_ACCESS_KEY_ID": "AKIAREHEARSAL0000000", "AWS_SECRET_ACCESS_KEY": "rehearsal", "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": emulator.endpoint, "AWS_MAX_ATTEMPTS": "2", "AWS_EC2_METADATA_DISABLED": "true",
    }  # fmt: skip
    tool = Terraform.prepare(CHECKOUT / ".lyceum" / "tools", env=environment)
    made = Applied(copy / "tests/infra/servers_root", tool, emulator)
    made.terraform("init", "-no-color")
    made.apply()
    yield made
    made.terraform("destroy", "-auto-approve", "-no-color")
    assert emulator.page("resources") == {}, "something outlived the destroy"
    assert emulator.client("ec2").describe_volumes()["Volumes"] == []


def test_the_second_plan_is_empty(applied: Applied) -> None:
    applied.assert_empty_plan()


def test_the_policies_are_those_that_the_simulation_tries(applied: Applied) -> None:
    found = applied.emulator.client("autoscaling").describe_policies()["ScalingPolicies"]
    deployed = [
        {name: policy[name] for name in ("AutoScalingGroupName", "PolicyName", "PolicyType", "Enabled")}
        | {"TargetTrackingConfiguration": _ordered(policy["TargetTrackingConfiguration"])}
        for policy in sorted(found, key=lambda policy: str(policy["PolicyName"]))
    ]
    if os.environ.get("LYCEUM_RECORD"):
        RECORDED.write_text(json.dumps(deployed, indent=2) + "\n")
    assert deployed == json.loads(RECORDED.read_text()), (
        "record again: LYCEUM_RECORD=1 pytest tests/infra/test_servers.py"
    )


def _ordered(configuration: dict[str, Any]) -> dict[str, Any]:
    """Terraform sends the lines of a specification in the order of a set's hashes."""
    for line in (specification := configuration.get("CustomizedMetricSpecification") or {}).get("Metrics", []):
        line.pop("Period", None)
    if specification.get("Metrics"):
        specification["Metrics"].sort(key=lambda line: str(line["Id"]))
    return configuration


def test_a_live_release_outlasts_every_later_apply(applied: Applied) -> None:
    ec2, autoscaling = applied.emulator.client("ec2"), applied.emulator.client("autoscaling")
    (first,) = applied.versions()
    assert release_of(first) == "none"
    assert [tags(instance["Tags"])["Release"] for instance in applied.instances()] == ["none"]

    # What a release tool does: a version that differs in its tag and its image, and the group pointed at it.
    specifications = first["LaunchTemplateData"]["TagSpecifications"]
    for each in specifications:
        each["Tags"] = [t if t["Key"] != "Release" else {"Key": "Release", "Value": "2026.11.1"} for t in each["Tags"]]
    image = next(
        i["ImageId"] for i in ec2.describe_images()["Images"] if i["ImageId"] != first["LaunchTemplateData"]["ImageId"]
    )
    template = ec2.create_launch_template_version(
        LaunchTemplateId=first["LaunchTemplateId"],
        SourceVersion="$Latest",
        VersionDescription="2026.11.1",
        LaunchTemplateData={"TagSpecifications": specifications, "ImageId": image},
    )["LaunchTemplateVersion"]
    assert template["LaunchTemplateData"]["UserData"] == first["LaunchTemplateData"]["UserData"]
    name = applied.group()["AutoScalingGroupName"]
    autoscaling.update_auto_scaling_group(
        AutoScalingGroupName=name,
        LaunchTemplate={"LaunchTemplateId": first["LaunchTemplateId"], "Version": str(template["VersionNumber"])},
        DesiredCapacity=2,
    )
    assert sorted(tags(instance["Tags"])["Release"] for instance in applied.instances()) == ["2026.11.1", "none"]

    applied.assert_empty_plan()

    applied.apply("-var=volume_gib=10", "-var=lifetime_days=7")
    latest = applied.versions()[-1]
    assert latest["VersionNumber"] == 3
    assert release_of(latest) == "2026.11.1"
    assert latest["LaunchTemplateData"]["ImageId"] == image
    assert latest["LaunchTemplateData"]["BlockDeviceMappings"][0]["Ebs"]["VolumeSize"] == 10
    group = applied.group()
    # Terraform moved nothing: the group runs the release's version, with as many servers as before.
    assert (group["LaunchTemplate"]["Version"], group["DesiredCapacity"]) == ("2", 2)
    assert group["MaxInstanceLifetime"] == 7 * 24 * 3600
    assert group["InstanceMaintenancePolicy"] == {"MinHealthyPercentage": 100, "MaxHealthyPercentage": 200}
    applied.assert_empty_plan("-var=volume_gib=10", "-var=lifetime_days=7")


@pytest.fixture(scope="module")
def user_data(applied: Applied) -> str:
    return base64.b64decode(applied.versions()[0]["LaunchTemplateData"]["UserData"]).decode()


def test_the_user_data_is_a_sound_script_that_fits(user_data: str, tmp_path: Path) -> None:
    assert len(user_data.encode()) <= 16 * 1024
    script = tmp_path / "user-data.sh"
    script.write_text(user_data)
    subprocess.run([Path(sys.executable).with_name("shellcheck"), "--severity=style", script], check=True)


def test_the_settings_are_read_the_same_by_a_shell(user_data: str, tmp_path: Path) -> None:
    settings = user_data.split("<<'SETTINGS'\n")[1].split("\nSETTINGS\n")[0]
    file = tmp_path / "settings.env"
    file.write_text(settings + "\n")
    read = subprocess.run(
        ["bash", "-euc", f". {file}; echo $CONTENT_URL $LYCEUM_METRICS_NAMESPACE"], capture_output=True, text=True
    )
    assert read.stdout.split() == ["s3://lyceum-dev-content-123456789012", "Lyceum/dev"]


def test_the_waiting_room_is_healthy_and_otherwise_says_that_there_is_no_release(
    user_data: str, tmp_path: Path
) -> None:
    script = user_data.split("<<'WAITING_ROOM'\n")[1].split("\nWAITING_ROOM\n")[0]
    assert script.strip() == WAITING_ROOM.read_text().strip()
    (room := tmp_path / "waiting_room.py").write_text(script)
    port = free_port()
    process = subprocess.Popen([sys.executable, room, str(port), "127.0.0.1"], stderr=subprocess.PIPE)
    try:
        assert answer(port, "/healthz") == (200, "ok\n")
        assert answer(port, "/healthz?from=lb") == (200, "ok\n")
        assert answer(port, "/") == (503, "no release yet\n")
        assert answer(port, "/courses/", b"name=value") == (503, "no release yet\n")
    finally:
        process.terminate()
        _, errors = process.communicate()
    assert errors == b""


def answer(port: int, path: str, body: bytes | None = None) -> tuple[int, str]:
    for _ in range(100):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", data=body, timeout=5) as found:
                return int(found.status), found.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read().decode()
        except urllib.error.URLError:
            time.sleep(0.05)
    raise AssertionError("the waiting room does not answer")


def test_the_boundary_lets_the_servers_role_do_what_it_is_given(applied: Applied) -> None:
    """Actions only: that resources and conditions agree as well is the IAM suite's to show."""
    given = applied.emulator.client("iam").get_role_policy(RoleName="lyceum-dev-server", PolicyName="platform")
    wanted = {action for each in given["PolicyDocument"]["Statement"] for action in _listed(each["Action"])}
    text = (CHECKOUT / "infra" / "bootstrap" / "boundary.tf").read_text()
    allowed = re.findall(r'"([a-z0-9-]+:[A-Za-z*]+)"', text)
    beyond = {action for action in wanted if not any(fnmatch.fnmatchcase(action, pattern) for pattern in allowed)}
    assert len(wanted) > 20
    assert beyond == set()


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


# What the script asks for on its way, answered by stand-ins on the PATH.
STAND_INS = {
    "curl": 'case "$*" in *Release*) printf %s "$RELEASE" ;; *) printf token ;; esac',
    "aws": 'for last; do :; done; cp "$BUCKET/$(basename "$last")" "$last"',
    "systemctl": 'echo "systemctl $*" >>"$SAID"',
}


@pytest.fixture
def boot(user_data: str, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs the very script below tmp_path instead of /."""
    script = user_data
    for root in ("/etc/", "/opt/"):
        script = re.sub(rf"(?<![\w.]){root}", f"{tmp_path}{root}", script)
    (tmp_path / "etc/systemd/system").mkdir(parents=True)
    (tmp_path / "bin").mkdir()
    for name, body in STAND_INS.items():
        (tmp_path / "bin" / name).write_text(f"#!/bin/bash\n{body}\n")
        (tmp_path / "bin" / name).chmod(0o755)

    def run(release: str) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", "RELEASE": release, "BUCKET": str(tmp_path / "bucket"),
            "SAID": str(tmp_path / "said"),
        }  # fmt: skip
        return subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True)

    return run


def publish(bucket: Path) -> None:
    """A release whose install script writes down who it is."""
    source = bucket.parent / "source"
    (source / "instance").mkdir(parents=True)
    (source / "instance" / "install.sh").write_text('echo "installs $LYCEUM_RELEASE" >>"$SAID"\n')
    bucket.mkdir()
    subprocess.run(["tar", "-czf", bucket / "lyceum.tar.gz", "-C", source, "."], check=True)
    summed = subprocess.run(["sha256sum", "lyceum.tar.gz"], cwd=bucket, capture_output=True, text=True, check=True)
    (bucket / "manifest.sha256").write_text(summed.stdout)


Boot = Callable[[str], "subprocess.CompletedProcess[str]"]


def test_a_server_without_a_release_opens_the_waiting_room(boot: Boot, tmp_path: Path) -> None:
    done = boot("none")
    assert done.returncode == 0, done.stderr
    assert "enable --now lyceum-waiting-room.service" in (tmp_path / "said").read_text()
    assert (tmp_path / "opt/lyceum/waiting_room.py").exists()
    assert "CONTENT_URL=" in (tmp_path / "etc/lyceum/settings.env").read_text()


def test_a_server_installs_the_release_of_its_tag(boot: Boot, tmp_path: Path) -> None:
    publish(tmp_path / "bucket")
    done = boot("2026.11.1")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "said").read_text() == "installs 2026.11.1\n"
    assert (tmp_path / "opt/lyceum/2026.11.1/instance/install.sh").exists()


@pytest.mark.parametrize("manifest", ["", f"{'0' * 64}  lyceum.tar.gz\n", f"{'0' * 64}  other\n"])
def test_an_archive_that_its_manifest_does_not_vouch_for_is_not_installed(
    boot: Boot, tmp_path: Path, manifest: str
) -> None:
    publish(tmp_path / "bucket")
    (tmp_path / "bucket/manifest.sha256").write_text(manifest)
    assert boot("2026.11.1").returncode != 0
    assert not (tmp_path / "said").exists()


@pytest.mark.parametrize("release", ["../dev", "", "a b", "-rf"])
def test_a_tag_that_is_no_release_stops_the_boot(boot: Boot, tmp_path: Path, release: str) -> None:
    publish(tmp_path / "bucket")
    assert boot(release).returncode != 0
    assert not (tmp_path / "said").exists()
