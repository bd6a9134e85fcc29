"""A load balancer as the API describes it. What is not understood is refused, never guessed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from lyceum_ops.errors import LyceumError


@dataclass(frozen=True)
class Forward:
    """To a target group, by its ARN."""

    group: str


@dataclass(frozen=True)
class Redirect:
    """Elsewhere; the parts may hold `#{host}`, `#{path}`, `#{port}`, `#{protocol}` and `#{query}`."""

    protocol: str
    host: str
    port: str
    path: str
    query: str
    code: int


@dataclass(frozen=True)
class Fixed:
    """An answer of the load balancer's own."""

    code: int
    content_type: str
    body: str


Action = Forward | Redirect | Fixed


@dataclass(frozen=True)
class Listener:
    """One port."""

    port: int
    tls: bool
    action: Action


@dataclass(frozen=True)
class HealthCheck:
    """Seconds, and how many in a row count."""

    path: str
    port: int | None  # None: the target's own
    interval: float
    timeout: float
    healthy: int
    unhealthy: int
    matcher: str


@dataclass(frozen=True)
class TargetGroup:
    """Who answers. Times in seconds."""

    arn: str
    name: str
    port: int
    check: HealthCheck
    deregistration_delay: float
    slow_start: float
    algorithm: str


@dataclass(frozen=True)
class Balancer:
    """A load balancer, its attributes by AWS's names."""

    arn: str
    name: str
    listeners: tuple[Listener, ...]
    groups: dict[str, TargetGroup]
    attributes: dict[str, str] = field(default_factory=dict)

    @property
    def idle_timeout(self) -> float:
        return float(self.attributes.get("idle_timeout.timeout_seconds", 60))

    @property
    def client_keep_alive(self) -> float:
        """How long a client's connection may be used at most, however busy it is."""
        return float(self.attributes.get("client_keep_alive.seconds", 3600))

    @property
    def drops_invalid_headers(self) -> bool:
        return self.attributes.get("routing.http.drop_invalid_header_fields.enabled") == "true"

    @property
    def forwarded_for(self) -> str:
        """ "append", "preserve" or "remove"."""
        return self.attributes.get("routing.http.xff_header_processing.mode", "append")

    @property
    def forwards_client_port(self) -> bool:
        return self.attributes.get("routing.http.xff_client_port.enabled") == "true"

    @property
    def http2(self) -> bool:
        return self.attributes.get("routing.http2.enabled", "true") == "true"


def read(elbv2: Any, name: str) -> Balancer:
    """The load balancer of that name, through a boto3 client. Raises LyceumError for what is not understood."""
    found = elbv2.describe_load_balancers(Names=[name])["LoadBalancers"][0]
    arn = str(found["LoadBalancerArn"])
    pairs = elbv2.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
    described = elbv2.describe_listeners(LoadBalancerArn=arn)["Listeners"]
    for listener in described:
        rules = elbv2.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
        if any(not rule["IsDefault"] for rule in rules):
            raise LyceumError(
                f"Listener {listener['Port']} of {name} has rules of its own, which are not understood here."
            )
    listeners = tuple(sorted((_listener(each) for each in described), key=lambda listener: listener.port))
    groups = {}
    for group in sorted({one.action.group for one in listeners if isinstance(one.action, Forward)}):
        told = elbv2.describe_target_groups(TargetGroupArns=[group])["TargetGroups"][0]
        attributes = elbv2.describe_target_group_attributes(TargetGroupArn=group)["Attributes"]
        groups[group] = _group(told, {each["Key"]: each.get("Value") or "" for each in attributes})
    attributes = {each["Key"]: each.get("Value") or "" for each in pairs}
    return Balancer(arn, name, listeners, groups, attributes)


def _listener(told: dict[str, Any]) -> Listener:
    if told["Protocol"] not in {"HTTP", "HTTPS"}:
        raise LyceumError(f"A listener of protocol {told['Protocol']} is not understood here.")
    if len(told["DefaultActions"]) != 1:
        raise LyceumError(f"Listener {told['Port']} has several actions, which are not understood here.")
    return Listener(
        port=int(told["Port"]),
        tls=told["Protocol"] == "HTTPS",
        action=_action(told["DefaultActions"][0]),
    )


def _action(told: dict[str, Any]) -> Action:
    kind = told["Type"]
    if kind == "forward":
        groups = [each["TargetGroupArn"] for each in (told.get("ForwardConfig") or {}).get("TargetGroups") or []]
        if len(groups) > 1:
            raise LyceumError("Weighted target groups are not understood here.")
        return Forward(str(told.get("TargetGroupArn") or groups[0]))
    if kind == "redirect":
        to = told["RedirectConfig"]
        return Redirect(
            protocol=str(to.get("Protocol") or "#{protocol}"),
            host=str(to.get("Host") or "#{host}"),
            port=str(to.get("Port") or "#{port}"),
            path=str(to.get("Path") or "/#{path}"),
            query=str(to.get("Query") or "#{query}"),
            code=int(str(to["StatusCode"]).removeprefix("HTTP_")),
        )
    if kind == "fixed-response":
        fixed = told["FixedResponseConfig"]
        return Fixed(int(fixed["StatusCode"]), str(fixed.get("ContentType") or "text/plain"),
                     str(fixed.get("MessageBody") or ""))  # fmt: skip
    raise LyceumError(f"A listener's action of type {kind} is not understood here.")


def _group(told: dict[str, Any], attributes: dict[str, str]) -> TargetGroup:
    if told.get("Protocol") != "HTTP":
        raise LyceumError(f"Target group {told['TargetGroupName']} speaks {told.get('Protocol')}, not HTTP.")
    if attributes.get("stickiness.enabled") == "true":
        raise LyceumError(f"Target group {told['TargetGroupName']} is sticky, which is not understood here.")
    port = str(told.get("HealthCheckPort") or "traffic-port")
    return TargetGroup(
        arn=str(told["TargetGroupArn"]),
        name=str(told["TargetGroupName"]),
        port=int(told["Port"]),
        check=HealthCheck(
            path=str(told.get("HealthCheckPath") or "/"),
            port=None if port == "traffic-port" else int(port),
            interval=float(told.get("HealthCheckIntervalSeconds") or 30),
            timeout=float(told.get("HealthCheckTimeoutSeconds") or 5),
            healthy=int(told.get("HealthyThresholdCount") or 5),
            unhealthy=int(told.get("UnhealthyThresholdCount") or 2),
            matcher=str((told.get("Matcher") or {}).get("HttpCode") or "200"),
        ),
        deregistration_delay=float(attributes.get("deregistration_delay.timeout_seconds") or 300),
        slow_start=float(attributes.get("slow_start.duration_seconds") or 0),
        algorithm=attributes.get("load_balancing.algorithm.type") or "round_robin",
    )
