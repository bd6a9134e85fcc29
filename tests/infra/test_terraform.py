"""Terraform's own checks, on a copy, so that nothing is written into infra/: fmt, validate, every module's tests."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from lyceum_lab.rehearsal.infrastructure import PLATFORM_VARIABLES
from lyceum_ops.terraform import PROVIDER, Terraform

CHECKOUT = Path(__file__).resolve().parents[2]
INFRA = CHECKOUT / "infra"
ROOTS = ("bootstrap", "platform")
MODULES = sorted(path.name for path in (INFRA / "modules").iterdir())

pytestmark = pytest.mark.terraform


@pytest.fixture(scope="session")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("terraform") / "infra"
    shutil.copytree(INFRA, folder, ignore=shutil.ignore_patterns(".terraform"))
    # The servers' user data is rendered from there.
    shutil.copytree(CHECKOUT / "instance", folder.parent / "instance")
    return folder


@pytest.fixture(scope="session")
def tool(tmp_path_factory: pytest.TempPathFactory) -> Terraform:
    tools = CHECKOUT / ".lyceum" / "tools"
    # No credentials: what runs here must not need any.
    return Terraform.prepare(tools, env={"AWS_EC2_METADATA_DISABLED": "true", "AWS_REGION": "us-east-1"})


def run(tool: Terraform, folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [str(tool.binary), *arguments], cwd=folder, env=tool.environment(), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_is_formatted(tool: Terraform, copy: Path) -> None:
    run(tool, copy, "fmt", "-check", "-recursive", "-diff")


@pytest.mark.parametrize("root", ROOTS)
def test_roots_are_valid_and_keep_to_their_lock(tool: Terraform, copy: Path, root: str) -> None:
    run(tool, copy / root, "init", "-backend=false", "-no-color", "-lockfile=readonly")
    run(tool, copy / root, "validate", "-no-color")


@pytest.mark.parametrize("root", ROOTS)
def test_locks_hold_hashes_of_every_platform(root: str) -> None:
    lock = (INFRA / root / ".terraform.lock.hcl").read_text()
    assert f'provider "{PROVIDER}"' in lock
    assert lock.count("provider ") == 1
    # The publisher's list covers every platform; the h1 lines cover a mirror's unpacked copy.
    assert lock.count('"zh:') >= 10
    assert lock.count('"h1:') >= 1


@pytest.mark.parametrize("place", ["bootstrap", *(f"modules/{module}" for module in MODULES)])
def test_modules_pass_their_tests(tool: Terraform, copy: Path, place: str) -> None:
    folder = copy / place
    assert list(folder.glob("tests/*.tftest.hcl")), "a module without a test"
    run(tool, folder, "init", "-backend=false", "-no-color")
    output = run(tool, folder, "test", "-no-color")
    assert "0 failed" in output
    assert " 0 passed" not in output


@pytest.mark.parametrize("place", [*ROOTS, *(f"modules/{module}" for module in MODULES)])
def test_every_variable_and_output_says_what_it_is(place: str) -> None:
    for name, kind in (("variables.tf", "variable"), ("outputs.tf", "output")):
        text = (INFRA / place / name).read_text()
        assert text.count(f'{kind} "') == text.count("  description = "), f"{place}/{name}"
        assert "type        = any" not in text


@pytest.mark.parametrize("module", MODULES)
def test_every_module_has_its_files(module: str) -> None:
    have = set(os.listdir(INFRA / "modules" / module))
    assert {"main.tf", "variables.tf", "outputs.tf", "versions.tf", "README.md", "tests"} <= have


@pytest.mark.parametrize("place", ["bootstrap", *(f"modules/{module}" for module in MODULES)])
def test_a_key_is_not_destroyed_before_the_bucket_that_it_opens(place: str) -> None:
    """A destroy that stops at a full bucket would otherwise have scheduled the end of the key already."""
    text = "\n".join(path.read_text() for path in sorted((INFRA / place).glob("*.tf")))
    buckets = dict(re.findall(r'^resource "aws_s3_bucket" "(\w+)" \{\n(.*?)^\}', text, re.DOTALL | re.MULTILINE))
    for call in re.findall(r'^module "\w+" \{\n(.*?)^\}', text, re.DOTALL | re.MULTILINE):
        bucket = re.search(r"^  bucket += aws_s3_bucket\.(\w+)$", call, re.MULTILINE)
        key = re.search(r"^  kms_key_arn += (aws_kms_key\.\w+)\.arn$", call, re.MULTILINE)
        if "/private-bucket" in call and bucket and key:
            kept = f"depends_on = [{key[1]}]" in buckets[bucket[1]] or "prevent_destroy = true" in buckets[bucket[1]]
            assert kept, f"{place}: aws_s3_bucket.{bucket[1]} must depend on {key[1]}"


def given(environment: str) -> list[str]:
    """What the environment's own file leaves to be given; the last value of a variable counts."""
    return [f"-var={name}={value}" for name, value in PLATFORM_VARIABLES[environment].items()]


BROKEN = [
    ("alarm_email", "", "alarm_email must be an address"),
    ("servers", "{min=3, max=2}", "servers.min must be 1 to servers.max"),
    ("flow_log_traffic", "SOME", '"ALL" or "REJECT"'),
    ("session_retention_days", "2", "one that CloudWatch Logs knows"),
    ("backup_retention_days", "7", "28, four weeks, to 365"),
    ("migration_image", "an image", "as aws/codebuild/standard:7.0"),
    ("rate_limit", "5", "rate_limit must be 100 to 2000000"),
    ("secrets_edition", "0", "a whole number from 1"),
    ("servers", "{max=1}", "servers.max 2 to 10"),
    ("database", "{storage_gib=5}", "database.storage_gib must be 20 to 16384"),
    ("region", "eu-north-1", "offers t2.micro"),
    ("vpc_cidr", "10.20.0.0/24", "/16 to /20"),
    ("environment", "stage", '"dev" or "prod"'),
    ("vpc_cidr", "10.20.5.0/16", "starts at its first address"),
    ("vpc_cidr", "203.0.0.0/16", "operator_cidrs must not overlap vpc_cidr 203.0.0.0/16"),
    ("nat", "two", "per_zone"),
    ("nat", "none", "without kms, logs, monitoring, secretsmanager, ssm, ssmmessages, sts"),
    ("interface_endpoints", '["ssmm"]', "must be among email, kms"),
    ("operator_cidrs", "[]", "one to five IPv4 ranges"),
    ("operator_cidrs", '["10.0.0.0/8"]', "from /16 to /32"),
    ("operator_cidrs", '["10.20.7.0/24"]', "must not overlap vpc_cidr 10.20.0.0/16"),
    ("operator_cidrs", '["203.0.113.7/24"]', "start at their first address"),
    ("environment", "prod", "domain must be given in prod"),
    ("domain", '{name="learn.example.org",zone="other.example"}', "within domain.zone"),
]


@pytest.fixture(scope="session")
def inputs(copy: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The platform's variables, and the locals that their validations read, without anything that would ask AWS."""
    folder = tmp_path_factory.mktemp("inputs")
    for name in ("variables.tf", "flows.tf", "env"):
        source = copy / "platform" / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
    return folder


def test_the_environments_own_values_are_accepted(tool: Terraform, inputs: Path) -> None:
    for environment in ("dev", "prod"):
        run(tool, inputs, "plan", "-no-color", f"-var-file=env/{environment}.tfvars", *given(environment))


@pytest.mark.parametrize(("name", "value", "said"), BROKEN)
def test_a_bad_value_is_refused_by_name(tool: Terraform, inputs: Path, name: str, value: str, said: str) -> None:
    done = subprocess.run(
        [str(tool.binary), "plan", "-no-color", "-var-file=env/dev.tfvars", *given("dev"), f"-var={name}={value}"],
        cwd=inputs,
        env=tool.environment(),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    flat = " ".join(done.stderr.replace("│", " ").split())
    assert said in flat, flat
    # The value that was got: of a list or an object what is in it.
    for part in re.findall(r'"([^"]*)"', value) or re.findall(r"=(\d+)", value) or [value.strip("[]")]:
        assert part in flat
