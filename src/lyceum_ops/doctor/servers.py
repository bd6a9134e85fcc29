"""What answers requests: the group, the targets behind the load balancer, the release, the certificate."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any

from lyceum_ops.checks import Account, Check, Found, fail, ok, warn
from lyceum_ops.doctor.pages import missing, name, page

# Days before its end: AWS renews at 60; the alarm rings at 21 (infra/modules/alarms).
LATE, TOO_LATE = 45, 21


def group(asking: Account) -> Found:
    wanted = name(asking, "servers")
    groups = asking.all("autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups",
                        AutoScalingGroupNames=[wanted])  # fmt: skip
    if not groups:
        return missing(f"group {wanted}")
    found = groups[0]
    states = [(server["LifecycleState"], server["HealthStatus"]) for server in found.get("Instances", [])]
    serving = states.count(("InService", "Healthy"))
    text = f"{serving} of {found['DesiredCapacity']} in service, {found['MaxSize']} at most"
    if not serving:
        return fail(text, page("no-healthy-server"))
    if serving < found["DesiredCapacity"]:
        return warn(text, page("unhealthy-servers"))
    if stopped := sorted(each["ProcessName"] for each in found.get("SuspendedProcesses", [])):
        return warn(f"{text}; suspended: {', '.join(stopped)}", page("scale-by-hand"))
    if found["DesiredCapacity"] >= found["MaxSize"] > 1:
        return warn(text, page("group-at-max"))
    return ok(text)


def targets(asking: Account) -> Found:
    prefix = name(asking, "servers-")
    groups = [
        each
        for each in asking.all("elbv2", "describe_target_groups", "TargetGroups")
        if each["TargetGroupName"].startswith(prefix)
    ]
    if not groups:
        return missing(f"target group {prefix}…")
    found = asking.ask("elbv2", "describe_target_health", TargetGroupArn=groups[0]["TargetGroupArn"]) or {}
    states = Counter(each["TargetHealth"]["State"] for each in found.get("TargetHealthDescriptions", []))
    text = ", ".join(f"{count} {state}" for state, count in sorted(states.items())) or "none is registered"
    if not states["healthy"]:
        return fail(text, page("no-healthy-server"))
    return warn(text, page("unhealthy-servers")) if states["unhealthy"] else ok(text)


def release(asking: Account) -> Found:
    running = [
        {"Name": "tag:Name", "Values": [name(asking, "server")]},
        {"Name": "instance-state-name", "Values": ["pending", "running"]},
    ]
    found = asking.all("ec2", "describe_instances", "Reservations", Filters=running)
    servers = [server for reservation in found for server in reservation["Instances"]]
    if not servers:
        return fail("no server runs", page("no-healthy-server"))
    releases = Counter(_tag(server, "Release") for server in servers)
    text = ", ".join(f"{release} on {count}" for release, count in sorted(releases.items()))
    if len(releases) > 1:
        return warn(f"{text}: one is under way, or was cut short", page("release"))
    if set(releases) <= {"none", ""}:
        return warn("none yet: servers show their waiting room", page("release"))
    return ok(text)


def _tag(thing: dict[str, Any], key: str) -> str:
    return next((str(tag["Value"]) for tag in thing.get("Tags", []) if tag["Key"] == key), "")


def certificate(asking: Account) -> Found:
    balancer = asking.ask("elbv2", "describe_load_balancers", Names=[name(asking)])
    if not balancer or not balancer["LoadBalancers"]:
        return missing(f"load balancer {name(asking)}")
    listeners = asking.all("elbv2", "describe_listeners", "Listeners",
                           LoadBalancerArn=balancer["LoadBalancers"][0]["LoadBalancerArn"])  # fmt: skip
    held = [each["CertificateArn"] for listener in listeners for each in listener.get("Certificates", [])]
    if not held:
        if asking.environment == "prod":
            return fail("no listener speaks TLS", page("certificate"))
        return ok("no domain, no certificate: plain HTTP for the operators' addresses")
    found = asking.ask("acm", "describe_certificate", CertificateArn=held[0])
    if found is None:
        return fail(f"the listener's certificate {held[0]} is gone", page("certificate"))
    told = found["Certificate"]
    if told["Status"] != "ISSUED":
        return fail(f"{told['DomainName']} is {told['Status']}", page("certificate"))
    days = (told["NotAfter"] - datetime.now(UTC)).days
    text = f"{told['DomainName']} ends in {days} days"
    if days <= TOO_LATE:
        return fail(text, page("certificate"))
    return warn(f"{text}, and AWS has not renewed it", page("certificate")) if days <= LATE else ok(text)


CHECKS = (
    Check("group", "autoscaling:DescribeAutoScalingGroups", group),
    Check("targets", "elasticloadbalancing:DescribeTargetGroups, elasticloadbalancing:DescribeTargetHealth", targets),
    Check("release", "ec2:DescribeInstances", release),
    Check("certificate",
          "elasticloadbalancing:DescribeLoadBalancers, elasticloadbalancing:DescribeListeners, acm:DescribeCertificate",
          certificate),
)  # fmt: skip
