"""Runs the pipeline that infra/modules/pipeline declares: its stages and actions in order, from Terraform's own plan.

Each action gets a clean clone of the commit, as CodeBuild makes one, and the artifacts and variables that the
declaration gives it: one that is not declared is not there. Approvals are asked of a function.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lyceum_lab.delivery.buildspec import Buildspec, Built
from lyceum_lab.delivery.workshop import clone
from lyceum_ops.changes import resources
from lyceum_ops.errors import LyceumError

# Of the environment that CodeBuild gives every build, what a tool might look at.
REGION = "us-east-1"


@dataclass(frozen=True)
class Action:
    """One action as it is declared."""

    name: str
    provider: str
    namespace: str
    order: int
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    configuration: Mapping[str, str]


@dataclass(frozen=True)
class Stage:
    name: str
    actions: tuple[Action, ...]


@dataclass
class Ran:
    """An action that was run."""

    stage: str
    action: str
    code: int
    output: str


class Stopped(LyceumError):
    """An action failed, or was not approved; the rest was not begun."""


def declared(shown: Mapping[str, Any]) -> tuple[list[Stage], dict[str, dict[str, Any]]]:
    """The pipeline's stages, and CodeBuild's projects by name, of Terraform's JSON of a plan."""
    found = list(resources(shown["planned_values"]["root_module"]))
    [pipeline] = [one["values"] for one in found if one["type"] == "aws_codepipeline"]
    projects = {one["values"]["name"]: one["values"] for one in found if one["type"] == "aws_codebuild_project"}
    stages = [
        Stage(stage["name"], tuple(sorted((_action(one) for one in stage["action"]), key=lambda one: one.order)))
        for stage in pipeline["stage"]
    ]
    return stages, projects


def _action(one: Mapping[str, Any]) -> Action:
    return Action(
        one["name"], one["provider"], one.get("namespace") or "", one.get("run_order") or 1,
        tuple(one.get("input_artifacts") or ()), tuple(one.get("output_artifacts") or ()),
        one.get("configuration") or {},
    )  # fmt: skip


@dataclass
class Run:
    """One run of the pipeline, of one commit.

    `env` is what is particular to this machine (the emulator's endpoint, a PATH); `of_project` gives a project's own
    variables, `instead` what stands here for a value that an action is given, as an address that only exists on AWS;
    `approve` is asked with the stage and the text that a person would read.
    """

    stages: list[Stage]
    repository: Path
    commit: str
    work: Path
    env: Mapping[str, str]
    of_project: Callable[[str], Mapping[str, str]] = lambda _: {}
    instead: Mapping[str, str] = field(default_factory=dict)
    approve: Callable[[str, str], bool] = lambda _stage, _text: True
    before: Callable[[str, str], None] = lambda _stage, _action: None
    venv: Path | None = None
    ran: list[Ran] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)

    def go(self) -> None:
        """Run it to its end. Raises Stopped where it stops."""
        for stage in self.stages:
            for action in stage.actions:
                self.before(stage.name, action.name)
                self._run(stage, action)

    def artifact(self, name: str) -> Path:
        return self.work / "artifacts" / name

    def _run(self, stage: Stage, action: Action) -> None:
        match action.provider:
            case "CodeStarSourceConnection":
                self.variables[f"{action.namespace}.CommitId"] = self.commit
                self.artifact(action.writes[0]).mkdir(parents=True)
            case "Manual":
                text = self._resolved(action.configuration.get("CustomData", ""))
                if not self.approve(stage.name, text):
                    raise Stopped(f"{stage.name}/{action.name} was not approved.")
                self.ran.append(Ran(stage.name, action.name, 0, text))
            case "CodeBuild":
                built = self._build(stage, action)
                self.ran.append(Ran(stage.name, action.name, built.code, built.output))
                if built.code:
                    raise Stopped(f"{stage.name}/{action.name} failed:\n{built.output[-4000:]}")
            case other:
                raise LyceumError(f"{stage.name}/{action.name} is {other}'s, which is not run here.")

    def _build(self, stage: Stage, action: Action) -> Built:
        project = action.configuration["ProjectName"]
        place = self.work / "sources" / f"{stage.name}-{action.name}"
        source = clone(self.repository, place, venv=self.venv, commit=self.commit)
        env = {
            **self.env,
            "CODEBUILD_SRC_DIR": str(source),
            "CODEBUILD_RESOLVED_SOURCE_VERSION": self.commit,
            "CODEBUILD_BUILD_ID": f"{project}:{len(self.ran)}",
            "CODEBUILD_INITIATOR": "codepipeline/lyceum-pipeline",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            **self.of_project(project),
        }
        for name in action.reads:
            if not self.artifact(name).is_dir():
                raise LyceumError(f"{stage.name}/{action.name} reads {name}, which nobody wrote.")
            env[f"CODEBUILD_SRC_DIR_{name}"] = str(self.artifact(name))
        for one in json.loads(action.configuration.get("EnvironmentVariables", "[]")):
            value = self._resolved(one["value"])
            env[one["name"]] = self.instead.get(value, value)
        spec = Buildspec.read(source / "pipeline" / f"{project.rsplit('-', 1)[-1]}.yml")
        built = spec.run(source, env)
        if not built.code:
            for name in action.writes:
                spec.hand_on(source, self.artifact(name))
            self.variables |= {f"{action.namespace}.{name}": value for name, value in built.exported.items()}
        return built

    def _resolved(self, text: str) -> str:
        """With the variables of earlier actions in it. Raises LyceumError for one that nobody exported."""

        def value(found: re.Match[str]) -> str:
            if found[1] not in self.variables:
                raise LyceumError(f"Nobody exported {found[1]}.", f"There are: {', '.join(self.variables)}.")
            return self.variables[found[1]]

        return re.sub(r"#\{([\w.]+)\}", value, text)
