"""What the emulator adds for the pipeline: connections, projects and their webhooks, a pipeline's times."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.lyceum_lab.emulator.conftest import Emulator

PROJECT: dict[str, Any] = {
    "name": "lyceum-pipeline-verify",
    "source": {"type": "CODEPIPELINE", "buildspec": "pipeline/verify.yml"},
    "artifacts": {"type": "CODEPIPELINE"},
    "environment": {
        "type": "LINUX_CONTAINER", "image": "aws/codebuild/standard:7.0", "computeType": "BUILD_GENERAL1_SMALL",
    },
    "serviceRole": "arn:aws:iam::123456789012:role/x",
    "concurrentBuildLimit": 1,
}  # fmt: skip


def test_a_connection_is_pending_until_it_is_deleted(start_emulator: Callable[[], Emulator]) -> None:
    connections = start_emulator().client("codeconnections")
    tags = [{"Key": "Project", "Value": "lyceum"}]
    arn = connections.create_connection(ConnectionName="x", ProviderType="GitHub", Tags=tags)["ConnectionArn"]
    assert connections.get_connection(ConnectionArn=arn)["Connection"]["ConnectionStatus"] == "PENDING"
    assert connections.list_tags_for_resource(ResourceArn=arn)["Tags"] == tags
    connections.delete_connection(ConnectionArn=arn)
    with pytest.raises(ClientError, match="not found"):
        connections.get_connection(ConnectionArn=arn)


def test_a_project_is_kept_changed_hooked_and_deleted(start_emulator: Callable[[], Emulator]) -> None:
    codebuild = start_emulator().client("codebuild")
    arn = codebuild.create_project(**PROJECT)["project"]["arn"]
    with pytest.raises(ClientError, match="already exists"):
        codebuild.create_project(**PROJECT)
    codebuild.update_project(name=PROJECT["name"], environment={**PROJECT["environment"], "image": "other"})
    [found] = codebuild.batch_get_projects(names=[arn])["projects"]
    assert (found["environment"]["image"], found["concurrentBuildLimit"]) == ("other", 1)
    codebuild.create_webhook(projectName=PROJECT["name"], buildType="BUILD")
    [found] = codebuild.batch_get_projects(names=[PROJECT["name"]])["projects"]
    assert found["webhook"]["buildType"] == "BUILD"
    codebuild.delete_webhook(projectName=PROJECT["name"])
    codebuild.delete_project(name=PROJECT["name"])
    assert codebuild.batch_get_projects(names=[PROJECT["name"]])["projectsNotFound"] == [PROJECT["name"]]


def test_the_times_of_a_pipeline_are_times(start_emulator: Callable[[], Emulator]) -> None:
    emulator = start_emulator()
    trust = (
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", '
        '"Principal": {"Service": "codepipeline.amazonaws.com"}}]}'
    )
    role = emulator.client("iam").create_role(RoleName="x", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    kind = {"category": "Source", "owner": "AWS", "provider": "S3", "version": "1"}
    stages = [{"name": name, "actions": [{"name": name, "actionTypeId": kind}]} for name in ("A", "B")]
    codepipeline = emulator.client("codepipeline")
    codepipeline.create_pipeline(
        pipeline={"name": "x", "roleArn": role, "stages": stages, "artifactStore": {"type": "S3", "location": "xxx"}}
    )
    assert isinstance(codepipeline.get_pipeline(name="x")["metadata"]["created"], datetime)
