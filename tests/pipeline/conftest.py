"""A repository of its own with a small platform, an emulated account, a database, and the declared pipeline."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from lyceum_lab import paths, platform
from lyceum_lab.delivery.pipeline import Run, Stage, declared
from lyceum_lab.rehearsal import infrastructure, postgres
from lyceum_ops.processes import die_with_parent, free_port
from lyceum_ops.roots import Applied
from lyceum_ops.terraform import Inputs, Terraform

HERE = Path(__file__).parent
ACCOUNT = "123456789012"
MASTER = "a-master's password / of this test"


@dataclass
class Place:
    """What the tests have: the account, the repository, and runs of the pipeline in it."""

    env: Mapping[str, str]
    stages: list[Stage]
    projects: dict[str, dict[str, Any]]
    repository: Path
    work: Path
    database: postgres.Database
    served: str
    asked: list[str] = field(default_factory=list)
    _clients: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = infrastructure.Session.of(self.env).client(service)
        return self._clients[service]

    def git(self, *words: str) -> str:
        author = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
        done = subprocess.run(
            ["git", "-C", str(self.repository), *author, *words], check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def commit(self, message: str, files: Mapping[str, str] | None = None) -> str:
        for name, text in (files or {}).items():
            path = self.repository / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        return self.git("rev-parse", "HEAD")

    def run(self, commit: str, **more: Any) -> Run:
        """A run of the declared pipeline, not begun."""

        def of_project(name: str) -> dict[str, str]:
            # The cheapest of the verify suites in place of all of them; and where the database of this machine is.
            if name.endswith("-verify"):
                return {"LYCEUM_SUITE": "lint"}
            return self._database(name) if name.endswith("-migrate") else {}

        def approve(_: str, text: str) -> bool:
            self.asked.append(text)
            return True

        work = Path(tempfile.mkdtemp(dir=self.work))
        kept = {
            "of_project": of_project, "approve": approve, "venv": paths.CHECKOUT / ".venv",
            "instead": {"https://learn.lyceum.example": self.served}, **more,
        }  # fmt: skip
        return Run(self.stages, self.repository, commit, work, self.env, **kept)

    def _database(self, _: str) -> dict[str, str]:
        return {
            "LYCEUM_DATABASE_ADDRESS": "127.0.0.1",
            "LYCEUM_DATABASE_PORT": self.database.owner_url.rsplit(":", 1)[1].split("/")[0],
            "LYCEUM_DATABASE_NAME": self.database.owner_url.rsplit("/", 1)[1].split("?")[0],
            "LYCEUM_DATABASE_MASTER_SECRET_ARN": "master",
            "LYCEUM_DATABASE_SECRET_ARN": "application",
            "LYCEUM_DATABASE_SSLMODE": "prefer",
        }

    def live(self, environment: str) -> str:
        """The release of the version that the group launches from."""
        found = self.client("autoscaling").describe_auto_scaling_groups(
            AutoScalingGroupNames=[f"lyceum-{environment}-servers"]
        )["AutoScalingGroups"]
        if not found:
            return ""
        template = found[0]["LaunchTemplate"]
        data = self.client("ec2").describe_launch_template_versions(
            LaunchTemplateId=template["LaunchTemplateId"], Versions=[template["Version"]]
        )["LaunchTemplateVersions"][0]["LaunchTemplateData"]
        return next(str(tag["Value"]) for tag in data["TagSpecifications"][0]["Tags"] if tag["Key"] == "Release")


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of a process that works in the emulated account."""
    port, log = free_port(), tmp_path_factory.mktemp("emulator") / "log"
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [sys.executable, str(HERE / "emulator_that_refreshes.py"), str(port)],
            env={**os.environ, "PYTHONPATH": str(paths.SRC)}, stdout=sink, stderr=subprocess.STDOUT,
            preexec_fn=die_with_parent(signal.SIGTERM),
        )  # fmt: skip
    endpoint = f"http://127.0.0.1:{port}"
    platform.wait(f"{endpoint}/_lyceum/health", process, log=log, seconds=60)
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in {"PATH", "HOME", "LANG", "PIP_INDEX_URL", "PIP_CONFIG_FILE"}
    }
    yield {**kept, **infrastructure.aws_environment(endpoint), "NO_PROXY": "127.0.0.1,localhost"}
    process.kill()
    process.wait()


@pytest.fixture(scope="session")
def place(emulator: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("pipeline")
    stages, projects = declared(_plan_of_bootstrap(emulator, folder / "bootstrap"))
    database = postgres.start(folder / "postgres", folder / "postgres.log", dict(os.environ))
    try:
        # The platform stands here for the servers, from this checkout: nothing boots in this test.
        served, log = free_port(), folder / "platform.log"
        settings = {"LYCEUM_VAR_DIR": str(folder / "var"), "DATABASE_URL": "", "SECRET_KEY": ""}
        platform.Commands(platform.environment(settings), log)("prepare")
        process = platform.start(served, env=settings, log=log)
        platform.wait(f"http://127.0.0.1:{served}/healthz", process, log=log)
        found = Place(
            emulator, stages, projects, _repository(folder / "repository"), folder, database,
            f"http://127.0.0.1:{served}",
        )  # fmt: skip
        found.client("s3").create_bucket(Bucket=f"lyceum-state-{ACCOUNT}")
        owner = database.owner_url.split("//", 1)[1].split("@")[0].split(":")
        secrets = found.client("secretsmanager")
        master = {"username": owner[0], "password": owner[1] if len(owner) > 1 else ""}
        secrets.create_secret(Name="master", SecretString=json.dumps(master))
        secrets.create_secret(Name="application", SecretString="a-password-of-the-servers-own")
        yield found
        platform.stop(process)
    finally:
        database.process.send_signal(signal.SIGINT)
        database.process.wait(timeout=30)


def _plan_of_bootstrap(env: Mapping[str, str], work: Path) -> dict[str, Any]:
    """What the account's own code declares, planned and not applied: the pipeline itself runs here."""
    tool = Terraform.prepare(paths.TOOLS)
    tool = Terraform(tool.binary, tool.cli_config, env)
    root = Applied(
        kind="bootstrap", name="bootstrap", key="bootstrap", tool=tool, session=None, account=ACCOUNT,
        source=paths.CHECKOUT / "infra", work=work, log=work / "terraform.log",
    ).root  # fmt: skip
    root.init()
    root.plan(work / "plan", inputs=Inputs(values=infrastructure.BOOTSTRAP_VARIABLES))
    return root.show(work / "plan")


def _repository(target: Path) -> Path:
    """A clone of this repository whose platform is the small one beside this file."""
    subprocess.run(["git", "clone", "--quiet", str(paths.CHECKOUT), str(target)], check=True)
    root = target / "infra" / "platform"
    lock = (root / ".terraform.lock.hcl").read_bytes()
    shutil.rmtree(root)
    shutil.copytree(HERE / "platform", root)
    (root / ".terraform.lock.hcl").write_bytes(lock)
    return target
