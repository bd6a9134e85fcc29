"""`./lyceum smoke ENV`: whether what is live is what was released, healthy for the load balancer, and answers."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

from lyceum_ops import aws
from lyceum_ops.console import out, step
from lyceum_ops.errors import LyceumError
from lyceum_ops.releases.release import Production

# What a visitor without an account meets first.
PAGES = ("/healthz", "/accounts/login/")
PATIENCE = 60.0


def smoke(production: Production, *, version: str = "", url: str = "", patience: float = PATIENCE,
          sleep: Callable[[float], None] = time.sleep) -> None:  # fmt: skip
    """Raise LyceumError unless the servers run `version`, are healthy, and answer at `url`, where one is given."""
    name = production.environment
    with step("ask which release is live") as line:
        group = production.servers.group()
        live = production.live(group)
        line.note(f"{live.release}: {group.running()}")
        if version and live.release != version:
            raise LyceumError(f"{name} runs {live.release}, not {version}.", f"./lyceum releases {name} tells why.")
        if any(server.version != live.number for server in group.servers if server.state == "InService"):
            raise LyceumError(f"Not every server of {name} runs {live.release}: {group.running()}.")
    with step("ask the load balancer whether they are healthy") as line:
        deadline = time.monotonic() + patience
        while True:
            healthy, ill = _health(production.session, group.target_groups)
            line.note(f"{healthy} healthy, {len(ill)} not")
            if healthy and not ill:
                break
            if time.monotonic() > deadline:
                why = "; ".join(ill) or "no server is registered"
                raise LyceumError(f"The servers of {name} are not healthy: {why}.", "Their console output tells why.")
            sleep(2)
    if not url:
        out.print("No address was given (LYCEUM_URL): only operators reach it, and no page was asked for.")
    for page in PAGES if url else ():
        with step(f"open {url}{page}") as line:
            line.note(_open(url.rstrip("/") + page))


def _health(session: Any, target_groups: tuple[str, ...]) -> tuple[int, list[str]]:
    balancers, ill, healthy = session.client("elbv2"), [], 0
    with aws.asking("elasticloadbalancing"):
        told = [balancers.describe_target_health(TargetGroupArn=arn) for arn in target_groups]
    for one in [each for group in told for each in group["TargetHealthDescriptions"]]:
        state, why = one["TargetHealth"]["State"], one["TargetHealth"].get("Description", "no reason given")
        if state == "healthy":
            healthy += 1
        elif state != "draining":
            ill.append(f"{one['Target']['Id']} is {state} ({why})")
    return healthy, ill


def _open(url: str) -> str:
    began = time.monotonic()
    try:
        with urllib.request.urlopen(url, timeout=15) as answer:  # noqa: S310 - infra/ admits https alone
            answer.read(1)
            return f"{answer.status} in {time.monotonic() - began:.2f} s"
    except urllib.error.HTTPError as error:
        raise LyceumError(f"{url} answers {error.code}.") from error
    except (urllib.error.URLError, OSError, ValueError) as error:
        raise LyceumError(f"{url} does not answer: {getattr(error, 'reason', error)}.") from error
