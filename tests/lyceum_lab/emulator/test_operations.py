"""What the emulator adds for logs, functions and budgets, and what the purge of logs needs of it."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from functions.purge_logs import purge_logs
from tests.lyceum_lab.emulator.conftest import Emulator

from lyceum_ops.functions import build


@pytest.fixture
def role(emulator: Emulator) -> Any:
    iam = emulator.client("iam")
    trust = '{"Version":"2012-10-17","Statement":[]}'
    yield iam.create_role(RoleName="lyceum-test-purge-logs", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    iam.delete_role(RoleName="lyceum-test-purge-logs")


def test_the_purge_deletes_what_is_due_over_the_wire(emulator: Emulator) -> None:
    logs, groups = emulator.client("logs"), ["/lyceum/purged/system", "/lyceum/purged/application"]
    now = datetime.now(UTC)
    for group in groups:
        logs.create_log_group(logGroupName=group)
        for hours in (1, 47, 50, 60):
            # More than a page of them: DescribeLogStreams gives 50 at most.
            for server in range(30):
                at = now - timedelta(hours=hours)
                stream = f"i-{server}/{at:%Y-%m-%dT%H}"
                logs.create_log_stream(logGroupName=group, logStreamName=stream)
                if not server:
                    event = {"timestamp": int(at.timestamp() * 1000), "message": "{}"}
                    logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=[event])
    (told,) = logs.describe_log_streams(logGroupName=groups[0], logStreamNamePrefix=f"i-0/{at:%Y}", limit=1)[
        "logStreams"
    ]
    assert told["lastEventTimestamp"] == pytest.approx((now - timedelta(hours=60)).timestamp() * 1000, abs=1)
    assert told["lastIngestionTime"] == pytest.approx(time.time() * 1000, abs=60_000)

    report = purge_logs.run(logs, groups, now, lambda: 300_000)
    assert (report["seen"], report["deleted"], report["failed"]) == (240, 120, 0)
    assert purge_logs.run(logs, groups, now, lambda: 300_000)["deleted"] == 0
    with pytest.raises(ClientError) as gone:
        logs.delete_log_stream(logGroupName=groups[0], logStreamName=told["logStreamName"])
    assert gone.value.response["Error"]["Code"] == "ResourceNotFoundException"


def test_a_function_shows_where_it_logs_and_its_code_by_its_hash(emulator: Emulator, role: str, tmp_path: Any) -> None:
    functions = emulator.client("lambda")
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "main.py").write_text("def handler(event, context): ...\n")

    def shown() -> dict[str, Any]:
        return dict(functions.get_function(FunctionName="lyceum-test-purge-logs")["Configuration"])

    made = functions.create_function(
        FunctionName="lyceum-test-purge-logs",
        Role=role,
        Runtime="python3.13",
        Handler="main.handler",
        Code={"ZipFile": build(tmp_path / "code", tmp_path / "one.zip").read_bytes()},
        LoggingConfig={"LogFormat": "Text", "LogGroup": "/aws/lambda/one"},
    )
    assert shown()["LoggingConfig"] == {"LogFormat": "Text", "LogGroup": "/aws/lambda/one"}
    assert shown()["CodeSha256"] == made["CodeSha256"]
    functions.update_function_configuration(
        FunctionName="lyceum-test-purge-logs", LoggingConfig={"LogFormat": "JSON", "LogGroup": "/aws/lambda/other"}
    )
    assert shown()["LoggingConfig"]["LogGroup"] == "/aws/lambda/other"
    functions.delete_function(FunctionName="lyceum-test-purge-logs")


def test_a_budget_is_made_changed_and_tells_who_hears_of_it(emulator: Emulator) -> None:
    budgets = emulator.client("budgets")
    account = "123456789012"
    budget: dict[str, Any] = {
        "BudgetName": "monthly",
        "BudgetType": "COST",
        "TimeUnit": "MONTHLY",
        "BudgetLimit": {"Amount": "300.0", "Unit": "USD"},
    }
    forecast: dict[str, Any] = {
        "NotificationType": "FORECASTED", "ComparisonOperator": "GREATER_THAN",
        "Threshold": 100.0, "ThresholdType": "PERCENTAGE",
    }  # fmt: skip
    operator = {"SubscriptionType": "EMAIL", "Address": "operator@lyceum.example"}
    budgets.create_budget(
        AccountId=account,
        Budget=budget,
        NotificationsWithSubscribers=[{"Notification": forecast, "Subscribers": [operator]}],
        ResourceTags=[{"Key": "Project", "Value": "lyceum"}],
    )

    def subscribers(**changed: Any) -> Any:
        return budgets.describe_subscribers_for_notification(
            AccountId=account, BudgetName="monthly", Notification={**forecast, **changed}
        )["Subscribers"]

    assert subscribers() == [operator]
    with pytest.raises(ClientError, match="Unable to find the notification"):
        subscribers(NotificationType="ACTUAL")

    arn = f"arn:aws:budgets::{account}:budget/monthly"
    assert budgets.list_tags_for_resource(ResourceARN=arn)["ResourceTags"] == [{"Key": "Project", "Value": "lyceum"}]

    before = budgets.describe_budget(AccountId=account, BudgetName="monthly")["Budget"]
    budgets.update_budget(AccountId=account, NewBudget={**budget, "BudgetLimit": {"Amount": "250.0", "Unit": "USD"}})
    after = budgets.describe_budget(AccountId=account, BudgetName="monthly")["Budget"]
    assert after["BudgetLimit"]["Amount"] == "250.0"
    assert after["TimePeriod"] == before["TimePeriod"]
    assert subscribers() == [operator]

    budgets.delete_budget(AccountId=account, BudgetName="monthly")
    assert budgets.list_tags_for_resource(ResourceARN=arn).get("ResourceTags", []) == []
    with pytest.raises(ClientError, match="doesn't exist"):
        budgets.update_budget(AccountId=account, NewBudget=budget)


def test_topics_dashboards_and_schedules_are_counted(start_emulator: Any) -> None:
    emulator = start_emulator()
    topic = emulator.client("sns").create_topic(Name="alarms")["TopicArn"]
    emulator.client("sns").subscribe(TopicArn=topic, Protocol="email", Endpoint="operator@lyceum.example")
    emulator.client("cloudwatch").put_dashboard(DashboardName="overview", DashboardBody='{"widgets": []}')
    emulator.client("scheduler").create_schedule(
        Name="hourly",
        ScheduleExpression="rate(1 hour)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={
            "Arn": "arn:aws:lambda:us-east-1:123456789012:function:f",
            "RoleArn": "arn:aws:iam::123456789012:role/r",
        },
    )
    assert emulator.page("resources") == {
        "cloudwatch": {"dashboard": 1},
        "sns": {"topic": 1, "subscription": 1},
        "scheduler": {"schedule": 1},
    }
