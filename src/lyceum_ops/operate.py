"""`./lyceum bootstrap`, `plan`, `apply`, `destroy`, `unlock`: what an engineer, or CodeBuild, says to the real thing.

Each looks first whose credentials these are, in which account, and where the state lies; then Terraform plans into a
file; the plan is shown and asked about; exactly that plan is applied. Nothing is changed before the answer.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.markup import escape

from lyceum_ops import aws, saved_plans
from lyceum_ops.aws import Caller
from lyceum_ops.changes import Plan
from lyceum_ops.console import err, out, step
from lyceum_ops.cost.estimate import difference
from lyceum_ops.cost.show import difference_text, notes
from lyceum_ops.errors import Refused, Usage, WrongPlace
from lyceum_ops.processes import ENDING, handling
from lyceum_ops.roots import Applied, Bootstrap, Platform
from lyceum_ops.terraform import Inputs, Tally, Terraform

VARIABLES = "LYCEUM_VARIABLES"


@dataclass(frozen=True)
class Here:
    """Where this checkout keeps things: its infra/, what may be deleted when nothing runs, and tools it fetched."""

    infra: Path
    home: Path
    tools: Path


@dataclass(frozen=True)
class Asked:
    """What the command line says. `yes` answers the question about a plan, `yes_destroy` is a name typed beforehand."""

    values: dict[str, str] = field(default_factory=dict)
    files: tuple[Path, ...] = ()
    account: str = ""
    yes: bool = False
    yes_destroy: str = ""


def environments(here: Here) -> list[str]:
    """The environments that this checkout describes."""
    return sorted(path.stem for path in (here.infra / "platform" / "env").glob("*.tfvars"))


def require_environment(here: Here, environment: str) -> None:
    """Raise Usage for an environment that this checkout does not describe."""
    known = environments(here)
    if environment not in known:
        raise Usage(f"There is no environment named {environment!r}.", f"There are: {', '.join(known)}.")


def described(here: Here, environment: str, asked: Asked) -> Asked:
    """What is asked for, over what the environment's own file of variables says. Raises Usage where there is none."""
    require_environment(here, environment)
    return Asked(asked.values, (here.infra / "platform" / "env" / f"{environment}.tfvars", *asked.files))


def bootstrap(here: Here, *, asked: Asked, region: str = "") -> None:
    """Make or change what an account has once, as its administrator; the state ends up in the bucket that it made."""
    session = aws.session(region or None)
    caller = aws.identify(session)
    if caller.is_deployer:
        raise Refused(
            f"These are the deployer's credentials ({caller.arn}); bootstrap is the administrator's.",
            "Use an administrator's credentials.",
        )
    with _place(here, "bootstrap", asked, caller) as work:
        root = Bootstrap(**_arguments(here, session, caller, work))
        with step("find the state of bootstrap") as line:
            root.open()
            line.note(f"{root.local}, until its bucket exists" if root.is_first else f"in {_bucket(caller)}")
        wanted = region or setting("region", asked)
        _require_region(wanted, root.region, "The command line")
        lies = root.region or wanted or session.region_name
        _greet("bootstrap", caller, lies)
        plan = _plan(root, Inputs(asked.files, {"region": lies, **asked.values}))
        if plan.empty and root.is_first:
            # A first apply that was cut short between its last resource and the move.
            root.move_state()
        if _apply(root, plan, asked):
            _remember(here, root.key, caller)
            out.print(f"The account is bootstrapped; its state lies in {_bucket(caller)}.")


def plan(here: Here, environment: str, *, asked: Asked, out_file: Path | None = None) -> None:
    """Show what an apply would do to an environment, and to what it costs a month; change nothing.

    With `out_file` the plan is kept there, for `apply` to do exactly that (saved_plans.py).
    """
    with _environment(here, environment, asked) as (root, inputs):
        found = _plan(root, inputs)
        try:
            usd = "" if found.empty else _show_cost(found)
            if out_file:
                by = aws.identify(root.session).arn
                told = saved_plans.save(out_file, root, found, checkout=here.infra.parent, by=by, usd_month=usd)
                out.print(f"{out_file} keeps it: {told.summary}", markup=False)
        finally:
            root.forget(found)


def apply(here: Here, environment: str, *, asked: Asked, plan_file: Path | None = None) -> None:
    """Plan, show, ask, and do exactly what the plan says; or do exactly what a kept plan says, or nothing."""
    if plan_file:
        _apply_saved(here, environment, plan_file, asked)
        return
    with _environment(here, environment, asked) as (root, inputs):
        if _apply(root, _plan(root, inputs), asked):
            out.print(f"{environment} is applied.")


def _apply_saved(here: Here, environment: str, file: Path, asked: Asked) -> None:
    if asked.values or asked.files:
        raise Usage("A kept plan holds its variables already.", "Leave --var and --var-file away, or plan again.")
    told = saved_plans.read(file)
    with _environment(here, environment, asked) as (root, _):
        saved_plans.require_same(told, environment, account=root.account, checkout=here.infra.parent)
        with step(f"read the plan of {told.made}") as line:
            found = saved_plans.restore(file, told, root)
            line.note(told.summary)
        _show(found)
        if _apply(root, found, asked):
            out.print(f"{environment} is applied.")


def destroy(here: Here, environment: str, *, asked: Asked) -> None:
    """Destroy an environment that nothing protects, after its name was typed."""
    if asked.yes_destroy and asked.yes_destroy != environment:
        raise Refused(
            f"--yes-destroy names {asked.yes_destroy!r}, and the environment is {environment!r}.", "Nothing was done."
        )
    with _environment(here, environment, asked) as (root, inputs):
        if protected := root.protection():
            raise Refused(
                f"{environment} is protected, nothing was destroyed: {'; '.join(protected)}.",
                f"If it is to go, lift that first: ./lyceum apply {environment} --var protected=false.",
            )
        planned = _plan(root, inputs, destroy=True)
        if planned.empty or not planned.changes:
            root.forget(planned)
            out.print(f"There is nothing of {environment} to destroy.")
            return
        if _apply(root, planned, asked, destroy=True):
            out.print(f"{environment} is destroyed; its empty state stays in the bucket.")


def unlock(here: Here, name: str, lock: str, *, asked: Asked) -> None:
    """Remove the lock with the id `lock` from the state of an environment or of bootstrap."""
    if name == "bootstrap":
        session = aws.session()
        caller = aws.identify(session)
        with _place(here, name, asked, caller) as work:
            root = Bootstrap(**_arguments(here, session, caller, work))
            root.open()
            root.unlock(lock)
    else:
        with _environment(here, name, asked) as (platform, _):
            platform.unlock(lock)
    out.print(f"The state of {name} is unlocked.")


# ------------------------------------------------------------------------------------------------ what they share


@contextmanager
def _environment(here: Here, environment: str, asked: Asked) -> Iterator[tuple[Platform, Inputs]]:
    require_environment(here, environment)
    session = aws.session(setting("region", asked) or None)
    caller = aws.identify(session)
    with _place(here, f"platform-{environment}", asked, caller) as work:
        if not caller.is_deployer:
            err.print(
                f"[yellow]warning[/yellow]: {escape(caller.arn)}{', the root,' if caller.is_root else ''} is "
                "not the deployer (./lyceum login); what AWS allows to the one it may refuse to the other."
            )
        root = Platform(environment, **_arguments(here, session, caller, work))
        with step(f"find the state of {environment}") as line:
            root.open()
            line.note(f"in {_bucket(caller)}{', where it is new' if root.is_new else ''}")
        _remember(here, root.key, caller)
        files = (root.var_file, *asked.files)
        said = Asked(asked.values, files)
        _require_region(setting("region", said), root.region, f"{environment} (its .tfvars, or the command line)")
        _greet(environment, caller, root.region)
        region = {} if setting("region", said) else {"region": root.region}
        yield root, Inputs(files, {**region, **asked.values})


def _plan(root: Applied, inputs: Inputs, *, destroy: bool = False) -> Plan:
    with step(f"plan {'the end of ' if destroy else ''}{root.name}") as line:
        found = root.plan(inputs, destroy=destroy)
        line.note("nothing to change" if found.empty else found.counts())
    _show(found)
    return found


def _show(plan: Plan) -> None:
    """A line for each change, and what data they lose."""
    for text in plan.lines():
        out.print(text)
    if plan.lost:
        what = ", ".join(sorted({change.loses for change in plan.lost}))
        out.print(f"[bold red]This loses data: {len(plan.lost)} of the resources above hold it ({what}).[/bold red]")


def _show_cost(plan: Plan) -> str:
    """What the plan changes of the monthly bill, under `./lyceum cost`'s larger load; the sum as signed dollars."""
    found = difference(plan.shown)
    for text in (*difference_text(found), *notes((found.after,))):
        out.print(text, markup=False)
    return f"{found.usd:+.2f}"


def _apply(root: Applied, plan: Plan, asked: Asked, *, destroy: bool = False) -> bool:
    """Ask, then apply. Returns whether there was something to do."""
    if plan.empty:
        root.forget(plan)
        out.print("Nothing to change.")
        return False
    try:
        _confirm(root.name, plan, asked, destroy=destroy)
    except BaseException:
        root.forget(plan)
        raise
    tally = Tally()
    with step(f"{'destroy' if destroy else 'apply'} {root.name}") as line:

        def listen(event: dict[str, Any]) -> None:
            tally.add(event)
            line.note(str(tally))

        with handling(_wait_for_the_state, *ENDING):
            root.apply(plan, listener=listen)
    return True


def _wait_for_the_state(*_: object) -> None:
    """Say what an interruption waits for: however this process is asked to end, Terraform writes its state first."""
    for number in ENDING:
        signal.signal(number, signal.default_int_handler)
    err.print("interrupted: Terraform ends what it has begun and writes its state; a second Ctrl-C does not wait.")
    raise KeyboardInterrupt


def _confirm(name: str, plan: Plan, asked: Asked, *, destroy: bool) -> None:
    """Raise Refused unless somebody says yes: to what loses data by typing the name, to the rest with "yes"."""
    if destroy or plan.lost:
        if asked.yes_destroy == name:
            return
        wanted, option = name, f"--yes-destroy {name}"
        question = f"Type {name} to {'destroy it' if destroy else 'lose that data'}: "
    else:
        if asked.yes:
            return
        wanted, option = "yes", "--yes"
        question = f"Type yes to do this to {name}: "
    if not sys.stdin.isatty():
        raise Refused("Nobody can be asked, as this is no terminal; nothing was done.", f"Say it beforehand: {option}.")
    out.print(question, end="")
    out.file.flush()
    answer = sys.stdin.readline().strip()
    if answer != wanted:
        raise Refused(f"The answer was {answer!r} and not {wanted!r}; nothing was done.")


def _greet(name: str, caller: Caller, region: str) -> None:
    out.print(f"{name} in account {caller.account}, {region}, as {caller.arn}", markup=False)


def _bucket(caller: Caller) -> str:
    return f"lyceum-state-{caller.account}"


def _arguments(here: Here, session: Any, caller: Caller, work: Path) -> dict[str, Any]:
    tool = Terraform.prepare(here.tools, say=lambda text: out.print(text, markup=False))
    return {
        "tool": tool,
        "session": session,
        "account": caller.account,
        "source": here.infra,
        "work": work,
        "log": work / "terraform.log",
    }


@contextmanager
def _place(here: Here, key: str, asked: Asked, caller: Caller) -> Iterator[Path]:
    """The folder of work of one root in one account, held against a second command in this checkout."""
    require_account(here, key, asked, caller)
    work = here.home / "aws" / caller.account / key
    work.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (work / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Refused(f"Another ./lyceum is at work on {key} in this checkout.", "Let it end first.") from error
        yield work


def require_account(here: Here, key: str, asked: Asked, caller: Caller) -> None:
    """Raise WrongPlace unless the credentials are of the account that is meant: the named one, or that of last time."""
    if asked.account and not re.fullmatch(r"\d{12}", asked.account):
        raise Usage(f"--account takes the twelve digits of an account; got {asked.account!r}.")
    if asked.account and asked.account != caller.account:
        raise WrongPlace(
            f"These credentials are of account {caller.account}, and {asked.account} is meant.", "Nothing was done."
        )
    last = _remembered(here).get(key, "")
    if not asked.account and last and last != caller.account:
        raise WrongPlace(
            f"These credentials are of account {caller.account}; here, {key} was last worked on in {last}.",
            f"Nothing was done. Use {last}'s credentials, or say --account {caller.account} if that one is meant.",
        )


def _remembered(here: Here) -> dict[str, str]:
    try:
        found = json.loads((here.home / "aws" / "accounts.json").read_text())
    except (OSError, ValueError):
        return {}
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}


def _remember(here: Here, key: str, caller: Caller) -> None:
    path = here.home / "aws" / "accounts.json"
    half = path.with_suffix(".part")
    half.write_text(json.dumps({**_remembered(here), key: caller.account}, indent=1))
    half.replace(path)


def setting(name: str, asked: Asked) -> str:
    """A variable of text as the command line or its files give it; the last one counts, as with Terraform."""
    if name in asked.values:
        return asked.values[name]
    for file in reversed(asked.files):
        try:
            # Of an object, its name.
            found = re.findall(
                rf'^\s*{name}\s*=\s*(?:\{{[^}}]*?\bname\s*=\s*)?"([^"]*)"', file.read_text(), re.MULTILINE
            )
        except OSError as error:
            raise Usage(f"{file} cannot be read: {error.strerror}.", "Check --var-file.") from error
        if found:
            return str(found[-1])
    return ""


def _require_region(wanted: str, kept: str, what: str) -> None:
    if wanted and kept and wanted != kept:
        raise WrongPlace(
            f"{what} asks for {wanted}, and the account was bootstrapped in {kept}: everything of it lies there.",
            f"Say {kept}, or use an account of its own for {wanted}. Nothing was changed.",
        )


def parse_variables(given: list[str]) -> dict[str, str]:
    """`name=value` words of the command line, over those of LYCEUM_VARIABLES. Raises Usage for any other.

    The pipeline says there, as a JSON object, what an operator says in a file of variables.
    """
    try:
        found = json.loads(os.environ.get(VARIABLES) or "{}")
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise Usage(f"{VARIABLES} is no JSON object of texts.", 'As {"alarm_email": "operator@example.org"}.')
    for word in given:
        name, equals, value = word.partition("=")
        if not equals or not re.fullmatch(r"[A-Za-z_][\w-]*", name):
            raise Usage(f"--var takes name=value; got {word!r}.")
        found[name] = value
    return found


def require_files(given: list[Path]) -> tuple[Path, ...]:
    """Absolute paths, as Terraform works in another folder. Raises Usage for one that is not there."""
    for file in given:
        if not file.is_file():
            raise Usage(f"--var-file {file} is no file.")
    return tuple(file.resolve() for file in given)
