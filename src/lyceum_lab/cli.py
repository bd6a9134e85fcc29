"""The command line of `./lyceum`: names, help texts and the one boundary at which errors become one line.

The work is imported inside each command, so that `./lyceum --help` does not wait for what it does not use.
"""

from __future__ import annotations

import errno
import json
import os
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from typer._click.exceptions import UsageError  # typer carries click inside itself and exports all but this

from lyceum_ops.errors import LyceumError

if TYPE_CHECKING:
    from lyceum_ops.operate import Asked, Here
    from lyceum_ops.releases.release import Production

app = typer.Typer(
    name="lyceum",
    help="Lyceum: an online learning platform, the AWS it runs on, and a rehearsal of both on this machine.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Port = Annotated[int, typer.Option("--port", "-p", min=1, max=65535, help="Port on 127.0.0.1 for the platform.")]
REHEARSE, PLATFORM, OPERATE, CHECK = "Rehearse on one machine", "The platform alone", "Operate on AWS", "Check"


@app.command(rich_help_panel=PLATFORM)
def serve(port: Port = 8000) -> None:
    """Serve the platform on SQLite and files under var/: no Terraform, no account, data is kept."""
    from lyceum_lab.serve import serve as run

    run(port)


@app.command(rich_help_panel=REHEARSE)
def up(
    port: Port = 8000,
    detached: Annotated[bool, typer.Option("--detach", "-d", help="Return when it is ready; it runs on.")] = False,
) -> None:
    """Apply the infrastructure to an emulated AWS and serve the platform on it. Starts from nothing each time."""
    from lyceum_lab.rehearsal import up as rehearsal

    if detached:
        rehearsal.detach(port)
    else:
        rehearsal.up(port)


@app.command(rich_help_panel=REHEARSE)
def rehearse(
    port: Port = 8000,
    detached: Annotated[bool, typer.Option("--detach", "-d", help="Return when it is ready; it runs on.")] = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="At its end, put logs, consoles and shared files aside in .lyceum.")
    ] = False,
    multi_az: Annotated[
        bool, typer.Option("--multi-az", help="With a standby of the database in the other zone, as prod has it.")
    ] = False,
) -> None:
    """Go further than up, as root on Linux: declared networks carry packets, and declared servers boot.

    The platform answers at the load balancer's own name, by way of an HTTP proxy on 127.0.0.1:PORT.
    """
    from lyceum_lab.cloud import rehearse as cloud
    from lyceum_lab.rehearsal import up as rehearsal

    cloud.require()
    if detached:
        options = [name for name, wanted in (("--keep", keep), ("--multi-az", multi_az)) if wanted]
        rehearsal.detach(port, ["rehearse", *options])
    else:
        rehearsal.supervise(partial(cloud.Rehearsal, keep=keep, multi_az=multi_az), port)


@app.command("exec", rich_help_panel=REHEARSE, context_settings={"ignore_unknown_options": True})
def run_on_host(
    host: Annotated[str, typer.Argument(metavar="HOST", help="A host of ./lyceum rehearse; status lists them.")],
    command: Annotated[list[str], typer.Argument(metavar="-- COMMAND", help="What to run there.")],
) -> None:
    """Run a command on a server of the rehearsal, or in the network of another host. Ends with its exit code."""
    from lyceum_lab.cloud import visit

    raise typer.Exit(visit.run(host, command))


@app.command(rich_help_panel=REHEARSE)
def files(mode: Annotated[str, typer.Argument(metavar="well|slow|hung", help="How it is to be.")]) -> None:
    """Let the shared file system of ./lyceum rehearse go well, be slow, or hang."""
    from lyceum_lab.cloud import visit

    visit.set_files(mode)


@app.command(rich_help_panel=REHEARSE)
def status(
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Show it anew every second, until Ctrl-C or its end.")] = False,
    flows: Annotated[
        bool, typer.Option("--flows", help="The packets that each firewall rule of ./lyceum rehearse has decided.")
    ] = False,
) -> None:
    """Show the running rehearsal: address, accounts, hosts and servers, what exists in the emulated AWS."""
    from lyceum_lab.rehearsal import report, state

    there = state.running()
    if there is None:
        last = state.read()
        reason = f" The last one failed: {last.error}" if last and last.error else ""
        if as_json:
            typer.echo(json.dumps({"phase": "down", "error": last.error if last else ""}))
            raise typer.Exit(1)
        raise LyceumError(f"No rehearsal runs.{reason}", "Start one with ./lyceum up.")
    if flows:
        from lyceum_lab.cloud import visit

        visit.show_flows(as_json=as_json, watch=watch)
    elif as_json:
        typer.echo(json.dumps(report.as_json(there), indent=1))
    elif watch:
        report.watch()
    else:
        report.show(there)


@app.command(rich_help_panel=OPERATE)
def logs(
    name: Annotated[
        str,
        typer.Argument(
            metavar="[ENV|LOG]",
            help="An environment: what its servers say; or a log of the rehearsal: platform, emulator, terraform, "
            "postgres or calls. None lists those.",
        ),
    ] = "",
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, max=100_000, help="How many of the last lines.")] = 50,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes.")] = False,
    group: Annotated[str, typer.Option("--group", metavar="application|system", help="Of an environment.")] = "",
    since: Annotated[str, typer.Option("--since", metavar="2h", help="Of an environment; by default 10m.")] = "",
    text: Annotated[str, typer.Option("--filter", metavar="TEXT", help="Only lines with this in them.")] = "",
    request: Annotated[str, typer.Option("--request", metavar="ID", help="Only lines of this request.")] = "",
) -> None:
    """Show what all servers of an environment say, or a log of the rehearsal that runs or was the last to fail."""
    from lyceum_lab.rehearsal.logs import show
    from lyceum_ops import logs as of_environment
    from lyceum_ops.errors import Usage
    from lyceum_ops.operate import environments

    narrowed = bool(group or since or text or request)
    if name in environments(_here()):
        wanted = of_environment.wanted(group=group or "application", since=since or "10m", text=text, request=request)
        of_environment.show(_here(), name, wanted, lines=lines, follow=follow)
    elif narrowed:
        raise Usage(
            f"There is no environment named {name!r}." if name else "Of which environment?",
            f"--group, --since, --filter and --request are for environments: {', '.join(environments(_here()))}.",
        )
    else:
        show(name, lines=lines, follow=follow, environments=environments(_here()))


@app.command(rich_help_panel=REHEARSE)
def down() -> None:
    """End the rehearsal and remove everything it made. Also cleans up after one that crashed."""
    from lyceum_lab.rehearsal.up import down as take_down

    done = take_down()
    left = done["left_over_processes"]
    if done["was_running"]:
        typer.echo("The rehearsal is down; nothing of it is left.")
    elif left:
        typer.echo(f"No rehearsal ran; {left} processes that an earlier one had left are ended.")
    else:
        typer.echo("No rehearsal runs, and nothing of one was left.")


@app.command(rich_help_panel=OPERATE)
def login(
    mfa: Annotated[str, typer.Option("--mfa", metavar="CODE", help="The six digits that the device shows now.")],
) -> None:
    """Become the deployer for an hour: eval "$(./lyceum login --mfa 123456)"."""
    from lyceum_ops import aws
    from lyceum_ops.login import as_shell, become_deployer

    typer.echo(as_shell(become_deployer(mfa, session=aws.session())))


Environment = Annotated[str, typer.Argument(metavar="ENV", help="The environment: dev or prod, of infra/platform/env.")]
Variables = Annotated[
    list[str] | None,
    typer.Option("--var", "-var", metavar="NAME=VALUE", help="A Terraform variable; may be given again."),
]
VariableFiles = Annotated[
    list[Path] | None, typer.Option("--var-file", "-var-file", metavar="FILE", help="A file of Terraform variables.")
]
Meant = Annotated[
    str,
    typer.Option("--account", metavar="ID", help="The account that is meant; by default the one of last time."),
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask. What loses data is asked about all the same.")]
YesDestroy = Annotated[
    str, typer.Option("--yes-destroy", metavar="NAME", help="The environment's name, in place of typing it.")
]


def _here() -> Here:
    from lyceum_lab import paths
    from lyceum_ops.operate import Here

    return Here(infra=paths.CHECKOUT / "infra", home=paths.HOME, tools=paths.TOOLS)


def _asked(
    var: list[str] | None, var_file: list[Path] | None, account: str, yes: bool = False, name: str = ""
) -> Asked:
    from lyceum_ops.operate import Asked, parse_variables, require_files

    return Asked(parse_variables(var or []), require_files(var_file or []), account, yes, name)


@app.command(rich_help_panel=OPERATE)
def preflight(
    environment: Annotated[str, typer.Argument(metavar="[ENV]", help="The environment to come.")] = "dev",
    domain: Annotated[str, typer.Option("--domain", help="The domain it is to answer at.")] = "",
    var: Variables = None,
    var_file: VariableFiles = None,
) -> None:
    """Tell what an account lacks before a first deployment: reads only, the worst first, exit 1 if anything fails."""
    from lyceum_ops.preflight import run

    raise typer.Exit(run(_here(), environment, asked=_asked(var, var_file, ""), domain=domain))


@app.command(rich_help_panel=OPERATE)
def doctor(environment: Environment, var: Variables = None, var_file: VariableFiles = None) -> None:
    """Tell within seconds how an environment is, the worst first, with the page to read; exit 1 if anything fails."""
    from lyceum_ops.doctor import run

    raise typer.Exit(run(_here(), environment, asked=_asked(var, var_file, "")))


@app.command(rich_help_panel=OPERATE)
def bootstrap(
    region: Annotated[str, typer.Option("--region", help="Where everything of this account is to lie.")] = "",
    alarm_email: Annotated[str, typer.Option("--alarm-email", metavar="ADDRESS", help="Who hears of alarms.")] = "",
    var: Variables = None,
    var_file: VariableFiles = None,
    account: Meant = "",
    yes: Yes = False,
    yes_destroy: YesDestroy = "",
) -> None:
    """Make what an account has once: state bucket, deployer, boundary, audit trail. As its administrator.

    The first state is local and moves into the bucket that this makes; from then on the bucket's counts. May be run
    again at any time.
    """
    from lyceum_ops import operate

    given = [*(var or []), *([f"alarm_email={alarm_email}"] if alarm_email else [])]
    operate.bootstrap(_here(), asked=_asked(given, var_file, account, yes, yes_destroy), region=region)


@app.command(rich_help_panel=OPERATE)
def plan(
    environment: Environment,
    var: Variables = None,
    var_file: VariableFiles = None,
    account: Meant = "",
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Keep it, for apply --plan FILE.")] = None,
) -> None:
    """Show what an apply would change in an environment, by address, lost data first. Changes nothing."""
    from lyceum_ops import operate

    operate.plan(_here(), environment, asked=_asked(var, var_file, account), out_file=out)


@app.command(rich_help_panel=OPERATE)
def apply(
    environment: Environment,
    var: Variables = None,
    var_file: VariableFiles = None,
    account: Meant = "",
    yes: Yes = False,
    yes_destroy: YesDestroy = "",
    plan: Annotated[
        Path | None, typer.Option("--plan", metavar="FILE", help="Do what this plan says, or nothing.")
    ] = None,
) -> None:
    """Create or change an environment: plan, show, ask, then do exactly what was shown. As the deployer.

    A plan that loses data (a database, table, bucket or file system destroyed or replaced) wants the environment's
    name typed; --yes is not enough for it.
    """
    from lyceum_ops import operate

    asked = _asked(var, var_file, account, yes, yes_destroy)
    if plan and not var:
        asked = replace(asked, values={})  # those of the environment went into the plan
    operate.apply(_here(), environment, asked=asked, plan_file=plan)


@app.command("show-plan", rich_help_panel=OPERATE)
def show_plan(file: Annotated[Path, typer.Argument(metavar="FILE", help="What plan --out kept.")]) -> None:
    """Say in one line what a kept plan would do, whether data is lost, and what it costs."""
    from lyceum_ops import saved_plans

    typer.echo(saved_plans.read(file).summary)


@app.command(rich_help_panel=OPERATE)
def destroy(
    environment: Environment,
    var: Variables = None,
    var_file: VariableFiles = None,
    account: Meant = "",
    yes_destroy: YesDestroy = "",
) -> None:
    """Destroy an environment after its name was typed. Refused while it is protected, and says what to set first."""
    from lyceum_ops import operate

    operate.destroy(_here(), environment, asked=_asked(var, var_file, account, name=yes_destroy))


@app.command(rich_help_panel=OPERATE)
def unlock(
    environment: Annotated[str, typer.Argument(metavar="ENV", help="An environment, or bootstrap.")],
    lock: Annotated[str, typer.Argument(metavar="ID", help="The lock's id, as the refusal names it.")],
    account: Meant = "",
) -> None:
    """Remove a lock that a dead Terraform left on a state. Only when it is certainly dead."""
    from lyceum_ops import operate

    operate.unlock(_here(), environment, lock, asked=_asked(None, None, account))


def _production(environment: str, account: str) -> Production:
    from lyceum_ops.releases.release import find

    return find(_here(), environment, asked=_asked(None, None, account))


tunnel = typer.Typer(
    help="An operator's way into an environment's network, while the command runs.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(tunnel, name="tunnel", rich_help_panel=OPERATE)


@tunnel.callback()
def choose_a_tunnel() -> None:
    """An operator's way into an environment's network, while the command runs."""


@tunnel.command("db", context_settings={"ignore_unknown_options": True})
def tunnel_db(
    environment: Environment,
    command: Annotated[
        list[str] | None, typer.Argument(metavar="[-- COMMAND]", help="Run this inside, then end, with its exit code.")
    ] = None,
    write: Annotated[
        bool, typer.Option("--write/--read-only", help="As the owner of the tables; by default only to read.")
    ] = False,
    port: Annotated[int, typer.Option("--port", min=1024, max=65535, help="Port on 127.0.0.1.")] = 15432,
    account: Meant = "",
) -> None:
    """Open a way to the database through the bastion and say how psql takes it; Ctrl-C closes it.

    ./lyceum tunnel db prod -- psql -c 'SELECT count(*) FROM accounts_user' runs one command inside.
    """
    from lyceum_ops.tunnel.command import Wanted, run

    wanted = Wanted(environment, write, port, tuple(command or ()))
    raise typer.Exit(run(_here(), wanted, asked=_asked(None, None, account)))


drill = typer.Typer(
    help="Try what must work on a bad day, on copies beside what is live.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(drill, name="drill", rich_help_panel=OPERATE)


@drill.callback()
def choose_a_drill() -> None:
    """Try what must work on a bad day, on copies beside what is live."""


@drill.command("restore")
def drill_restore(
    environment: Environment,
    rehearsal: Annotated[
        bool, typer.Option("--rehearsal", help="Of ./lyceum rehearse that runs on this machine, all four stores.")
    ] = False,
    weekly: Annotated[
        bool, typer.Option("--weekly", help="Of AWS Backup's newest recovery points, all four stores; takes hours.")
    ] = False,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="DIR", help="Where to; .lyceum/drills if not given.")
    ] = None,
    account: Meant = "",
) -> None:
    """Restore beside the live stores, compare all of it, let a learner sign in, remove the copies; exit 1 if it fails.

    Prints RPO and RTO and writes a report (JSON, Markdown). An earlier drill's leftovers are removed first.
    """
    from lyceum_ops.drill import command
    from lyceum_ops.errors import Usage

    if rehearsal and weekly:
        raise Usage("A rehearsal keeps no weekly recovery points.", "Leave out --weekly.")
    folder = command.reports(_here(), report)
    if rehearsal:
        from lyceum_lab.drill.running import rehearse

        found = rehearse(environment)
    else:
        drilled = command.restore_weekly if weekly else command.restore
        found = drilled(_here(), environment, asked=_asked(None, None, account))
    raise typer.Exit(command.finish(found, folder))


restore = typer.Typer(
    help="Bring back what was lost by mistake, alone, beside everything that went on since.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(restore, name="restore", rich_help_panel=OPERATE)


@restore.callback()
def choose_what_to_restore() -> None:
    """Bring back what was lost by mistake, alone, beside everything that went on since."""


@restore.command("course")
def restore_course(
    environment: Environment,
    course: Annotated[str, typer.Argument(metavar="COURSE", help="Its slug, as in the address of its page.")],
    at: Annotated[
        str, typer.Option("--at", metavar="TIME", help="As of then, in UTC; else right before its deletion was logged.")
    ] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Make the copy, tell what would come back, change nothing.")
    ] = False,
    rehearsal: Annotated[
        bool, typer.Option("--rehearsal", help="Of ./lyceum rehearse that runs on this machine.")
    ] = False,
    account: Meant = "",
) -> None:
    """Bring a deleted course back with its rows and objects, out of the database of then; live rows are never touched.

    One transaction, compared row by row. The copy is removed however it ends; exit 1 if an object is lost for good.
    """
    from datetime import UTC, datetime

    from lyceum_ops.restore import command
    from lyceum_ops.restore.course import parse

    when = parse(at, datetime.now(UTC)) if at else None
    if rehearsal:
        from lyceum_lab.drill.running import bring_course_back

        brought = bring_course_back(environment, course, when, dry_run=dry_run)
    else:
        asked = _asked(None, None, account)
        brought = command.course(_here(), environment, course, when, dry_run=dry_run, asked=asked)
    brought.show()
    raise typer.Exit(0 if brought.whole else 1)


AtMaxSize = Annotated[bool, typer.Option("--at-max-size", help="Also where the group is at its largest.")]
Watch = Annotated[bool, typer.Option("--watch", help="Also show each server as it comes and goes.")]


@app.command(rich_help_panel=OPERATE)
def publish(
    environment: Environment,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where ./lyceum artifact made it.")],
    account: Meant = "",
) -> None:
    """Store an artifact under its version: checked, written once, never overwritten."""
    from lyceum_ops.releases.published import built

    artifact, found = built(folder), _production(environment, account).published
    new = found.publish(artifact)
    typer.echo(f"{artifact.version} is {'published' if new else 'there already, the very same'} in {found.bucket}.")


@app.command(rich_help_panel=OPERATE)
def migrate(environment: Environment, account: Meant = "") -> None:
    """Bring an environment's database up to date, from inside its network; LYCEUM_DATABASE_… say where it is.

    Refused where the running code could not live with it, before anything is touched.
    """
    from lyceum_lab import paths
    from lyceum_ops.migrate import Database, migrate

    session = _production(environment, account).session
    migrate(paths.CHECKOUT, session, Database.from_environment(os.environ))
    typer.echo(f"The database of {environment} is up to date.")


@app.command(rich_help_panel=OPERATE)
def smoke(
    environment: Environment,
    version: Annotated[str, typer.Option("--version", help="The release that has to be live.")] = "",
    url: Annotated[str, typer.Option("--url", envvar="LYCEUM_URL", help="Where it answers.")] = "",
    account: Meant = "",
) -> None:
    """Ask whether what is live is what was released, healthy for the load balancer, and answers."""
    from lyceum_ops.smoke import smoke as run

    run(_production(environment, account), version=version, url=url)


@app.command("release", rich_help_panel=OPERATE)
def release_(
    environment: Environment,
    version: Annotated[str, typer.Option("--version", help="What was published; ./lyceum releases ENV lists it.")],
    watch: Watch = False,
    keep_image: Annotated[bool, typer.Option("--keep-image", help="Not on Amazon's newest image.")] = False,
    at_max_size: AtMaxSize = False,
    bake: Annotated[
        int, typer.Option("--bake", min=0, max=3600, metavar="SECONDS", help="How long alarms are watched after it.")
    ] = 180,
    patience: Annotated[
        int,
        typer.Option("--patience", min=240, max=3600, metavar="SECONDS", help="No new server: taken back."),
    ] = 900,
    account: Meant = "",
) -> None:
    """Bring the servers to a release without a pause, and wait: exit 0 when it is live, 1 when it was taken back.

    Run it again after whatever cut it short: it joins what is under way, or finishes it.
    """
    from lyceum_ops.releases.release import Wanted, release

    release(_production(environment, account), Wanted(version, keep_image, at_max_size, bake, watch, patience))


@app.command(rich_help_panel=OPERATE)
def rollback(
    environment: Environment, watch: Watch = False, at_max_size: AtMaxSize = False, account: Meant = ""
) -> None:
    """Go back to the release before: turn one round that is under way, or replace one that is live."""
    from lyceum_ops.releases.release import rollback as run

    run(_production(environment, account), at_max_size=at_max_size, watch=watch)


@app.command(rich_help_panel=OPERATE)
def releases(
    environment: Environment,
    limit: Annotated[int, typer.Option("--limit", min=1, max=500, help="How many of the last.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    account: Meant = "",
) -> None:
    """Tell what ran when, which release is live, and under whose identity it came."""
    from lyceum_ops.releases import history

    found = _production(environment, account)
    if as_json:
        typer.echo(json.dumps(history.history(found, limit=limit), indent=1))
    else:
        history.show(found, limit=limit)


@app.command(rich_help_panel=OPERATE)
def cost(
    environment: Annotated[str, typer.Argument(metavar="[ENV]", help="dev, prod or bootstrap.")] = "",
    learners: Annotated[
        int | None, typer.Option("--learners", help="How many learn; 500 if only hours are given.")
    ] = None,
    video_hours: Annotated[
        float | None, typer.Option("--video-hours", help="Hours of video each watches a month; 10 if not given.")
    ] = None,
    assume: Annotated[
        list[str] | None, typer.Option("--assume", metavar="NAME=VALUE", help="Another assumption of docs/cost.md.")
    ] = None,
    plan: Annotated[
        Path | None, typer.Option("--plan", metavar="FILE", help="terraform show -json of a plan or a state.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    write: Annotated[bool, typer.Option("--write", help="Make docs/cost.md and the README's table anew.")] = False,
) -> None:
    """Estimate what an environment costs a month, by resource, the dearest first. Asks neither AWS nor Terraform.

    Without a load, for two of them. With --plan also the difference that the plan makes.
    """
    from lyceum_lab import paths
    from lyceum_ops.cost import command
    from lyceum_ops.errors import Usage

    if write == bool(environment):
        raise Usage("cost takes an environment, or --write.", "./lyceum cost dev")
    if write:
        made = [f"{file} is made." for file in command.write(paths.CHECKOUT)]
        typer.echo("\n".join(made or ["All of it is up to date."]))
        return
    asked = command.loads(learners, video_hours, assume or [])
    raise typer.Exit(command.run(paths.CHECKOUT, environment, asked=asked, plan=plan, as_json=as_json, say=typer.echo))


@app.command(rich_help_panel=OPERATE)
def artifact(
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Where to; .lyceum/artifacts if not given.")
    ] = None,
    allow_dirty: Annotated[
        bool, typer.Option("--allow-dirty", help="Take what is in no commit along; the version says so.")
    ] = False,
) -> None:
    """Build the release of the checked-out commit: one archive, the same bytes from the same commit."""
    from lyceum_lab import paths
    from lyceum_ops import artifact as artifacts
    from lyceum_ops.console import out as console
    from lyceum_ops.console import step

    target = out or paths.HOME / "artifacts"
    with step("build the artifact") as line:
        made = artifacts.build(
            paths.CHECKOUT, target, cache=paths.HOME / "wheels", allow_dirty=allow_dirty, say=line.note
        )
        line.note(f"{made.version}, {made.size / 2**20:.1f} MiB")
    console.print(f"{made.archive}\nsha256 {made.sha256}")


prove = typer.Typer(
    help="Try a promise of the infrastructure on an emulated AWS, and say what was found.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(prove, name="prove", rich_help_panel=CHECK)


@prove.callback()
def choose_a_proof() -> None:
    """Try a promise of the infrastructure on an emulated AWS, and say what was found."""


@prove.command("apply")
def prove_apply() -> None:
    """Apply dev and prod side by side, change them as operators do, destroy them: nothing may be left."""
    from lyceum_lab.proofs.apply import prove as run

    raise typer.Exit(run())


@prove.command("iam")
def prove_iam() -> None:
    """Let the account's policies decide every call: enough for dev and prod, no way to more, nothing without need.

    Applies and destroys both for it. `prove apply` does the same on what it applies.
    """
    from lyceum_lab.proofs.iam.prove import prove as run

    raise typer.Exit(run())


@prove.command("cost")
def prove_cost(
    renew: Annotated[
        bool, typer.Option("--renew", help="Make docs/cost/*.json from the code first (a minute).")
    ] = False,
) -> None:
    """Hold the estimate against the code, the price table and the documents: nothing forgotten, nothing outdated."""
    from lyceum_lab.proofs import cost as proof

    if renew:
        proof.renew()
    raise typer.Exit(proof.prove())


@prove.command("network")
def prove_network(
    environment: Annotated[str, typer.Option("--environment", metavar="ENV", help="dev or prod.")] = "dev",
    running: Annotated[bool, typer.Option("--running", help="Look at the rehearsal that runs: no apply.")] = False,
    source: Annotated[str, typer.Option("--from", metavar="WHO", help="Ask instead: who opens a connection,")] = "",
    target: Annotated[str, typer.Option("--to", metavar="WHO", help="to whom,")] = "",
    port: Annotated[int | None, typer.Option("--port", min=0, max=65535, help="on which port,")] = None,
    protocol: Annotated[str, typer.Option("--protocol", help="by tcp, udp, icmp or esp.")] = "tcp",
) -> None:
    """Hold the applied network against the list of what must pass and what must never; each rule is missed if it goes.

    With --from, --to and --port it answers one question: whether that passes, on which way, and which rule decides.
    """
    from lyceum_lab.proofs.network import prove as proof

    if not source and not target and port is None:
        raise typer.Exit(proof.prove(environment, running=running))
    if not source or not target or (port is None and protocol in {"tcp", "udp"}):
        from lyceum_ops.errors import Usage

        raise Usage("A question needs --from, --to and, by tcp or udp, --port.")
    raise typer.Exit(proof.ask(source, target, port or 0, protocol, environment=environment, running=running))


@prove.command("watch")
def prove_watch(
    renew: Annotated[
        bool, typer.Option("--renew", help="Write what is applied into the file that the suites break, first.")
    ] = False,
) -> None:
    """Let every alarm ring and be over, attacks be told from ordinary work, and a week of logs be purged.

    Applies dev and prod for it. `prove apply` does the same on what it applies.
    """
    from lyceum_lab.proofs.watch.prove import prove as run

    raise typer.Exit(run(renew=renew))


@prove.command("packets")
def prove_packets(
    environment: Annotated[str, typer.Option("--environment", metavar="ENV", help="dev or prod.")] = "dev",
    running: Annotated[bool, typer.Option("--running", help="Look at the rehearsal that runs: no apply.")] = False,
) -> None:
    """Build the applied network of namespaces and send packets between all hosts; only what may, arrives. As root."""
    from lyceum_lab.proofs.packets import prove as proof

    raise typer.Exit(proof.prove(environment, running=running))


@prove.command("static")
def prove_static() -> None:
    """Look at the code and its plans: format, checkov, public, encrypted, tagged, kept, permitted, Well-Architected."""
    from lyceum_lab.proofs.static import prove as run

    raise typer.Exit(run())


@app.command(rich_help_panel=CHECK)
def bench(
    count: Annotated[int, typer.Option("--requests", "-n", help="Of each kind.")] = 500,
) -> None:
    """Measure what a learner costs a server in CPU, on the ./lyceum up that runs: ratios of one run."""
    from lyceum_lab.bench import bench as run

    run(count)


@app.command(rich_help_panel=CHECK)
def design() -> None:
    """Make the pages of requirements, Well-Architected and threats from their YAML, each row with its test."""
    from lyceum_lab.documents import design as requirements
    from lyceum_lab.documents import threat_model, well_architected

    for page in (requirements.write(), well_architected.write(), threat_model.write()):
        typer.echo(f"{page} is made.")


@app.command(rich_help_panel=CHECK)
def diagram(
    check: Annotated[bool, typer.Option("--check", help="Write nothing: fail if they are not up to date.")] = False,
) -> None:
    """Make docs/architecture.drawio and docs/architecture/*.svg from one model, held against the code."""
    from lyceum_lab.documents import diagram as drawing

    if check:
        typer.echo(drawing.current())
        return
    for file in drawing.write():
        typer.echo(f"{file} is made.")


@app.command(rich_help_panel=CHECK)
def demo(
    scenes: Annotated[str, typer.Option("--scenes", metavar="A,B", help="Only these, as a film of their own.")] = "",
    port: Port = 8000,
    draft: Annotated[bool, typer.Option("--draft", help="Fewer pictures, coarser: to look at.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Film the rehearsal that runs, and leave it running.")] = False,
    record: Annotated[bool, typer.Option("--record", help="Record only, and draw nothing yet.")] = False,
    draw: Annotated[bool, typer.Option("--draw", help="Draw only, what was recorded last.")] = False,
) -> None:
    """Make docs/demo/demo.mp4 from docs/demo/storyboard.yaml, by doing what it says on a real rehearsal. As root."""
    from lyceum_lab.demo import make

    if record and draw:
        from lyceum_ops.errors import Usage

        raise Usage("--record and --draw exclude each other.", "Without either, both are done.")
    only = "record" if record else "draw" if draw else ""
    make.make([one for one in scenes.split(",") if one], port=port, draft=draft, keep=keep, only=only)


@app.command(rich_help_panel=CHECK)
def docs(
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Where to; .lyceum/docs/site if not given.")
    ] = None,
    serve: Annotated[bool, typer.Option("--serve", help="Serve it on 127.0.0.1 until Ctrl-C.")] = False,
    port: Annotated[int, typer.Option("--port", "-p", min=1, max=65535, help="Port for --serve.")] = 8001,
    write: Annotated[
        bool, typer.Option("--write", help="Build no site: make docs/reference anew from the code.")
    ] = False,
) -> None:
    """Build the documents as a site: tutorial, how-to, reference, explanation. A dead link or anchor fails it."""
    from lyceum_lab.documents.reference import pages
    from lyceum_lab.documents.site import build

    if write:
        made = [f"{file} is made." for file in pages.write()]
        typer.echo("\n".join(made or ["All of it is up to date."]))
        return
    site = build.build(out or build.OUT)
    typer.echo(f"The site is built: {site / 'index.html'}")
    if serve:
        build.serve(site, port)


@app.command("test", rich_help_panel=CHECK)
def run_suites(
    suites: Annotated[list[str] | None, typer.Argument(help="Suites or groups; none runs all of them.")] = None,
    suite: Annotated[list[str] | None, typer.Option("--suite", help="The same, as an option.")] = None,
    full: Annotated[bool, typer.Option("--full", help="With the scenarios that take minutes each.")] = False,
    show_list: Annotated[bool, typer.Option("--list", help="List the suites with their budgets.")] = False,
) -> None:
    """Run the test suites, one counted line at the end."""
    from lyceum_lab import suites as runner

    if show_list:
        runner.show_list()
        return
    raise typer.Exit(runner.run([*(suites or []), *(suite or [])], full=full))


def main() -> NoReturn:
    """Run the command; an expected failure is one line on standard error and a non-zero exit."""
    try:
        sys.exit(app(prog_name="./lyceum", standalone_mode=False) or 0)
    except UsageError as error:
        where = f"{error.ctx.command_path} --help" if error.ctx else "./lyceum --help"
        # A group that was not told which of its commands has shown its help, and says nothing more.
        if said := " ".join(error.format_message().split()).rstrip("."):
            typer.echo(f"lyceum: {said}. See {where}.", err=True)
        sys.exit(2)
    except LyceumError as error:
        typer.echo(f"lyceum: {error}", err=True)
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        typer.echo("lyceum: interrupted", err=True)
        sys.exit(130)
    except BrokenPipeError:
        # The reader (head, less) has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:
        hint = " Free some disk space." if error.errno in {errno.ENOSPC, errno.EDQUOT} else ""
        typer.echo(f"lyceum: {error.strerror or error}: {error.filename or 'no file named'}.{hint}", err=True)
        sys.exit(1)
