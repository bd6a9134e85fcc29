"""`./lyceum prove cost`: the estimate forgets nothing that the code makes, its prices are of this year, its sums add
up, and the documents say what the command prints.

Whether the kept inventories are what the code makes needs Terraform: a test of the suite `terraform` plans both
environments and the account, and holds them against docs/cost/ (`plans`, which `--renew` uses too).
"""

from __future__ import annotations

import datetime
import json
import re
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any

from lyceum_lab import paths, platform
from lyceum_lab.proofs.report import Report, listed, require
from lyceum_lab.rehearsal import emulated, infrastructure
from lyceum_ops.console import out, step
from lyceum_ops.cost import LOADS, Load, Prices, command, show
from lyceum_ops.cost.inventory import FOLDER, Inventory, of_plan
from lyceum_ops.cost.rates import FREE, PRICED
from lyceum_ops.roots import Applied
from lyceum_ops.terraform import Inputs, Terraform

PROMISES = {
    "known": "every type of resource in infra/ has a price, or a reason why it is free",
    "fresh": "no price is older than 400 days, and none is of tomorrow",
    "cheaper": "dev costs less than prod under each load, and a load never costs less than a smaller one",
    "sums": "the parts, as they are printed, add up: quantity by price to lines, lines to fixed, usage and total",
    "written": "docs/cost.md and the README say what the command prints",
}
OLDEST = datetime.timedelta(days=400)


def prove() -> int:
    """Run the proof. Returns the exit code."""
    report = Report(PROMISES)
    prices, kept = Prices.read(), command.kept(paths.CHECKOUT)
    report.try_("known", lambda: every_type_is_known(paths.CHECKOUT / "infra", kept))
    report.try_("fresh", lambda: prices_are_fresh(prices, datetime.datetime.now(tz=datetime.UTC).date()))
    report.try_("cheaper", lambda: dev_is_cheaper(kept, prices))
    report.try_("sums", lambda: sums_add_up(kept, prices))
    report.try_("written", lambda: documents_are_up_to_date(paths.CHECKOUT, kept, prices))
    for name, found in show.every(kept, LOADS, prices).items():
        out.print(f"{name}: {', '.join(f'${one.total} with {one.load}' for one in found)}", markup=False)
    return report.close()


def every_type_is_known(infra: Path, kept: dict[str, Inventory]) -> str:
    files = [file for file in infra.rglob("*.tf") if ".terraform" not in file.parts]
    types = {kind for file in files for kind in re.findall(r'^\s*resource\s+"(\w+)"', file.read_text(), re.MULTILINE)}
    require(len(types) > 40, f"only {len(types)} types were found in {infra}")
    require(not (both := PRICED.keys() & FREE.keys()), f"both with a price and free: {listed(sorted(both))}")
    unknown = types - PRICED.keys() - FREE.keys()
    require(
        not unknown, f"nobody has said what these cost (src/lyceum_ops/cost/rates.py): {listed(sorted(unknown), 20)}"
    )
    require(
        not (gone := (PRICED.keys() | FREE.keys()) - types), f"in rates.py and not in infra/: {listed(sorted(gone))}"
    )
    made = {one.type for inventory in kept.values() for one in inventory.priced}
    made |= {kind for inventory in kept.values() for kind in inventory.free}
    require(not (lost := types - made), f"in the code and in no inventory (--renew): {listed(sorted(lost))}")
    return (
        f"{len(types)} types: {len(types & PRICED.keys())} with a price, {len(types & FREE.keys())} free with a reason"
    )


def prices_are_fresh(prices: Prices, today: datetime.date) -> str:
    old = [one.id for one in prices.values() if today - one.date > OLDEST]
    require(not old, f"look these up again, and give them their new date: {listed(old)}")
    early = [one.id for one in prices.values() if one.date > today]
    require(not early, f"dated after today: {listed(early)}")
    return f"{len(prices)} prices, the oldest of {prices.oldest}; {len(prices.unchecked)} are marked as unchecked"


def dev_is_cheaper(kept: dict[str, Inventory], prices: Prices) -> str:
    loads = [Load.of(0, 0), *LOADS, Load.of(5000, 10)]
    found = show.every(kept, loads, prices)
    for dev, prod in zip(found["dev"], found["prod"], strict=True):
        require(dev.total < prod.total, f"with {dev.load}, dev costs {dev.total} and prod {prod.total}")
    for name, estimates in found.items():
        totals = [one.total for one in estimates]
        require(totals == sorted(totals), f"{name}: {listed(totals)}")
    said = [f"{' and '.join(str(found[name][i].total) for name in ('dev', 'prod'))} with {loads[i]}" for i in (0, -1)]
    return "; ".join(said)


def sums_add_up(kept: dict[str, Inventory], prices: Prices) -> str:
    """Held against what a reader has: the command's JSON, and the price table."""
    lines = 0
    for name in kept:
        printed: list[str] = []
        command.run(paths.CHECKOUT, name, asked=list(LOADS), as_json=True, say=printed.append)
        for load in json.loads("\n".join(printed), parse_float=Decimal)["loads"]:
            for line in load["lines"]:
                exact = Decimal(line["quantity"]) * prices[line["price"]].usd
                require(
                    abs(exact - line["usd"]) <= Decimal("0.005"),
                    f"{name}: {line['what']} is {exact}, not {line['usd']}",
                )
            parts = {kind: sum(Decimal(one["usd"]) for one in load["lines"] if one["kind"] == kind)
                     for kind in ("fixed", "usage")}  # fmt: skip
            for kind, dollars in parts.items():
                require(dollars == load[kind], f"{name}: {kind} is {load[kind]}, and its lines are {dollars}")
            whole = sum(parts.values())
            require(whole == load["total"], f"{name}: the total is {load['total']}, and its parts are {whole}")
            lines += len(load["lines"])
    return f"{lines} lines of {len(kept)} environments under {len(LOADS)} loads"


def documents_are_up_to_date(checkout: Path, kept: dict[str, Inventory], prices: Prices) -> str:
    wanted = show.documents(checkout, kept, prices)
    old = [file.name for file, whole in wanted.items() if not file.exists() or file.read_text() != whole]
    require(not old, f"made from something else: {listed(old)}; run {show.WRITE}")
    return ", ".join(file.name for file in wanted)


# ------------------------------------------------------------------------------------ the inventories, from the code


def renew() -> None:
    """Plan the code for an empty emulated account, and keep what the plans consist of in docs/cost/."""
    folder = paths.CHECKOUT / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        for name, shown in plans(Path(work)).items():
            (folder / f"{name}.json").write_text(of_plan(shown).as_json())
    command.write(paths.CHECKOUT)


def hold_against(name: str, shown: dict[str, Any]) -> None:
    """Raise Broken unless an applied state consists of what the kept inventory of the environment counts."""
    kept = json.loads((paths.CHECKOUT / FOLDER / f"{name}.json").read_text())
    found = json.loads(of_plan(shown).as_json())
    differing = [
        key
        for part in ("priced", "free")
        for key in sorted(kept[part].keys() | found[part].keys())
        if kept[part].get(key) != found[part].get(key)
    ]
    require(not differing, f"{name}: docs/cost/ counts something else (prove cost --renew): {listed(differing)}")


def plans(work: Path) -> dict[str, dict[str, Any]]:
    """Terraform's JSON of a plan of each environment, and of the account, for an empty emulated account."""
    infrastructure.isolate()
    logs = work / "logs"
    logs.mkdir()
    emulator, endpoint = emulated.start(logs, {})
    try:
        tool = Terraform.prepare(paths.TOOLS)
        tool = Terraform(tool.binary, tool.cli_config, infrastructure.aws_environment(endpoint))
        infrastructure.prepare_account(infrastructure.Session.of(tool.env))
        found = {"bootstrap": _plan("bootstrap", "bootstrap", infrastructure.BOOTSTRAP_VARIABLES, tool, work)}
        for name, variables in infrastructure.PLATFORM_VARIABLES.items():
            found[name] = _plan("platform", name, variables, tool, work)
        return found
    finally:
        platform.stop(emulator)


def _plan(kind: str, name: str, variables: dict[str, str], tool: Terraform, work: Path) -> dict[str, Any]:
    with step(f"plan {name} for an empty account"):
        root = Applied(
            kind=kind,
            name=name,
            key=name,
            tool=tool,
            session=None,
            account=infrastructure.ACCOUNT,
            source=paths.CHECKOUT / "infra",
            work=work / name,
            log=work / "logs" / "terraform.log",
        ).root
        # Nothing is applied: the state is empty, and may as well lie here.
        (root.folder / "backend.tf").unlink(missing_ok=True)
        root.init()
        file = work / f"{name}.tfplan"
        given = (root.folder / "env" / f"{name}.tfvars",) if kind == "platform" else ()
        root.plan(file, inputs=Inputs(given, variables))
        return root.show(file)
