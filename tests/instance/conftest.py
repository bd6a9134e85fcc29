"""A server's surroundings, as small as can be: one namespace with the metadata service, AWS's endpoints, a database and
a file system, and releases built from this checkout."""

from __future__ import annotations

import os
import re
import secrets
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from lyceum_lab import paths, platform
from lyceum_lab.cloud import files
from lyceum_lab.cloud.network import endpoints, names, namespaces
from lyceum_lab.cloud.network.authority import Authority
from lyceum_lab.cloud.network.metadata import Credentials, Instance, Metadata
from lyceum_lab.cloud.network.namespaces import Namespace
from lyceum_lab.cloud.servers import machine as machines
from lyceum_lab.cloud.servers.image import Image
from lyceum_lab.cloud.servers.machine import Machine
from lyceum_lab.rehearsal import emulated, postgres
from lyceum_ops import artifact

REGION = "us-east-1"
BUCKET = "lyceum-dev-releases-123456789012"
RESOLVER, AWS, FILES = "127.0.0.53", "127.0.0.2", "127.0.0.3"
FILE_SYSTEM = "fs-0123456789abcdef0"


def render(settings: dict[str, str]) -> str:
    """user-data.sh.tftpl as Terraform renders it: its one loop, then its names."""
    text = (paths.CHECKOUT / "instance" / "user-data.sh.tftpl").read_text()
    lines = "".join(f'{name}="{value}"\n' for name, value in sorted(settings.items()))
    text = re.sub(r"%\{ for .*?%\{ endfor ~\}\n", lambda _: lines, text, flags=re.DOTALL)
    values = {
        "region": REGION,
        "release_bucket": BUCKET,
        "waiting_room": (paths.CHECKOUT / "instance" / "waiting_room.py").read_text(),
    }
    # A dollar sign that is the shell's is written with a brace in neither: only these names are Terraform's.
    return re.sub(r"\$\{(region|release_bucket|waiting_room)\}", lambda found: values[found[1]], text)


class Door:
    """Passes connections from a port inside the namespace on to `serve`, each in a thread of its own."""

    def __init__(self, namespace: Namespace, address: str, port: int, serve: Callable[[socket.socket], None]) -> None:
        self._listening = namespace.enter(lambda: socket.create_server((address, port)))
        self._serve = serve
        self._open: list[socket.socket] = []
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                self._open.append(connection)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def close(self) -> None:
        self._listening.close()
        for connection in self._open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


def forward_to(port: int) -> Callable[[socket.socket], None]:
    def serve(connection: socket.socket) -> None:
        with suppress(OSError), connection, socket.create_connection(("127.0.0.1", port)) as behind:
            back = threading.Thread(target=_copy, args=(behind, connection), daemon=True)
            back.start()
            _copy(connection, behind)
            back.join()

    return serve


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def sftp_in(folder: Path) -> Callable[[socket.socket], None]:
    def serve(connection: socket.socket) -> None:
        with connection:
            subprocess.run(
                [files.server(), "-d", str(folder)], stdin=connection.fileno(), stdout=connection.fileno(), check=False
            )

    return serve


@dataclass
class Surroundings:
    """Where servers boot, and what they are told. `instance` is read anew at each question of theirs."""

    folder: Path
    image: Image
    namespace: Namespace
    authority: Authority
    database: postgres.Database
    session: Any
    settings: dict[str, str]
    shared: Path
    instance: Instance
    seen: list[str] = field(default_factory=list)

    @property
    def machines(self) -> Path:
        return self.folder / "machines"

    def client(self, service: str) -> Any:
        return self.session.client(service)

    def boot(self, release: str, *, before: str = "", home: Path | None = None, **settings: str) -> Machine:
        """Boot a server of this release; `before` runs ahead of the user data, `settings` differ from the usual."""
        name = f"i-{secrets.token_hex(4)}"
        script = render({**self.settings, **settings})
        if before:
            script = script.replace("#!/bin/bash\n", f"#!/bin/bash\n{before}\n", 1)
        self.instance = replace(self.instance, id=name, tags={"Release": release}, user_data=script.encode())
        return Machine.boot(
            self.image, home or self.machines, name=name, namespace=self.namespace.path, resolver=RESOLVER,
            authority=self.authority.certificate.read_text(),
        )  # fmt: skip


class _Session:
    """Clients of the emulated AWS."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint

    def client(self, service: str) -> Any:
        return boto3.client(  # type: ignore[call-overload]
            service, endpoint_url=self.endpoint, region_name=REGION, aws_access_key_id="AKIATEST",
            aws_secret_access_key="anything",
        )  # fmt: skip


def healthy(server: Machine) -> bool:
    return server.exec("curl", "-sf", "--max-time", "5", "http://127.0.0.1:8000/healthz").returncode == 0


def eventually(true: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.3)
    return False


@pytest.fixture(scope="session")
def image() -> Image:
    return Image.ensure(paths.HOME, say=print)


@pytest.fixture(scope="session")
def surroundings(image: Image, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Surroundings]:
    folder = tmp_path_factory.mktemp("surroundings")
    namespaces.require()
    namespace = Namespace(f"{namespaces.key(folder)}host")
    env = {**os.environ, "LYCEUM_REHEARSAL": str(folder)}
    namespaces.create([namespace.name])
    ends: list[Callable[[], object]] = [lambda: namespaces.remove([namespace.name])]
    try:
        namespace.ip("link set lo up", "address add 169.254.169.254/32 dev lo")
        authority = Authority.create(folder)
        emulator, endpoint = emulated.start(folder, env)
        ends.append(lambda: _end(emulator, signal.SIGTERM))
        database = postgres.start(folder / "postgres", folder / "postgres.log", env)
        ends.append(lambda: _end(database.process, signal.SIGINT))
        aws = endpoints.Endpoints(endpoint, authority, REGION)
        aws.start(namespace, [AWS])
        ends.append(aws.stop)
        known = {"amazonaws.com": AWS, f"{FILE_SYSTEM}.efs.{REGION}.amazonaws.com": FILES}
        resolver = names.start(namespace, RESOLVER, known, folder, env)
        ends.append(lambda: _end(resolver, signal.SIGTERM))
        (shared := folder / "shared").mkdir()
        ends.append(Door(namespace, "127.0.0.1", 5432, forward_to(database.port)).close)
        ends.append(Door(namespace, FILES, 2049, sftp_in(shared)).close)
        made = _prepare(folder, image, namespace, authority, database, _Session(endpoint), shared)
        service = Metadata(
            lambda _: made.instance,
            lambda _: Credentials("AKIATEST", "anything", "token", datetime.now(UTC) + timedelta(hours=6)),
        )
        service.start(namespace, "169.254.169.254")
        ends.append(service.stop)
        yield made
    finally:
        machines.clean(folder / "machines")
        for end in reversed(ends):
            end()


def _end(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    process.send_signal(number)
    process.wait(30)


def _prepare(
    folder: Path, image: Image, namespace: Namespace, authority: Authority, database: postgres.Database,
    session: Any, shared: Path,
) -> Surroundings:  # fmt: skip
    """What Terraform and a first migration leave behind."""
    password, kept = secrets.token_urlsafe(24), session.client("secretsmanager")
    arns = {
        name: kept.create_secret(Name=f"lyceum-dev-{name}", SecretString=text)["ARN"]
        for name, text in (("database", password), ("secret-key", secrets.token_urlsafe(40)))
    }
    session.client("s3").create_bucket(Bucket=BUCKET)
    for group in ("system", "application"):
        session.client("logs").create_log_group(logGroupName=f"/lyceum/dev/{group}")
    env = {"DATABASE_URL": database.owner_url, "SECRET_KEY": "only-for-this-test", "LYCEUM_VAR_DIR": str(folder)}
    commands = platform.Commands(platform.environment(env), folder / "manage.log")
    commands("prepare")
    commands("grant_application_role", LYCEUM_APPLICATION_PASSWORD=password)
    settings = {
        "AWS_REGION": REGION,
        "LYCEUM_DATABASE_ADDRESS": "127.0.0.1",
        "LYCEUM_DATABASE_PORT": "5432",
        "LYCEUM_DATABASE_NAME": postgres.NAME,
        "LYCEUM_DATABASE_SECRET_ARN": arns["database"],
        "LYCEUM_SECRET_KEY_ARN": arns["secret-key"],
        "LYCEUM_DATABASE_SSLMODE": "disable",  # the embedded PostgreSQL speaks no TLS
        "LYCEUM_FILE_SYSTEM_ID": FILE_SYSTEM,
        "LYCEUM_ACCESS_POINT_ID": "fsap-0123456789abcdef0",
        "SHARED_FILES_DIR": "/srv/shared",
        "CONTENT_URL": "s3://lyceum-dev-content-123456789012",
        "PROGRESS_URL": "dynamodb://lyceum-dev-progress",
        "ALLOWED_HOSTS": "lyceum.example",
        "SECURE": "0",
        "TRUSTED_PROXIES": "1",
        "LYCEUM_KEEP_ALIVE_SECONDS": "75",
        "LYCEUM_ENVIRONMENT": "dev",
        "LYCEUM_SYSTEM_LOG_GROUP": "/lyceum/dev/system",
        "LYCEUM_APPLICATION_LOG_GROUP": "/lyceum/dev/application",
        "LYCEUM_AUTOSCALING_GROUP": "lyceum-dev-servers",
        "LYCEUM_METRICS_NAMESPACE": "Lyceum/dev",
    }
    instance = Instance("i-0", "169.254.169.254", f"{REGION}a", REGION, "123456789012", "ami-1", "t2.micro",
                        groups=("server",), role="lyceum-dev-server")  # fmt: skip
    return Surroundings(folder, image, namespace, authority, database, session, settings, shared, instance)


@pytest.fixture(scope="session")
def release(surroundings: Surroundings) -> artifact.Artifact:
    """The present checkout, built and published."""
    made = artifact.build(
        paths.CHECKOUT, surroundings.folder / "artifacts", cache=paths.HOME / "wheels", allow_dirty=True
    )
    assert artifact.publish(made, surroundings.session, BUCKET)
    return made
