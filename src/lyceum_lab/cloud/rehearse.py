"""`./lyceum rehearse`: `up`, and what Terraform applied stands on this machine: packets are carried, servers boot.

The supervisor of `./lyceum up` does the first steps (an emulated account, bootstrap, the deployer); the rest is read
back from AWS's API. Nothing outlives it: processes end with it, and what a crash left is cleaned by the next start.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any

from lyceum_lab import paths, platform
from lyceum_lab.cloud import site as sites
from lyceum_lab.cloud.balancer import described
from lyceum_lab.cloud.balancer.haproxy import LoadBalancer, Place
from lyceum_lab.cloud.files import MODES, server
from lyceum_lab.cloud.group.face import Face
from lyceum_lab.cloud.group.loop import AutoScaler
from lyceum_lab.cloud.network import names, namespaces
from lyceum_lab.cloud.servers.fleet import Fleet
from lyceum_lab.cloud.servers.image import Image, require_tools
from lyceum_lab.cloud.site import Site
from lyceum_lab.cloud.visit import SWITCH
from lyceum_lab.cloud.way_in import WayIn
from lyceum_lab.rehearsal import infrastructure
from lyceum_lab.rehearsal.infrastructure import ACCOUNT, REGION, Session
from lyceum_lab.rehearsal.up import ENVIRONMENT, SERVERS_ROLE, Supervisor
from lyceum_ops import artifact as artifacts
from lyceum_ops.artifact import Artifact
from lyceum_ops.console import out, step
from lyceum_ops.errors import LyceumError, MissingTool
from lyceum_ops.releases.servers import Servers

# What AWS waits for is divided by this; the number of data points and of checks stays.
SCALE = 10.0
# As env/prod.tfvars has its database, and dev has not.
MULTI_AZ = {"database": "{multi_az=true}"}
IN_SERVICE_SECONDS = 180  # until the first server has to serve


def require() -> None:
    """Raise what a person can act on, before anything is started."""
    namespaces.require()
    require_tools()
    server()
    sites.system_postgres()
    for program, package in (("haproxy", "haproxy"), ("dnsmasq", "dnsmasq-base")):
        if not shutil.which(program):
            raise MissingTool(f"{program} is not here.", f"Install it: apt-get install {package}.")


class Rehearsal(Supervisor):
    """One rehearsal of the whole cloud. `run` returns when it was asked to stop; `close` leaves nothing behind."""

    site: Site | None = None
    fleet: Fleet | None = None
    balancer: LoadBalancer | None = None
    group: AutoScaler | None = None
    way_in: WayIn | None = None

    def __init__(self, port: int, *, keep: bool = False, multi_az: bool = False) -> None:
        super().__init__(port)
        self.keep = keep
        self.variables = MULTI_AZ if multi_az else {}

    def run(self) -> None:
        """Start everything, say what there is, then watch until a signal or a death."""
        out.print("A rehearsal of the whole cloud on this machine: it keeps nothing when it ends.")
        stack, endpoint = self._open_account()
        with ThreadPoolExecutor(2, thread_name_prefix="beside") as beside:
            image, artifact = beside.submit(self._image), beside.submit(self._artifact)
            self._bootstrap(stack)
            self._apply(stack)
            admin = Session.of(infrastructure.aws_environment(endpoint))
            self._build_site(admin, endpoint)
            self._release(admin, artifact)
            self._wait_for("build the root of the servers (once)", image, lambda: self._image_says)
            self._boot(admin, endpoint, image.result())
        self._announce(stack)
        while True:
            self._watch()
            time.sleep(0.5)

    # ------------------------------------------------------------------------------------------------------ beside

    def _image(self) -> Image:
        return Image.ensure(paths.CHECKOUT / ".lyceum", say=self._note_image)

    def _note_image(self, text: str) -> None:
        self._image_says = text

    _image_says = ""

    def _artifact(self) -> Artifact:
        return artifacts.build(
            paths.CHECKOUT, paths.REHEARSAL / "artifacts", cache=paths.CHECKOUT / ".lyceum" / "wheels", allow_dirty=True
        )

    def _wait_for(self, what: str, work: Future[Any], said: Callable[[], str] = lambda: "") -> None:
        """Show a step until work beside is done; nothing when it is done already."""
        if not work.done():
            with step(what) as line:
                self._until_done(line, work, said)
        work.result()

    # -------------------------------------------------------------------------------------------------- one by one

    def _apply(self, stack: infrastructure.Stack) -> None:
        with step("apply infra/platform as the deployer") as line:
            applying = self.workers.submit(stack.apply_platform, ENVIRONMENT, threading.Event(), self.variables)
            try:
                self._wait_applied(line, stack, applying)
            except BaseException:
                stack.cancelled.set()
                raise

    def _build_site(self, admin: Session, endpoint: str) -> None:
        self.site = site = Site(
            admin, endpoint, ENVIRONMENT, paths.REHEARSAL, self.logs, platform.environment(self.env)
        )
        with step("read the network from AWS's API") as line:
            topology = site.read()
            line.note(f"{len(topology.subnets)} subnets, {len(list(topology.rules()))} rules")
        with step("build it of namespaces: subnets, network ACLs, security groups, gateways, AWS's endpoints") as line:
            line.note(site.build_network())
        with step("start PostgreSQL in the data subnets, in the place of RDS") as line:
            line.note(site.start_database())
        with step("serve the shared files at their mount targets, in the place of EFS") as line:
            line.note(site.start_files())
        with step("let Session Manager reach the bastion") as line:
            line.note(site.start_sessions())
        self._keep_pids()

    def _release(self, admin: Session, artifact: Future[Artifact]) -> None:
        assert self.site is not None  # noqa: S101 - built a step before
        site, log = self.site, self.logs / "jobs.log"
        password, secret_key = (
            str(
                admin.client("secretsmanager").get_secret_value(SecretId=f"lyceum-{ENVIRONMENT}-{name}")["SecretString"]
            )
            for name in ("database", "secret-key")
        )
        settings = {
            "SECRET_KEY": secret_key,
            "CONTENT_URL": f"s3://lyceum-{ENVIRONMENT}-content-{ACCOUNT}",
            "PROGRESS_URL": f"dynamodb://lyceum-{ENVIRONMENT}-progress",
            "LYCEUM_VAR_DIR": str(paths.REHEARSAL / "var"),
        }
        job = site.job(settings, log)
        with step("migrate the database from a job in the management subnets") as line:
            job("prepare")
            job("grant_application_role", LYCEUM_APPLICATION_PASSWORD=password)
            job("grant_reading")
            line.note(SERVERS_ROLE)
        with step("load the sample courses into the bucket, create one account per role") as line:
            line.note(f"{job.load_sample_courses()} courses")
            self._create_accounts(job)
        self._wait_for("build the artifact", artifact)
        with step("publish the artifact, and release it") as line:
            made = artifact.result()
            artifacts.publish(made, admin, f"lyceum-{ENVIRONMENT}-releases-{ACCOUNT}")
            self._point_at(admin, made.version)
            line.note(f"{made.version}, {made.size / 2**20:.1f} MiB")

    def _point_at(self, admin: Session, version: str) -> None:
        """The first release: a version of the launch template with its tag, and the group on it."""
        servers = Servers(admin, ENVIRONMENT)
        template = servers.group().template
        newest = servers.version(template, "$Latest")
        made = servers.add_version(
            template, newest, release=version, image=newest.image, description="the first release of a rehearsal"
        )
        admin.client("autoscaling").update_auto_scaling_group(
            AutoScalingGroupName=servers.name,
            LaunchTemplate={"LaunchTemplateId": template, "Version": str(made.number)},
        )

    def _boot(self, admin: Session, endpoint: str, image: Image) -> None:
        assert self.site is not None  # noqa: S101 - built before
        site, scratch = self.site, paths.REHEARSAL / "balancer"
        scratch.mkdir()
        with step("start haproxy in the public subnets, in the place of the load balancer") as line:
            balancer = described.read(admin.client("elbv2"), f"lyceum-{ENVIRONMENT}")
            places = [
                Place(one.host.zone, tuple(one.namespace.prefix))
                for one in site.vpc.attached.values()
                if one.host.role == "load-balancer"
            ]
            self.balancer = LoadBalancer(balancer, places, scratch, scale=SCALE)
            self.balancer.start()
            line.note(f"{len(places)} nodes, {site.declared.balancer}")
        with step("boot what the Auto Scaling group asks for, until a server is in service") as line:
            self.fleet = Fleet(site, image, paths.REHEARSAL / "servers", SCALE)
            self.fleet.start()
            face = Face(f"lyceum-{ENVIRONMENT}-servers", REGION, endpoint, admin.client, SCALE)
            self.group = AutoScaler(face, self.balancer, self.fleet, SCALE)
            began = time.monotonic()
            self.group.start()
            while not (serving := [event.instance for event in self.group.events if event.what == "serves"]):
                self._watch()
                booting = list(self.fleet.machines.items())
                line.note(" ".join(f"{name}: {one.last_words()[-70:]}" for name, one in booting))
                if time.monotonic() - began > IN_SERVICE_SECONDS:
                    said = "; ".join(one.last_words() for _, one in booting) or self.group.trouble
                    raise LyceumError(f"No server came into service within {IN_SERVICE_SECONDS} s: {said}",
                                      f"Consoles: {self.fleet.folder}")  # fmt: skip
                time.sleep(0.5)
            line.note(f"{serving[0]} after {time.monotonic() - began:.0f} s")
        known = {**names.aws_names(REGION), site.declared.balancer: site.public_balancer()}
        operator = site.vpc.outsiders["operator"]
        self.way_in = WayIn(site.vpc.internet, operator, known)
        self.way_in.start(self.port)
        self.state.url = f"http://{site.declared.balancer}/"
        self.state.cloud = self._cloud()

    # ---------------------------------------------------------------------------------------------------- going on

    def _watch(self) -> None:
        super()._watch()
        if self.site is None:
            return
        for name, child in self.site.children.items():
            if child.poll() is not None:
                raise LyceumError(f"The {name} of the rehearsal ended with code {child.returncode}.",
                                  f"Logs: {self.logs}, {paths.REHEARSAL}")  # fmt: skip
        if self.site.pair is not None and not self.site.pair.running:
            raise LyceumError(f"The database is lost: {self.site.pair.lost or 'nobody looks after its standby'}.",
                              f"Log: {self.logs / 'postgres.log'}")  # fmt: skip
        if self.group is not None and not self.group.running:
            raise LyceumError("The loop of the Auto Scaling group ended; its reason stands above.")
        with suppress(OSError):
            mode = (paths.REHEARSAL / SWITCH).read_text().strip()
            if mode in MODES and self.site.files.mode != mode:
                self.site.files.switch(mode)
        if self.state.phase == "ready":
            now = self._cloud()
            if now != self.state.cloud:
                self.state.cloud = now
                self.state.write()

    def _cloud(self) -> dict[str, Any]:
        """What there is now, for `status` and `exec`."""
        assert self.site is not None  # noqa: S101
        assert self.fleet is not None  # noqa: S101
        assert self.balancer is not None  # noqa: S101
        assert self.group is not None  # noqa: S101
        health: dict[str, str] = {}
        for arn in self.balancer.balancer.groups:
            health |= {target: one.state.value for target, one in self.balancer.states(arn).items()}
        hosts, pair = self.site.describe(), self.site.pair
        return {
            "proxy": f"http://127.0.0.1:{self.port}",
            "authority": str(self.site.authority.certificate),
            "scale": SCALE,
            "files": self.site.files.mode,
            "hosts": hosts,
            "servers": {
                name: {
                    "address": hosts.get(name, {}).get("address", ""),
                    "zone": hosts.get(name, {}).get("zone", ""),
                    "health": health.get(name, "unused"),
                    "memory_percent": round(self.fleet.memory.get(name, 0.0)),
                }
                for name in list(self.fleet.machines)
            },
            "database": pair.describe() if pair else {"zone": self.site.declared.zone},
            "trouble": self.group.trouble or self.balancer.trouble or (pair.trouble if pair else ""),
            "events": [f"{time.strftime('%H:%M:%S', time.localtime(e.at))} {e.instance} {e.what}".replace("  ", " ")
                       for e in self.group.events[-40:]],
        }  # fmt: skip

    def _endings(self) -> list[tuple[str, Callable[[], object]]]:
        parts: list[tuple[str, Callable[[], object]]] = []
        if self.way_in:
            parts.append(("way in", self.way_in.stop))
        if self.group:
            # Its servers are unplugged below: a rehearsal that ends waits for nobody.
            parts.append(("group", partial(self.group.stop, machines=False)))
        if self.balancer:
            parts.append(("load balancer", self.balancer.stop))
        if self.fleet:
            parts.append(("servers", self.fleet.stop))
        if self.site:
            parts.append(("network", self.site.close))
        if self.keep:
            parts.append(("what is kept", self._keep))
        return [*parts, *super()._endings()]

    def _keep(self) -> None:
        """Put aside what explains a rehearsal when it is gone: logs, consoles, the group's events, the shared files."""
        target = paths.HOME / time.strftime("kept-%Y%m%dT%H%M%S")
        shutil.copytree(self.logs, target / "logs")
        for console in sorted((paths.REHEARSAL / "servers").glob("*/console.log")):
            shutil.copyfile(console, target / "logs" / f"{console.parent.name}.log")
        if (paths.REHEARSAL / "files").is_dir():
            shutil.copytree(paths.REHEARSAL / "files", target / "files")
        events = self.group.events if self.group else []
        lines = (f"{time.strftime('%H:%M:%S', time.localtime(one.at))} {one.instance} {one.what}\n" for one in events)
        (target / "logs" / "group.log").write_text("".join(lines))
        out.print(f"Kept: {target}", markup=False)
