"""An emulated account that can be told to refuse, and a checkout whose infra/ is as small as can be."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lyceum_ops import aws
from lyceum_ops.operate import Here
from lyceum_ops.processes import free_port

CHECKOUT = Path(__file__).resolve().parents[2]
ACCOUNT = "123456789012"
BUCKET = f"lyceum-state-{ACCOUNT}"
DEPLOYER = f"arn:aws:sts::{ACCOUNT}:assumed-role/lyceum-deployer/lyceum-deployer"

# The provider takes two seconds of the processor at each command: here something smaller makes the bucket.
BOOTSTRAP = """
variable "region" { type = string }
variable "alarm_email" { type = string }
variable "breaks" { default = "false" }
resource "terraform_data" "bucket" {
  provisioner "local-exec" {
    interpreter = ["PYTHON", "-c"]
    command     = "import boto3; boto3.client('s3').create_bucket(Bucket='BUCKET')"
  }
}
resource "terraform_data" "last" {
  depends_on = [terraform_data.bucket]
  provisioner "local-exec" { command = "! ${var.breaks}" }
}
output "state_bucket" { value = "BUCKET" }
output "region" { value = var.region }
""".replace("PYTHON", sys.executable).replace("BUCKET", BUCKET)
PLATFORM = """
terraform {
  backend "s3" {}
}
variable "environment" { type = string }
variable "region" { type = string }
variable "protected" { default = true }
variable "size" { default = 1 }
resource "terraform_data" "server" { input = var.size }
resource "terraform_data" "zone" {
  triggers_replace = [var.size]
}
output "size" { value = terraform_data.server.output }
output "protected" { value = var.protected }
"""
# What holds data. Without the output `protected`, as an apply leaves it that was cut short.
TABLE = """
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
variable "key" { default = "learner" }
provider "aws" { region = var.region }
resource "aws_dynamodb_table" "progress" {
  name                        = "lyceum-dev-progress"
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = var.key
  deletion_protection_enabled = var.protected
  attribute {
    name = var.key
    type = "S"
  }
}
"""


class Emulated:
    """The account on 127.0.0.1. `say` has it answer otherwise (emulator_that_refuses.py)."""

    def __init__(self, port: int, answers: Path) -> None:
        self.endpoint, self._answers = f"http://127.0.0.1:{port}", answers
        self._session: Any = None
        self.clients: dict[str, Any] = {}

    def say(self, answers: dict[str, Any]) -> None:
        half = self._answers.with_suffix(".part")
        half.write_text(json.dumps(answers))
        half.replace(self._answers)

    def reset(self) -> None:
        self.say({})
        urllib.request.urlopen(urllib.request.Request(f"{self.endpoint}/moto-api/reset", method="POST")).close()

    @property
    def session(self) -> Any:
        """One for all tests: a session reads AWS's models once, and that takes longer than the calls."""
        self._session = self._session or aws.session()
        return self._session

    def client(self, service: str) -> Any:
        if service not in self.clients:
            self.clients[service] = self.session.client(service)
        return self.clients[service]

    def objects(self) -> list[str]:
        """What the bucket of the states holds: states and locks."""
        return [item["Key"] for item in self.client("s3").list_objects_v2(Bucket=BUCKET).get("Contents", [])]

    def states(self) -> dict[str, Any]:
        """What lies under each of those keys."""
        s3 = self.client("s3")
        return {key: json.loads(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()) for key in self.objects()}

    def as_the_deployer(self, **more: Any) -> None:
        self.say({"sts:GetCallerIdentity": {"result": {"Account": ACCOUNT, "Arn": DEPLOYER, "UserId": "x"}}, **more})


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulated]:
    answers = tmp_path_factory.mktemp("answers") / "answers.json"
    emulated = Emulated(free_port(), answers)
    emulated.say({})
    port = emulated.endpoint.rsplit(":", 1)[1]
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("emulator_that_refuses.py")), port, str(answers)],
        env={**os.environ, "PYTHONPATH": str(CHECKOUT / "src")},
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 30
    while True:
        try:
            urllib.request.urlopen(f"{emulated.endpoint}/_lyceum/health").close()
            break
        except urllib.error.URLError:
            assert process.poll() is None, "the emulator ended while it started"
            assert time.monotonic() < deadline, "the emulator does not answer"
            time.sleep(0.05)
    yield emulated
    process.kill()
    process.wait()


@pytest.fixture
def account(running: Emulated, monkeypatch: pytest.MonkeyPatch) -> Emulated:
    """An empty account, with the environment of one who works in it."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "TF_")) or name.lower() in {"http_proxy", "https_proxy", "all_proxy"}:
            monkeypatch.delenv(name)
    for name, value in {
        "AWS_ACCESS_KEY_ID": "AKIAREHEARSAL0000000",
        "AWS_SECRET_ACCESS_KEY": "rehearsal",
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": running.endpoint,
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        # S3 Control puts the account into the host name; through this proxy it reaches the emulator all the same.
        "HTTP_PROXY": running.endpoint,
        "NO_PROXY": "127.0.0.1,localhost",
    }.items():
        monkeypatch.setenv(name, value)
    running.reset()
    return running


@pytest.fixture
def here(tmp_path: Path) -> Here:
    """A checkout with the smallest bootstrap and platform."""
    files = {
        "bootstrap/main.tf": BOOTSTRAP,
        "platform/main.tf": PLATFORM,
        "platform/env/dev.tfvars": 'environment = "dev"\n',
        "platform/env/prod.tfvars": 'environment = "prod"\n',
    }
    for name, text in files.items():
        path = tmp_path / "infra" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Here(infra=tmp_path / "infra", home=tmp_path / "home", tools=CHECKOUT / ".lyceum" / "tools")


@pytest.fixture
def bootstrapped(account: Emulated) -> Emulated:
    """The account with its state bucket, and the deployer's credentials."""
    account.client("s3").create_bucket(Bucket=BUCKET)
    account.client("s3").put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    account.as_the_deployer()
    return account


def write_plugin(plugin: Path, version: str, does: str) -> None:
    plugin.write_text(f'#!/bin/sh\n[ "$1" = --version ] && echo {version} && exit\n{does}\n')
    plugin.chmod(0o755)


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A plugin of a version that is new enough, which ends at once with a reason; a test may write another."""
    found = tmp_path / "bin" / "session-manager-plugin"
    found.parent.mkdir()
    write_plugin(found, "1.2.707.0", 'echo "Cannot perform start session: EOF"; exit 1')
    monkeypatch.setenv("PATH", f"{found.parent}:{os.environ['PATH']}")
    return found
