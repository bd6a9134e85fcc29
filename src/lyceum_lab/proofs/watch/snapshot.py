"""What is applied of observation in production and for the account, as a file: what the suites break to see it noticed.

`./lyceum prove watch --renew` writes it, and the proof says when it is not what is applied any more. What AWS names by
chance stands in it by what it is: `{balancer}`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from lyceum_lab import paths
from lyceum_lab.proofs.report import require
from lyceum_lab.proofs.watch.alarms import deployed
from lyceum_lab.proofs.watch.audit import trail
from lyceum_lab.proofs.watch.places import find
from lyceum_lab.rehearsal.infrastructure import Session

FILE = paths.CHECKOUT / "tests" / "lyceum_lab" / "proofs" / "watch" / "deployed.json"
ENVIRONMENT = "prod"
PREFIXES = (f"lyceum-{ENVIRONMENT}-", "lyceum-audit-")
# What PutMetricAlarm takes.
OF_AN_ALARM = (
    "AlarmName", "AlarmDescription", "ActionsEnabled", "OKActions", "AlarmActions", "InsufficientDataActions",
    "MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Dimensions", "Period", "Unit", "EvaluationPeriods",
    "DatapointsToAlarm", "Threshold", "ComparisonOperator", "TreatMissingData", "EvaluateLowSampleCountPercentile",
    "Metrics",
)  # fmt: skip
OF_A_FILTER = ("filterName", "filterPattern", "logGroupName", "metricTransformations")
OF_A_TRAIL = (
    "Name", "S3BucketName", "IsMultiRegionTrail", "IncludeGlobalServiceEvents", "LogFileValidationEnabled",
    "CloudWatchLogsLogGroupArn",
)  # fmt: skip


def take(admin: Session) -> dict[str, Any]:
    """Read it from the account."""
    places = find(admin, ENVIRONMENT)
    alarms = [
        {key: told[key] for key in OF_AN_ALARM if told.get(key) not in (None, [], "")}
        for name, told in sorted(deployed(admin).items())
        if name.startswith(PREFIXES)
    ]
    filters = [
        {key: told[key] for key in OF_A_FILTER}
        for page in admin.client("logs").get_paginator("describe_metric_filters").paginate()
        for told in page["metricFilters"]
        if told["filterName"].startswith(PREFIXES)
    ]
    found = {
        "full": places.full,
        "alarms": alarms,
        "filters": sorted(filters, key=lambda one: one["filterName"]),
        "topics": {prefix: _topic(admin, prefix) for prefix in PREFIXES},
        "trail": {key: trail(admin)[key] for key in OF_A_TRAIL},
    }
    text = json.dumps(found)
    # The longest first: a name may be a part of another.
    for place, value in sorted(places.values.items(), key=lambda one: -len(one[1])):
        text = text.replace(f'"{value}"', f'"{{{place}}}"')
    return dict(_in_order(json.loads(text)))


def _in_order(told: Any) -> Any:
    """Queries and dimensions are sets: each apply may send them in another order."""
    if isinstance(told, dict):
        return {key: _in_order(value) for key, value in told.items()}
    if isinstance(told, list):
        return sorted((_in_order(one) for one in told), key=lambda one: json.dumps(one, sort_keys=True))
    return told


def _topic(admin: Session, prefix: str) -> dict[str, Any]:
    """A topic's policy, that of its key, and who hears."""
    sns = admin.client("sns")
    (arn,) = [one["TopicArn"] for one in sns.list_topics()["Topics"] if one["TopicArn"].endswith(f":{prefix}alarms")]
    told = sns.get_topic_attributes(TopicArn=arn)["Attributes"]
    key = admin.client("kms").get_key_policy(KeyId=told["KmsMasterKeyId"], PolicyName="default")["Policy"]
    heard = [one["Endpoint"] for one in sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]]
    return {"policy": json.loads(told["Policy"]), "key": json.loads(key), "heard": heard}


def filled(values: Mapping[str, str]) -> dict[str, Any]:
    """The file, with such names in the place of AWS's."""
    text = FILE.read_text()
    for place, value in values.items():
        text = text.replace(f'"{{{place}}}"', f'"{value}"')
    return dict(json.loads(text))


def same(admin: Session) -> str:
    """Hold the file against what is applied. Raises Broken where it is another."""
    found, kept = take(admin), json.loads(FILE.read_text()) if FILE.exists() else {}
    wrong = sorted(key for key in found.keys() | kept.keys() if found.get(key) != kept.get(key))
    require(not wrong, f"{', '.join(wrong)} changed: ./lyceum prove watch --renew")
    return f"{len(found['alarms'])} alarms and {len(found['filters'])} filters"


def write(admin: Session) -> str:
    """Renew the file."""
    FILE.write_text(json.dumps(take(admin), indent=1, sort_keys=True) + "\n")
    return f"{FILE.relative_to(paths.CHECKOUT)} is written anew"
