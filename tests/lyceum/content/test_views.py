"""Content served from a folder: only by a signed address, in parts, and never as something that runs on this site."""

import time
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings
from tests.lyceum.conftest import Put

from lyceum.content import ContentStore

BODY = bytes(range(100))


@pytest.fixture
def address(put: Put, content_store: ContentStore) -> str:
    return content_store.url(put("films/a.mp4", BODY, "video/mp4"))


def get(client: Client, address: str, **headers: str) -> tuple[int, bytes, Any]:
    answer = client.get(address, headers=headers)
    return answer.status_code, b"".join(answer) if answer.streaming else answer.content, answer.headers


def test_the_whole(client: Client, address: str) -> None:
    status, body, headers = get(client, address)
    assert (status, body) == (200, BODY)
    assert headers["Content-Length"] == "100"
    assert headers["Accept-Ranges"] == "bytes"
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("wanted", "first", "last"),
    [
        ("bytes=0-9", 0, 9),
        ("bytes=10-", 10, 99),
        ("bytes=-5", 95, 99),
        ("bytes=-500", 0, 99),
        ("bytes=90-500", 90, 99),
        ("bytes=0-0", 0, 0),
        ("bytes=99-99", 99, 99),
    ],
)
def test_a_part(client: Client, address: str, wanted: str, first: int, last: int) -> None:
    status, body, headers = get(client, address, Range=wanted)
    assert (status, body) == (206, BODY[first : last + 1])
    assert headers["Content-Range"] == f"bytes {first}-{last}/100"
    assert headers["Content-Length"] == str(last - first + 1)


@pytest.mark.parametrize("wanted", ["bytes=100-", "bytes=100-200", "bytes=-0", "bytes=999999999999999999-"])
def test_a_part_that_does_not_exist(client: Client, address: str, wanted: str) -> None:
    status, body, headers = get(client, address, Range=wanted)
    assert (status, body, headers["Content-Range"]) == (416, b"", "bytes */100")


@pytest.mark.parametrize(
    "wanted",
    ["bytes=0-1,5-6", "bytes=9-3", "bytes=-", "bytes=a-b", "pages=1-2", "bytes=" + "9" * 40 + "-", "bytes=١-٢"],
)
def test_a_range_that_makes_no_sense_is_ignored(client: Client, address: str, wanted: str) -> None:
    assert get(client, address, Range=wanted)[:2] == (200, BODY)


def test_a_part_of_another_version_is_not_mixed_in(client: Client, address: str) -> None:
    etag = get(client, address)[2]["ETag"]
    assert get(client, address, Range="bytes=0-9", **{"If-Range": etag})[0] == 206
    assert get(client, address, Range="bytes=0-9", **{"If-Range": '"older"'})[0] == 200
    assert get(client, address, **{"If-None-Match": etag})[0] == 304


def test_an_empty_file(client: Client, put: Put, content_store: ContentStore) -> None:
    address = content_store.url(put("empty.txt", b"", "text/plain"))
    assert get(client, address)[:2] == (200, b"")
    assert get(client, address, Range="bytes=0-")[0] == 416


def test_head_brings_no_body_and_nothing_may_be_sent(client: Client, address: str) -> None:
    answer = client.head(address)
    assert (answer.status_code, answer["Content-Length"], answer.content) == (200, "100", b"")
    assert client.post(address).status_code == 405


def test_a_forged_address_opens_nothing(client: Client, address: str, put: Put) -> None:
    put("films/secret.mp4", b"secret", "video/mp4")
    path, _, query = address.partition("?")
    expires = query.partition("expires=")[2].partition("&")[0]
    forged = [
        path,
        f"{path}?expires={expires}",
        f"{address}x",
        f"{address}&name=other.html",
        address.replace(expires, str(int(expires) + 3600)),
        address.replace(expires, "never"),
        address.replace("films/a.mp4", "films/secret.mp4"),
        f"{path}?expires=&signature=:",
        f"{path}?expires=%00&signature=%ff",
    ]
    for one in forged:
        status, body, _ = get(client, one)
        assert status == 403, one
        assert b"secret" not in body


def test_an_address_expires(
    client: Client, put: Put, content_store: ContentStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = content_store.url(put("a.mp4", BODY, "video/mp4"), expires_seconds=600)
    now = time.time()
    monkeypatch.setattr("time.time", lambda: now + 599)
    assert get(client, address)[0] == 200
    monkeypatch.setattr("time.time", lambda: now + 600 + 301)
    assert get(client, address)[0] == 403


def test_an_address_of_another_secret_opens_nothing(client: Client, address: str, settings: Settings) -> None:
    settings.SECRET_KEY = "another secret, of another site, that is long enough"
    assert get(client, address)[0] == 403


@pytest.mark.parametrize(
    "key",
    ["../settings.py", "films/../../secret", "%2e%2e/%2e%2e/etc/passwd", "/etc/passwd", ".types/films/a.mp4", "films"],
)
def test_no_path_climbs_out_of_the_folder(client: Client, address: str, tmp_path: Path, key: str) -> None:
    (tmp_path / "secret").write_text("outside")
    status, body, _ = get(client, f"/content/{key}?{address.partition('?')[2]}")
    assert status in {403, 404}
    assert b"outside" not in body


@pytest.mark.parametrize(
    "content_type",
    [
        "text/html",
        "image/svg+xml",
        "application/xhtml+xml",
        "text/xml",
        "text/javascript",
        "",
        "text/html; charset=utf-8",
    ],
)
def test_what_could_run_here_is_only_downloaded(
    client: Client, put: Put, content_store: ContentStore, content_type: str
) -> None:
    address = content_store.url(put("trap.svg", b"<svg onload=alert(1)>", content_type))
    _, _, headers = get(client, address)
    assert headers["Content-Disposition"].startswith("attachment")
    assert headers["Content-Type"] == "application/octet-stream"
    assert "script-src" not in headers["Content-Security-Policy"]
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
