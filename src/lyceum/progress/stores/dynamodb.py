"""Progress in one DynamoDB table: `pk` = `USER#<id>#COURSE#<id>`, `sk` = `LESSON#<uuid>`, no index.

A report is one UpdateItem and no read: the buckets are added to a number set, the position is set on the condition that
it is newer. Only when it is not (a late or repeated report) a second, unconditional update adds the buckets alone. A
course is one Query on one partition. No index, because every report would be written to it a second time.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import UUID

from lyceum.progress.domain import LessonKey, LessonRecord, Watch
from lyceum.progress.errors import StoreUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_SK = "LESSON#"


def make_client() -> "DynamoDBClient":
    """A client that gives up within seconds: a learner's browser keeps the report and a worker thread is precious."""
    import boto3  # costs 30 MiB, so only where DynamoDB is used
    from botocore.config import Config

    return boto3.client(
        "dynamodb",
        region_name=os.environ.get("AWS_REGION") or None,  # which the tools of AWS read and boto3 by itself may not
        config=Config(
            connect_timeout=1,
            read_timeout=2,
            retries={"mode": "standard", "total_max_attempts": 3},
            max_pool_connections=16,
        ),
    )


class DynamoStore:
    """Raises StoreUnavailableError when DynamoDB cannot be reached or throttles; other faults are ours and pass."""

    def __init__(self, *, table: str, client: "DynamoDBClient | None" = None) -> None:
        self._table = table
        self._client = client if client is not None else make_client()

    def record(self, key: LessonKey, watch: Watch, *, complete_at: int, now_ms: int) -> LessonRecord:
        # an empty set is no legal value
        add = " ADD watched :watched" if watch.buckets else ""
        watched = {":watched": {"NS": [str(bucket) for bucket in sorted(watch.buckets)]}} if watch.buckets else {}
        names = {"#order": "position_order"}
        position = {":order": {"S": watch.order}, ":position": {"N": str(watch.position_ms)}}
        with _available():
            try:
                record = self._update(
                    key,
                    UpdateExpression=f"SET #order = :order, position_ms = :position{add}",
                    ConditionExpression="attribute_not_exists(#order) OR #order < :order",
                    ExpressionAttributeNames=names,
                    ExpressionAttributeValues=position | watched,
                )
            except self._client.exceptions.ConditionalCheckFailedException:
                if not watch.buckets:
                    return self.lesson(key)
                record = self._update(key, UpdateExpression=add.strip(), ExpressionAttributeValues=watched)
        if record.completed_at_ms is None and len(record.buckets) >= complete_at:
            return self.complete(key, now_ms=now_ms)
        return record

    def complete(self, key: LessonKey, *, now_ms: int) -> LessonRecord:
        with _available():
            return self._update(
                key,
                UpdateExpression="SET completed_at_ms = if_not_exists(completed_at_ms, :now)",
                ExpressionAttributeValues={":now": {"N": str(now_ms)}},
            )

    def lesson(self, key: LessonKey) -> LessonRecord:
        with _available():
            answer = self._client.get_item(TableName=self._table, Key=_key(key), ConsistentRead=True)
        return _as_record(answer.get("Item", {}))

    def course(self, *, user_id: int, course_id: int) -> Mapping[UUID, LessonRecord]:
        records: dict[UUID, LessonRecord] = {}
        more: dict[str, Any] = {}
        while True:
            with _available():
                page = self._client.query(
                    TableName=self._table,
                    KeyConditionExpression="pk = :pk AND begins_with(sk, :sk)",
                    ExpressionAttributeValues={":pk": {"S": _pk(user_id, course_id)}, ":sk": {"S": _SK}},
                    ConsistentRead=True,
                    **more,
                )
            for item in page["Items"]:
                records[UUID(item["sk"]["S"].removeprefix(_SK))] = _as_record(item)
            if "LastEvaluatedKey" not in page:
                return records
            more = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def _update(self, key: LessonKey, **request: Any) -> LessonRecord:
        answer = self._client.update_item(TableName=self._table, Key=_key(key), ReturnValues="ALL_NEW", **request)
        return _as_record(answer["Attributes"])


def _pk(user_id: int, course_id: int) -> str:
    return f"USER#{user_id}#COURSE#{course_id}"


def _key(key: LessonKey) -> dict[str, Any]:
    return {"pk": {"S": _pk(key.user_id, key.course_id)}, "sk": {"S": f"{_SK}{key.lesson_id}"}}


def _as_record(item: Mapping[str, Any]) -> LessonRecord:
    return LessonRecord(
        buckets=frozenset(int(bucket) for bucket in item.get("watched", {}).get("NS", ())),
        position_ms=int(item["position_ms"]["N"]) if "position_ms" in item else None,
        order=item.get("position_order", {}).get("S", ""),
        completed_at_ms=int(item["completed_at_ms"]["N"]) if "completed_at_ms" in item else None,
    )


_TEMPORARY = frozenset(
    {
        "InternalServerError",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "ThrottlingException",
        "TransactionConflictException",
    }
)


@contextmanager
def _available() -> Iterator[None]:
    from botocore import exceptions as failures

    try:
        yield
    except (failures.ConnectionError, failures.HTTPClientError) as error:  # no connection, no answer in time
        raise StoreUnavailableError("Your progress cannot be saved just now. It will be tried again.") from error
    except failures.ClientError as error:
        if error.response.get("Error", {}).get("Code") not in _TEMPORARY:
            raise
        raise StoreUnavailableError("Your progress cannot be saved just now. It will be tried again.") from error
