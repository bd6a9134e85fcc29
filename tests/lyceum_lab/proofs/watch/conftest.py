"""An emulated account with what is applied of observation in production (deployed.json), to be broken by the tests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any, ClassVar

import boto3
import pytest
from moto import mock_aws
from moto.cloudwatch.models import cloudwatch_backends
from moto.logs.models import logs_backends

from lyceum_lab.emulator import watch
from lyceum_lab.proofs.watch import alarms, audit, snapshot
from lyceum_lab.proofs.watch.places import Places
from lyceum_lab.rehearsal.infrastructure import ACCOUNT, REGION, Session

VALUES = {
    "balancer": "app/lyceum-prod/0123456789abcdef",
    "targets": "targetgroup/lyceum-prod-servers-8000/0123456789abcdef",
    "group": "lyceum-prod-servers",
    "database": "lyceum-prod-database",
    "table": "lyceum-prod-progress",
    "files": "fs-01234567",
    "vault": "lyceum-prod-backup",
    "purge": "lyceum-prod-purge-logs",
    "canary": "lyceum-prod-canary",
    "certificate": f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/b7a6e96b-f514-473a-8d6c-0e43291ca7e7",
}
GROUPS = ("/lyceum/prod/application", "/lyceum/prod/system", "/lyceum/prod/flow", "/lyceum/audit")


class InThisProcess(Session):
    """The emulated account without a process of its own: moto, and the emulator's part that acts."""

    made: ClassVar[dict[str, Any]] = {}

    def client(self, service: str) -> Any:
        if service not in self.made:
            self.made[service] = client = self.session.client(service, region_name=REGION)
            if service == "logs":
                client.meta.events.register("provide-client-params.cloudwatch-logs.PutLogEvents", _count)
        return self.made[service]


def _count(params: dict[str, Any], **_: Any) -> None:
    watch.count(REGION, params["logGroupName"], params["logEvents"])


def act(_: str, moments: list[datetime], names: list[str]) -> dict[str, Any]:
    return watch.evaluate(REGION, moments, names)


class Account:
    """What is applied; `touched` is what a test changed of it, and gets back."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.told = snapshot.filled(VALUES)
        self.places = Places(ACCOUNT, VALUES, int(self.told["full"]), GROUPS[:2])
        self.alarms = {one["AlarmName"]: one for one in self.told["alarms"]}
        self.filters = {one["filterName"]: one for one in self.told["filters"]}
        self.touched: set[str] = set()

    def topic(self, prefix: str) -> str:
        return f"arn:aws:sns:{REGION}:{ACCOUNT}:{prefix}alarms"

    def load(self) -> None:
        logs = self.session.client("logs")
        for group in GROUPS:
            logs.create_log_group(logGroupName=group)
        self.make_trail()
        for prefix, topic in self.told["topics"].items():
            self.make_topic(prefix, topic)
        for one in self.filters.values():
            self.put_filter(one["filterName"])
        for name in self.alarms:
            self.put(name)

    def make_trail(self) -> None:
        told = dict(self.told["trail"])
        told["EnableLogFileValidation"] = told.pop("LogFileValidationEnabled")
        self.session.client("s3").create_bucket(Bucket=told["S3BucketName"])
        trail = self.session.client("cloudtrail")
        trail.create_trail(**told, CloudWatchLogsRoleArn=f"arn:aws:iam::{ACCOUNT}:role/lyceum-audit-delivery")
        trail.start_logging(Name=told["Name"])

    def make_topic(self, prefix: str, told: dict[str, Any]) -> None:
        self.touched.add(prefix)
        sns, kms = self.session.client("sns"), self.session.client("kms")
        key = kms.create_key(Policy=json.dumps(told["key"]))["KeyMetadata"]["Arn"]
        attributes = {"Policy": json.dumps(told["policy"]), "KmsMasterKeyId": key}
        arn = sns.create_topic(Name=f"{prefix}alarms", Attributes=attributes)["TopicArn"]
        for address in told["heard"]:
            sns.subscribe(TopicArn=arn, Protocol="email", Endpoint=address)

    def put(self, name: str, **other: Any) -> None:
        """An alarm, with some of its fields otherwise."""
        self.touched.add(name)
        fields = self.alarms[name] | other
        self.session.client("cloudwatch").put_metric_alarm(**fields)

    def put_filter(self, name: str, **other: Any) -> None:
        self.touched.add(name)
        logs = self.session.client("logs")
        # Of one that is put again moto keeps both.
        logs_backends[ACCOUNT][REGION].filters.metric_filters[:] = [
            one for one in logs_backends[ACCOUNT][REGION].filters.metric_filters if one["filterName"] != name
        ]
        logs.put_metric_filter(**(self.filters[name] | other))

    def restore(self) -> None:
        """As it was loaded, and nothing published or logged."""
        backend = cloudwatch_backends[ACCOUNT][REGION]
        backend.metric_data.clear()
        for name in backend.alarms.keys() - self.alarms.keys():
            del backend.alarms[name]
        for group in logs_backends[ACCOUNT][REGION].groups.values():
            group.streams.clear()
        told = snapshot.filled(VALUES)["topics"]
        for name in sorted(self.touched | (self.alarms.keys() - backend.alarms.keys())):
            if name in self.filters:
                self.put_filter(name)
            if name in self.alarms:
                self.put(name)
            if name in told:
                self.session.client("sns").delete_topic(TopicArn=self.topic(name))
                self.make_topic(name, told[name])
        self.touched.clear()
        trail = self.session.client("cloudtrail")
        whole = ("IsMultiRegionTrail", "IncludeGlobalServiceEvents", "EnableLogFileValidation")
        trail.update_trail(Name="lyceum-audit", **dict.fromkeys(whole, True))
        trail.start_logging(Name="lyceum-audit")


@pytest.fixture(scope="module")
def loaded() -> Iterator[Account]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "HTTP_PROXY", "http_proxy"):
            patch.delenv(name, raising=False)
        patch.setattr(alarms, "act", act)
        patch.setattr(audit, "act", act)
        with mock_aws():
            made = Account(InThisProcess(boto3.Session(), ""))
            made.load()
            made.touched.clear()
            yield made


@pytest.fixture
def account(loaded: Account) -> Iterator[Account]:
    yield loaded
    loaded.restore()
