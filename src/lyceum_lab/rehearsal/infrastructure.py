"""Applying infra/ to the emulated AWS with real Terraform, from a copy, so that the checkout stays as it is."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lyceum_lab import paths, platform
from lyceum_lab.emulator import CREDENTIALS, LAB, ROOT_KEY, ROOT_SECRET
from lyceum_lab.emulator.pages import page
from lyceum_ops.errors import LyceumError
from lyceum_ops.login import become_deployer
from lyceum_ops.roots import Bootstrap, Platform
from lyceum_ops.terraform import Event, Inputs, Listener, Tally, Terraform

REGION = "us-east-1"
ACCOUNT = "123456789012"
# What the roots have no default for. No letter is sent: the emulated SNS keeps them. The addresses and the domain are
# of the ranges and names that are kept for documents.
PIPELINE = {
    "repository": "lyceum/lyceum",
    "connected": True,
    "environments": [
        {"name": "dev", "variables": {"alarm_email": "operator@lyceum.example"}, "approve": False},
        {
            "name": "prod",
            "variables": {"alarm_email": "operator@lyceum.example"},
            "url": "https://learn.lyceum.example",
        },
    ],
}
WITHOUT_PIPELINE = {"alarm_email": "operator@lyceum.example"}
BOOTSTRAP_VARIABLES = {**WITHOUT_PIPELINE, "pipeline": json.dumps(PIPELINE)}
ZONE = "lyceum.example"
PLATFORM_VARIABLES = {
    "dev": {"alarm_email": "operator@lyceum.example", "operator_cidrs": '["203.0.113.0/24"]'},
    "prod": {"alarm_email": "operator@lyceum.example", "domain": f'{{name="learn.{ZONE}", zone="{ZONE}"}}'},
}
# What the platform cannot start without, by the address at which Terraform makes it.
NEEDED: dict[str, tuple[str, str, str | None]] = {
    "bucket": ("module.content", "aws_s3_bucket", None),
    "table": ("module.progress", "aws_dynamodb_table", None),
    "database password": ("module.secrets", "aws_secretsmanager_secret_version", "database"),
    "secret key": ("module.secrets", "aws_secretsmanager_secret_version", "secret-key"),
    "role": ("module.servers", "aws_iam_role_policy", None),
}


SECRETS_OF_ONE = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}


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


def server_environment(endpoint: str, role: str) -> dict[str, str]:
    """The same as a server has it: no key of its own, but its role's, fetched and renewed from where it runs."""
    kept = {name: value for name, value in aws_environment(endpoint).items() if name not in SECRETS_OF_ONE}
    return {**kept, "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{endpoint}{CREDENTIALS}{role}"}


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


@dataclass(frozen=True)
class Session:
    """A boto3 session whose clients talk to the emulator: lyceum_ops knows of none."""

    session: Any
    url: str

    @classmethod
    def of(cls, env: Mapping[str, str]) -> Session:
        """With the credentials and the endpoint of a child's environment."""
        import boto3

        found = boto3.Session(
            aws_access_key_id=env["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=env["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=env.get("AWS_SESSION_TOKEN"),
            region_name=REGION,
        )
        return cls(found, env["AWS_ENDPOINT_URL"])

    @classmethod
    def as_role(cls, endpoint: str, role: str) -> Session:
        """With the credentials that a machine of this role is given, for an hour."""
        given = page(endpoint, f"{CREDENTIALS}{role}")
        return cls.of(
            {
                "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
                "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
                "AWS_SESSION_TOKEN": given["Token"],
                "AWS_ENDPOINT_URL": endpoint,
            }
        )

    def client(self, service: str) -> Any:
        from botocore.config import Config

        return self.session.client(service, endpoint_url=self.url, config=Config(user_agent_extra=LAB))


def prepare_account(admin: Session) -> None:
    """What an account has before us, by somebody else's hand: the zone of the domain."""
    admin.client("route53").create_hosted_zone(Name=ZONE, CallerReference="rehearsal")


class Stack:
    """The roots of one account. `found` fills with what the platform needs as soon as it exists."""

    def __init__(self, tool: Terraform, folder: Path, log: Path) -> None:
        self.tool, self.folder, self.log = tool, folder, log
        self.region = REGION
        self.found: dict[str, str] = {}
        self.progress = ""
        self.cancelled = threading.Event()
        self.deployer = ""

    def session(self) -> Session:
        """Of whoever Terraform runs as now."""
        return Session.of(self.tool.env)

    def apply_bootstrap(self, listener: Listener, *, pipeline: bool) -> None:
        """Apply what an account has once, as `./lyceum bootstrap` does; with or without the pipeline of deliveries."""
        root = self.bootstrap()
        values = BOOTSTRAP_VARIABLES if pipeline else WITHOUT_PIPELINE
        root.apply(root.plan(Inputs(values=values)), listener=listener)
        self.deployer = str(root.outputs()["deployer_user"])

    def bootstrap(self) -> Bootstrap:
        """The account's own root, its state found."""
        root = Bootstrap(**self._arguments("bootstrap"))
        root.open()
        return root

    def become_deployer(self) -> str:
        """Do as an operator does: make the user's key and second factor by hand, then assume the role with them.

        From here on Terraform runs as the deployer. Returns who that is.
        """
        iam = self.session().client("iam")
        key = iam.create_access_key(UserName=self.deployer)["AccessKey"]
        device = iam.create_virtual_mfa_device(VirtualMFADeviceName=self.deployer)["VirtualMFADevice"]
        iam.enable_mfa_device(
            UserName=self.deployer,
            SerialNumber=device["SerialNumber"],
            AuthenticationCode1="000000",
            AuthenticationCode2="000001",
        )
        user = {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
        credentials = become_deployer("000002", session=Session.of({**self.tool.env, **user}))
        self.tool = Terraform(self.tool.binary, self.tool.cli_config, {**self.tool.env, **credentials})
        return str(self.session().client("sts").get_caller_identity()["Arn"])

    def platform(
        self, environment: str, *, log: Path | None = None, more: Mapping[str, str] | None = None
    ) -> tuple[Platform, Inputs]:
        """An environment's root, its state found, and what `./lyceum apply` would be told about it.

        `more` are variables beside those that the root has no default for.
        """
        root = Platform(environment, **{**self._arguments(environment), "log": log or self.log})
        root.open()
        return root, Inputs((root.var_file,), {**PLATFORM_VARIABLES[environment], **(more or {})})

    def apply_platform(self, environment: str, ready: threading.Event, more: Mapping[str, str] | None = None) -> str:
        """Apply an environment; set `ready` once `found` holds all that the platform needs. Returns the tally."""
        root, inputs = self.platform(environment, more=more)
        tally = Tally()

        def listen(event: Event) -> None:
            if self.cancelled.is_set():
                raise LyceumError("cancelled")
            tally.add(event)
            self.progress = str(tally)
            if event.get("type") == "apply_complete":
                self._find(event["hook"])
            if len(self.found) == len(NEEDED):
                ready.set()

        def wait(_: Event) -> None:
            if self.cancelled.is_set():
                raise LyceumError("cancelled")

        root.apply(root.plan(inputs, listener=wait), listener=listen)
        if missing := NEEDED.keys() - self.found.keys():
            raise LyceumError(f"infra/platform was applied and made no {' and no '.join(sorted(missing))}.")
        return str(tally)

    def _find(self, hook: Mapping[str, Any]) -> None:
        resource = hook["resource"]
        place = (resource["module"].split("[")[0], resource["resource_type"], resource["resource_key"])
        for name, wanted in NEEDED.items():
            if place == wanted:
                # A version of a secret is known by the secret's ARN and its own id, a policy by its role and its name.
                value = hook["id_value"].split("|")[0]
                self.found[name] = value.split(":")[0] if name == "role" else value

    def _arguments(self, name: str) -> dict[str, Any]:
        return {
            "tool": self.tool,
            "session": self.session(),
            "account": ACCOUNT,
            "source": paths.CHECKOUT / "infra",
            "work": self.folder / name,
            "log": self.log,
            # The emulator answers one call at a time and most of an apply is waiting; what it makes is thrown away.
            "parallelism": 40,
            "patience": 8,
        }
