"""`./lyceum up`: from nothing to a learning platform on an emulated AWS, in the order in which one would do it on AWS.

The supervisor holds the lock, owns every child, and takes all of it down when it ends. The platform starts as soon
as the bucket and the table that it needs exist; Terraform goes on with the rest meanwhile.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from functools import partial
from typing import IO, Any

from lyceum_lab import paths, platform
from lyceum_lab.rehearsal import emulated, infrastructure, postgres, state
from lyceum_lab.rehearsal.state import MARK, Account, State
from lyceum_ops import processes, terraform
from lyceum_ops.console import Step, out, step
from lyceum_ops.errors import LyceumError

ENVIRONMENT = "dev"
SERVERS_ROLE = "lyceum_app"
NEEDED_BYTES = 2 * 2**30  # two copies of the provider's plug-in cache, the database, the logs


class Supervisor:
    """One rehearsal from start to end. `run` returns when it was asked to stop; `close` leaves nothing behind."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.began = time.monotonic()
        self.logs = paths.REHEARSAL / "logs"
        self.state = State(pid=os.getpid())
        self.children: dict[str, subprocess.Popen[bytes]] = {}
        self.env = {MARK: str(paths.REHEARSAL)}
        self.workers = ThreadPoolExecutor(max_workers=2)

    def run(self) -> None:
        """Start everything, say what there is, then watch the children until a signal or a death."""
        out.print("A rehearsal on an emulated AWS: it starts from nothing each time, and keeps nothing when it ends.")
        stack, endpoint = self._open_account()
        database = self._start_database()
        self._bootstrap(stack)
        ready = threading.Event()
        applying = self.workers.submit(self._apply_platform, stack, ready)
        try:
            self._serve_platform(stack, endpoint, database, ready, applying)
            with step("apply the rest of infra/platform") as line:
                self._wait_applied(line, stack, applying)
        except BaseException:
            stack.cancelled.set()
            raise
        self._announce(stack)
        while True:
            self._watch()
            time.sleep(0.5)

    def _open_account(self) -> tuple[infrastructure.Stack, str]:
        """An emulated account with nothing in it: Terraform as its administrator, and where it answers."""
        self._prepare_folder()
        with step("find Terraform and the AWS provider") as line:
            tool = terraform.Terraform.prepare(paths.TOOLS, say=line.note)
            mirror = terraform.provider_mirror()
            line.note(f"{tool.binary}, provider from {'a local mirror' if mirror else 'the registry'}")
        with step("start the emulated AWS") as line:
            endpoint = self._start_emulator()
            line.note(endpoint)
        tool = terraform.Terraform(
            tool.binary, tool.cli_config, {**self.env, **infrastructure.aws_environment(endpoint)}
        )
        return infrastructure.Stack(tool, paths.REHEARSAL / "infra", self.logs / "terraform.log"), endpoint

    def _bootstrap(self, stack: infrastructure.Stack) -> None:
        with step("apply infra/bootstrap, as the account's administrator") as line:
            stack.apply_bootstrap(self._counted(line), pipeline=False)
            infrastructure.prepare_account(stack.session())
        with step("become the deployer that bootstrap made") as line:
            line.note(stack.become_deployer())

    def _prepare_folder(self) -> None:
        left = state.clean()
        if left:
            out.print(f"cleaned up after an earlier rehearsal: {left} processes ended")
        state.remove(self.logs)
        free = shutil.disk_usage(paths.REHEARSAL).free
        if free < NEEDED_BYTES:
            raise LyceumError(
                f"Only {free / 2**30:.1f} GiB are free in {paths.REHEARSAL.parent}; a rehearsal needs "
                f"{NEEDED_BYTES / 2**30:.0f} GiB.", "Free some space, or name another folder in LYCEUM_HOME.",
            )  # fmt: skip
        self.logs.mkdir(parents=True, exist_ok=True)
        self.state.write()

    def _start_emulator(self) -> str:
        self.children["emulator"], endpoint = emulated.start(self.logs, self.env, enforce=True, trail=True)
        self.state.emulator = endpoint
        self._keep_pids()
        return endpoint

    def _counted(self, line: Step) -> terraform.Listener:
        tally = terraform.Tally()

        def listen(event: terraform.Event) -> None:
            tally.add(event)
            line.note(str(tally))

        return listen

    def _apply_platform(self, stack: infrastructure.Stack, ready: threading.Event) -> str:
        try:
            return stack.apply_platform(ENVIRONMENT, ready)
        finally:
            ready.set()

    def _start_database(self) -> postgres.Database:
        with step("start PostgreSQL in the place of RDS"):
            database = postgres.start(
                paths.REHEARSAL / "postgres", self.logs / "postgres.log", platform.environment(self.env)
            )
            self.children["postgres"] = database.process
            self._keep_pids()
        return database

    def _serve_platform(
        self,
        stack: infrastructure.Stack,
        endpoint: str,
        database: postgres.Database,
        ready: threading.Event,
        applying: Future[str],
    ) -> None:
        with step("apply infra/platform as the deployer, until its bucket and its table exist") as line:
            while not ready.wait(0.2):
                line.note(stack.progress)
                self._watch()
            if applying.done():
                applying.result()
            line.note(stack.progress)
        log = self.logs / "platform.log"
        # As a server: with its role, over which the account's policies decide.
        aws = infrastructure.server_environment(endpoint, stack.found["role"])
        kept = infrastructure.Session.as_role(endpoint, stack.found["role"]).client("secretsmanager")
        password, secret_key = (
            str(kept.get_secret_value(SecretId=stack.found[name])["SecretString"])
            for name in ("database password", "secret key")
        )
        env = {
            **self.env,
            **aws,
            "LYCEUM_VAR_DIR": str(paths.REHEARSAL / "var"),
            "SECRET_KEY": secret_key,
            "DATABASE_URL": database.owner_url,
            "CONTENT_URL": f"s3://{stack.found['bucket']}",
            "PROGRESS_URL": f"dynamodb://{stack.found['table']}",
        }
        with step("migrate the database, and give the servers their restricted role") as line:
            as_owner = platform.Commands(platform.environment(env), log)
            as_owner("prepare")
            as_owner("grant_application_role", LYCEUM_APPLICATION_PASSWORD=password)
            line.note(SERVERS_ROLE)
        # From here on nothing needs more than the servers have.
        env["DATABASE_URL"] = database.url_of(SERVERS_ROLE, password)
        as_server = platform.Commands(platform.environment(env), log)
        with step("load the sample courses into the bucket") as line:
            line.note(f"{as_server.load_sample_courses()} loaded")
        with step("create one account per role"):
            self._create_accounts(as_server)
        url = f"http://127.0.0.1:{self.port}/"
        with step("serve the platform") as line:
            self.children["platform"] = platform.start(self.port, env=env, log=log)
            platform.wait(url, self.children["platform"], log=log)
            line.note(f"{url}, {processes.pss_mib(self.children['platform'].pid):.0f} MiB PSS")
        self.state.url = url
        self._keep_pids()

    def _wait_applied(self, line: Step, stack: infrastructure.Stack, applying: Future[str]) -> None:
        self._until_done(line, applying, lambda: stack.progress)
        self.state.infrastructure = f"applied: {applying.result()}"

    def _until_done(self, line: Step, work: Future[Any], said: Callable[[], str]) -> None:
        """Watch the children until work beside is done, and show what it says."""
        while not work.done():
            line.note(said())
            self._watch()
            time.sleep(0.2)
        line.note(said())

    def _create_accounts(self, commands: platform.Commands) -> None:
        self.state.accounts += [Account(role, *commands.create_account(role)) for role in platform.ROLES]

    def _announce(self, stack: infrastructure.Stack) -> None:
        self.state.phase = "ready"
        self.state.seconds = round(time.monotonic() - self.began, 1)
        self.state.region = stack.region
        self._keep_pids()
        from lyceum_lab.rehearsal.report import show

        show(self.state)

    def _keep_pids(self) -> None:
        self.state.pids = {name: child.pid for name, child in self.children.items()}
        self.state.write()

    def _watch(self) -> None:
        for name, child in self.children.items():
            if child.poll() is not None:
                raise LyceumError(
                    f"The {name} of the rehearsal ended with code {child.returncode}; everything else was taken down.",
                    f"Log: {self.logs / (name + '.log')}",
                )

    def close(self, error: str = "", say: Callable[[str], None] = lambda _: None) -> None:
        """Take everything down in the order in which it depends on one another; keep the logs and the reason."""
        # A second Ctrl-C must not leave the work half done.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        took: list[str] = []

        def timed(name: str, end: Callable[[], object]) -> None:
            say(", ".join([*took, name]))
            began = time.monotonic()
            end()
            took.append(f"{name} {time.monotonic() - began:.1f} s")

        # The last one first; should one of them fail, the others are ended all the same.
        with ExitStack() as endings:
            endings.callback(self.workers.shutdown, wait=True, cancel_futures=True)
            # Terraform finds its endpoint gone and ends; what hangs is ended by its mark.
            endings.callback(state.clean)
            for name, end in reversed(self._endings()):
                endings.callback(timed, name, end)
        if error:
            self.state.phase, self.state.error, self.state.pids = "failed", error, {}
            self.state.accounts, self.state.url, self.state.pid = [], "", 0
            with suppress(OSError):
                self.state.write()

    def _endings(self) -> list[tuple[str, Callable[[], object]]]:
        """What has to be ended, in its order."""
        return [
            (name, partial(platform.stop, self.children[name]))
            for name in ("platform", "postgres", "emulator")
            if name in self.children
        ]


def up(port: int) -> None:
    """Run a rehearsal in the foreground until Ctrl-C or `./lyceum down`. Raises LyceumError when it cannot go on."""
    supervise(Supervisor, port)


def supervise(kind: Callable[[int], Supervisor], port: int) -> None:
    """Run a rehearsal of a kind until it is asked to stop. Raises LyceumError when it cannot go on."""
    lock = state.take_lock()
    processes.require_port(port)
    infrastructure.isolate()
    # A shell that starts it in the background has SIGINT ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    supervisor = kind(port)
    reason = ""
    try:
        supervisor.run()
    except KeyboardInterrupt:
        out.print("taking the rehearsal down")
    except LyceumError as error:
        reason = str(error)
        raise
    except OSError as error:
        reason = f"{error.strerror}: {error.filename or 'no file'}"
        raise LyceumError(
            f"The rehearsal stopped: {reason}.", "Is the disk full?" if error.errno == 28 else ""
        ) from error
    finally:
        with step("end every process, remove every file but the logs") as line:
            supervisor.close(reason, line.note)
        lock.close()


def detach(port: int, command: Sequence[str] = ("up",)) -> None:
    """Start a rehearsal in the background and return when it is ready. Raises LyceumError if it fails."""
    if there := state.running():
        raise LyceumError(
            f"A rehearsal is already running{' at ' + there.url if there.url else ''}.",
            "See it with ./lyceum status, end it with ./lyceum down.",
        )
    processes.require_port(port)
    paths.HOME.mkdir(parents=True, exist_ok=True)
    # A file of this start alone; its name goes at once, so that nothing is left however this ends.
    said = paths.HOME / f"up-{os.getpid()}.log"
    with said.open("xb") as sink, said.open(encoding="utf-8") as lines:
        said.unlink()
        supervisor = subprocess.Popen(
            [str(paths.PYTHON), "-m", "lyceum_lab", *command, "--port", str(port)],
            env=platform.environment({"LYCEUM_HOME": str(paths.HOME)}), cwd=paths.CHECKOUT,
            stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        try:
            _follow(supervisor, lines)
        except KeyboardInterrupt:
            supervisor.terminate()
            supervisor.wait()
            raise


def _follow(supervisor: subprocess.Popen[bytes], lines: IO[str]) -> None:
    """Copy the supervisor's lines to this terminal until it is ready or ends."""
    last = ""
    while True:
        ended = supervisor.poll() is not None
        there = state.read()
        ready = there is not None and there.pid == supervisor.pid and there.phase == "ready"
        if ready:
            time.sleep(0.3)  # the last lines are on their way
        text = lines.read()
        if ended:
            # Its reason is the last line, and was shown already if it came before its end was seen.
            shown, _, reason = text.rstrip().rpartition("\n")
            out.print(shown, markup=False)
            raise LyceumError((reason or last).removeprefix("lyceum: ") or "The rehearsal ended without a word.")
        out.print(text, end="", markup=False)
        last = text.rstrip().rpartition("\n")[2] or last
        if ready:
            return
        time.sleep(0.2)


def down() -> dict[str, Any]:
    """End the running rehearsal, or clean up after one that crashed. Returns what was done.

    Raises LyceumError when it does not end; nothing of it is removed then.
    """
    there = state.running()
    if there:
        for number, patience in ((signal.SIGTERM, 60), (signal.SIGKILL, 5)):
            with suppress(ProcessLookupError):
                os.kill(there.pid, number)
            deadline = time.monotonic() + patience
            while state.running() and time.monotonic() < deadline:
                time.sleep(0.1)
            if not state.running():
                break
    # Held while cleaning, so that no other start can come in between.
    with state.take_lock():
        ended = state.clean()
        state.remove(paths.REHEARSAL)
    return {"was_running": there is not None, "left_over_processes": ended}


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt
