"""The emulator with instance refreshes that end at once, where nothing boots: what the pipeline waits for, told short.

`./lyceum release` and its bad days are tried elsewhere (tests/lyceum_ops/releases); here it is one step of many.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from moto.autoscaling.models import autoscaling_backends

from lyceum_lab.emulator import ACCOUNT, fillers, server
from lyceum_lab.emulator.fillers import Service
from lyceum_lab.emulator.wire import ApiError, Call

autoscaling = Service("autoscaling", needed_by="the test of the pipeline")
WHY = "the test of the pipeline waits for no server"


def _group(call: Call) -> Any:
    return autoscaling_backends[ACCOUNT][call.region].autoscaling_groups[call.parameters["AutoScalingGroupName"]]


@autoscaling.stub("StartInstanceRefresh", because=WHY)
def start(call: Call) -> dict[str, Any]:
    group, wanted = _group(call), call.parameters["DesiredConfiguration"]["LaunchTemplate"]
    if not str(wanted["Version"]).isdecimal():
        raise ApiError("ValidationError", "no literal version")
    for state in list(group.instance_states):
        group.autoscaling_backend.ec2_backend.terminate_instances([state.instance.id])
    group.instance_states = []
    group.launch_template_version = group.provided_launch_template_version = str(wanted["Version"])
    group.set_desired_capacity(group.desired_capacity)
    group.autoscaling_backend.update_attached_target_groups(group.name)
    kept = autoscaling.table("refreshes").setdefault(group.name, [])
    kept.insert(0, {"InstanceRefreshId": f"refresh-{len(kept)}", "AutoScalingGroupName": group.name,
                    "Status": "Successful", "PercentageComplete": 100,
                    "DesiredConfiguration": call.parameters["DesiredConfiguration"]})  # fmt: skip
    return {"InstanceRefreshId": kept[0]["InstanceRefreshId"]}


@autoscaling.stub("DescribeInstanceRefreshes", because=WHY)
def describe(call: Call) -> dict[str, Any]:
    kept = autoscaling.table("refreshes").get(call.parameters["AutoScalingGroupName"], [])
    wanted = call.parameters.get("InstanceRefreshIds")
    return {"InstanceRefreshes": [one for one in kept if not wanted or one["InstanceRefreshId"] in wanted]}


@autoscaling.edit("DescribeAutoScalingGroups", because="moto gives every server the template's default version")
def show_versions(call: Call, result: dict[str, Any]) -> bool:
    for group in result["AutoScalingGroups"]:
        for one in group["Instances"]:
            one["LaunchTemplate"] = dict(group["LaunchTemplate"])
    return True


if __name__ == "__main__":
    assert fillers.entries(), Path(__file__)
    server.SETTINGS["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "false"
    server.create(int(sys.argv[1])).run()
