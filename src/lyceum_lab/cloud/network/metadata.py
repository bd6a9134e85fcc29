"""The instance metadata service, version 2 alone: it knows each host by the address from which it asks.

As AWS documents it (EC2 User Guide, "Instance metadata"): a token first, by PUT and for a time; without one, 401. Tags
are shown where the launch template says so. Credentials are those of the role in the instance's profile, and new ones
are handed out before the old ones end.
"""

from __future__ import annotations

import hmac
import json
import secrets
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from lyceum_lab.cloud.network.namespaces import Namespace

LONGEST = 21600  # seconds a token may live
_VERSIONS = ("1.0", "2021-03-23", "2021-07-15", "2024-04-11", "latest")


@dataclass(frozen=True)
class Instance:
    """What the service tells of one instance. `role` is "" without a profile; `user_data` as it was given."""

    id: str
    address: str
    zone: str
    region: str
    account: str
    image: str
    type: str
    groups: tuple[str, ...] = ()
    user_data: bytes = b""
    tags: Mapping[str, str] = field(default_factory=dict)
    role: str = ""

    @property
    def hostname(self) -> str:
        return f"ip-{self.address.replace('.', '-')}.ec2.internal"

    @property
    def mac(self) -> str:
        return "02:00:" + ":".join(f"{int(part):02x}" for part in self.address.split("."))

    def document(self) -> dict[str, Any]:
        """The instance identity document, unsigned."""
        return {
            "accountId": self.account, "architecture": "x86_64", "availabilityZone": self.zone, "imageId": self.image,
            "instanceId": self.id, "instanceType": self.type, "privateIp": self.address, "region": self.region,
            "version": "2017-09-30",
        }  # fmt: skip

    def tree(self) -> dict[str, Any]:
        """Everything under meta-data/ but the credentials."""
        interface = {
            "device-number": "0", "local-hostname": self.hostname, "local-ipv4s": self.address, "mac": self.mac,
            "owner-id": self.account, "security-groups": "\n".join(self.groups),
        }  # fmt: skip
        return {
            "ami-id": self.image,
            "hostname": self.hostname,
            "instance-action": "none",
            "instance-id": self.id,
            "instance-life-cycle": "on-demand",
            "instance-type": self.type,
            "local-hostname": self.hostname,
            "local-ipv4": self.address,
            "mac": self.mac,
            "network": {"interfaces": {"macs": {self.mac: interface}}},
            "placement": {"availability-zone": self.zone, "region": self.region},
            "security-groups": "\n".join(self.groups),
            "services": {"domain": "amazonaws.com", "partition": "aws"},
            "tags": {"instance": dict(self.tags)},
        }


@dataclass
class Credentials:
    """Of a role, as AWS's SDKs read them from the service."""

    key: str
    secret: str
    token: str
    until: datetime

    def as_json(self) -> str:
        now = datetime.now(UTC)
        return json.dumps(
            {
                "Code": "Success", "LastUpdated": _moment(now), "Type": "AWS-HMAC", "AccessKeyId": self.key,
                "SecretAccessKey": self.secret, "Token": self.token, "Expiration": _moment(self.until),
            }
        )  # fmt: skip


def _moment(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


class Metadata:
    """Serves from `start` to `stop`. `find` knows an instance by its address, `assume` makes its role's credentials."""

    def __init__(
        self, find: Callable[[str], Instance | None], assume: Callable[[Instance], Credentials], *, renew: float = 600
    ) -> None:
        self._find, self._assume, self._renew = find, assume, renew
        self._secret = secrets.token_bytes(32)
        self._kept: dict[str, Credentials] = {}
        self._lock = threading.Lock()
        self._server: ThreadingHTTPServer | None = None

    def start(self, namespace: Namespace, address: str) -> None:
        """Listen on port 80 of an address in a namespace. Raises OSError when it is taken."""
        listening = namespace.enter(lambda: socket.create_server((address, 80), backlog=64))
        service = self

        class Handler(_Handler):
            metadata = service

        server = ThreadingHTTPServer((address, 80), Handler, bind_and_activate=False)
        server.socket.close()
        server.socket = listening
        server.daemon_threads = True
        self._server = server
        threading.Thread(target=server.serve_forever, name="metadata", daemon=True).start()

    def stop(self) -> None:
        """Listen no more."""
        if self._server:
            self._server.shutdown()
            self._server.server_close()

    def token(self, address: str, seconds: int) -> str:
        """A token for whoever asks from this address: good there alone, and for so long."""
        until = str(int(time.time()) + seconds)
        return f"{until}-{self._sign(address, until)}"

    def accepts(self, address: str, token: str) -> bool:
        """Whether a token is one of ours, for this address, and not over."""
        until, _, signature = token.partition("-")
        right = hmac.compare_digest(self._sign(address, until).encode(), signature.encode("latin-1", "replace"))
        return right and until.isdigit() and int(until) > time.time()

    def _sign(self, address: str, until: str) -> str:
        return hmac.new(self._secret, f"{address} {until}".encode(), "sha256").hexdigest()

    def answer(self, address: str, path: str) -> bytes | None:
        """What stands at a path for whoever asks from this address; None where nothing does."""
        instance = self._find(address)
        parts = [part for part in path.split("?")[0].split("/") if part]
        if instance is None:
            return None
        if not parts:
            return "\n".join(_VERSIONS).encode()
        if parts[0] not in _VERSIONS:
            return None
        match parts[1:]:
            case []:
                return b"dynamic\nmeta-data\nuser-data" if instance.user_data else b"dynamic\nmeta-data"
            case ["user-data"]:
                return instance.user_data or None
            case ["dynamic", "instance-identity", "document"]:
                return json.dumps(instance.document()).encode()
            case ["dynamic"]:
                return b"instance-identity/"
            case ["dynamic", "instance-identity"]:
                return b"document"
            case ["meta-data", "iam", *rest]:
                return self._credentials(instance, rest)
            case ["meta-data", *rest]:
                return _look_up(instance, rest)
        return None

    def _credentials(self, instance: Instance, rest: list[str]) -> bytes | None:
        if not instance.role:
            return None
        match rest:
            case []:
                return b"info\nsecurity-credentials/"
            case ["info"]:
                profile = f"arn:aws:iam::{instance.account}:instance-profile/{instance.role}"
                return json.dumps({"Code": "Success", "InstanceProfileArn": profile}).encode()
            case ["security-credentials"]:
                return instance.role.encode()
            case ["security-credentials", instance.role]:
                return self._role(instance).as_json().encode()
        return None

    def _role(self, instance: Instance) -> Credentials:
        with self._lock:
            kept = self._kept.get(instance.id)
            if kept is None or (kept.until - datetime.now(UTC)).total_seconds() < self._renew:
                kept = self._kept[instance.id] = self._assume(instance)
            return kept


def _look_up(instance: Instance, parts: list[str]) -> bytes | None:
    tree: Any = instance.tree()
    if instance.role and not parts:
        tree["iam"] = {}
    for part in parts:
        if not isinstance(tree, dict) or part not in tree:
            return None
        tree = tree[part]
    if isinstance(tree, dict):
        return "\n".join(f"{name}/" if isinstance(value, dict) else name for name, value in tree.items()).encode()
    return str(tree).encode()


class _Handler(BaseHTTPRequestHandler):
    metadata: Metadata
    protocol_version = "HTTP/1.1"
    server_version = "EC2ws"
    sys_version = ""
    timeout = 30

    def do_PUT(self) -> None:
        if self.path != "/latest/api/token":
            return self._say(404, b"")
        wanted = self.headers.get("X-aws-ec2-metadata-token-ttl-seconds", "")
        if not wanted.isdigit() or not 1 <= int(wanted) <= LONGEST:
            return self._say(400, b"")
        # Whoever passes a request on for somebody else names them here; AWS hands no token out by proxy.
        if "X-Forwarded-For" in self.headers:
            return self._say(403, b"")
        token = self.metadata.token(self.client_address[0], int(wanted))
        return self._say(200, token.encode(), ("X-aws-ec2-metadata-token-ttl-seconds", wanted))

    def do_GET(self) -> None:
        if not self.metadata.accepts(self.client_address[0], self.headers.get("X-aws-ec2-metadata-token", "")):
            return self._say(401, b"")
        found = self.metadata.answer(self.client_address[0], self.path)
        return self._say(404, b"") if found is None else self._say(200, found)

    do_HEAD = do_GET  # noqa: N815 - http.server names it

    def _say(self, status: int, body: bytes, *headers: tuple[str, str]) -> None:
        self.send_response(status)
        for name, value in (*headers, ("Content-Type", "text/plain"), ("Content-Length", str(len(body)))):
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - named so by http.server
        pass
