"""The plans that are looked at: dev, prod and bootstrap, made side by side against an empty emulated account.

Nothing is applied. A plan validates the code first, so that one that is made is the proof of valid code as well.
"""

from __future__ import annotations

import json
import shutil
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lyceum_lab import paths
from lyceum_lab.proofs.cloud import Bare
from lyceum_lab.rehearsal import infrastructure
from lyceum_ops.errors import CommandFailed, LyceumError
from lyceum_ops.functions import build_all
from lyceum_ops.roots import DATA_DIR
from lyceum_ops.terraform import Inputs, Root, Terraform

ENVIRONMENTS = ("dev", "prod")
NAMES = (*ENVIRONMENTS, "bootstrap")


@dataclass(frozen=True)
class Shown:
    """A plan as Terraform shows it, and the file in which that lies."""

    name: str
    file: Path
    plan: dict[str, Any]


def begin(cloud: Bare, pool: ThreadPoolExecutor, names: tuple[str, ...] = NAMES) -> dict[str, Future[Shown]]:
    """Start making the plans. `pool` has to outlive them. Each raises LyceumError when it cannot be made."""
    infra = cloud.folder / "infra"
    shutil.copytree(paths.CHECKOUT / "infra", infra, ignore=shutil.ignore_patterns(".terraform", "*.tfstate*", "tests"))
    shutil.copytree(paths.CHECKOUT / "instance", cloud.folder / "instance")
    build_all(paths.CHECKOUT / "functions", infra / "platform" / ".build")
    # No state is kept: each plan begins with nothing.
    (infra / "platform" / "backend.tf").unlink()
    return {name: pool.submit(_make, cloud, name) for name in names}


def _make(cloud: Bare, name: str) -> Shown:
    kind = "platform" if name in ENVIRONMENTS else name
    # Most of a plan's time is Go's own housekeeping in the provider's schema; memory is had for a few seconds.
    env = {**cloud.tool.env, DATA_DIR: str(cloud.folder / f"data-{name}"), "GOGC": "400"}
    folder = cloud.folder / "infra" / kind
    root = Root(Terraform(cloud.tool.binary, cloud.tool.cli_config, env), folder, cloud.logs / f"{name}.log")
    values = infrastructure.PLATFORM_VARIABLES.get(name, infrastructure.BOOTSTRAP_VARIABLES)
    files = (folder / "env" / f"{name}.tfvars",) if name in ENVIRONMENTS else ()
    plan, file = cloud.folder / f"{name}.tfplan", cloud.folder / f"{name}.json"
    try:
        root.init()
        # Two plans lie in one folder, and nothing is ever written to a state.
        root.run("plan", "-json", "-lock=false", "-refresh=false", f"-out={plan}", *Inputs(files, values).arguments())
        shown = root.show(plan)
    except CommandFailed as error:
        said = " ".join(str(error.message).split())
        raise LyceumError(f"No plan of {name} can be made: {said}", "Mend infra/, then run the proof again.") from error
    with file.open("w") as sink:
        json.dump(shown, sink)
    return Shown(name, file, shown)
