"""CloudTrail that records: what the API was asked, and what it refused, lands in the trail's log group within a moment.

With `--record-trail`, for a rehearsal; a proof writes events of its own and wants no others beside them. An event is
written into the log group of a trail that logs, its metric filters see it, and whoever then asks for alarms finds them
looked at. Real: who, what, when, from where, whether it was refused. Left out: what was asked for and answered
(`requestParameters`, `responseElements`), the files in the bucket, and what CloudTrail takes minutes for.

The calls of the lab itself are no customer's: its clients say so (`LAB`), and stand for services that act of their own.
"""

from __future__ import annotations

import json
import re
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.cloudtrail.models import cloudtrail_backends
from moto.cloudwatch.models import cloudwatch_backends
from moto.logs.models import logs_backends

from lyceum_lab.emulator import ACCOUNT, LAB, ROOT_KEY, lookup, watch
from lyceum_lab.emulator.wire import Answer, Call

# CloudTrail's names of calls that the API calls otherwise.
RENAMED = {
    ("s3", "PutBucketLifecycleConfiguration"): "PutBucketLifecycle",
    ("s3", "PutPublicAccessBlock"): "PutBucketPublicAccessBlock",
    ("s3", "DeletePublicAccessBlock"): "DeleteBucketPublicAccessBlock",
    ("lambda", "CreateFunction"): "CreateFunction20150331",
}
# Data events (CloudTrail User Guide, "Logging data events"): a trail of management events does not hold them.
DATA = {
    *(("s3", name) for name in (
        "CopyObject", "DeleteObject", "DeleteObjects", "GetObject", "HeadObject", "ListObjects", "ListObjectsV2",
        "ListObjectVersions", "PutObject", "GetObjectTagging", "PutObjectTagging",
    )),
    *(("dynamodb", name) for name in (
        "BatchGetItem", "BatchWriteItem", "DeleteItem", "GetItem", "PutItem", "Query", "Scan", "TransactGetItems",
        "TransactWriteItems", "UpdateItem",
    )),
    ("lambda", "Invoke"), ("logs", "PutLogEvents"), ("monitoring", "GetMetricData"), ("monitoring", "PutMetricData"),
    ("sns", "Publish"),
}  # fmt: skip
READS = ("Describe", "Get", "Head", "List", "Lookup", "Query", "Scan", "Simulate")
# How long after a counted event its alarms are looked at: the longest of them is over by then.
LOOKED = timedelta(minutes=30)
_CODE = re.compile(rb'<Code>([\w.]+)</Code>|"__type":\s*"(?:[^"]*#)?([\w.]+)"')


class Recording:
    """What a trail of the account is told. Nothing without a trail that logs to a group."""

    def __init__(self) -> None:
        self._look_until = datetime.fromtimestamp(0, UTC)

    def add(self, call: Call, answer: Answer) -> None:
        """Record a call that was answered. The caller holds the lock around moto."""
        kind = (call.service, call.operation)
        if not all(kind) or call.operation == "Preflight" or kind in DATA or of_the_lab(call):
            return
        found = _group()
        if found is None:
            return
        region, group = found
        now = datetime.now(UTC)
        event = {"timestamp": round(now.timestamp() * 1000), "message": json.dumps(_event(call, answer, now))}
        stream = f"{ACCOUNT}_CloudTrail_{region}"
        logs_backends[ACCOUNT][region].ensure_log_stream(group, stream)
        logs_backends[ACCOUNT][region].put_log_events(group, stream, [event])
        if watch.count(region, group, [event]):
            self._look_until = now + LOOKED

    def look(self) -> None:
        """Bring the alarms of the trail's group up to now, if there is anything that they could have seen."""
        found = _group()
        now = datetime.now(UTC)
        if found is None or now > self._look_until:
            return
        region, group = found
        # What was counted in this very moment counts.
        watch.evaluate(region, [now + timedelta(seconds=1)], _alarms(region, group))


def of_the_lab(call: Call) -> bool:
    """Whether a call comes from the lab's own clients, which hold the first key."""
    return call.access_key == ROOT_KEY and LAB in call.environ.get("HTTP_USER_AGENT", "")


def _group() -> tuple[str, str] | None:
    """Region and name of the log group of a trail that logs."""
    for region, backend in cloudtrail_backends[ACCOUNT].items():
        for trail in backend.trails.values():
            if trail.status.is_logging and trail.cw_log_group_arn:
                name = trail.cw_log_group_arn.split(":log-group:")[1].removesuffix(":*")
                if name in logs_backends[ACCOUNT][region].groups:
                    return region, name
    return None


def _alarms(region: str, group: str) -> list[str]:
    """The alarms on what the group's metric filters count."""
    filters = logs_backends[ACCOUNT][region].filters.get_matching_filters(log_group_name=group)
    counted = {(one["metricNamespace"], one["metricName"]) for each in filters for one in each["metricTransformations"]}
    there = cloudwatch_backends[ACCOUNT][region].alarms.values()
    return [alarm.name for alarm in there if (alarm.namespace, alarm.metric_name) in counted]


def record(
    who: dict[str, Any], service: str, name: str, *, at: str, region: str, address: str, agent: str, error: str = ""
) -> dict[str, Any]:
    """An API call as CloudTrail tells of it (User Guide, "CloudTrail record contents"); `error` is a refusal's code."""
    told: dict[str, Any] = {
        "eventVersion": "1.11",
        "userIdentity": who,
        "eventTime": at,
        "eventSource": f"{service}.amazonaws.com",
        "eventName": RENAMED.get((service, name), name),
        "awsRegion": region,
        "sourceIPAddress": address,
        "userAgent": agent,
        "requestParameters": None,
        "responseElements": None,
        "requestID": str(uuid.uuid4()),
        "eventID": str(uuid.uuid4()),
        "readOnly": name.startswith(READS),
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": ACCOUNT,
        "eventCategory": "Management",
    }
    return told | ({"errorCode": error} if error else {})


def _event(call: Call, answer: Answer, now: datetime) -> dict[str, Any]:
    error = ""
    if answer[0] >= 400:
        code = _CODE.search(answer[2])
        told = next(part for part in code.groups() if part).decode() if code else str(answer[0])
        # EC2's codes stand behind whose fault it was.
        error = f"Client.{told}" if call.service == "ec2" else told
    return record(
        _identity(call.access_key), call.service, call.operation, at=f"{now:%Y-%m-%dT%H:%M:%SZ}", region=call.region,
        address=call.environ.get("REMOTE_ADDR", ""), agent=call.environ.get("HTTP_USER_AGENT", ""), error=error,
    )  # fmt: skip


def _identity(key: str) -> dict[str, Any]:
    """CloudTrail User Guide, "CloudTrail userIdentity element"."""
    if key == ROOT_KEY:
        # The rehearsal's administrator, who is not root: nobody uses root.
        return _of_user(key, f"arn:aws:iam::{ACCOUNT}:user/administrator")
    if user := lookup.user(key):
        return _of_user(key, user.arn)
    if session := lookup.session(key):
        issuer = session.role.rsplit("/", 1)[-1]
        return {
            "type": "AssumedRole",
            "arn": session.arn,
            "accountId": ACCOUNT,
            "accessKeyId": key,
            "sessionContext": {
                "sessionIssuer": {"type": "Role", "arn": session.role, "accountId": ACCOUNT, "userName": issuer},
            },
        }
    return {"type": "Unknown", "accountId": "", "accessKeyId": key}


def _of_user(key: str, arn: str) -> dict[str, Any]:
    name = arn.rsplit("/", 1)[-1]
    return {"type": "IAMUser", "arn": arn, "accountId": ACCOUNT, "accessKeyId": key, "userName": name}
