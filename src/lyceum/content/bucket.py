"""Content in an S3 bucket: browsers fetch straight from it by presigned addresses, so no byte passes through an app
server.

`boto3` is loaded when a store is first used: a platform on a folder never pays its memory and start-up time.
"""

import os
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast
from urllib.parse import urlsplit

from lyceum.content.keys import MissingContentError, check
from lyceum.content.types import disposition

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class BucketStore:
    def __init__(self, bucket: str) -> None:
        self.bucket = bucket

    @cached_property
    def _client(self) -> "S3Client":
        import boto3
        from botocore.config import Config

        region = os.environ.get("AWS_REGION") or None  # which the tools of AWS read and boto3 by itself may not
        path_style = bool(os.environ.get("AWS_ENDPOINT_URL") or os.environ.get("AWS_ENDPOINT_URL_S3"))
        return boto3.client(
            "s3",
            region_name=region,
            config=Config(
                signature_version="s3v4",
                s3={"addressing_style": "path" if path_style else "virtual"},
                connect_timeout=5,
                read_timeout=20,
                retries={"max_attempts": 3, "mode": "standard"},
            ),
        )

    @cached_property
    def origin(self) -> str:
        parts = urlsplit(
            self._client.generate_presigned_url("get_object", Params={"Bucket": self.bucket, "Key": "a"}, ExpiresIn=60)
        )
        return f"{parts.scheme}://{parts.netloc}"

    def put(self, key: str, path: Path, *, content_type: str) -> None:
        # upload_file sends large files in parts; S3 shows an object only once it is whole.
        self._client.upload_file(str(path), self.bucket, check(key), ExtraArgs={"ContentType": content_type})

    def exists(self, key: str) -> bool:
        return self._head(key)

    def _head(self, key: str) -> bool:
        from botocore.exceptions import ClientError

        try:
            self._client.head_object(Bucket=self.bucket, Key=check(key))
        except ClientError as error:
            if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") == 404:
                return False
            raise
        return True

    def open(self, key: str) -> BinaryIO:
        try:
            body = self._client.get_object(Bucket=self.bucket, Key=check(key))["Body"]
        except self._client.exceptions.NoSuchKey as error:
            raise MissingContentError(f"Nothing is stored under {key!r}.") from error
        return cast(BinaryIO, body)

    def url(self, key: str, *, expires_seconds: int = 3600, download_name: str | None = None) -> str:
        params = {"Bucket": self.bucket, "Key": check(key)}
        if download_name:
            params["ResponseContentDisposition"] = disposition(download_name)
        return self._client.generate_presigned_url("get_object", Params=params, ExpiresIn=expires_seconds)

    def delete(self, key: str) -> None:
        self._client.delete_object(Bucket=self.bucket, Key=check(key))

    def list(self, prefix: str = "") -> Iterator[str]:
        for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix):
            for item in page.get("Contents", []):
                yield item["Key"]
