"""`docs/reference/alarms.md`: every alarm that infra/ declares, with its threshold, what it means and its page."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

from lyceum_lab import paths
from lyceum_lab.documents.reference import hcl, markdown
from lyceum_lab.documents.runbook import alarms

INFRA = paths.CHECKOUT / "infra"
HEAD = f"""{markdown.MADE}
# Alarms

`wake` means that learners cannot learn, now; `look`, that somebody sees to it on the next working day. Each name
leads to its page in [the runbook](../runbook/README.md), which says what to do.
"""
ACCOUNT = """
## Of the account: lyceum-audit-…

Each rings when the audit trail shows it once. A deployment rings some of them,
[and that is meant](../decisions/0015-deployments-ring.md).

"""
BUDGETS = """
## Budgets

"""


def page(infra: Path = INFRA) -> tuple[str, list[str]]:
    """The page, and each alarm of which something is not said."""
    declared = alarms.declared(infra)
    rows = hcl.table((infra / "modules" / "alarms" / "table.tf").read_text(), "table_of_alarms")
    watches = (infra / "modules" / "audit" / "watches.tf").read_text()
    audit = {**hcl.table(watches, "behaviours"), **hcl.table(watches, "changes")}
    faults = [
        f"alarm {name} does not say its {what}"
        for names, table, wanted in (
            (declared.environment, rows, ("severity", "meaning", "why", "threshold", "metrics", "periods", "period")),
            (declared.account, audit, ("meaning",)),
        )
        for name in names
        for what in wanted
        if not table.get(name, {}).get(what)
    ]
    defaults = _defaults(infra)
    parts = [HEAD, "\n## Of an environment: lyceum-ENV-…\n\n"]
    whole = {name: rows[name] for name in declared.environment if not any(f"alarm {name} " in one for one in faults)}
    parts.append(
        markdown.table(
            ("alarm", "severity", "rings when", "meaning", "why there"),
            (
                (_page(name), of("severity"), _condition(row, defaults), of("meaning"), of("why"))
                for name, row in whole.items()
                for of in (partial(_text, row),)
            ),
        )
    )
    parts += [ACCOUNT]
    parts.append(
        markdown.table(
            ("alarm", "meaning"), ((_page(name), _text(audit.get(name, {}), "meaning")) for name in declared.account)
        )
    )
    parts += [BUDGETS, *(f"- `{name}`: [cost-alarm](../runbook/cost-alarm.md)\n" for name in declared.budgets)]
    return "".join(parts), faults


def _page(name: str) -> str:
    return f"[{name}](../runbook/{name}.md)"


def _text(row: dict[str, str], part: str) -> str:
    return hcl.Block("", "", row).text(part)


def _condition(row: dict[str, str], defaults: dict[str, str]) -> str:
    """What is compared, and in how many of how many periods."""
    threshold = re.sub(r"var\.thresholds\.(\w+)", lambda found: defaults.get(found[1], found[0]), row["threshold"])
    if power := re.fullmatch(r"(\d+) \* pow\(1024, ([23])\)", threshold):
        threshold = f"{power[1]} {'MiB' if power[2] == '2' else 'GiB'}"
    what = _text(row, "expression") or " ".join(re.findall(r'name = "([^"]+)".*?stat = "([^"]+)"', row["metrics"])[0])
    periods = row["periods"]
    many = f"in {row.get('at_least', periods)} of {periods} periods of {row['period']} s"
    silence = ", or nothing is reported" if _text(row, "missing") == "breaching" else ""
    condition = markdown.code(f"{what} {_text(row, 'rings')} {threshold}")
    return f"{condition} {many}{silence}"


def _defaults(infra: Path) -> dict[str, str]:
    """The thresholds that a variable may change, as they are when it does not."""
    text = (infra / "modules" / "alarms" / "variables.tf").read_text()
    return dict(re.findall(r"(\w+)\s+= optional\(number, ([\d.]+)\)", text))
