"""What somebody should know of before anything is done: alarms that ring, and Terraform's state with its lock."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from lyceum_ops.checks import Account, Check, Found, fail, ok, warn
from lyceum_ops.doctor.pages import missing, name, page
from lyceum_ops.roots import find_state

# An apply takes a quarter of an hour, a first one three quarters.
DEAD = timedelta(hours=2)
ACCOUNT_ALARMS = "lyceum-audit-"


def alarms(asking: Account) -> Found:
    prefix = name(asking)
    own = asking.all("cloudwatch", "describe_alarms", "MetricAlarms", AlarmNamePrefix=f"{prefix}-")
    if not own:
        return missing("alarm of the environment")
    found = [*own, *asking.all("cloudwatch", "describe_alarms", "MetricAlarms", AlarmNamePrefix=ACCOUNT_ALARMS)]
    ringing = sorted((each for each in found if each["StateValue"] == "ALARM"),
                     key=lambda each: not _wakes(each.get("AlarmDescription", "")))  # fmt: skip
    if ringing:
        names = [each["AlarmName"].removeprefix(f"{prefix}-").removeprefix(ACCOUNT_ALARMS) for each in ringing]
        verdict = fail if _wakes(ringing[0].get("AlarmDescription", "")) else warn
        return verdict(f"{len(ringing)} of {len(found)} ring: {', '.join(names)}", page(names[0]))
    if mute := sum(not each.get("ActionsEnabled", True) for each in found):
        return warn(f"{mute} of {len(found)} would tell nobody", page("drift"))
    return ok(f"none of {len(found)} rings")


def _wakes(description: str) -> bool:
    return description.startswith("wake:")


def state(asking: Account) -> Found:
    key = f"platform-{asking.environment}"
    kept = find_state(asking, asking.who.account, key)
    if not kept.region:
        return missing(f"bucket {kept.bucket}: bootstrap was not applied in this account")
    if kept.region != asking.region:
        return fail(
            f"everything of this account lies in {kept.region}, and {asking.region} was asked",
            f"export AWS_REGION={kept.region}",
        )
    if not kept.there:
        return missing(f"state of {asking.environment}: it was never applied, or was destroyed")
    lock = asking.ask("s3", "get_object", Bucket=kept.bucket, Key=f"{key}.tfstate.tflock")
    if lock is None:
        return ok(f"in {kept.bucket}, not locked")
    age = datetime.now(UTC) - lock["LastModified"]
    try:
        told = json.loads(lock["Body"].read())
    except ValueError:
        told = {}
    minutes = int(age.total_seconds() // 60)
    text = f"locked by {told.get('Who', 'somebody')} for {minutes} minutes, ID {told.get('ID', '?')}"
    return (fail if age > DEAD else warn)(text, page("state-lock-stuck"))


CHECKS = (
    Check("state", "s3:ListBucket, s3:GetObject", state),
    Check("alarms", "cloudwatch:DescribeAlarms", alarms),
)
