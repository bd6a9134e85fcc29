"""S3 as a browser meets it: presigned URLs, ranges, CORS, large bodies, TLS-only buckets."""

from __future__ import annotations

import json
import os
import threading
import time
import urllib.error
import urllib.request
from typing import Any

import pytest
from tests.lyceum_lab.emulator.conftest import Emulator

from lyceum_lab.emulator import ROOT_KEY, ROOT_SECRET

BUCKET = "lyceum-test-content"
ORIGIN = "https://learn.example"
TLS_ONLY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    ],
}


@pytest.fixture(scope="module")
def s3(emulator: Emulator) -> Any:
    """A client, and the bucket as infra/modules/content makes it."""
    client = emulator.client("s3", ROOT_KEY, ROOT_SECRET)
    client.create_bucket(Bucket=BUCKET)
    client.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(TLS_ONLY))
    rule = {
        "AllowedOrigins": [ORIGIN],
        "AllowedMethods": ["GET", "PUT"],
        "AllowedHeaders": ["content-type"],
        "ExposeHeaders": ["ETag"],
        "MaxAgeSeconds": 300,
    }
    client.put_bucket_cors(Bucket=BUCKET, CORSConfiguration={"CORSRules": [rule]})
    client.put_object(Bucket=BUCKET, Key="film.mp4", Body=bytes(range(256)) * 40, ContentType="video/mp4")
    return client


def fetch(
    url: str, method: str = "GET", body: bytes | None = None, **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers (lower case) and body of a plain HTTP request."""
    request = urllib.request.Request(
        url, body, {name.replace("_", "-"): value for name, value in headers.items()}, method=method
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, {k.lower(): v for k, v in error.headers.items()}, error.read()


def signed(s3: Any, operation: str = "get_object", seconds: int = 60, key: str = "film.mp4") -> str:
    return str(s3.generate_presigned_url(operation, Params={"Bucket": BUCKET, "Key": key}, ExpiresIn=seconds))


def test_a_presigned_url_serves_the_object_and_a_plain_one_does_not(emulator: Emulator, s3: Any) -> None:
    status, headers, body = fetch(signed(s3))
    assert (status, headers["content-type"], len(body)) == (200, "video/mp4", 10240)
    assert fetch(f"{emulator.endpoint}/{BUCKET}/film.mp4")[0] == 403


def test_a_range_is_answered_with_that_part_alone(s3: Any) -> None:
    status, headers, body = fetch(signed(s3), Range="bytes=256-511")
    assert (status, headers["content-range"], body) == (206, "bytes 256-511/10240", bytes(range(256)))


def test_a_presigned_url_dies(s3: Any) -> None:
    url = signed(s3, seconds=1)
    assert fetch(url)[0] == 200
    time.sleep(2.1)
    status, _, body = fetch(url)
    assert status == 403
    assert b"expired" in body


def test_preflight_lets_through_what_the_rule_names_and_no_more(emulator: Emulator, s3: Any) -> None:
    def preflight(origin: str, method: str, headers: str = "content-type") -> tuple[int, dict[str, str], bytes]:
        return fetch(
            f"{emulator.endpoint}/{BUCKET}/film.mp4",
            "OPTIONS",
            Origin=origin,
            Access_Control_Request_Method=method,
            Access_Control_Request_Headers=headers,
        )

    status, headers, _ = preflight(ORIGIN, "PUT")
    assert status == 200
    assert headers["access-control-allow-origin"] == ORIGIN
    assert "PUT" in headers["access-control-allow-methods"]
    assert preflight("https://elsewhere.example", "PUT")[0] == 403
    assert preflight(ORIGIN, "DELETE")[0] == 403
    assert preflight(ORIGIN, "PUT", "x-other")[0] == 403


def test_only_a_named_origin_may_read_the_answer(s3: Any) -> None:
    assert fetch(signed(s3), Origin=ORIGIN)[1]["access-control-allow-origin"] == ORIGIN
    assert "access-control-allow-origin" not in fetch(signed(s3), Origin="https://elsewhere.example")[1]


def test_an_unconditional_deny_keeps_its_force(emulator: Emulator) -> None:
    client = emulator.client("s3", ROOT_KEY, ROOT_SECRET)
    client.create_bucket(Bucket="lyceum-test-closed")
    client.put_object(Bucket="lyceum-test-closed", Key="a", Body=b"a")
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::lyceum-test-closed/*",
    }
    client.put_bucket_policy(
        Bucket="lyceum-test-closed", Policy=json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    )
    url = client.generate_presigned_url("get_object", Params={"Bucket": "lyceum-test-closed", "Key": "a"})
    assert fetch(url)[0] == 403


def test_a_large_upload_arrives_whole_and_others_go_on_meanwhile(emulator: Emulator, s3: Any) -> None:
    film = os.urandom(50_000_000)
    waits: list[float] = []
    over = threading.Event()

    def ask() -> None:
        table = emulator.client("dynamodb")
        while not over.is_set():
            begun = time.monotonic()
            table.list_tables()
            waits.append(time.monotonic() - begun)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    try:
        assert fetch(signed(s3, "put_object", key="long.mp4"), "PUT", film, Content_Type="video/mp4")[0] == 200
    finally:
        over.set()
        asking.join()
    assert fetch(signed(s3, key="long.mp4"))[2] == film
    assert max(waits) < 3  # about 0.5 s on an idle machine


def test_a_bucket_is_emptied_of_what_was_deleted_in_it(emulator: Emulator) -> None:
    s3 = emulator.client("s3")
    s3.create_bucket(Bucket="once-full")
    s3.put_bucket_versioning(Bucket="once-full", VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket="once-full", Key="gone", Body=b"x")
    s3.delete_object(Bucket="once-full", Key="gone")
    there = s3.list_object_versions(Bucket="once-full")
    every = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in there["Versions"] + there["DeleteMarkers"]]
    s3.delete_objects(Bucket="once-full", Delete={"Objects": every})
    s3.delete_bucket(Bucket="once-full")
