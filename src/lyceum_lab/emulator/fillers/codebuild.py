"""CodeBuild: projects and their webhooks, kept as they were sent. Nothing is ever built here."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from lyceum_lab.emulator import ACCOUNT
from lyceum_lab.emulator.fillers import Service
from lyceum_lab.emulator.wire import ApiError, Call

codebuild = Service("codebuild")
NO_PIPELINES = (
    "moto's projects want a location of their source, which those of a pipeline have not; it cannot change one, and "
    "forgets limits and tags"
)
# What AWS says where nothing was said.
UNSAID = {"timeoutInMinutes": 60, "queuedTimeoutInMinutes": 480, "projectVisibility": "PRIVATE", "badge": {}}


def _find(name: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = codebuild.table("projects")[name]
    except KeyError:
        raise ApiError("ResourceNotFoundException", f"Project cannot be found: {name}") from None
    return found


@codebuild.stub("CreateProject", because=NO_PIPELINES)
def create(call: Call) -> dict[str, Any]:
    name = call.parameters["name"]
    if name in codebuild.table("projects"):
        raise ApiError("ResourceAlreadyExistsException", f"Project already exists: arn {name}")
    now = datetime.now(UTC)
    codebuild.table("projects")[name] = {
        **UNSAID,
        "arn": f"arn:aws:codebuild:{call.region}:{ACCOUNT}:project/{name}",
        "encryptionKey": f"arn:aws:kms:{call.region}:{ACCOUNT}:alias/aws/s3",
        "cache": {"type": "NO_CACHE"},
        "created": now,
        "lastModified": now,
        **call.parameters,
    }
    return {"project": _find(name)}


@codebuild.stub("UpdateProject", because=NO_PIPELINES)
def update(call: Call) -> dict[str, Any]:
    project = _find(call.parameters["name"])
    project.update({**call.parameters, "lastModified": datetime.now(UTC)})
    return {"project": project}


@codebuild.stub("BatchGetProjects", because=NO_PIPELINES)
def get(call: Call) -> dict[str, Any]:
    kept = codebuild.table("projects")
    wanted = {name: name.rsplit("/", 1)[-1] for name in call.parameters["names"]}
    return {
        "projects": [kept[short] for short in wanted.values() if short in kept],
        "projectsNotFound": [name for name, short in wanted.items() if short not in kept],
    }


@codebuild.stub("DeleteProject", because=NO_PIPELINES)
def delete(call: Call) -> dict[str, Any]:
    codebuild.table("projects").pop(call.parameters["name"], None)
    return {}


@codebuild.stub("CreateWebhook", because="moto's projects have no webhooks")
def create_webhook(call: Call) -> dict[str, Any]:
    project = _find(call.parameters["projectName"])
    if "webhook" in project:
        raise ApiError("ResourceAlreadyExistsException", "Project already has a webhook")
    project["webhook"] = {
        "url": f"https://api.github.com/repos/{project['name']}/hooks/1",
        "payloadUrl": f"https://codebuild.{call.region}.amazonaws.com/webhooks",
        "filterGroups": call.parameters.get("filterGroups", []),
        "buildType": call.parameters.get("buildType", "BUILD"),
    }
    return {"webhook": project["webhook"]}


@codebuild.stub("DeleteWebhook", because="moto's projects have no webhooks")
def delete_webhook(call: Call) -> dict[str, Any]:
    _find(call.parameters["projectName"]).pop("webhook", None)
    return {}
