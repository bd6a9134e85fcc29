"""What is kept of each call, and the honest share of answers that are moto's own."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError
from tests.lyceum_lab.emulator.conftest import SECRET, Emulator


def test_calls_of_every_protocol_are_named(emulator: Emulator) -> None:
    emulator.client("ec2").describe_regions()  # ec2
    emulator.client("rds").describe_db_instances()  # query
    emulator.client("dynamodb").list_tables()  # json
    emulator.client("s3").list_buckets()  # rest-xml
    emulator.client("efs").describe_file_systems()  # rest-json
    emulator.client("sesv2").list_email_identities()  # rest-json, under another signing name
    named = {(c["service"], c["operation"]) for c in emulator.recorded()}
    assert named >= {
        ("ec2", "DescribeRegions"),
        ("rds", "DescribeDBInstances"),
        ("dynamodb", "ListTables"),
        ("s3", "ListBuckets"),
        ("elasticfilesystem", "DescribeFileSystems"),
        ("ses", "ListEmailIdentities"),
    }


def test_a_record_holds_the_outcome_and_nothing_secret(emulator: Emulator) -> None:
    emulator.client("secretsmanager").create_secret(Name="recorded", SecretString="the-value-of-the-secret")
    line = next(c for c in emulator.recorded() if c["operation"] == "CreateSecret")
    assert set(line) == {"at", "service", "operation", "region", "key", "agent", "status", "ms", "by"}
    assert (line["region"], line["key"], line["status"], line["by"]) == ("us-east-1", "AKIATEST", 200, "moto")
    text = emulator.calls.read_text()
    assert SECRET not in text
    assert "the-value-of-the-secret" not in text


@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        ("iam", "get_organizations_access_report", {"JobId": "0" * 36}),  # query: moto lacks the operation
        ("ec2", "describe_spot_datafeed_subscription", {}),  # ec2
        ("codeconnections", "list_connections", {}),  # json: moto does not know the service
        ("accessanalyzer", "list_analyzers", {}),  # rest-json
    ],
)
def test_a_gap_is_said_in_the_callers_protocol(
    emulator: Emulator, service: str, operation: str, parameters: dict[str, str]
) -> None:
    before = emulator.page("gaps")["gap"]
    with pytest.raises(ClientError) as refused:
        getattr(emulator.client(service), operation)(**parameters)
    assert refused.value.response["Error"]["Code"] == "EmulatorGap"
    assert "The emulator cannot answer" in refused.value.response["Error"]["Message"]
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert emulator.page("gaps")["gap"] == before + 1


def test_every_filler_has_a_reason_and_is_listed(emulator: Emulator) -> None:
    page = emulator.page("gaps")
    assert {"moto", "edited", "stubbed", "refused", "gap"} <= page.keys()
    assert page["fillers"]
    for entry in page["fillers"]:
        assert len(entry["because"]) > 20, entry
        assert entry["operations"], entry
