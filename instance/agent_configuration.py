"""Writes the CloudWatch agent's configuration for this hour: python agent_configuration.py TEMPLATE TARGET.

The agent resolves `{date}` in a stream's name when it loads its configuration, never again. Streams of one hour each
are what lets the purge keep two days of logs (docs/decisions/0007), so that this runs each hour, and the agent is
restarted after it.
"""

import http.client
import json
import os
import sys
import time
from pathlib import Path
from string import Template
from typing import Any

PATIENCE = 5  # seconds for one answer of the metadata service
# placeholder → the setting that it stands for
SETTINGS = {
    "namespace": "LYCEUM_METRICS_NAMESPACE",
    "group": "LYCEUM_AUTOSCALING_GROUP",
    "system_log_group": "LYCEUM_SYSTEM_LOG_GROUP",
    "application_log_group": "LYCEUM_APPLICATION_LOG_GROUP",
}


class Refused(Exception):
    """The configuration cannot be written; the message says why."""


def instance_id() -> str:
    """This server's id, from the metadata service (version 2)."""
    address = os.environ.get("LYCEUM_METADATA", "169.254.169.254")
    token = _ask(address, "PUT", "/latest/api/token", {"X-aws-ec2-metadata-token-ttl-seconds": "60"})
    return _ask(address, "GET", "/latest/meta-data/instance-id", {"X-aws-ec2-metadata-token": token})


def _ask(address: str, method: str, path: str, headers: dict[str, str]) -> str:
    connection = http.client.HTTPConnection(address, timeout=PATIENCE)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        if answer.status != 200:
            raise Refused(f"the metadata service answers {answer.status} to {path}")
        return answer.read().decode().strip()
    except (OSError, http.client.HTTPException) as error:
        raise Refused(f"the metadata service does not answer: {error}") from error
    finally:
        connection.close()


def values(instance: str, now: float) -> dict[str, str]:
    """What stands for each placeholder of the template."""
    if missing := [setting for setting in SETTINGS.values() if not os.environ.get(setting)]:
        raise Refused(f"{missing[0]} is not set")
    return {
        **{name: os.environ[setting] for name, setting in SETTINGS.items()},
        "instance": instance,
        "hour": time.strftime("%Y-%m-%dT%H", time.gmtime(now)),
    }


def fill(template: Any, known: dict[str, str]) -> Any:
    """The template with every text in it filled in; after parsing, so that no value can break out of its text."""
    if isinstance(template, str):
        try:
            return Template(template).substitute(known)
        except (KeyError, ValueError) as error:
            raise Refused(f"the template holds {template!r}, which stands for nothing") from error
    if isinstance(template, list):
        return [fill(part, known) for part in template]
    if isinstance(template, dict):
        return {name: fill(part, known) for name, part in template.items()}
    return template


def main(template: Path, target: Path) -> None:
    configuration = fill(json.loads(template.read_text()), values(instance_id(), time.time()))
    target.parent.mkdir(parents=True, exist_ok=True)
    half = target.with_name(f".{target.name}.part")
    half.write_text(json.dumps(configuration, indent=2) + "\n")
    half.chmod(0o644)
    half.replace(target)


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), Path(sys.argv[2]))
    except (Refused, OSError) as error:
        sys.exit(f"lyceum: the CloudWatch agent gets no configuration: {error}")
