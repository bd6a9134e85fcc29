"""Presigned URLs open what they were made for and nothing else, for whoever holds a key of the account."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from tests.lyceum_lab.emulator.conftest import Emulator
from tests.lyceum_lab.emulator.test_s3 import fetch

from lyceum_lab.emulator import ROOT_KEY, ROOT_SECRET

BUCKET = "lyceum-test-signed"
KEYS = ("a.txt", "b.txt", "a film/ü+é=&~.txt")


@pytest.fixture(scope="module")
def s3(emulator: Emulator) -> Any:
    client = emulator.client("s3", ROOT_KEY, ROOT_SECRET)
    client.create_bucket(Bucket=BUCKET)
    for key in KEYS:
        client.put_object(Bucket=BUCKET, Key=key, Body=key.encode())
    return client


def url(s3: Any, operation: str = "get_object", seconds: int = 60, **parameters: Any) -> str:
    return str(s3.generate_presigned_url(operation, Params={"Bucket": BUCKET, **parameters}, ExpiresIn=seconds))


def code(answer: tuple[int, dict[str, str], bytes]) -> tuple[int, str]:
    """Status and S3's error code."""
    found = re.search(rb"<Code>(.*?)</Code>", answer[2])
    return answer[0], found[1].decode() if found else ""


MISMATCH = (403, "SignatureDoesNotMatch")


@pytest.mark.parametrize("key", KEYS)
def test_a_right_url_opens_its_key_whatever_its_letters(s3: Any, key: str) -> None:
    status, headers, body = fetch(url(s3, Key=key, ResponseContentDisposition='attachment; filename="a b.txt"'))
    assert (status, body) == (200, key.encode())
    assert headers["content-disposition"] == 'attachment; filename="a b.txt"'


def test_every_operation_works_with_its_own_url(s3: Any) -> None:
    assert fetch(url(s3, "put_object", Key="c.txt"), "PUT", b"c")[0] == 200
    assert fetch(url(s3, "head_object", Key="c.txt"), "HEAD")[0] == 200
    assert b"<Key>c.txt</Key>" in fetch(url(s3, "list_objects_v2", Prefix="c"))[2]
    assert fetch(url(s3, "delete_object", Key="c.txt"), "DELETE")[0] == 204
    typed = url(s3, "put_object", Key="typed", ContentType="text/plain")
    assert fetch(typed, "PUT", b"c", Content_Type="text/plain")[0] == 200
    assert code(fetch(typed, "PUT", b"c", Content_Type="text/html")) == MISMATCH


@pytest.mark.parametrize(
    ("what", "pattern", "instead"),
    [
        ("another key", r"/a\.txt", "/b.txt"),
        ("the bucket itself", r"/a\.txt", ""),
        ("another signature", r"Signature=.{8}", "Signature=00000000"),
        ("a longer life", r"Expires=60", "Expires=604800"),
        ("another answer", r"$", "&response-content-type=text/html"),
        ("another version", r"$", "&versionId=null"),
        ("another host", r"127\.0\.0\.1", "localhost"),
    ],
)
def test_a_changed_url_is_refused(s3: Any, what: str, pattern: str, instead: str) -> None:
    right = url(s3, Key="a.txt")
    changed = re.sub(pattern, instead, right, count=1)
    assert changed != right, what
    assert code(fetch(changed)) == MISMATCH


def test_the_method_is_signed(s3: Any) -> None:
    right = url(s3, Key="a.txt")
    assert code(fetch(right, "PUT", b"overwritten")) == MISMATCH
    assert code(fetch(right, "DELETE")) == MISMATCH
    assert fetch(right, "HEAD")[0] == 403
    assert fetch(right)[2] == b"a.txt"


@pytest.mark.parametrize("operation", ["list_objects_v2", "list_object_versions", "get_bucket_policy", "delete_bucket"])
def test_no_operation_is_left_out(s3: Any, operation: str) -> None:
    method = "DELETE" if operation.startswith("delete") else "GET"
    assert code(fetch(url(s3, operation).replace("Signature=", "Signature=0"), method)) == MISMATCH


def test_a_signature_cannot_be_left_out_doubled_or_scoped_elsewhere(s3: Any) -> None:
    right = url(s3, Key="a.txt")
    malformed = (400, "AuthorizationQueryParametersError")
    assert code(fetch(re.sub(r"&X-Amz-Signature=\w+", "", right))) == malformed
    assert code(fetch(right + "&X-Amz-Signature=0")) == malformed
    assert code(fetch(right.replace("%2Fs3%2F", "%2Fec2%2F"))) == malformed
    assert code(fetch(right, Authorization="Basic eA==")) == (400, "InvalidArgument")
    assert code(fetch(right, X_Amz_Acl="public-read")) == (403, "AccessDenied")
    plain = right.partition("?")[0]
    assert code(fetch(f"{plain}?x=Signature=")) == (400, "InvalidRequest")
    assert code(fetch(f"{plain}?AWSAccessKeyId={ROOT_KEY}&Signature=x&Expires=9999999999")) == (400, "InvalidRequest")


def test_an_unknown_key_is_named_as_such(emulator: Emulator, s3: Any) -> None:
    assert code(fetch(url(emulator.client("s3"), Key="a.txt"))) == (403, "InvalidAccessKeyId")
    wrong = emulator.client("s3", ROOT_KEY, "another secret")
    assert code(fetch(url(wrong, Key="a.txt"))) == MISMATCH


def test_a_user_signs_until_the_key_is_taken_back(emulator: Emulator, s3: Any) -> None:
    iam = emulator.client("iam")
    iam.create_user(UserName="signer")
    key = iam.create_access_key(UserName="signer")["AccessKey"]
    right = url(emulator.client("s3", key["AccessKeyId"], key["SecretAccessKey"]), Key="a.txt")
    assert fetch(right)[0] == 200
    iam.update_access_key(UserName="signer", AccessKeyId=key["AccessKeyId"], Status="Inactive")
    assert code(fetch(right)) == (403, "InvalidAccessKeyId")


def test_an_assumed_role_signs_with_its_token(emulator: Emulator, s3: Any) -> None:
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}]}
    role = emulator.client("iam").create_role(RoleName="signer", AssumeRolePolicyDocument=json.dumps(trust))["Role"]
    made = emulator.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="test")["Credentials"]
    key, secret, token = made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"]
    right = url(emulator.client("s3", key, secret, token), Key="a.txt")
    assert fetch(right)[0] == 200
    assert code(fetch(right.replace("/a.txt", "/b.txt"))) == MISMATCH
    for other in (None, "another token"):
        assert code(fetch(url(emulator.client("s3", key, secret, other), Key="a.txt"))) == (400, "InvalidToken")


def test_a_preflight_needs_no_signature(s3: Any) -> None:
    rule = {"AllowedOrigins": ["https://learn.example"], "AllowedMethods": ["GET"]}
    s3.put_bucket_cors(Bucket=BUCKET, CORSConfiguration={"CORSRules": [rule]})
    forged = url(s3, Key="a.txt").replace("Signature=", "Signature=0")
    assert fetch(forged, "OPTIONS", Origin="https://learn.example", Access_Control_Request_Method="GET")[0] == 200
    assert code(fetch(forged, Origin="https://learn.example")) == MISMATCH
