"""`./lyceum release` and `./lyceum rollback`: bring the servers to another artifact, and say what production is in.

AWS does the work: an instance refresh that launches before it terminates, watched by alarms, taken back by itself.
Here is what comes before it (is the artifact whole, is nobody else at it, could it be taken back), the waiting, and
what comes after. Whatever ends this command in between (Ctrl-C, a dead network, expired credentials), the refresh goes
on at AWS; running the same command again joins it, finishes what was not begun, or finds that nothing is left to do.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from lyceum_ops import aws, operate
from lyceum_ops.aws import Caller
from lyceum_ops.console import out, step
from lyceum_ops.errors import Interrupted, LyceumError, NoCredentials, NotPermitted, Refused, RolledBack
from lyceum_ops.operate import Asked, Here
from lyceum_ops.releases.ledger import CANCELLED, ENDS, FAILED, LIVE, ROLLED_BACK, Entry, Ledger
from lyceum_ops.releases.lock import Clock, Lock, now
from lyceum_ops.releases.published import NO_RELEASE, Published, require_version
from lyceum_ops.releases.servers import FORWARD, Group, Refresh, Servers, Version

MINUTE = 60.0
# How long AWS goes on watching when the last server has come: a minute that has begun, the bad one that release-errors
# waits for (infra/modules/alarms/table.tf), and one until the load balancer's counts are told.
BAKE_SECONDS = 180
# A server of a release serves beside the old one until it is judged: two minutes to boot, and the same three. As long
# as the old one is there, a bad release is taken back at once; afterwards an old server has to boot first.
WARM_UP_SECONDS = 120 + BAKE_SECONDS
# A release that brought no server for so long brings none. AWS itself waits an hour for one, and launches it anew.
PATIENCE_SECONDS = 900


@dataclass(frozen=True)
class Pace:
    """How long things may take, in seconds. `sleep` and `clock` are time itself."""

    poll: float = 5.0
    at_most: float = 45 * MINUTE
    unreached: float = 3 * MINUTE  # a network that is away for so long is not coming back by itself
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic


@dataclass
class Production:
    """One environment in its account, and who asks."""

    session: Any
    environment: str
    caller: Caller
    pace: Pace = field(default_factory=Pace)
    now: Clock = now

    def __post_init__(self) -> None:
        self.servers = Servers(self.session, self.environment)
        self.published = Published(self.session, self.environment, self.caller.account)
        self.ledger = Ledger(self.session, self.published.bucket, clock=self.now)
        self.lock = Lock(self.session, self.environment, self.caller.account, self.caller.arn, clock=self.now)

    def live(self, group: Group) -> Version:
        """The version that the group launches from."""
        return self.servers.version(group.template, group.version)


def find(here: Here, environment: str, *, asked: Asked) -> Production:
    """The environment in the account of the present credentials. Raises as the other commands do, before any change."""
    operate.require_environment(here, environment)
    session = aws.session(operate.setting("region", asked) or None)
    caller = aws.identify(session)
    operate.require_account(here, f"platform-{environment}", asked, caller)
    return Production(session, environment, caller)


@dataclass(frozen=True)
class Wanted:
    """What a release is asked to do."""

    version: str
    keep_image: bool = False
    at_max_size: bool = False
    bake_seconds: int = BAKE_SECONDS
    watch: bool = False
    patience_seconds: int = PATIENCE_SECONDS


def release(production: Production, wanted: Wanted) -> None:
    """Bring the servers to the artifact `wanted.version` and wait until they run it. Raises RolledBack if they do not.

    Nothing is changed before the artifact was found whole and the group fit to be changed.
    """
    require_version(wanted.version)
    servers = production.servers
    with production.lock.held(f"release {wanted.version}"):
        with step(f"check the artifact of {wanted.version}") as line:
            line.note(f"SHA-256 {production.published.check(wanted.version)[:12]}…")
        group = servers.group()
        live = production.live(group)
        running = next((one for one in servers.refreshes() if one.active), None)
        if running:
            joined = _join(production, group, live, running, wanted.version)
            entry = _open_entry(production, joined) or _begin(production, "release", live, joined)
            _finish(production, live, joined, running.id, entry, watch=wanted.watch, patience=wanted.patience_seconds)
            return
        newest = servers.version(group.template, "$Latest")
        image = newest.image if wanted.keep_image else servers.newest_image()
        target = _known(live, newest, wanted.version, image)
        if target == live and _all_run(group, live.number):
            _settle(production, group)
            out.print(f"{wanted.version} is live already: {group.running()}. Nothing to do.")
            return
        _require_fit(production, group, at_max_size=wanted.at_max_size)
        alarms = _ringing(production)
        target = target or _written(production, group, newest, wanted.version, image)
        _change(production, group, live, target, "release", bake_seconds=wanted.bake_seconds, watch=wanted.watch,
                alarms=alarms, patience=wanted.patience_seconds)  # fmt: skip


def rollback(production: Production, *, at_max_size: bool = False, watch: bool = False) -> None:
    """Go back to what ran before: a release that is under way is turned round, one that is live is replaced."""
    servers = production.servers
    with production.lock.held("rollback"):
        group = servers.group()
        live = production.live(group)
        running = next((one for one in servers.refreshes() if one.active), None)
        if running:
            coming = servers.version(group.template, _number(running, live))
            entry = _open_entry(production, coming)
            if entry and entry.kind == "rollback":
                # This very command, cut short: turned round it would bring the bad release again.
                _finish(production, live, coming, running.id, entry, watch=watch)
                return
            if running.status in FORWARD:
                with step(f"turn the release round that is under way ({running})"):
                    servers.roll_back()
            entry = entry or _begin(production, "release", live, coming)
            try:
                _finish(production, live, coming, running.id, entry, watch=watch)
            except RolledBack as back:
                if back.outcome != ROLLED_BACK:
                    raise
                out.print(f"{production.environment} is back on {live.release}, version {live.number}.")
                return
            raise LyceumError(
                "The release was faster than its rollback and is live.",
                f"Again: ./lyceum rollback {servers.environment}",
            )
        earlier = _before(production, live)
        target = servers.version(group.template, earlier.before_version)
        with step(f"check the artifact of {target.release}") as line:
            line.note(f"SHA-256 {production.published.check(target.release)[:12]}…")
        _require_fit(production, group, at_max_size=at_max_size)
        # Alarms may ring because of what is rolled back: they must not hinder it.
        _change(production, group, live, target, "rollback", bake_seconds=0, watch=watch, alarms=[])


# ------------------------------------------------------------------------------------------------ before


def _known(live: Version, newest: Version, release: str, image: str) -> Version | None:
    """The version of the template that is this release already, if there is one: what is live, or the newest.

    The newest may be left by a command that was cut short, or by Terraform, which keeps in what it writes the release
    that it finds there.
    """
    if live.data == newest.bringing(release, image):
        return live
    if newest.release == release and newest.image == image:
        return live if newest.same_server(live) else newest
    return None


def _written(production: Production, group: Group, newest: Version, release: str, image: str) -> Version:
    with step(f"write the launch template's version of {release}") as line:
        made = production.servers.add_version(
            group.template, newest, release=release, image=image,
            description=f"Release {release}, by {production.caller.arn}",
        )  # fmt: skip
        line.note(f"version {made.number}, image {image}")
    return made


def _join(production: Production, group: Group, live: Version, running: Refresh, version: str) -> Version:
    """The target of the refresh that runs, if it brings `version`. Raises Refused, and says what is under way."""
    name = production.environment
    target = production.servers.version(group.template, _number(running, live))
    if running.status in FORWARD and target.release == version:
        out.print(f"The release of {version} is under way already ({running}); waiting for it.")
        return target
    way = "a rollback" if running.status not in FORWARD else f"the release of {target.release}"
    raise Refused(
        f"{name}: {way} is under way ({running}). Production goes from {live.release} to {target.release}: "
        f"{group.running()}. Nothing was changed.",
        f"Wait for it: ./lyceum release {name} --version {target.release}. Undo it: ./lyceum rollback {name}."
        if running.status in FORWARD
        else f"Wait for it: ./lyceum rollback {name}. Then run this again.",
    )


def _number(running: Refresh, live: Version) -> int:
    """The version that a refresh brings; one that was started without a configuration brings what is live."""
    return live.number if running.target is None else running.target


def _before(production: Production, live: Version) -> Entry:
    """The entry by which `live` came to be live. Raises Refused where nothing before it is known."""
    for entry in production.ledger.newest_first():
        if entry.kind == "release" and entry.release == live.release and entry.outcome in {LIVE, ""}:
            if entry.before != NO_RELEASE:
                return entry
            break
    raise Refused(
        f"{production.environment} runs {live.release}, and nothing is known that ran before it. Nothing was changed.",
        f"./lyceum releases {production.environment} lists what was published; release one of them by its version.",
    )


def _require_fit(production: Production, group: Group, *, at_max_size: bool) -> None:
    """Raise Refused where a refresh would be taken back at once, or might take a server before it brings one."""
    name = production.environment
    if group.desired >= group.maximum and not at_max_size:
        raise Refused(
            f"{name} is at its largest, {group.desired} of {group.maximum} servers: there may be no room to launch "
            f"before one is terminated. Production is untouched: {group.running()}.",
            f"Wait until it has scaled in; or allow one more (./lyceum apply {name} --var 'servers={{max="
            f"{group.maximum + 1}}}'); or say --at-max-size if that is no matter now.",
        )


def _ringing(production: Production) -> list[str]:
    """The alarms to watch. Raises Refused while one of them rings: the release would be taken back at once."""
    alarms = production.servers.alarms()
    ringing = sorted(alarm for alarm, state in alarms.items() if state == "ALARM")
    if ringing:
        raise Refused(
            f"{', '.join(ringing)} rings: a release would be taken back at once. Production is untouched.",
            f"See what rings; if the live release is the reason: ./lyceum rollback {production.environment}.",
        )
    return sorted(alarms)


def _all_run(group: Group, version: int) -> bool:
    """Whether every server that takes requests is of this version; those that come or go do not count."""
    return all(server.version == version for server in group.servers if server.state == "InService")


# ------------------------------------------------------------------------------------------------ under way


def _change(production: Production, group: Group, live: Version, target: Version, kind: str, *, bake_seconds: int,
            watch: bool, alarms: list[str], patience: float | None = None) -> None:  # fmt: skip
    entry = _begin(production, kind, live, target)
    try:
        refresh = production.servers.start(
            group, target.number, alarms=alarms, bake_seconds=bake_seconds,
            # What goes back to what is known waits for nothing.
            warm_up_seconds=WARM_UP_SECONDS if kind == "release" else None,
        )  # fmt: skip
    except LyceumError as error:
        with _reported(production):
            production.ledger.ended(entry, FAILED, error.message)
        if aws.code(error) == "InstanceRefreshInProgress":
            raise Refused(
                f"Another refresh of {group.name} began in this moment. Production: {group.running()}.",
                "Run this again: it joins it or says what is under way.",
            ) from error
        raise type(error)(f"{error.message} Production is untouched: {group.running()}.", error.hint) from error
    _finish(production, live, target, refresh, entry, watch=watch, patience=patience)


def _begin(production: Production, kind: str, live: Version, target: Version) -> Entry:
    return production.ledger.began(
        kind=kind, release=target.release, version=target.number, before=live.release, before_version=live.number,
        refresh="", identity=production.caller.arn,
    )  # fmt: skip


def _finish(production: Production, live: Version, target: Version, refresh: str, entry: Entry, *,
            watch: bool, patience: float | None = None) -> None:  # fmt: skip
    """Wait for a refresh, write how it ended, and leave the template's newest version as what is live."""
    with _going_on(production, target) as seen:
        done = _wait(production, target, refresh, seen, watch=watch, patience=patience)
    after = production.servers.group()
    outcome = ENDS.get(done.status, FAILED)
    if outcome == LIVE and (after.version != target.number or not _all_run(after, target.number)):
        outcome = FAILED
    production.ledger.ended(entry, outcome, done.reason)
    _settle(production, after)
    if outcome != LIVE:
        raise _not_live(production, live, target, after, done, outcome)
    out.print(f"{target.release} is live in {production.environment}: {after.running()}.")


def _open_entry(production: Production, target: Version) -> Entry | None:
    """What the command that was cut off wrote when it began."""
    newest = next(production.ledger.newest_first(), None)
    return newest if newest and not newest.outcome and newest.version == target.number else None


def _wait(production: Production, target: Version, refresh: str, seen: Seen, *, watch: bool,
          patience: float | None) -> Refresh:  # fmt: skip
    """Wait until the refresh ends. One that brings no server for `patience` seconds is turned round, once."""
    pace, began = production.pace, production.pace.clock()
    reached, told = began, dict[str, str]()
    percent, moved, turned = -1, began, ""
    with step(f"bring {target.release} to the servers") as line:
        while True:
            try:
                production.lock.renew()
                found = production.servers.refreshes(refresh)[0]
                if watch:
                    _tell_servers(production.servers.group(), told)
                if found.percent != percent:
                    percent, moved = found.percent, pace.clock()
                if found.replaces and patience and not turned and pace.clock() - moved > patience:
                    production.servers.roll_back()
                    turned = f"no server of {target.release} came into service within {patience:.0f} s"
            except (NoCredentials, NotPermitted, Refused):
                raise
            except LyceumError as error:
                if pace.clock() - reached > pace.unreached:
                    raise
                line.note(f"{seen}; {error.message}")
                pace.sleep(pace.poll)
                continue
            reached = pace.clock()
            seen.refresh = found
            line.note(str(found))
            if not found.active:
                return replace(found, reason=turned or found.reason)
            if pace.clock() - began > pace.at_most:
                raise LyceumError(f"After {pace.at_most / MINUTE:.0f} minutes the release has not ended.")
            pace.sleep(pace.poll)


def _tell_servers(group: Group, told: dict[str, str]) -> None:
    """A line for each server that came, changed or went since the last time."""
    present = {server.id: f"version {server.version}, {server.state}" for server in group.servers}
    for name, state in {**dict.fromkeys(told, "gone"), **present}.items():
        if told.get(name) != state:
            out.print(f"          {name}  {state}", markup=False)
    told.clear()
    told.update(present)


@dataclass
class Seen:
    """The last that was seen of a refresh."""

    refresh: Refresh | None = None

    def __str__(self) -> str:
        return str(self.refresh) if self.refresh else "just begun"


@contextmanager
def _going_on(production: Production, target: Version) -> Iterator[Seen]:
    """Say, of whatever ends the waiting, that AWS goes on, how far it was, and what to do next."""
    seen, name = Seen(), production.environment
    goes_on = f"The refresh to {target.release} goes on at AWS without this command; last seen: "
    then = (
        f"Watch it to its end: ./lyceum release {name} --version {target.release}. Undo it: ./lyceum rollback {name}."
    )
    try:
        yield seen
    except KeyboardInterrupt as interrupt:
        raise Interrupted(f"interrupted. {goes_on}{seen}.", then) from interrupt
    except LyceumError as error:
        raise type(error)(f"{error.message} {goes_on}{seen}.", f"{error.hint} {then}".strip()) from error


@contextmanager
def _reported(production: Production) -> Iterator[None]:
    """What fails in here must not hide the error that is being told."""
    try:
        yield
    except LyceumError as error:
        out.print(f"the history of {production.environment} lacks an end: {error.message}", markup=False)


# ------------------------------------------------------------------------------------------------ after


def _settle(production: Production, after: Group) -> None:
    """Let the template's newest version carry what is live: Terraform writes its next one from that."""
    servers = production.servers
    live, newest = production.live(after), servers.version(after.template, "$Latest")
    if (live.release, live.image) == (newest.release, newest.image):
        return
    servers.add_version(
        after.template, newest, release=live.release, image=live.image,
        description=f"Release {live.release}, live again as version {live.number}",
    )  # fmt: skip


def _not_live(production: Production, live: Version, target: Version, after: Group, done: Refresh,
              outcome: str) -> RolledBack:  # fmt: skip
    name, why = production.environment, f" Why: {done.reason.rstrip('.')}." if done.reason else ""
    undo = (
        f"Undo it: ./lyceum release {name} --version {live.release}."
        if live.release != NO_RELEASE
        else "No release ran before it."
    )
    if outcome == ROLLED_BACK:
        return RolledBack(
            f"{target.release} was rolled back; production runs {live.release}: {after.running()}.{why}",
            "The servers' console output and the application's log tell why.",
            outcome=outcome,
        )
    if outcome == CANCELLED:
        return RolledBack(
            f"The refresh to {target.release} was cancelled half way. Production: {after.running()}.{why}",
            f"Finish it: ./lyceum release {name} --version {target.release}. {undo}",
            outcome=outcome,
        )
    return RolledBack(
        f"The refresh to {target.release} ended as {done.status}, and production is mixed: {after.running()}.{why}",
        f"{undo} Or finish it: ./lyceum release {name} --version {target.release}.",
        outcome=outcome,
    )
