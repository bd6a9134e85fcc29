"""What is there to pay for: Terraform's JSON of a plan or a state, cut down to what a price depends on.

docs/cost/<environment>.json keeps one inventory an environment, so that an estimate needs neither Terraform nor AWS.
It is made from a plan: what a price depends on is written in the code and known before anything exists. What is not
(in which subnets something lies) is counted by zones, and a state tells the same.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lyceum_ops.changes import resources
from lyceum_ops.errors import LyceumError, Usage

Values = dict[str, Any]
FOLDER = Path("docs") / "cost"
RENEW = "./lyceum prove cost --renew"
UNKNOWN = object()


@dataclass(frozen=True)
class Resource:
    """Something that Terraform manages, and what its price depends on."""

    address: str
    type: str
    of: Mapping[str, Any]

    @property
    def group(self) -> str:
        """The address without the key that tells it from others made by the same code."""
        return re.sub(r"\[[^\]]*\]$", "", self.address)


@dataclass(frozen=True)
class Inventory:
    """The resources of one environment: those with a price, the free ones by type, and those that nobody knows."""

    environment: str
    region: str
    zones: int
    priced: tuple[Resource, ...]
    free: Mapping[str, int]
    unknown: tuple[str, ...] = ()

    def all(self, type_: str) -> list[Resource]:
        return [one for one in self.priced if one.type == type_]

    def as_json(self) -> str:
        """What docs/cost/ keeps, the same for the same resources."""
        if self.unknown:
            raise LyceumError(f"Nobody knows what these cost: {', '.join(self.unknown)}.", "Add them to rates.py.")
        whole = {
            "comment": f"What {self.environment} consists of, as far as it costs anything. Made by {RENEW}.",
            "environment": self.environment,
            "region": self.region,
            "zones": self.zones,
            "priced": {one.address: {"type": one.type, **one.of} for one in self.priced},
            "free": dict(sorted(self.free.items())),
        }
        return json.dumps(whole, indent=1) + "\n"


def inventories(folder: Path) -> dict[str, Inventory]:
    """The kept inventories by environment. Raises LyceumError for a file that holds none."""
    found = {}
    for file in sorted(folder.glob("*.json")):
        try:
            kept = json.loads(file.read_text())
            priced = tuple(Resource(a, v["type"], {k: x for k, x in v.items() if k != "type"})
                           for a, v in kept["priced"].items())  # fmt: skip
            found[file.stem] = Inventory(kept["environment"], kept["region"], kept["zones"], priced, kept["free"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise LyceumError(f"{file} is no inventory.", f"Make it again: {RENEW}.") from error
    return found


def read(file: Path) -> dict[str, Any]:
    """Terraform's JSON of a plan or a state. Raises Usage for anything else."""
    how = "Make it with terraform show -json."
    try:
        shown = json.loads(file.read_text())
    except OSError as error:
        raise Usage(f"{file} cannot be read: {error.strerror}.", how) from error
    except ValueError:
        shown = None
    if not isinstance(shown, dict) or "format_version" not in shown:
        raise Usage(f"{file} is not Terraform's JSON.", how)
    return require_known(shown, str(file))


def require_known(shown: dict[str, Any], name: str = "The plan") -> dict[str, Any]:
    """Returns what was given. Raises Usage for another version than 1, and for a plan that is no whole one."""
    version = str(shown.get("format_version"))
    if version.partition(".")[0] != "1":
        raise Usage(f"{name} is of format {version}, and this understands 1.", "Use the Terraform that made it, 1.x.")
    if shown.get("errored") or shown.get("complete") is False:
        raise Usage(f"{name} is of a plan that failed or was cut short.", "Plan again.")
    if not {"planned_values", "values"} & set(shown):
        raise Usage(f"{name} holds neither a plan nor a state: is the state empty?", "Name one that holds resources.")
    return shown


def of_plan(shown: Mapping[str, Any]) -> Inventory:
    """After a plan, or of a state."""
    values = shown.get("planned_values") or shown.get("values") or {}
    return _inventory(values, *_where(shown, values))


def before_plan(shown: Mapping[str, Any]) -> Inventory:
    """Before a plan; of a plan for an empty account, nothing."""
    values = shown.get("prior_state", {}).get("values", {})
    return _inventory(values, *_where(shown, shown.get("planned_values", {})))


def _where(shown: Mapping[str, Any], values: Mapping[str, Any]) -> tuple[str, str]:
    """Environment and region, "" where nothing says so: a plan's variables do, a state's outputs and buckets."""
    variables, found = shown.get("variables", {}), list(resources(values.get("root_module", {}), mode="managed"))
    said = variables.get("environment", {}) or values.get("outputs", {}).get("environment", {})
    environment = said.get("value") or ("bootstrap" if any(one["type"] == "aws_cloudtrail" for one in found) else "")
    buckets = (one["values"].get("region") for one in found if one["type"] == "aws_s3_bucket")
    region = variables.get("region", {}).get("value") or next(filter(None, buckets), "")
    return str(environment), str(region)


def _inventory(values: Mapping[str, Any], environment: str, region: str) -> Inventory:
    # Here, not above: rates.py describes resources in the words of this module.
    from lyceum_ops.cost.rates import FREE, PRICED

    found = list(resources(values.get("root_module", {}), mode="managed"))
    zones = len({one["values"].get("availability_zone") for one in found if one["type"] == "aws_subnet"} - {None})
    priced, unknown = [], []
    free: Counter[str] = Counter()
    for one in found:
        kind = one["type"]
        if kind in PRICED:
            try:
                kept = KEPT.get(kind, _nothing)(one["values"])
            except (KeyError, TypeError, IndexError, AttributeError) as error:
                raise LyceumError(
                    f"{one['address']} does not say what its price depends on: {error}.", "Is it applied only half?"
                ) from error
            # A plan for an empty account does not know the subnets yet; there is one a zone.
            priced.append(Resource(one["address"], kind, {k: zones if v is UNKNOWN else v for k, v in kept.items()}))
        elif kind in FREE:
            free[kind] += 1
        else:
            unknown.append(one["address"])
    priced.sort(key=lambda one: one.address)
    return Inventory(environment, region, zones, tuple(priced), dict(sorted(free.items())), tuple(sorted(unknown)))


# ------------------------------------------------------------------------------- what the price of a type depends on


def _nothing(_: Values) -> Values:
    return {}


def _first(values: Values, name: str) -> Values:
    """The block `name`, of which there is one at most."""
    blocks = values.get(name) or [{}]
    return dict(blocks[0] or {})


def _server(values: Values) -> Values:
    volumes = [mapping["ebs"][0] for mapping in values.get("block_device_mappings") or [] if mapping.get("ebs")]
    volumes += values.get("root_block_device") or []
    monitoring = values.get("monitoring")
    return {
        "instance_type": values["instance_type"],
        "detailed": bool(monitoring[0].get("enabled") if isinstance(monitoring, list) and monitoring else monitoring),
        "unlimited": _first(values, "credit_specification").get("cpu_credits") == "unlimited",
        "volumes": [[one["volume_type"], one["volume_size"]] for one in volumes],
    }


def _policy(values: Values) -> Values:
    tracking = _first(values, "target_tracking_configuration")
    ours = _first(tracking, "customized_metric_specification").get("metrics") or []
    predefined = _first(tracking, "predefined_metric_specification").get("predefined_metric_type")
    cpu = predefined == "ASGAverageCPUUtilization"
    return {
        "metrics": sum(bool(one.get("metric_stat")) for one in ours) or 1,
        "cpu_target": tracking["target_value"] if cpu else None,
    }


def _alarm(values: Values) -> Values:
    queries = [_first(one, "metric") for one in values.get("metric_query") or [] if one.get("metric")]
    periods = [one["period"] for one in queries] or [values["period"]]
    return {"metrics": len(periods), "fast": min(periods) < 60}


def _database(values: Values) -> Values:
    return {
        "engine": values["engine"],
        "class": values["instance_class"],
        "multi_az": values["multi_az"],
        "gib": values["allocated_storage"],
        "storage": values["storage_type"],
        "keeps_secret": bool(values.get("manage_master_user_password")),
        "insights_days": values.get("performance_insights_retention_period") or 0,
        "metrics_seconds": values.get("monitoring_interval") or 0,
    }


def _backup(values: Values) -> Values:
    return {"rules": [[rule["schedule"], _first(rule, "lifecycle").get("delete_after")] for rule in values["rule"]]}


def _endpoint(values: Values) -> Values:
    kind = values["vpc_endpoint_type"]
    return {"kind": kind, "subnets": len(values.get("subnet_ids") or []) or (UNKNOWN if kind == "Interface" else 0)}


KEPT: dict[str, Callable[[Values], Values]] = {
    "aws_autoscaling_group": lambda v: {"min": v["min_size"], "max": v["max_size"]},
    "aws_autoscaling_policy": _policy,
    "aws_backup_plan": _backup,
    "aws_cloudtrail": lambda v: {"selectors": len(v.get("event_selector") or v.get("advanced_event_selector") or [])},
    "aws_cloudwatch_log_group": lambda v: {"days": v["retention_in_days"]},
    "aws_cloudwatch_log_metric_filter": lambda v: {"metrics": len(v["metric_transformation"])},
    "aws_cloudwatch_metric_alarm": _alarm,
    "aws_codebuild_project": lambda v: {"compute": _first(v, "environment")["compute_type"]},
    "aws_codepipeline": lambda v: {
        "builds": sum(one["provider"] == "CodeBuild" for stage in v["stage"] for one in stage["action"])
    },
    "aws_db_instance": _database,
    "aws_dynamodb_table": lambda v: {
        "mode": v["billing_mode"],
        "continuous": bool(_first(v, "point_in_time_recovery").get("enabled")),
        "indexes": len(v.get("global_secondary_index") or []),
    },
    "aws_efs_file_system": lambda v: {"throughput": v["throughput_mode"]},
    "aws_flow_log": lambda v: {"traffic": v["traffic_type"]},
    "aws_instance": _server,
    "aws_lambda_function": lambda v: {
        "mb": v["memory_size"],
        "architecture": (v.get("architectures") or ["x86_64"])[0],
    },
    "aws_launch_template": _server,
    "aws_lb": lambda v: {"kind": v["load_balancer_type"], "internal": bool(v.get("internal"))},
    "aws_scheduler_schedule": lambda v: {"schedule": v["schedule_expression"]},
    "aws_vpc_endpoint": _endpoint,
    "aws_wafv2_web_acl": lambda v: {"rules": len(v["rule"])},
}
