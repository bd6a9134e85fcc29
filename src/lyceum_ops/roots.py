"""The two Terraform roots and their states: infra/bootstrap, once an account, and infra/platform, once an environment.

Terraform works in a copy of infra/ (and of what it deploys) below `work`, so that the checkout stays as it is.
Everything that an account has
lies in its own bucket, lyceum-state-<account>, that bootstrap made; bootstrap's own state is local until it did.
The rehearsal runs this very code, with an endpoint in its environment.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lyceum_ops import aws
from lyceum_ops.changes import Plan, resources
from lyceum_ops.errors import CommandFailed, NotPermitted, StateLost
from lyceum_ops.explain import explain
from lyceum_ops.functions import build_all
from lyceum_ops.terraform import NO_INPUTS, Inputs, Listener, Root, Terraform

DATA_DIR = "TF_DATA_DIR"
# Interrupted, Terraform waits for what it has begun at AWS; killed, it forgets what that made, and leaves its lock.
PATIENCE = 600.0
# As a database, a table and a load balancer call it.
PROTECTIONS = ("deletion_protection", "deletion_protection_enabled", "enable_deletion_protection")


def silent(_: dict[str, Any]) -> None:
    """Hears events and does nothing."""


@dataclass(frozen=True)
class Kept:
    """A state before Terraform is asked: its bucket, the bucket's region ("" without one), and whether it is there."""

    bucket: str
    region: str
    there: bool


def find_state(session: Any, account: str, key: str) -> Kept:
    """Look for the state `key` in the account's bucket. Raises StateLost for one that was there and was deleted."""
    bucket, name = f"lyceum-state-{account}", f"{key}.tfstate"
    s3 = session.client("s3")
    try:
        region = s3.head_bucket(Bucket=bucket).get("BucketRegion", "")
    except Exception as error:
        if aws.code(error) in {"404", "NoSuchBucket"}:
            return Kept(bucket, "", there=False)
        with aws.asking("s3"):
            raise
    try:
        s3.head_object(Bucket=bucket, Key=name)
    except Exception as error:
        if aws.code(error) not in {"404", "NoSuchKey"}:
            with aws.asking("s3"):
                raise
        _refuse_deleted(s3, bucket, name)
        return Kept(bucket, region, there=False)
    return Kept(bucket, region, there=True)


def _refuse_deleted(s3: Any, bucket: str, name: str) -> None:
    with suppress(NotPermitted), aws.asking("s3"):
        markers = s3.list_object_versions(Bucket=bucket, Prefix=name).get("DeleteMarkers", [])
        for marker in markers:
            if marker["Key"] == name and marker["IsLatest"]:
                raise StateLost(
                    f"The state {name} was deleted from {bucket} at {marker['LastModified']:%Y-%m-%d %H:%M} UTC; "
                    "its older versions are still there.",
                    "Bring it back by removing the mark of its deletion: aws s3api delete-object --bucket "
                    f"{bucket} --key {name} --version-id {marker['VersionId']}",
                )


class Applied:
    """One root in its folder of work. `name` is what people call it: bootstrap, or the environment."""

    def __init__(self, *, kind: str, name: str, key: str, tool: Terraform, session: Any, account: str, source: Path,
                 work: Path, log: Path, parallelism: int = 10, patience: float = PATIENCE) -> None:  # fmt: skip
        self.name, self.key, self.session, self.account = name, key, session, account
        self.work, self.parallelism = work, parallelism
        self._unpushed = work / f"{key}.errored.tfstate"
        work.mkdir(parents=True, exist_ok=True, mode=0o700)
        copy = work / "infra"
        # An apply that could not write its state left it beside its code, and the copy is about to be made anew.
        with suppress(FileNotFoundError):
            (copy / kind / "errored.tfstate").replace(self._unpushed)
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(source, copy, ignore=shutil.ignore_patterns(".terraform", "*.tfstate*", "*.tfplan", "tests"))
        self._bring_what_it_deploys(source.parent, copy / kind)
        env = {**tool.env, DATA_DIR: str(work / "data")}
        self.root = Root(Terraform(tool.binary, tool.cli_config, env), copy / kind, log, patience)

    def _bring_what_it_deploys(self, checkout: Path, root: Path) -> None:
        """What the code names beside itself: the servers' user data as it is, the functions packed."""
        beside = self.work / "instance"
        shutil.rmtree(beside, ignore_errors=True)
        if (checkout / "instance").is_dir():
            shutil.copytree(checkout / "instance", beside)
        if (checkout / "functions").is_dir():
            build_all(checkout / "functions", root / ".build")

    def plan(self, inputs: Inputs = NO_INPUTS, *, destroy: bool = False, listener: Listener = silent) -> Plan:
        """Plan into a file for its owner only; `apply` or `forget` it. Raises what `explain` makes of a failure."""
        file = self.work / f"{self.key}.tfplan"
        file.unlink(missing_ok=True)
        file.touch(mode=0o600)
        try:
            self.root.plan(file, inputs=inputs, destroy=destroy, listener=listener, parallelism=self.parallelism)
            return Plan.read(file, self.root.show(file))
        except BaseException as error:
            file.unlink(missing_ok=True)
            if isinstance(error, CommandFailed):
                raise explain(error, self.name) from error
            raise

    def apply(self, plan: Plan, *, listener: Listener = silent) -> None:
        """Do exactly what `plan` says; its file is gone afterwards."""
        try:
            self.root.apply(plan.file, listener=listener, parallelism=self.parallelism)
        except CommandFailed as error:
            found = explain(error, self.name)
            # The state keeps what was made, so that the next apply goes on from there.
            found.hint = f"{found.hint} What was done until then is kept: mend it, and run the same again."
            raise found from error
        finally:
            self.forget(plan)

    def forget(self, plan: Plan) -> None:
        """Remove a plan's file."""
        plan.file.unlink(missing_ok=True)

    def outputs(self) -> dict[str, Any]:
        with self._explained():
            return self.root.outputs()

    def unlock(self, lock: str) -> None:
        """Remove the lock with this id, whoever holds it."""
        with self._explained():
            self.root.run("force-unlock", "-force", lock)

    def _init(self, backend: Mapping[str, str], *, migrate: bool = False) -> None:
        with self._explained():
            self.root.init(backend=backend, migrate=migrate)

    def _bucket(self, kept: Kept, region: str) -> dict[str, str]:
        backend = {"bucket": kept.bucket, "key": f"{self.key}.tfstate", "region": region, "use_lockfile": "true"}
        if self.root.terraform.environment().get("AWS_ENDPOINT_URL"):
            # An endpoint of one's own has no host for each bucket.
            backend["use_path_style"] = "true"
        return backend

    def _push_what_was_left(self) -> None:
        if not self._unpushed.exists():
            return
        try:
            # Terraform refuses it when the bucket holds another line of states, or a newer one.
            self.root.run("state", "push", str(self._unpushed))
        except CommandFailed as error:
            raise StateLost(
                f"An earlier apply of {self.name} could not write its state, and it does not fit the one in the bucket "
                f"now: {' '.join(' '.join(error.errors).split())[:200]}",
                f"It lies at {self._unpushed}: compare the two, then remove it or push it with -force.",
            ) from error
        self._unpushed.unlink()

    def _explained(self) -> _Explained:
        return _Explained(self.name)


class _Explained:
    """A `with` in which a failed Terraform command becomes what it means."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, CommandFailed):
            raise explain(error, self.name) from error


class Bootstrap(Applied):
    """What an account has once. `open` finds where its state is; `apply` moves a local one into the bucket it made."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(kind="bootstrap", name="bootstrap", key="bootstrap", **arguments)
        self.local = self.work / "bootstrap.tfstate"
        self.is_first = False
        self.region = ""

    def open(self) -> None:
        """Initialise with the state where it is. Raises StateLost when the account has a bucket and no state of it."""
        kept = find_state(self.session, self.account, self.key)
        self.region = kept.region
        if kept.there:
            self._use_bucket(kept, kept.region)
            self._push_what_was_left()
            # Cut short between the move and its end; the bucket's counts from then on.
            with suppress(FileNotFoundError):
                self.local.replace(self.local.with_suffix(".tfstate.moved"))
        elif kept.region and not self.local.exists():
            raise StateLost(
                f"The bucket {kept.bucket} is there, and the state of bootstrap is neither in it nor at {self.local}.",
                "If bootstrap's first apply was cut short elsewhere, run it again in that checkout. Otherwise import "
                "what it made with terraform import (docs/decisions/0006). Nothing was changed.",
            )
        else:
            # Also after a first apply that was cut short: it goes on from its local state.
            self.is_first = True
            self._write_backend("local")
            self._init({"path": str(self.local)})
            self._push_what_was_left()

    def apply(self, plan: Plan, *, listener: Listener = silent) -> None:
        super().apply(plan, listener=listener)
        if self.is_first:
            self.move_state()

    def move_state(self) -> None:
        """Move the local state into the bucket that was made with it."""
        outputs = self.outputs()
        bucket, region = str(outputs["state_bucket"]), str(outputs["region"])
        self._use_bucket(Kept(bucket, region, there=True), region, migrate=True)
        kept = find_state(self.session, self.account, self.key)
        if kept.bucket != bucket or not kept.there or self.outputs() != outputs:
            raise StateLost(f"The state was to move into {bucket} and is not there.", f"It still lies at {self.local}.")
        self.is_first, self.region = False, region
        for left in (self.local, self.local.with_suffix(".tfstate.backup")):
            left.unlink(missing_ok=True)

    def leave_bucket(self) -> None:
        """Move the state back into the local file: the bucket that keeps it is about to be destroyed."""
        self._write_backend("local")
        self._init({"path": str(self.local)}, migrate=True)
        self.is_first = False

    def _use_bucket(self, kept: Kept, region: str, *, migrate: bool = False) -> None:
        self._write_backend("s3")
        if not migrate:
            # What an earlier first start remembers of a local state would ask for a migration.
            (self.work / "data" / "terraform.tfstate").unlink(missing_ok=True)
        self._init(self._bucket(kept, region), migrate=migrate)

    def _write_backend(self, kind: str) -> None:
        # The first state cannot be kept in a bucket that it is about to create: the code itself names no backend.
        (self.root.folder / "backend.tf").write_text(f'terraform {{\n  backend "{kind}" {{}}\n}}\n')


class Platform(Applied):
    """One environment of the platform."""

    def __init__(self, environment: str, **arguments: Any) -> None:
        super().__init__(kind="platform", name=environment, key=f"platform-{environment}", **arguments)
        self.var_file = self.root.folder / "env" / f"{environment}.tfvars"
        self.region = ""
        self.is_new = False

    def open(self) -> None:
        """Initialise with the state in the account's bucket. Raises StateLost without the bucket."""
        kept = find_state(self.session, self.account, self.key)
        if not kept.region:
            raise StateLost(
                f"Account {self.account} has no bucket {kept.bucket}: bootstrap was not applied, or its bucket lost.",
                "Is this the right account? If so: ./lyceum bootstrap, as its administrator.",
            )
        self.region, self.is_new = kept.region, not kept.there
        self._init(self._bucket(kept, kept.region))
        self._push_what_was_left()

    def protection(self) -> list[str]:
        """What in the state says that this environment must not be destroyed; empty when nothing does."""
        try:
            values = self.root.show().get("values", {})
        except CommandFailed as error:
            raise explain(error, self.name) from error
        said = values.get("outputs", {}).get("protected", {}).get("value")
        # Only a plain no is a no.
        found = [] if said in (None, False, "false") else [f"the output `protected` of its state is {said}"]
        # Also without the output: an apply that was cut short has written none yet.
        found += [
            f"{resource['address']} has deletion protection"
            for resource in resources(values.get("root_module", {}), mode="managed")
            if any(resource["values"].get(name) is True for name in PROTECTIONS)
        ]
        return found
