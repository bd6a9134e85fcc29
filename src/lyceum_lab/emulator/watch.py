"""CloudWatch that acts: metric filters count what is logged, alarms are evaluated and tell their topics.

Nothing happens by itself: time is given, over `POST /_lyceum/alarms`, so that a trial is quick and always the same:

    {"region": R, "at": [moment, …], "names": [alarm, …]}     moments in ISO 8601 with a time zone; no names: all alarms

The answer tells the states at each moment, each change of one, and each delivery: to which topic, who would have been
told, and if nobody, why not: the topic's policy and the policy of its key are asked whether CloudWatch may.
What is counted and decided is lyceum_lab.cloudwatch's.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from moto.cloudwatch.models import Alarm as MotoAlarm
from moto.cloudwatch.models import MetricAggregatedDatum, cloudwatch_backends
from moto.kms.models import kms_backends
from moto.logs.models import logs_backends
from moto.sns.models import sns_backends

from lyceum_lab.cloudwatch import alarms, patterns
from lyceum_lab.cloudwatch.series import Metric, Sample
from lyceum_lab.emulator import ACCOUNT
from lyceum_lab.iam.evaluate import Principal, Request, context, decide
from lyceum_lab.iam.policies import parse

CLOUDWATCH = "cloudwatch.amazonaws.com"
# What AWS asks of the key of an encrypted topic when a service publishes to it.
OF_THE_KEY = ("kms:GenerateDataKey", "kms:Decrypt")
# Moto calls an alarm that nobody has looked at OK; AWS calls it INSUFFICIENT_DATA.
UNLOOKED = "Unchecked: Initial alarm creation"

_history: list[dict[str, Any]] = []


def history() -> list[dict[str, Any]]:
    """Every change of a state so far."""
    return list(_history)


# ------------------------------------------------------------------------------------------------------ metric filters


def count(region: str, group: str, events: Iterable[Mapping[str, Any]]) -> int:
    """Let the group's metric filters see events, and publish what they count, at each event's own time.

    Returns how many were counted.
    Raises UnknownPattern, Undocumented, or NotImplementedError for what a filter of ours does not do.
    """
    told, counted = list(events), 0
    for each in logs_backends[ACCOUNT][region].filters.get_matching_filters(log_group_name=group):
        found = [event for event in told if patterns.matches(each["filterPattern"], event["message"])]
        for transformation in each["metricTransformations"]:
            if transformation.get("dimensions") or transformation.get("defaultValue") is not None:
                raise NotImplementedError(f"{each['filterName']}: dimensions and default values are not known here")
            value = float(transformation["metricValue"])  # $.field is not known here: a ValueError
            data = [
                {
                    "MetricName": transformation["metricName"],
                    "Value": value,
                    # Moto keeps times without a zone, and compares them with each other.
                    "Timestamp": datetime.fromtimestamp(event["timestamp"] / 1000, UTC).replace(tzinfo=None),
                }
                for event in found
            ]
            cloudwatch_backends[ACCOUNT][region].put_metric_data(transformation["metricNamespace"], data)
            counted += len(data)
    return counted


# ------------------------------------------------------------------------------------------------------------- alarms


class Samples:
    """What was published in a region, by metric and in the order of time."""

    def __init__(self, region: str) -> None:
        found: dict[Metric, list[Sample]] = defaultdict(list)
        for datum in cloudwatch_backends[ACCOUNT][region].metric_data:
            dimensions = frozenset((one.name or "", one.value or "") for one in datum.dimensions)
            moment = datum.timestamp if datum.timestamp.tzinfo else datum.timestamp.replace(tzinfo=UTC)
            if isinstance(datum, MetricAggregatedDatum):
                sample = Sample(moment, datum.min, datum.max, datum.sum, datum.sample_count)
            else:
                sample = Sample.of(moment, datum.value)  # type: ignore[attr-defined]
            found[Metric(datum.namespace, datum.name, dimensions)].append(sample)
        self._samples = {metric: sorted(these, key=lambda one: one.at) for metric, these in found.items()}
        self._moments = {metric: [one.at for one in these] for metric, these in self._samples.items()}

    def read(self, metric: Metric, start: datetime, end: datetime) -> list[Sample]:
        """Those from `start` on and before `end`."""
        moments = self._moments.get(metric, [])
        return self._samples.get(metric, [])[bisect_left(moments, start) : bisect_left(moments, end)]


def evaluate(region: str, moments: Iterable[datetime], names: Iterable[str] = ()) -> dict[str, Any]:
    """Evaluate alarms at each moment in turn, change their states, and tell their topics.

    Raises UnknownAlarm, and KeyError for an alarm that is not there.
    """
    there: dict[str, MotoAlarm] = cloudwatch_backends[ACCOUNT][region].alarms
    watched = [(there[name], alarms.parse(describe(there[name]))) for name in list(names) or sorted(there)]
    samples = Samples(region)
    told: dict[str, list[dict[str, Any]]] = {"states": [], "changes": [], "deliveries": []}
    for moment in moments:
        states = {}
        for kept, alarm in watched:
            before = alarms.NO_DATA if kept.state_reason == UNLOOKED else kept.state_value
            verdict = alarms.evaluate(alarm, samples.read, at=moment, state=before)
            states[alarm.name] = verdict.state
            if verdict.state == before and kept.state_reason != UNLOOKED:
                continue
            told["changes"].append(_change(kept, before, verdict, moment))
            if alarm.enabled and verdict.state != before:
                for topic in alarm.actions[verdict.state]:
                    told["deliveries"].append(_deliver(region, topic, alarm, verdict.state, moment))
        told["states"].append({"at": moment.isoformat(), "states": states})
    return dict(told)


def _change(kept: MotoAlarm, before: str, verdict: alarms.Verdict, moment: datetime) -> dict[str, Any]:
    points = ", ".join("-" if value is None else f"{value:g}" for value in verdict.points)
    reason = f"Threshold {kept.comparison_operator} {kept.threshold}: {points}"
    kept.update_state(reason, json.dumps({"points": verdict.points}), verdict.state)
    change = {
        "alarm": kept.name,
        "at": moment.isoformat(),
        "from": before,
        "to": verdict.state,
        "points": list(verdict.points),
    }
    _history.append(change)
    return change


def _deliver(region: str, topic: str, alarm: alarms.Alarm, state: str, moment: datetime) -> dict[str, Any]:
    sns = sns_backends[ACCOUNT][region]
    refused = "there is no such topic" if topic not in sns.topics else _refused(region, topic, alarm.arn)
    told: list[str] = []
    if not refused:
        sns.topics[topic].publish(
            json.dumps({"AlarmName": alarm.name, "NewStateValue": state, "StateChangeTime": moment.isoformat()}),
            subject=f'{state}: "{alarm.name}" in {region}',
        )
        told = [str(one.endpoint) for one in sns.subscriptions.values() if one.topic.arn == topic]
    return {
        "alarm": alarm.name,
        "at": moment.isoformat(),
        "state": state,
        "topic": topic,
        "told": told,
        "refused": refused,
    }


def _refused(region: str, topic: str, alarm: str) -> str:
    """Why CloudWatch may not publish for the alarm; "" when it may."""
    who = Principal("", "", service=CLOUDWATCH)
    told = context(
        {
            "aws:SourceArn": alarm,
            "aws:SourceAccount": ACCOUNT,
            "aws:SecureTransport": True,
            "aws:PrincipalIsAWSService": True,
        }
    )
    kept = sns_backends[ACCOUNT][region].topics[topic]
    policy = parse(topic, json.loads(kept.policy))
    decision = decide(who, Request("sns:Publish", topic, told), policy, alone=True)
    if not decision.allowed:
        return f"the topic's policy: not allowed {decision.reason}"
    if key := kept.kms_master_key_id:
        kms = kms_backends[ACCOUNT][region]
        try:
            found = kms.keys[kms.get_key_id(kms.get_key_id_from_alias(key) or key)]
        except KeyError:
            return f"there is no key {key}"
        own = parse(found.arn, json.loads(found.policy))
        for action in OF_THE_KEY:
            decision = decide(who, Request(action, found.arn, told), own, alone=True)
            if not decision.allowed:
                return f"the policy of the topic's key: {action} is not allowed {decision.reason}"
    return ""


def describe(kept: MotoAlarm) -> dict[str, Any]:
    """An alarm of moto's in the API's own form."""
    return {
        "AlarmName": kept.name,
        "AlarmArn": kept.alarm_arn,
        "Namespace": kept.namespace,
        **({"MetricName": kept.metric_name} if kept.metric_name else {}),
        "Dimensions": [{"Name": one.name, "Value": one.value} for one in kept.dimensions],
        "Statistic": kept.statistic,
        "ExtendedStatistic": kept.extended_statistic,
        "Unit": kept.unit,
        "Period": kept.period,
        "EvaluationPeriods": kept.evaluation_periods,
        "DatapointsToAlarm": kept.datapoints_to_alarm,
        "Threshold": kept.threshold,
        "ComparisonOperator": kept.comparison_operator,
        "TreatMissingData": kept.treat_missing_data,
        "EvaluateLowSampleCountPercentile": kept.evaluate_low_sample_count_percentile,
        "ActionsEnabled": kept.actions_enabled,
        "AlarmActions": kept.alarm_actions,
        "OKActions": kept.ok_actions,
        "InsufficientDataActions": kept.insufficient_data_actions,
        "Metrics": [_query(one) for one in kept.metric_data_queries],
    }


def _query(kept: Any) -> dict[str, Any]:
    told: dict[str, Any] = {
        "Id": kept.id,
        "ReturnData": kept.return_data not in (False, "false"),
        "Expression": kept.expression,
    }
    if stat := kept.metric_stat:
        dimensions = [{"Name": one.name, "Value": one.value} for one in stat.metric.dimensions]
        metric = {"Namespace": stat.metric.namespace, "MetricName": stat.metric.metric_name, "Dimensions": dimensions}
        told["MetricStat"] = {"Metric": metric, "Period": stat.period, "Stat": stat.stat}
    return told
