"""From the API's description to a configuration that haproxy accepts."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from tests.lyceum_lab.cloud.balancer.conftest import GROUP, described
from tests.lyceum_lab.emulator.conftest import Emulator

from lyceum_lab.cloud.balancer import configuration
from lyceum_lab.cloud.balancer.described import Balancer, Fixed, Forward, Listener, Redirect, read
from lyceum_ops.errors import LyceumError


def written(balancer: Balancer, **told: Path) -> str:
    return configuration.write(balancer, control=Path("/tmp/control.sock"), key="test", **told)  # type: ignore[arg-type]


@pytest.mark.standins
@pytest.mark.parametrize(
    "balancer",
    [
        described(),
        described(routing__http__xff_header_processing__mode="remove", routing__http__xff_client_port__enabled="true"),
        described(routing__http__xff_header_processing__mode="preserve"),
        replace(described(), listeners=(Listener(80, False, Fixed(503, "text/html", "<b>'\"$x\\</b>")),)),
        replace(
            described(),
            listeners=(Listener(80, False, Redirect("HTTPS", "a.example", "443", "/x", "a=b", 302)),),
        ),
    ],
)
def test_haproxy_accepts_it_without_a_warning(balancer: Balancer, tmp_path: Path) -> None:
    file = tmp_path / "haproxy.cfg"
    file.write_text(written(balancer))
    done = subprocess.run(["haproxy", "-c", "-f", str(file)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr


def test_time_limits_are_those_of_the_attributes() -> None:
    text = written(described(idle_timeout__timeout_seconds="47", client_keep_alive__seconds="900"))
    for limit in ("client", "server", "http-keep-alive"):
        assert f"timeout {limit} 47000ms" in text
    assert "timeout connect 10s" in text
    assert "ge 900 }" in text


@pytest.mark.parametrize(("scale", "interval"), [(1, 10_000), (20, 500)])
def test_the_scale_divides_intervals_and_no_count_and_no_limit(scale: float, interval: int) -> None:
    group = described().groups[GROUP]
    assert configuration.server(group, scale, "10.0.1.7", 8000).startswith(
        f"10.0.1.7:8000 check inter {interval}ms rise 2 fall 3 "
    )
    assert "timeout check 5000ms" in written(described())


@pytest.mark.parametrize(
    ("matcher", "path", "said"),
    [("200 }", "/healthz", "codes"), ("200", "/a b", "path"), ("200", "healthz", "path"), ("200", "/\nx", "path")],
)
def test_what_could_be_read_as_haproxys_own_language_is_refused(matcher: str, path: str, said: str) -> None:
    balancer = described()
    group = balancer.groups[GROUP]
    check = replace(group.check, matcher=matcher, path=path)
    with pytest.raises(LyceumError, match=said):
        written(replace(balancer, groups={GROUP: replace(group, check=check)}))


def test_tls_wants_a_certificate() -> None:
    balancer = described()
    with pytest.raises(LyceumError, match="no certificate is given"):
        written(replace(balancer, listeners=(replace(balancer.listeners[0], port=443, tls=True),)))


def test_it_is_read_through_the_api(emulator: Emulator) -> None:
    ec2, elb = emulator.client("ec2"), emulator.client("elbv2")
    vpc = ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=cidr, AvailabilityZone=zone)["Subnet"]["SubnetId"]
        for zone, cidr in {"us-east-1a": "10.7.0.0/24", "us-east-1b": "10.7.1.0/24"}.items()
    ]
    made = elb.create_load_balancer(Name="read", Subnets=subnets, Type="application")["LoadBalancers"][0]
    arn = made["LoadBalancerArn"]
    attributes = {"idle_timeout.timeout_seconds": "61", "routing.http.drop_invalid_header_fields.enabled": "true"}
    elb.modify_load_balancer_attributes(
        LoadBalancerArn=arn, Attributes=[{"Key": key, "Value": value} for key, value in attributes.items()]
    )
    group = elb.create_target_group(
        Name="read-servers-8000", Protocol="HTTP", Port=8000, VpcId=vpc, TargetType="instance",
        HealthCheckPath="/healthz", HealthCheckIntervalSeconds=10, HealthCheckTimeoutSeconds=4,
        HealthyThresholdCount=2, UnhealthyThresholdCount=3, Matcher={"HttpCode": "200-299"},
    )["TargetGroups"][0]["TargetGroupArn"]  # fmt: skip
    elb.modify_target_group_attributes(
        TargetGroupArn=group, Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "29"}]
    )
    elb.create_listener(
        LoadBalancerArn=arn, Protocol="HTTP", Port=80,
        DefaultActions=[{"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "Port": "443",
                                                                "StatusCode": "HTTP_301"}}],
    )  # fmt: skip
    forward = elb.create_listener(
        LoadBalancerArn=arn, Protocol="HTTP", Port=8080, DefaultActions=[{"Type": "forward", "TargetGroupArn": group}]
    )["Listeners"][0]["ListenerArn"]

    found = read(elb, "read")
    assert (found.idle_timeout, found.drops_invalid_headers, found.forwarded_for) == (61, True, "append")
    first, second = found.listeners
    assert first.action == Redirect("HTTPS", "#{host}", "443", "/#{path}", "#{query}", 301)
    assert (second.port, second.action) == (8080, Forward(group))
    servers = found.groups[group]
    assert (servers.port, servers.deregistration_delay, servers.algorithm) == (8000, 29, "round_robin")
    check = servers.check
    assert (check.path, check.port, check.interval, check.timeout) == ("/healthz", None, 10, 4)
    assert (check.healthy, check.unhealthy, check.matcher) == (2, 3, "200-299")

    elb.create_rule(
        ListenerArn=forward, Priority=1, Conditions=[{"Field": "path-pattern", "Values": ["/x"]}],
        Actions=[{"Type": "forward", "TargetGroupArn": group}],
    )  # fmt: skip
    with pytest.raises(LyceumError, match="rules of its own"):
        read(elb, "read")
