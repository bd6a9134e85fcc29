"""Budgets: who hears of one, a change of its limit, its tags. No bill exists here and no letter is written."""

from __future__ import annotations

from typing import Any

from moto.budgets.models import Budget, budgets_backends

from lyceum_lab.emulator import ACCOUNT
from lyceum_lab.emulator.fillers import Service
from lyceum_lab.emulator.wire import ApiError, Call

budgets = Service("budgets")
NO_TAGS = "moto's budgets have no tags, and Terraform's default tags go onto each"


def _find(name: str) -> Budget:
    found = budgets_backends[ACCOUNT]["aws"].budgets[ACCOUNT].get(name)
    if found is None:
        raise ApiError("NotFoundException", f"Unable to get budget: {name} - the budget doesn't exist.")
    return found


@budgets.stub("DescribeSubscribersForNotification", because="moto keeps who hears of a budget and cannot be asked")
def subscribers(call: Call) -> dict[str, Any]:
    wanted = _identity(call.parameters["Notification"])
    for each in _find(call.parameters["BudgetName"]).notifications:
        if _identity(each.details) == wanted:
            return {"Subscribers": each.subscribers}
    raise ApiError("NotFoundException", "Unable to find the notification.")


def _identity(notification: dict[str, Any]) -> tuple[str, str, float, str]:
    """By which AWS tells a budget's notifications apart."""
    return (
        notification["NotificationType"],
        notification["ComparisonOperator"],
        float(notification["Threshold"]),
        notification.get("ThresholdType", "PERCENTAGE"),
    )


@budgets.stub("UpdateBudget", because="moto cannot change a budget, and operators change its limit")
def update(call: Call) -> dict[str, Any]:
    new = call.parameters["NewBudget"]
    budget = _find(new["BudgetName"])
    # moto answers with times as numbers, as they come in over the wire.
    kept = {name: budget.budget[name] for name in ("TimePeriod", "LastUpdatedTime")}
    budget.budget = {**{name: value for name, value in new.items() if name not in kept}, **kept}
    return {}


@budgets.note("CreateBudget", because=NO_TAGS)
def remember_tags(call: Call, _: dict[str, Any]) -> None:
    name = call.parameters["Budget"]["BudgetName"]
    budgets.table("tags")[_arn(name)] = {tag["Key"]: tag["Value"] for tag in call.parameters.get("ResourceTags", [])}


@budgets.note("DeleteBudget", because=NO_TAGS)
def forget_tags(call: Call, _: dict[str, Any]) -> None:
    budgets.table("tags").pop(_arn(call.parameters["BudgetName"]), None)


@budgets.stub("ListTagsForResource", because=NO_TAGS)
def list_tags(call: Call) -> dict[str, Any]:
    tags = budgets.table("tags").get(call.parameters["ResourceARN"], {})
    return {"ResourceTags": [{"Key": key, "Value": value} for key, value in tags.items()]}


def _arn(name: str) -> str:
    return f"arn:aws:budgets::{ACCOUNT}:budget/{name}"
