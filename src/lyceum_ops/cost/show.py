"""How an estimate is shown: lines for people, JSON for programs, the page docs/cost.md and the README's table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from lyceum_ops.cost import prices as table
from lyceum_ops.cost.estimate import Difference, Estimate, Line, estimate
from lyceum_ops.cost.inventory import FOLDER, RENEW, Inventory
from lyceum_ops.cost.load import ASSUMPTIONS, LOADS, Load
from lyceum_ops.cost.prices import Prices
from lyceum_ops.cost.rates import FREE
from lyceum_ops.errors import LyceumError

WRITE = "./lyceum cost --write"
PAGE = Path("docs") / "cost.md"
README = Path("README.md")
BEGIN, END = f"<!-- cost: this table is made by {WRITE} -->", "<!-- cost: end -->"
NOT_COUNTED = (
    "data between zones ($0.01 a GB and direction: servers to the standby, to shared files, to the other zone's NAT "
    "gateway) and to other regions",
    "tax, support, and what free tiers and commitments would take off",
    "the domain and its Route 53 zone ($0.50 a month), which are the owner's and there before",
    "automated backups of RDS, free up to the size of the database, and a database that grows beyond its first size",
    "final snapshots, restores, and the drill that tries one",
    "old versions of rotated keys ($1 a month each, from the second year on)",
    "the deployment pipeline and its builds, which infra/ does not make yet",
    "searches in logs (Logs Insights), and the infrequent-access class that shared files move to",
    "attacks: what the firewall blocks is paid for as requests, and what it lets through as everything else",
)


def rows(estimates: Sequence[Estimate]) -> list[tuple[Line, list[Decimal]]]:
    """The lines of all loads of one environment beside each other, the dearest of the last load first."""
    found: dict[tuple[str, str, str], list[Decimal]] = {}
    lines: dict[tuple[str, str, str], Line] = {}
    for index, one in enumerate(estimates):
        for line in one.lines:
            lines[line.key] = line
            found.setdefault(line.key, [Decimal(0)] * len(estimates))[index] = line.usd
    return sorted(((lines[key], usd) for key, usd in found.items()), key=lambda row: (-row[1][-1], row[0].key))


def text(estimates: Sequence[Estimate], prices: Prices) -> list[str]:
    """What `./lyceum cost ENV` prints: a column of dollars for each load."""
    first = estimates[0]
    heads = [f"{one.load.learners} learners" for one in estimates]
    hours = [f"{one.load.hours.normalize():f} h each" for one in estimates]
    width = max(map(len, heads + hours)) + 2

    def columns(values: Iterable[object]) -> str:
        return "".join(f"{value!s:>{width}}" for value in values)

    out = [f"{first.environment} in {first.region or table.REGION}, US dollars a month, list prices", ""]
    out += [columns(heads), columns(hours)]
    for line, usd in rows(estimates):
        mark = " " if line.price.checked else "?"
        out.append(f"{columns(usd)} {mark} {line.kind:<5}  {line.what}: {_quantity(line)}  {line.address}")
    out += [
        columns("-" * (width - 2) for _ in estimates),
        f"{columns(one.fixed for one in estimates)}   fixed, whether anybody learns or not",
        f"{columns(one.usage for one in estimates)}   usage",
        f"{columns(one.total for one in estimates)}   total",
        "",
        doubts(prices, estimates[-1]),
    ]
    return out + notes(estimates)


def doubts(prices: Prices, last: Estimate) -> str:
    """How far the prices can be trusted, in one line."""
    return (
        f"? {len(prices.unchecked)} of {len(prices)} prices are unchecked: from memory, or seen in a text with an old "
        f"date or none. {last.unchecked} of the {last.total} dollars hang on them. The oldest of the others is of "
        f"{prices.oldest}."
    )


def notes(estimates: Sequence[Estimate]) -> list[str]:
    """What a reader of the sums has to know besides."""
    first = estimates[0]
    found = [f"With {one.load}: {note}" for one in estimates for note in one.notes]
    if first.region and first.region != table.REGION:
        found.append(f"It lies in {first.region}, and the prices are of {table.REGION}: others are up to half dearer.")
    if first.unknown:
        found.append(f"NOT COUNTED, as nobody has said what it costs (rates.py): {', '.join(first.unknown)}")
    return list(dict.fromkeys(found))


def difference_text(found: Difference) -> list[str]:
    """What `./lyceum cost ENV --plan FILE` prints below the table."""
    if not found.lines:
        return [f"The plan changes nothing that is paid for, with {found.after.load}."]
    out = [f"What the plan changes, US dollars a month, with {found.after.load}:"]
    for line, before, after in found.lines:
        out.append(f"{_signed(after - before):>12} {line.kind:<5}  {line.what}: {before} to {after}  {line.address}")
    return [*out, f"{_signed(found.usd):>12} from {found.before.total} to {found.after.total}"]


def as_json(estimates: Sequence[Estimate], change: Difference | None = None) -> dict[str, Any]:
    first = estimates[0]
    whole: dict[str, Any] = {
        "environment": first.environment,
        "region": first.region or table.REGION,
        "loads": [one.as_json() for one in estimates],
    }
    return {**whole, "change": change.as_json()} if change else whole


def _signed(usd: Decimal) -> str:
    return f"{usd:+}"


def _quantity(line: Line) -> str:
    short = f"{line.quantity:,.0f}" if line.quantity >= 100 else f"{line.quantity:.3g}"
    return f"{short} {line.price.unit} at ${line.price.usd.normalize():f}"


# --------------------------------------------------------------------------------------------------- the documents


def summary(estimates: Mapping[str, Sequence[Estimate]]) -> list[str]:
    """A Markdown table: an environment a row, a load a column."""
    loads = [one.load for one in next(iter(estimates.values()))]
    head = ["US dollars a month", "fixed", *(f"with {load}" for load in loads)]
    out = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    for name, found in estimates.items():
        once = "`bootstrap`, once an account" if name == "bootstrap" else f"`{name}`"
        out.append(f"| {once} | {found[0].fixed:.0f} | {' | '.join(f'{one.total:.0f}' for one in found)} |")
    return out


def page(estimates: Mapping[str, Sequence[Estimate]], prices: Prices) -> str:
    """docs/cost.md."""
    loads = [one.load for one in next(iter(estimates.values()))]
    out = [
        f"<!-- Made by `{WRITE}` from prices.yaml, load.py and docs/cost/*.json; change those. -->",
        "# What it costs",
        "",
        f"List prices on demand in {table.REGION}, in US dollars a month of 730 hours, without free tiers and tax. An "
        "estimate, not an offer: what AWS asks stands on its pages, which each price below names.",
        "",
        *summary(estimates),
        "",
        "```console",
        "$ ./lyceum cost dev                                    # this, by resource, for the two loads",
        "$ ./lyceum cost prod --learners 2000 --video-hours 6   # for a load of yours",
        "$ ./lyceum cost prod --assume video_mb_hour=900        # with another of the assumptions below",
        "$ terraform show -json the.tfplan > plan.json          # of a plan in infra/platform:",
        "$ ./lyceum cost prod --plan plan.json                  # what it will cost, and what the plan changes",
        "$ ./lyceum prove cost                                  # what keeps all this true",
        "```",
        "",
        f"{doubts(prices, next(iter(estimates.values()))[-1])} A row marked ? hangs on such a price.",
        "",
        "## Where the quantities come from",
        "",
        "With `--plan`, from Terraform's JSON of a plan or a state. Without, from an inventory of each environment in "
        f"[docs/{FOLDER.name}/]({FOLDER.name}/), so that neither AWS nor Terraform is needed: `{RENEW}` makes it by "
        "planning the code for an empty emulated account (about a minute), and a test of the suite `terraform` plans "
        "again and fails when it differs. A plan, not a state: what a price depends on is written in the code, and "
        "applying it would take minutes to say the same.",
        "",
    ]
    for name, found in estimates.items():
        out += [f"## {'`bootstrap`, once an account' if name == 'bootstrap' else f'`{name}`'}", ""]
        out += [
            f"| what | {' | '.join(str(load) for load in loads)} | | resource |",
            f"|---|{'---:|' * len(loads)}---|---|",
        ]
        for line, usd in rows(found):
            mark = "" if line.price.checked else " ?"
            out.append(f"| {line.what}{mark} | {' | '.join(map(str, usd))} | {line.kind} | `{line.address}` |")
        for what, kind in (("fixed", "fixed"), ("usage", "usage"), ("total", None)):
            sums = " | ".join(f"**{one.sum(kind)}**" for one in found)  # type: ignore[arg-type]
            out.append(f"| **{what}** | {sums} | | |")
        out += ["", *(f"{note}\n" for note in notes(found))]
    inputs = "The two inputs are learners and the hours of video that each watches in a month. The rest is assumed:"
    out += ["## The load", "", inputs, "", "| assumption | value | unit | source or reason |", "|---|---:|---|---|"]
    out += [f"| `{one.name}` | {one.value.normalize():f} | {one.unit} | {one.why} |" for one in ASSUMPTIONS]
    out += ["", "## What is not counted", "", *(f"- {one}" for one in NOT_COUNTED)]
    out += ["", "## What is free", "", "| resource | reason |", "|---|---|"]
    out += [f"| `{name}` | {reason} |" for name, reason in FREE.items()]
    out += [
        "",
        "## The prices",
        "",
        "| price | service | what | US dollars | unit | date | checked |",
        "|---|---|---|---:|---|---|---|",
    ]
    out += [
        f"| `{one.id}` | [{one.service}]({one.source}) | {one.what} | {one.usd.normalize():f} | {one.unit} "
        f"| {one.date} | {'yes' if one.checked else 'no'} |"
        for one in prices.values()
    ]
    return "\n".join(out) + "\n"


def readme(whole: str, estimates: Mapping[str, Sequence[Estimate]]) -> str:
    """The README with its table made anew. Raises LyceumError when it has no place for one."""
    pattern = re.compile(f"{re.escape(BEGIN)}\n.*?{re.escape(END)}", re.DOTALL)
    if len(pattern.findall(whole)) != 1:
        raise LyceumError(f"{README} has no place for the table of costs.", f"Put {BEGIN} and {END} into it.")
    block = "\n".join([BEGIN, *summary(estimates), "", largest(estimates), END])
    return pattern.sub(lambda _: block, whole)


def largest(estimates: Mapping[str, Sequence[Estimate]], most: int = 6) -> str:
    """A sentence about what costs most, from the environment that learners depend on."""
    name, found = list(estimates.items())[-2 if "bootstrap" in estimates else -1]
    fixed = [line for line in found[-1].lines if line.kind == "fixed"][:most]
    first = next(line for line in found[-1].lines if line.kind == "usage")
    parts = "; ".join(f"{line.what}, ${line.usd}" for line in fixed)
    each = f"${first.price.usd.normalize():f} a {first.price.unit}"
    return f"The largest parts of `{name}` with nobody there: {parts}. Of the load: {first.what}, {each}."


def documents(checkout: Path, kept: Mapping[str, Inventory], prices: Prices) -> dict[Path, str]:
    """What the page and the README should say, by file."""
    estimates = every(kept, LOADS, prices)
    return {
        checkout / PAGE: page(estimates, prices),
        checkout / README: readme((checkout / README).read_text(), estimates),
    }


def every(kept: Mapping[str, Inventory], loads: Sequence[Load], prices: Prices) -> dict[str, list[Estimate]]:
    """An estimate a load, by environment: what learners meet first, then what an account has once."""
    order = sorted(kept, key=lambda name: (name == "bootstrap", name))
    return {name: [estimate(kept[name], load, prices) for load in loads] for name in order}
