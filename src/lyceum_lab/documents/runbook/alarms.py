"""Which alarms Terraform declares, and which names infra/ gives to what it makes, read from the code itself."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ENVIRONMENTS = ("dev", "prod")
ACCOUNT = "123456789012"
# What else stands in a name, where the code leaves it to a variable with one value.
SETTLED = {"var.server_port": "8000", "local.purge_name": ""}


@dataclass(frozen=True)
class Alarms:
    """Names of alarms: an environment's (`lyceum-<env>-…`), the account's (`lyceum-audit-…`), and budgets."""

    environment: tuple[str, ...]
    account: tuple[str, ...]
    budgets: tuple[str, ...]


def declared(infra: Path) -> Alarms:
    """Every alarm of modules/alarms and modules/audit, every budget of bootstrap. Raises ValueError for others."""
    table = (infra / "modules" / "alarms" / "table.tf").read_text()
    watches = (infra / "modules" / "audit" / "watches.tf").read_text()
    budgets = re.findall(r'resource "aws_budgets_budget" "\w+" \{\s+name\s*=\s*"([^"]+)"', _all(infra / "bootstrap"))
    environment = tuple(_keys(table, "table_of_alarms"))
    account = (*_keys(watches, "behaviours"), *_keys(watches, "changes"))
    elsewhere = [
        str(path.relative_to(infra))
        for path in sorted(infra.rglob("*.tf"))
        if re.search(r'resource "aws_cloudwatch_(metric|composite)_alarm"', path.read_text())
        and path.parent.name not in {"alarms", "audit"}
    ]
    if elsewhere or not environment or not account or not budgets:
        raise ValueError(f"alarms are declared where the runbook does not look, or nowhere: {elsewhere}")
    return Alarms(environment, account, tuple(budgets))


def _keys(text: str, name: str) -> list[str]:
    """The keys of a map of Terraform, as its formatter indents them."""
    body = re.search(rf"^( *){name} = \{{\n(.*?)^\1\}}", text, re.MULTILINE | re.DOTALL)
    if not body:
        return []
    return re.findall(rf"^{body[1]}  ([a-z][a-z0-9_-]*)\s*= [{{\"]", body[2], re.MULTILINE)


def _all(folder: Path) -> str:
    return "\n".join(path.read_text() for path in sorted(folder.glob("*.tf")))


def names(infra: Path) -> set[str]:
    """Every name of a resource that infra/ gives, in dev and in prod; what holds another variable is left out."""
    found = declared(infra)
    made: set[str] = {f"lyceum-audit-{alarm}" for alarm in found.account}
    for environment in ENVIRONMENTS:
        name = f"lyceum-{environment}"
        made |= {name, f"Lyceum/{environment}"}
        made |= {f"{name}-{alarm}" for alarm in found.environment}
        made |= {f"{name}-{secret}" for secret in _keys((infra / "platform" / "main.tf").read_text(), "names")}
        roles = re.findall(r"^    (\w+)\s+= \{ tier", (infra / "platform" / "flows.tf").read_text(), re.MULTILINE)
        made |= {f"{name}-{role.replace('_', '-')}" for role in roles}
        for path in sorted(infra.rglob("*.tf")):
            made |= _literals(path, environment)
    return made


def _literals(path: Path, environment: str) -> set[str]:
    module = "lyceum-audit" if path.parent.name == "audit" else f"lyceum-{environment}"
    found = set()
    for literal in re.findall(r'= "([^"]*(?:lyceum|\$\{(?:var|local)\.name\})[^"]*)"', path.read_text(), re.IGNORECASE):
        text = re.sub(r"\$\{(?:var|local)\.name\}", module, literal)
        text = re.sub(r"\$\{(?:var\.)?environment\}|\$\{var\.environment\}", environment, text)
        text = re.sub(r"\$\{(?:local\.account|data\.aws_caller_identity\.current\.account_id)\}", ACCOUNT, text)
        for variable, value in SETTLED.items():
            text = text.replace(f"${{{variable}}}", value)
        if not re.search(r"[${} ]", text):
            found.add(text.removeprefix("alias/"))
    if path.parent.name == "audit":
        found.add("/lyceum/audit")
    return found


def named(text: str) -> list[str]:
    """What in a text looks like the name of a resource of ours."""
    return re.findall(r"(?<![\w./-])(?:lyceum-[a-z0-9-]*[a-z0-9]|/lyceum/[a-z/_-]*[a-z]|Lyceum/[a-z]+)", text)
