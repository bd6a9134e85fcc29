"""Every alarm that is applied fires, recovers, and is heard, by data pushed through the API at times of our choice.

Each alarm goes through the same play, a period of its own at a time:

    good ones                       it is OK
    one bad one fewer than needed   it stays OK
    as many as needed               it rings, with the last of them and not before, and its topic tells the operator
    good ones again                 it is over, which a `wake` tells too
    bad ones, and then nothing      what silence leads to
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import cycle
from typing import Any
from urllib.error import HTTPError

from lyceum_lab import paths
from lyceum_lab.cloudwatch.alarms import BEYOND, parse
from lyceum_lab.emulator import pages
from lyceum_lab.proofs.report import Broken, listed, require
from lyceum_lab.proofs.watch import expected
from lyceum_lab.proofs.watch.expected import ALARM, FULL, KEPT, NOT_FULL, OK, Expected, Values
from lyceum_lab.proofs.watch.places import Places, find
from lyceum_lab.proofs.watch.published import combinations
from lyceum_lab.rehearsal.infrastructure import REGION, Session

OPERATOR = "operator@lyceum.example"
PAGES = paths.CHECKOUT / "docs" / "runbook"
# Lines of the platform's log that each count for a metric, in all their kinds.
REPORT = '{"level":"INFO","method":"POST","route":"/api/v1/progress/reports","status":%d,"duration_ms":8.5,"user_id":7}'
COUNTED = {
    "application-errors": ('{"level": "ERROR", "message": "x"}', '{"level": "CRITICAL"}'),
    "progress-reports-kept": (REPORT % 200,),
    "progress-reports-lost": tuple(REPORT % status for status in (400, 500, 502, 503)),
}
# Lines that count for none, and one that is not even JSON.
NOT_COUNTED = (
    '{"level": "INFO", "message": "an ERROR was mended"}', '{"level": "WARNING"}', "ERROR in plain text",
    *(REPORT % status for status in (301, 401, 403, 404, 409, 429)),
    *(REPORT.replace("reports", "anchors") % status for status in (200, 400, 503)),
    '{"level":"INFO","method":"GET","route":"/","status":500}',
)  # fmt: skip


def act(endpoint: str, moments: list[datetime], names: list[str]) -> dict[str, Any]:
    """Let the emulator evaluate alarms at each moment. Raises Broken with what it cannot."""
    told = {"region": REGION, "at": [moment.isoformat() for moment in moments], "names": names}
    try:
        return dict(pages.page(endpoint, "/_lyceum/alarms", told))
    except HTTPError as error:
        raise Broken(f"{listed(names)}: {json.load(error)['error']}") from error


def deployed(admin: Session) -> dict[str, dict[str, Any]]:
    """Every alarm of the account by its name, as the API tells it."""
    client = admin.client("cloudwatch")
    found: dict[str, dict[str, Any]] = {}
    for page in client.get_paginator("describe_alarms").paginate():
        require(not page.get("CompositeAlarms"), "there are composite alarms, which this proof does not know")
        found |= {alarm["AlarmName"]: alarm for alarm in page["MetricAlarms"]}
    return found


def complete(admin: Session, environments: tuple[str, ...]) -> str:
    """The alarms of the account are those that are known here; each has a page, and watches what is published."""
    found = deployed(admin)
    wanted = expected.account_names().union(*(expected.names(environment) for environment in environments))
    wrong = [f"{name} is not known here, so that nothing shows it ringing" for name in sorted(found.keys() - wanted)]
    wrong += [f"{name} is not there" for name in sorted(wanted - found.keys())]
    filters = admin.client("logs").get_paginator("describe_metric_filters").paginate()
    counted = {
        (transformation["metricNamespace"], transformation["metricName"])
        for page in filters
        for each in page["metricFilters"]
        for transformation in each["metricTransformations"]
    }
    for name, alarm in sorted(found.items()):
        wrong += [f"{name}: {problem}" for problem in _told_wrong(name, alarm)]
        for query in parse(alarm).queries:
            if query.metric:
                dimensions = tuple(sorted(dimension for dimension, _ in query.metric.dimensions))
                if dimensions not in combinations(query.metric.namespace, query.metric.name, counted):
                    wrong.append(f"{name}: nobody publishes {query.metric}")
    require(not wrong, listed(wrong, 12))
    return f"{len(found)} alarms, {len({_page(alarm) for alarm in found.values()})} pages"


def _page(alarm: Mapping[str, Any]) -> str:
    named = re.search(r" See docs/runbook/([a-z-]+)\.md\.$", alarm.get("AlarmDescription", ""))
    return named[1] if named else ""


def _told_wrong(name: str, alarm: Mapping[str, Any]) -> Iterator[str]:
    page = _page(alarm)
    if not page or not name.endswith(f"-{page}") or not (PAGES / f"{page}.md").is_file():
        yield f"its description names no page of the runbook for it: {alarm.get('AlarmDescription')}"
    severity = next((one.severity for one in expected.ALARMS if name.split("-", 2)[2] == one.name), "")
    if severity and not name.startswith("lyceum-audit-") and not alarm["AlarmDescription"].startswith(f"{severity}: "):
        yield f"it is not told to be one to {severity}"


@dataclass(frozen=True)
class Step:
    """One period: its data (None: silence), the state it has to end in ("" for any)."""

    data: Mapping[str, Values] | None
    state: str = ""


def play(alarm: Expected) -> list[Step]:
    """The periods of an alarm's play, in their order."""
    good = cycle(alarm.good)
    of, needs = alarm.looks_at, alarm.needs

    def calm(periods: int, state: str = "") -> list[Step]:
        return [Step(next(good), state) for _ in range(periods)]

    def bad(periods: int, state: str = "") -> list[Step]:
        return [Step(alarm.bad, state) for _ in range(periods)]

    # Bad ones as far apart as may be: all that are looked at count, not only the latest.
    fires = [*bad(1, ALARM if needs == 1 else OK), *calm(of - needs, OK if needs > 1 else ALARM)]
    fires += [*bad(max(0, needs - 2), OK), *bad(1, ALARM)] if needs > 1 else []
    # All that is looked at has to be empty before silence alone decides.
    silent = [*[Step(None)] * (of + BEYOND - 1)]
    steps = [*calm(of + BEYOND - 1), *calm(1, OK), *bad(needs - 1, OK), *calm(of, OK), *fires]
    steps += [*calm(of - 1), *calm(1, OK), *silent, Step(None, OK if alarm.silence == KEPT else alarm.silence)]
    steps += [*calm(of + BEYOND - 1), *calm(1, OK), *fires]
    steps += [*silent, Step(None, ALARM if alarm.silence == KEPT else alarm.silence)]
    return steps


def all_ring(admin: Session, environment: str) -> str:
    """Every alarm of an environment goes through its play. Raises Broken with what they did instead."""
    places = find(admin, environment)
    topic = f"arn:aws:sns:{REGION}:{places.account}:lyceum-{environment}-alarms"
    wrong: list[str] = []
    rung = periods = 0
    for alarm, until in in_turn(expected.of(environment)):
        try:
            periods += rings(admin, environment, alarm, places, topic, until=until)
            rung += 1
        except Broken as broken:
            wrong.append(str(broken))
    require(not wrong, listed(wrong, 12))
    return f"{environment}: {rung} plays, {periods} periods of data"


def in_turn(alarms: Iterable[Expected]) -> Iterator[tuple[Expected, datetime]]:
    """Each with the moment before which its play ends: they share metrics, and one's data would be another's."""
    filled: dict[tuple[str, str], datetime] = {}
    for alarm in alarms:
        metrics = {(one.namespace, one.name) for one in alarm.metrics.values()}
        until = min((filled[one] for one in metrics & filled.keys()), default=datetime.now(UTC))
        # What it looks at before its play is its own, too.
        taken = timedelta(seconds=alarm.period) * (len(play(alarm)) + alarm.looks_at + BEYOND + 1)
        filled |= dict.fromkeys(metrics, until - taken)
        yield alarm, until


def rings(
    admin: Session, environment: str, alarm: Expected, places: Places, topic: str, *, until: datetime | None = None
) -> int:
    """Put one alarm through its play, which ends before `until` or now; returns its periods.

    Raises Broken with the first step that ended otherwise.
    """
    name = f"lyceum-{environment}-{alarm.name}"
    steps = play(alarm)
    length = timedelta(seconds=alarm.period)
    # The past: AWS takes no data of the future, and none that is older than two weeks.
    begin = _whole_minute(until or datetime.now(UTC)) - length * (len(steps) + 1)
    ends = [begin + length * (number + 1) for number in range(len(steps))]
    _forget(admin, name)
    _push(admin, environment, alarm, places, [(end - length, step.data) for end, step in zip(ends, steps, strict=True)])
    told = act(admin.url, ends, [name])
    for number, (step, at) in enumerate(zip(steps, told["states"], strict=True)):
        state = at["states"][name]
        if step.state and state != step.state:
            before = " ".join(_sign(alarm, one) for one in steps[max(0, number - alarm.looks_at - 1) : number + 1])
            points = next((one["points"] for one in reversed(told["changes"]) if one["at"] <= at["at"]), "none")
            raise Broken(f"{name} is {state} and not {step.state} after {before}; the points it saw last: {points}")
    _heard(name, alarm, topic, told["deliveries"])
    return len(steps)


def _sign(alarm: Expected, step: Step) -> str:
    return "nothing" if step.data is None else "bad" if step.data is alarm.bad else "good"


def _heard(name: str, alarm: Expected, topic: str, deliveries: list[dict[str, Any]]) -> None:
    """Each time it rang the operator was told; of its end, only where somebody was woken; of a release's nobody."""
    deaf = [f"{one['topic']}: {one['refused'] or 'nobody subscribes'}" for one in deliveries
            if one["told"] != [OPERATOR] or one["topic"] != topic]  # fmt: skip
    require(not deaf, f"{name} is not heard: {listed(deaf)}")
    rang = [one["state"] for one in deliveries]
    if alarm.severity == "release":
        require(not rang, f"{name} tells people, and is for releases alone")
        return
    # Silence that is bad, and the bad periods after it, are one alarm.
    require(rang.count(ALARM) >= 2, f"{name} told of {rang.count(ALARM)} alarms, and rang twice at least")
    ends = rang.count(OK) > 0
    require(ends is (alarm.severity == "wake"), f"{name} {'tells' if ends else 'does not tell'} when it is over")


def _whole_minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)


def _forget(admin: Session, name: str) -> None:
    """A play begins where nobody has looked yet."""
    client = admin.client("cloudwatch")
    require(bool(client.describe_alarms(AlarmNames=[name])["MetricAlarms"]), f"{name} is not there")
    client.set_alarm_state(AlarmName=name, StateValue="INSUFFICIENT_DATA", StateReason="a play begins")


def _push(
    admin: Session,
    environment: str,
    alarm: Expected,
    places: Places,
    periods: list[tuple[datetime, Mapping[str, Values] | None]],
) -> None:
    if alarm.logged:
        _log(admin, environment, alarm, periods)
        return
    by_namespace: dict[str, list[dict[str, Any]]] = {}
    for start, data in periods:
        for key, values in (data or {}).items():
            metric = alarm.metrics[key]
            datum = {
                "MetricName": metric.name,
                "Dimensions": [
                    {"Name": dimension, "Value": place[1:] if place.startswith("=") else places.values[place]}
                    for dimension, place in metric.dimensions.items()
                ],
                "Timestamp": start + timedelta(seconds=1),
                "Values": [_number(value, places) for value, _ in values],
                "Counts": [float(times) for _, times in values],
            }
            by_namespace.setdefault(metric.namespace.format(env=environment), []).append(datum)
    client = admin.client("cloudwatch")
    for namespace, found in by_namespace.items():
        for first in range(0, len(found), 500):
            client.put_metric_data(Namespace=namespace, MetricData=found[first : first + 500])


def _number(value: float | str, places: Places) -> float:
    return float({FULL: places.full, NOT_FULL: places.full - 1}.get(str(value), value))


def _log(
    admin: Session,
    environment: str,
    alarm: Expected,
    periods: list[tuple[datetime, Mapping[str, Values] | None]],
) -> None:
    """As lines of the platform's log: so many for each metric, of all their kinds, among others."""
    logs = admin.client("logs")
    group, stream = f"/lyceum/{environment}/application", f"proof/{datetime.now(UTC):%Y-%m-%dT%H}"
    kinds = {key: cycle(COUNTED[metric.name]) for key, metric in alarm.metrics.items()}
    events = []
    for start, data in periods:
        for key, values in (data or {}).items():
            lines = [next(kinds[key]) for value, times in values for _ in range(int(value) * times)]
            moment = round((start + timedelta(seconds=1)).timestamp() * 1000)
            events += [{"timestamp": moment, "message": line} for line in (*lines, *NOT_COUNTED)]
    logs.create_log_stream(logGroupName=group, logStreamName=stream)
    # AWS takes a megabyte at once.
    for first in range(0, len(events), 5000):
        logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events[first : first + 5000])
    logs.delete_log_stream(logGroupName=group, logStreamName=stream)
