"""Applying infra/ to the emulated AWS with real Terraform, from a copy, so that the checkout stays as it is."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lyceum_lab import paths, platform
from lyceum_lab.emulator import ROOT_KEY, ROOT_SECRET
from lyceum_ops.errors import LyceumError
from lyceum_ops.login import become_deployer
from lyceum_ops.roots import Bootstrap, Platform
from lyceum_ops.terraform import Event, Inputs, Listener, Tally, Terraform

REGION = "us-east-1"
ACCOUNT = "123456789012"
# What bootstrap has no default for. No letter is sent: the emulated SNS keeps them.
BOOTSTRAP_VARIABLES = {"alarm_email": "operator@lyceum.example"}
# What the platform cannot start without, by the address at which Terraform makes it.
NEEDED = {"bucket": ("module.content", "aws_s3_bucket"), "table": ("module.progress", "aws_dynamodb_table")}


def aws_environment(endpoint: str) -> dict[str, str]:
    """Credentials, region and endpoint of the emulated account for a child process. The keys open nothing real."""
    return {
        "AWS_ACCESS_KEY_ID": ROOT_KEY,
        "AWS_SECRET_ACCESS_KEY": ROOT_SECRET,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_EC2_METADATA_DISABLED": "true",
        # A gap in the emulator answers 501, which the SDKs would retry for minutes.
        "AWS_MAX_ATTEMPTS": "2",
        # S3 Control puts the account into the host name; through this proxy it reaches the emulator all the same.
        "HTTP_PROXY": endpoint,
        "http_proxy": endpoint,
        # Nothing of the user's own configuration may leak in; `isolate` takes care of the variables.
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


def isolate() -> None:
    """Drop what this process inherited and no child of a rehearsal may see: real accounts, mail, proxies, settings."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "GRANIAN_", "DJANGO_")) or name in platform.SETTINGS:
            del os.environ[name]
    # What is meant for the emulator goes to no proxy; downloads over https may still need the user's.
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        os.environ.pop(name, None)
    kept = os.environ.get("NO_PROXY") or os.environ.get("no_proxy") or ""
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = ",".join(filter(None, ("127.0.0.1,localhost", kept)))


def _session(env: Mapping[str, str]) -> Any:
    import boto3

    return boto3.Session(
        aws_access_key_id=env["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=env["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=env.get("AWS_SESSION_TOKEN"),
        region_name=REGION,
    )


@dataclass(frozen=True)
class _Endpoint:
    """A boto3 session whose clients talk to the emulator: lyceum_ops knows of none."""

    session: Any
    url: str

    def client(self, service: str) -> Any:
        return self.session.client(service, endpoint_url=self.url)


class Stack:
    """The two roots of one environment. `found` fills with what the platform needs as soon as it exists."""

    def __init__(self, tool: Terraform, folder: Path, log: Path, environment: str) -> None:
        self.tool, self.folder, self.log, self.environment = tool, folder, log, environment
        self.region = REGION
        self.found: dict[str, str] = {}
        self.progress = ""
        self.cancelled = threading.Event()
        self.deployer = ""

    def apply_bootstrap(self, listener: Listener) -> None:
        """Apply what an account has once, as `./lyceum bootstrap` does."""
        root = Bootstrap(**self._arguments("bootstrap"))
        root.open()
        root.apply(root.plan(Inputs(values=BOOTSTRAP_VARIABLES)), listener=listener)
        self.deployer = str(root.outputs()["deployer_user"])

    def become_deployer(self, endpoint: str) -> str:
        """Do as an operator does: make the user's key and second factor by hand, then assume the role with them.

        From here on Terraform runs as the deployer. Returns who that is.
        """
        admin = _session(self.tool.env)
        iam = admin.client("iam", endpoint_url=endpoint)
        key = iam.create_access_key(UserName=self.deployer)["AccessKey"]
        device = iam.create_virtual_mfa_device(VirtualMFADeviceName=self.deployer)["VirtualMFADevice"]
        iam.enable_mfa_device(
            UserName=self.deployer,
            SerialNumber=device["SerialNumber"],
            AuthenticationCode1="000000",
            AuthenticationCode2="000001",
        )
        user = {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
        session = become_deployer("000002", session=_Endpoint(_session(user), endpoint))
        self.tool = Terraform(self.tool.binary, self.tool.cli_config, {**self.tool.env, **session})
        sts = _session(session).client("sts", endpoint_url=endpoint)
        return str(sts.get_caller_identity()["Arn"])

    def apply_platform(self, ready: threading.Event) -> str:
        """Apply the environment; set `ready` once `found` holds all that the platform needs. Returns the tally."""
        root = Platform(self.environment, **self._arguments("platform"))
        tally = Tally()

        def listen(event: Event) -> None:
            if self.cancelled.is_set():
                raise LyceumError("cancelled")
            tally.add(event)
            self.progress = str(tally)
            if event.get("type") == "apply_complete":
                resource = event["hook"]["resource"]
                for name, place in NEEDED.items():
                    if (resource["module"].split("[")[0], resource["resource_type"]) == place:
                        self.found[name] = event["hook"]["id_value"]
            if len(self.found) == len(NEEDED):
                ready.set()

        def wait(_: Event) -> None:
            if self.cancelled.is_set():
                raise LyceumError("cancelled")

        root.open()
        root.apply(root.plan(Inputs((root.var_file,)), listener=wait), listener=listen)
        if missing := NEEDED.keys() - self.found.keys():
            raise LyceumError(f"infra/platform was applied and made no {' and no '.join(sorted(missing))}.")
        return str(tally)

    def _arguments(self, name: str) -> dict[str, Any]:
        return {
            "tool": self.tool,
            "session": _Endpoint(_session(self.tool.env), self.tool.env["AWS_ENDPOINT_URL"]),
            "account": ACCOUNT,
            "source": paths.CHECKOUT / "infra",
            "work": self.folder / name,
            "log": self.log,
            # The emulator answers one call at a time and most of an apply is waiting; what it makes is thrown away.
            "parallelism": 40,
            "patience": 8,
        }
