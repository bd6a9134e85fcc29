"""Finding, fetching and configuring Terraform: against a publisher on 127.0.0.1 that can also misbehave."""

from __future__ import annotations

import hashlib
import io
import os
import platform
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from lyceum_ops import terraform
from lyceum_ops.errors import CommandFailed, MissingTool

MACHINE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine().lower(), platform.machine().lower())
ARCHIVE = f"terraform_{terraform.PINNED}_{platform.system().lower()}_{MACHINE}.zip"


def fake_terraform(version: str) -> bytes:
    return f'#!/bin/sh\necho \'{{"terraform_version": "{version}"}}\'\n'.encode()


@pytest.fixture
def publisher() -> Iterator[tuple[str, dict[str, bytes]]]:
    """A server that publishes one release as HashiCorp does: its address, and its files to alter."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as bundle:
        bundle.writestr("terraform", fake_terraform(terraform.PINNED))
    folder = f"/terraform/{terraform.PINNED}"
    digest = hashlib.sha256(packed.getvalue()).hexdigest()
    files = {
        f"{folder}/{ARCHIVE}": packed.getvalue(),
        f"{folder}/terraform_{terraform.PINNED}_SHA256SUMS": f"{digest}  {ARCHIVE}\n".encode(),
    }

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = files.get(self.path)
            self.send_response(200 if body is not None else 404)
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}", files
    server.shutdown()
    server.server_close()


@pytest.fixture
def path_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH of one empty folder, for a Terraform of the test's own."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def put(folder: Path, version: str) -> Path:
    binary = folder / "terraform"
    binary.write_bytes(fake_terraform(version))
    binary.chmod(0o755)
    return binary


def test_one_on_the_path_that_is_new_enough_is_used(path_with: Path, tmp_path: Path) -> None:
    binary = put(path_with, "1.11.0")
    assert terraform.find(tmp_path / "tools") == binary


@pytest.mark.parametrize("on_path", [None, "1.10.5"])
def test_without_one_the_pinned_release_is_fetched_once(
    path_with: Path, tmp_path: Path, publisher: tuple[str, dict[str, bytes]], on_path: str | None
) -> None:
    if on_path:
        put(path_with, on_path)
    base, files = publisher
    said: list[str] = []
    found = terraform.find(tmp_path / "tools", publisher=base, say=said.append)
    assert terraform.version_of(found) == tuple(map(int, terraform.PINNED.split(".")))
    assert terraform.PINNED in said[0]
    files.clear()
    assert terraform.find(tmp_path / "tools", publisher=base) == found


def test_an_altered_download_is_refused_and_nothing_is_kept(
    path_with: Path, tmp_path: Path, publisher: tuple[str, dict[str, bytes]]
) -> None:
    base, files = publisher
    name = next(path for path in files if path.endswith(".zip"))
    files[name] = files[name][:-1] + b"!"
    with pytest.raises(MissingTool, match="SHA-256"):
        terraform.find(tmp_path / "tools", publisher=base)
    assert not list(tmp_path.rglob("terraform*/*"))


def test_offline_one_line_says_what_to_install(path_with: Path, tmp_path: Path) -> None:
    put(path_with, "1.5.7")
    with pytest.raises(MissingTool) as caught:
        terraform.find(tmp_path / "tools", publisher="http://127.0.0.1:9")
    assert "1.5.7 on the PATH is older" in str(caught.value)
    assert "Install Terraform 1.11 or newer" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_publisher_without_this_release_is_named(
    path_with: Path, tmp_path: Path, publisher: tuple[str, dict[str, bytes]]
) -> None:
    base, files = publisher
    files.clear()
    with pytest.raises(MissingTool, match="404"):
        terraform.find(tmp_path / "tools", publisher=base)


def test_a_publisher_over_plain_http_is_refused(path_with: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingTool, match="neither https nor on this machine"):
        terraform.find(tmp_path / "tools", publisher="http://mirror.example")


def test_the_cli_configuration_names_the_mirror_that_holds_the_provider(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror = tmp_path / "plugins"
    (mirror / terraform.PROVIDER / "5.100.0").mkdir(parents=True)
    monkeypatch.setattr(terraform, "MIRROR_PARENTS", (str(tmp_path / "nothing"), str(tmp_path / "*")))
    assert f'path    = "{mirror}"' in terraform.write_cli_config(tmp_path / "a").read_text()
    monkeypatch.setattr(terraform, "MIRROR_PARENTS", (str(tmp_path / "nothing"),))
    assert "filesystem_mirror" not in terraform.write_cli_config(tmp_path / "b").read_text()


def test_a_machine_setting_of_terraform_does_not_leak_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", "/nowhere")
    monkeypatch.setenv("TF_VAR_environment", "prod")
    tool = terraform.Terraform(Path("/bin/true"), tmp_path / "terraform.rc", {"AWS_REGION": "us-east-1"})
    environment = tool.environment()
    assert environment["TF_CLI_CONFIG_FILE"] == str(tmp_path / "terraform.rc")
    assert "TF_VAR_environment" not in environment
    assert environment["AWS_REGION"] == "us-east-1"


def test_a_failing_command_raises_terraforms_own_error(tmp_path: Path) -> None:
    binary = tmp_path / "terraform"
    binary.write_text(
        "#!/bin/sh\n"
        'echo \'{"type":"diagnostic","@message":"Error: Invalid CIDR",'
        '"diagnostic":{"severity":"error","summary":"Invalid CIDR","detail":"10.0.0.0/40 is none"}}\'\n'
        "exit 1\n"
    )
    binary.chmod(0o755)
    (tmp_path / "root").mkdir()
    tool = terraform.Terraform(binary, tmp_path / "terraform.rc", {})
    root = terraform.Root(tool, tmp_path / "root", tmp_path / "log")
    with pytest.raises(CommandFailed, match=r"Invalid CIDR 10\.0\.0\.0/40 is none"):
        root.apply(tmp_path / "none.tfplan")
    assert "Invalid CIDR" in (tmp_path / "log").read_text()
    assert os.listdir(tmp_path / "root") == []
