"""One behaviour of content, in a folder and in a bucket: what is put under a key comes back, also by its address."""

import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.test import Client
from moto.server import ThreadedMotoServer
from pytest_django import Settings

from lyceum.content import ContentStore, InvalidKeyError, MissingContentError, get_store
from lyceum.content import store as store_module

pytestmark = pytest.mark.contract


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """The address of an S3 that answers over HTTP."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(params=["folder", "bucket"])
def store(
    request: pytest.FixtureRequest, tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ContentStore]:
    if request.param == "folder":
        settings.CONTENT_URL = (tmp_path / "content").as_uri()
    else:
        import boto3

        address = request.getfixturevalue("s3")
        for name, value in {
            "AWS_ENDPOINT_URL": address,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_REGION": "eu-west-1",
            "NO_PROXY": "127.0.0.1",
        }.items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
        bucket = f"content-{abs(hash(request.node.name))}"
        boto3.client("s3", region_name="us-east-1").create_bucket(Bucket=bucket)
        settings.CONTENT_URL = f"s3://{bucket}"
    store_module._store_at.cache_clear()
    yield get_store()
    store_module._store_at.cache_clear()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "source.bin"
    path.write_bytes(b"the bytes of a film")
    return path


def _named(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers}


def fetch(address: str, **headers: str) -> tuple[int, bytes, dict[str, str]]:
    """As a browser would: from this site or from where the address leads."""
    if address.startswith("/"):
        answer = Client().get(address, headers=headers)
        return answer.status_code, b"".join(answer) if answer.streaming else answer.content, _named(answer.items())
    request = urllib.request.Request(address, headers=headers)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request) as reply:
            return reply.status, reply.read(), _named(reply.headers.items())
    except urllib.error.HTTPError as error:
        return error.code, error.read(), _named(error.headers.items())


def test_bytes_come_back(store: ContentStore, file: Path) -> None:
    assert not store.exists("a/film.mp4")
    store.put("a/film.mp4", file, content_type="video/mp4")
    assert store.exists("a/film.mp4")
    with store.open("a/film.mp4") as stored:
        assert stored.read() == b"the bytes of a film"


def test_putting_again_is_harmless_and_putting_other_bytes_replaces(store: ContentStore, file: Path) -> None:
    store.put("a.txt", file, content_type="text/plain")
    store.put("a.txt", file, content_type="text/plain")
    file.write_bytes(b"better")
    store.put("a.txt", file, content_type="text/plain")
    with store.open("a.txt") as stored:
        assert stored.read() == b"better"
    assert list(store.list()) == ["a.txt"]


def test_a_file_that_cannot_be_read_leaves_the_old_bytes(store: ContentStore, file: Path) -> None:
    store.put("a.txt", file, content_type="text/plain")
    with pytest.raises(OSError):  # noqa: PT011 - which of them depends on the file
        store.put("a.txt", file.with_name("gone"), content_type="text/plain")
    with store.open("a.txt") as stored:
        assert stored.read() == b"the bytes of a film"


def test_what_is_not_there(store: ContentStore) -> None:
    assert not store.exists("nothing/here")
    with pytest.raises(MissingContentError):
        store.open("nothing/here")
    store.delete("nothing/here")


def test_deleting(store: ContentStore, file: Path) -> None:
    store.put("a/b.mp4", file, content_type="video/mp4")
    store.delete("a/b.mp4")
    assert not store.exists("a/b.mp4")
    assert list(store.list()) == []


def test_listing_is_by_the_beginning_of_the_key_and_sorted(store: ContentStore, file: Path) -> None:
    for key in ("b/2", "b/1", "a/1", "bb"):
        store.put(key, file, content_type="video/mp4")
    assert list(store.list("b/")) == ["b/1", "b/2"]
    assert list(store.list("b")) == ["b/1", "b/2", "bb"]
    assert list(store.list()) == ["a/1", "b/1", "b/2", "bb"]


@pytest.mark.parametrize(
    "key",
    ["", "/a", "a/", "a//b", "..", "a/../b", "../a", ".hidden", "a/.b", "A", "a b", "ä", "a\n", "a\x00", "a" * 301],
)
def test_a_key_that_is_none_is_refused_everywhere(store: ContentStore, file: Path, key: str) -> None:
    for attempt in (
        lambda: store.put(key, file, content_type="video/mp4"),
        lambda: store.exists(key),
        lambda: store.open(key),
        lambda: store.url(key),
        lambda: store.delete(key),
    ):
        with pytest.raises(InvalidKeyError):
            attempt()


def test_a_browser_fetches_the_bytes(store: ContentStore, file: Path) -> None:
    store.put("a/film.mp4", file, content_type="video/mp4")
    status, body, headers = fetch(store.url("a/film.mp4"))
    assert (status, body, headers["content-type"]) == (200, b"the bytes of a film", "video/mp4")
    assert "attachment" not in headers.get("content-disposition", "")


def test_a_browser_fetches_a_part(store: ContentStore, file: Path) -> None:
    store.put("a/film.mp4", file, content_type="video/mp4")
    status, body, headers = fetch(store.url("a/film.mp4"), Range="bytes=4-8")
    assert (status, body, headers["content-range"]) == (206, b"bytes", "bytes 4-8/19")


def test_with_a_name_the_browser_saves_it(store: ContentStore, file: Path) -> None:
    store.put("a/b.pdf", file, content_type="application/pdf")
    address = store.url("a/b.pdf", download_name='Übung "1"; x=y.pdf')
    _, _, headers = fetch(address)
    assert headers["content-disposition"] == (
        "attachment; filename=\"_bung _1__ x_y.pdf\"; filename*=UTF-8''%C3%9Cbung%20%221%22%3B%20x%3Dy.pdf"
    )


def test_the_origin_is_where_addresses_lead(store: ContentStore) -> None:
    parts = urlsplit(store.url("a"))
    assert store.origin == (f"{parts.scheme}://{parts.netloc}" if parts.netloc else "")
