"""What each type of resource costs: a function from a resource to its lines, or the reason why it is free.

A type of infra/ that stands in neither table is an error: nothing is left out because nobody thought of it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from lyceum_ops.cost.inventory import Inventory, Resource
from lyceum_ops.cost.load import HOURS, MINUTES, Demand, Load
from lyceum_ops.cost.prices import Price, Prices
from lyceum_ops.errors import LyceumError

Kind = Literal["fixed", "usage"]
ONE, THOUSAND, MILLION = Decimal(1), Decimal(1000), Decimal(1_000_000)


@dataclass(frozen=True)
class Line:
    """One thing that is paid for: `quantity` units of a price in a month, because it is there or because it is used."""

    address: str
    what: str
    kind: Kind
    price: Price
    quantity: Decimal

    @property
    def usd(self) -> Decimal:
        return self.quantity * self.price.usd


Lines = Iterator[Line]


class Site:
    """One environment under one load."""

    def __init__(self, inventory: Inventory, load: Load, prices: Prices) -> None:
        self.inventory, self.demand, self.prices = inventory, Demand(load), prices
        self.of = self.demand.of
        self.notes: list[str] = []

    def lines(self) -> Lines:
        for one in self.inventory.priced:
            for line in PRICED[one.type](one, self):
                if line.quantity:
                    yield line

    def line(self, one: Resource, kind: Kind, price: str, quantity: Decimal | int, what: str = "") -> Line:
        found = self.prices[price]
        return Line(one.group, what or found.what, kind, found, Decimal(quantity))

    def any(self, type_: str) -> bool:
        return bool(self.inventory.all(type_))

    def server(self) -> Resource:
        """The launch template of the group of servers."""
        found = self.inventory.all("aws_launch_template")
        if len(found) != 1:
            raise LyceumError(f"{len(found)} launch templates are there for the group of servers.", "See rates.py.")
        return found[0]

    def busy_servers(self, group: Resource) -> int:
        """How many servers a busy hour has, as far as the processor asks for them."""
        targets = [one.of["cpu_target"] for one in self.inventory.all("aws_autoscaling_policy") if one.of["cpu_target"]]
        price = self.prices[f"ec2.{self.server().of['instance_type']}"]
        each = price.vcpu * Decimal(str(min(targets, default=100))) / 100
        wanted = math.ceil(self.demand.busy_cpus / each)
        if wanted > group.of["max"]:
            self.notes.append(
                f"a busy hour asks for {wanted} servers, and the group has {group.of['max']} at most, as counted here: "
                "learners would wait. Give it more (servers.max), or larger ones."
            )
        return int(min(max(wanted, group.of["min"]), group.of["max"]))

    def server_hours(self) -> Decimal:
        """Hours that servers run in a month, all of them together."""
        return sum((one.of["min"] * HOURS + (self.busy_servers(one) - one.of["min"]) * self.of["busy_hours"]
                    for one in self.inventory.all("aws_autoscaling_group")), Decimal(0))  # fmt: skip

    def internet(self, one: Resource, what: str, gb: Decimal, before: Decimal) -> Lines:
        """Data to the internet, `before` GB of which went before it in the month: the price falls in steps."""
        steps = self.prices.internet()
        for step, following in zip(steps, [*steps[1:], None], strict=True):
            above = max(before, Decimal(step.from_gb))
            below = before + gb if following is None else min(before + gb, Decimal(following.from_gb))
            if below > above:
                yield Line(one.group, f"{what}: {step.what}", "usage", step, below - above)


# ------------------------------------------------------------------------------------------------------- the network


def _nat(one: Resource, site: Site) -> Lines:
    yield site.line(one, "fixed", "nat.hour", HOURS)
    gateways = len(site.inventory.all("aws_nat_gateway"))
    yield site.line(one, "usage", "nat.gb", _outward_gb(site) / gateways)


def _outward_gb(site: Site) -> Decimal:
    """What servers exchange with AWS's services that have no gateway endpoint, logs included."""
    servers = site.server_hours() / HOURS
    logs = site.demand.request_log_gb + servers * site.of["system_log_gb"]
    return servers * site.of["nat_gb_server"] + logs


def _endpoint(one: Resource, site: Site) -> Lines:
    if one.of["kind"] != "Interface":
        return  # a gateway endpoint is free
    yield site.line(one, "fixed", "endpoint.hour", HOURS * one.of["subnets"])
    if not site.any("aws_nat_gateway"):
        interfaces = sum(other.of["kind"] == "Interface" for other in site.inventory.all("aws_vpc_endpoint"))
        yield site.line(one, "usage", "endpoint.gb", _outward_gb(site) / interfaces)


def _address(one: Resource, site: Site) -> Lines:
    yield site.line(one, "fixed", "ipv4.hour", HOURS)


def _load_balancer(one: Resource, site: Site) -> Lines:
    if one.of["kind"] != "application":
        raise LyceumError(f"{one.address} is no application load balancer.", "Price others in rates.py.")
    demand = site.demand
    yield site.line(one, "fixed", "lb.hour", HOURS)
    if not one.of["internal"]:
        yield site.line(one, "fixed", "ipv4.hour", HOURS * site.inventory.zones, "public addresses, one a zone")
    # An LCU is 25 new connections a second, 3,000 open ones or 1 GB an hour, whichever is the most; its first ten
    # rules are free.
    connections = demand.watched * site.of["connections_hour"] / (25 * 3600)
    yield site.line(one, "usage", "lb.lcu", max(connections, demand.watched / 3000, demand.pages_gb))
    yield from site.internet(one, "pages and reports", demand.pages_gb, demand.video_gb)


def _firewall(one: Resource, site: Site) -> Lines:
    yield site.line(one, "fixed", "waf.acl", ONE)
    yield site.line(one, "fixed", "waf.rule", one.of["rules"])
    yield site.line(one, "usage", "waf.requests", site.demand.requests / MILLION)


# ------------------------------------------------------------------------------------------------------- the servers


def _server(one: Resource, site: Site, kind: Kind, hours: Decimal) -> Lines:
    """A server that runs `hours`, its volumes and its detailed monitoring."""
    yield site.line(one, kind, f"ec2.{one.of['instance_type']}", hours)
    for volume, gib in one.of["volumes"]:
        yield site.line(one, kind, f"ebs.{volume}", gib * hours / HOURS)
    if one.of["detailed"]:
        yield site.line(one, kind, "metric.month", site.of["detailed_metrics"] * hours / HOURS, "detailed monitoring")


def _group(one: Resource, site: Site) -> Lines:
    template = site.server()
    least = one.of["min"] * HOURS
    more = (site.busy_servers(one) - one.of["min"]) * site.of["busy_hours"]
    for line in _server(template, site, "fixed", least):
        yield Line(one.group, line.what, line.kind, line.price, line.quantity)
    for line in _server(template, site, "usage", more):
        yield Line(one.group, f"{line.what}, in busy hours", line.kind, line.price, line.quantity)
    yield site.line(one, "fixed", "metric.month", site.of["agent_metrics"], "metrics of the agent")
    if template.of["unlimited"]:
        price = site.prices[f"ec2.{template.of['instance_type']}"]
        used = site.demand.cpu_hours + (least + more) * site.of["idle_cpu_percent"] / 100
        earned = (least + more) * price.baseline / 100
        family = template.of["instance_type"].partition(".")[0]
        yield site.line(one, "usage", f"ec2.credits.{family}", max(used - earned, Decimal(0)))


def _instance(one: Resource, site: Site) -> Lines:
    yield from _server(one, site, "fixed", HOURS)


def _policy(one: Resource, site: Site) -> Lines:
    # Target tracking keeps two alarms of its own, and they are billed like any other.
    yield site.line(one, "fixed", "alarm.metric", 2 * one.of["metrics"], "metrics of the two alarms of target tracking")


# ---------------------------------------------------------------------------------------------------- what is kept


def _database(one: Resource, site: Site) -> Lines:
    of = one.of
    if of["engine"] != "postgres" or of["insights_days"] > 7:
        raise LyceumError(
            f"{one.address} is priced as PostgreSQL with 7 days of insights, and is not.", "See rates.py."
        )
    zones = "multi" if of["multi_az"] else "single"
    yield site.line(one, "fixed", f"rds.{of['class']}.{zones}", HOURS)
    yield site.line(one, "fixed", f"rds.{of['storage']}.{zones}", of["gib"])
    if of["keeps_secret"]:
        yield site.line(one, "fixed", "secret.month", ONE, "secret of the administrator, kept by RDS")
    if of["metrics_seconds"]:
        gb = site.of["database_metrics_gb"] * 60 / of["metrics_seconds"] * (2 if of["multi_az"] else 1)
        yield site.line(one, "fixed", "logs.gb", gb, "enhanced monitoring")


def _bucket(one: Resource, site: Site) -> Lines:
    demand = site.demand
    match one.group:
        case "module.content.aws_s3_bucket.this":
            yield site.line(one, "usage", "s3.gb", demand.library_gb, "videos and materials, with old versions")
            yield site.line(one, "usage", "s3.put", site.of["uploads"] / THOUSAND)
            yield site.line(one, "usage", "s3.get", demand.watched * site.of["segments_hour"] / THOUSAND)
            yield from site.internet(one, "videos", demand.video_gb, Decimal(0))
        case "module.load_balancer.aws_s3_bucket.access_logs":
            # Kept for a quarter of a year; written every five minutes from each zone.
            yield site.line(one, "usage", "s3.gb", demand.request_log_gb * 3, "access logs")
            yield site.line(
                one, "usage", "s3.put", MINUTES / 5 * site.inventory.zones / THOUSAND, "access logs written"
            )
        case "module.releases.aws_s3_bucket.this":
            yield site.line(one, "usage", "s3.gb", site.of["releases_gb"], "releases")
        case "module.audit.aws_s3_bucket.this":
            # A year of it, packed to about a tenth; written every five minutes, with a digest an hour.
            yield site.line(one, "usage", "s3.gb", demand.audit_gb * 12 / 10, "a year of the audit trail, packed")
            yield site.line(one, "usage", "s3.put", (MINUTES / 5 + HOURS) / THOUSAND, "audit trail written")
        case "module.pipeline[0].aws_s3_bucket.artifacts":
            # A month of runs: each holds an artifact and two plans.
            gb = site.of["releases_month"] * site.of["releases_gb"] / 25
            yield site.line(one, "usage", "s3.gb", gb, "what stages hand on")
        case "aws_s3_bucket.state":
            yield site.line(one, "usage", "s3.gb", Decimal("0.1"), "states, with old versions")
        case _:
            raise LyceumError(f"Nobody has said what is kept in {one.address}.", "Say it in rates.py.")


def _table(one: Resource, site: Site) -> Lines:
    if one.of["mode"] != "PAY_PER_REQUEST" or one.of["indexes"]:
        raise LyceumError(f"{one.address} is priced on demand and without an index, and is not.", "See rates.py.")
    demand = site.demand
    yield site.line(one, "usage", "dynamodb.write", demand.reports * site.of["report_write_units"] / MILLION)
    yield site.line(one, "usage", "dynamodb.read", demand.pages * site.of["page_read_units"] / MILLION)
    yield site.line(one, "usage", "dynamodb.gb", demand.progress_gb)
    if one.of["continuous"]:
        yield site.line(one, "usage", "dynamodb.pitr", demand.progress_gb)


def _files(one: Resource, site: Site) -> Lines:
    if one.of["throughput"] != "elastic":
        raise LyceumError(f"{one.address} is priced with elastic throughput, and has another.", "See rates.py.")
    moved = site.demand.files_gb * site.of["files_turnover"]
    yield site.line(one, "usage", "efs.gb", site.demand.files_gb)
    yield site.line(one, "usage", "efs.read", moved)
    yield site.line(one, "usage", "efs.write", moved)


def _backup(one: Resource, site: Site) -> Lines:
    copies = sum((_copies(*rule) for rule in one.of["rules"]), Decimal(0))
    # A whole copy and what changed since; DynamoDB knows whole copies only.
    change = 1 + site.of["weekly_change"] * max(copies - 1, Decimal(0))
    demand = site.demand
    kept = (
        ("aws_db_instance", "rds.snapshot", site.of["database_gb"] * change, "database"),
        ("aws_s3_bucket", "backup.s3", demand.library_gb, "videos and materials"),
        ("aws_efs_file_system", "backup.efs", demand.files_gb * change, "shared files"),
        ("aws_dynamodb_table", "backup.dynamodb", demand.progress_gb * copies, "course progress"),
    )
    for type_, price, gb, what in kept:
        if site.any(type_):
            yield site.line(one, "usage", price, gb, f"weekly backups of the {what}")


def _copies(schedule: str, days: int | None) -> Decimal:
    """How many recovery points are kept at a time."""
    weekday = re.fullmatch(r"cron\(\S+ \S+ \S+ \S+ ([A-Z]{3}) \S+\)", schedule)
    if not weekday or not days:
        raise LyceumError(f"The backup {schedule!r} is not once a week for some days.", "Price others in rates.py.")
    return Decimal(days) / 7


# ---------------------------------------------------------------------------------------------- keys and secrets


def _key(one: Resource, site: Site) -> Lines:
    yield site.line(one, "fixed", "kms.key", ONE)
    yield site.line(one, "usage", "kms.requests", MINUTES / site.of["key_minutes"] / 10_000)


def _secret(one: Resource, site: Site) -> Lines:
    yield site.line(one, "fixed", "secret.month", ONE)
    yield site.line(one, "usage", "secret.calls", site.of["secret_calls"] / 10_000)


# ------------------------------------------------------------------------------------------------------- watching


def _log_group(one: Resource, site: Site) -> Lines:
    demand, of = site.demand, site.of
    servers = site.server_hours() / HOURS
    amounts = {
        "system": servers * of["system_log_gb"],
        "application": demand.request_log_gb,
        "flow": _flow_gb(site),
        "waf": demand.firewall_log_gb,
        "database": of["database_log_gb"],
        "database_upgrade": Decimal(0),
        "sessions": of["sessions_log_gb"],
        "purge": Decimal("0.001"),
        # A line a minute, and Lambda's own three about each run.
        "canary": Decimal("0.03") if _canaries(site) else Decimal(0),
    }
    if one.group == "module.audit.aws_cloudwatch_log_group.this":
        gb = demand.audit_gb
    elif one.group in BUILD_LOGS:
        gb = Decimal("0.01")
    else:
        key = re.search(r'\["(\w+)"\]$', one.address)
        if not key or key[1] not in amounts:
            raise LyceumError(f"Nobody has said how much is written to {one.address}.", "Say it in rates.py.")
        gb = amounts[key[1]]
    yield site.line(one, "usage", "logs.gb", gb)
    yield site.line(one, "usage", "logs.stored", gb * one.of["days"] * 12 / 365)


# Some hundred KB a build.
BUILD_LOGS = {"module.pipeline[0].aws_cloudwatch_log_group.project", "module.migrate.aws_cloudwatch_log_group.this"}
ENVIRONMENTS = 2  # that a run goes through


def _flow_gb(site: Site) -> Decimal:
    logs = site.inventory.all("aws_flow_log")
    every = any(one.of["traffic"] != "REJECT" for one in logs)
    told = site.demand.requests * site.of["flow_kb_request"] / (1024 * 1024) if every else Decimal(0)
    return site.of["refused_flow_gb"] + told if logs else Decimal(0)


def _filter(one: Resource, site: Site) -> Lines:
    yield site.line(one, "fixed", "metric.month", one.of["metrics"], "metric from a log")


def _alarm(one: Resource, site: Site) -> Lines:
    yield site.line(one, "fixed", "alarm.metric.fast" if one.of["fast"] else "alarm.metric", one.of["metrics"])


def _dashboard(one: Resource, site: Site) -> Lines:
    yield site.line(one, "fixed", "dashboard.month", ONE)


def _topic(one: Resource, site: Site) -> Lines:
    yield site.line(one, "usage", "sns.mail", site.of["alarm_letters"] / 100_000)


def _trail(one: Resource, site: Site) -> Lines:
    if one.of["selectors"]:
        raise LyceumError(f"{one.address} writes down more than calls that manage.", "Price data events in rates.py.")
    # The first copy of the calls that manage is free; what it writes is paid for at its bucket and its log group.
    yield from ()


# ---------------------------------------------------------------------------------------------------------- the rest


def _function(one: Resource, site: Site) -> Lines:
    # Started by the schedule of its own module.
    module, _, job = one.address.rsplit(".", 2)
    schedules = [
        other for other in site.inventory.all("aws_scheduler_schedule") if other.address.startswith(f"{module}.")
    ]
    if job not in {"canary", "purge"} or len(schedules) != 1:
        raise LyceumError(f"Nobody has said what starts {one.address}, and how long it runs.", "Say it in rates.py.")
    runs = _runs(schedules[0])
    yield site.line(one, "usage", "lambda.requests", runs / MILLION)
    seconds = runs * site.of[f"{job}_seconds"] * one.of["mb"] / 1024
    yield site.line(one, "usage", f"lambda.{one.of['architecture']}", seconds)
    if job == "canary":
        yield site.line(one, "fixed", "metric.month", ONE, "metric of the canary")
        yield site.line(one, "usage", "metric.put", runs / THOUSAND)


def _canaries(site: Site) -> list[Resource]:
    return [one for one in site.inventory.all("aws_lambda_function") if one.address.endswith(".canary")]


def _schedule(one: Resource, site: Site) -> Lines:
    yield site.line(one, "usage", "scheduler.million", _runs(one) / MILLION)


def _runs(one: Resource) -> Decimal:
    if one.of["schedule"] == "rate(1 minute)":
        return MINUTES
    if not re.fullmatch(r"cron\(\d+ \* \* \* \? \*\)", one.of["schedule"]):
        raise LyceumError(
            f"{one.address} runs neither once an hour nor once a minute.", "Count other schedules in rates.py."
        )
    return HOURS


def _build(one: Resource, site: Site) -> Lines:
    size = {"BUILD_GENERAL1_SMALL": "small", "BUILD_GENERAL1_MEDIUM": "medium"}.get(one.of["compute"])
    if size is None:
        raise LyceumError(f"Nobody knows what {one.of['compute']} of {one.address} costs.", "Add it to prices.yaml.")
    if one.address.endswith(".check"):
        minutes, runs = site.of["verify_minutes"], site.of["checks_month"]
    elif one.address.endswith('["verify"]'):
        minutes, runs = site.of["verify_minutes"], site.of["releases_month"]
    else:
        # Once for each environment, but for the one that builds the artifact.
        each = 1 if one.address.endswith(('["build"]', ".this")) else ENVIRONMENTS
        minutes, runs = site.of["stage_minutes"], site.of["releases_month"] * each
    yield site.line(one, "usage", f"codebuild.{size}", minutes * runs)


def _pipeline(one: Resource, site: Site) -> Lines:
    minutes = site.of["verify_minutes"] + (one.of["builds"] - 1) * site.of["stage_minutes"]
    yield site.line(one, "usage", "codepipeline.minute", minutes * site.of["releases_month"])


def _mail(one: Resource, site: Site) -> Lines:
    yield site.line(one, "usage", "ses.thousand", site.demand.learners * site.of["letters_learner"] / THOUSAND)


def _nothing_itself(_: Resource, __: Site) -> Lines:
    """Costs nothing, and decides what another resource costs."""
    yield from ()


PRICED: dict[str, Callable[[Resource, Site], Lines]] = {
    "aws_autoscaling_group": _group,
    "aws_autoscaling_policy": _policy,
    "aws_backup_plan": _backup,
    "aws_cloudtrail": _trail,
    "aws_cloudwatch_dashboard": _dashboard,
    "aws_cloudwatch_log_group": _log_group,
    "aws_cloudwatch_log_metric_filter": _filter,
    "aws_cloudwatch_metric_alarm": _alarm,
    "aws_codebuild_project": _build,
    "aws_codepipeline": _pipeline,
    "aws_db_instance": _database,
    "aws_dynamodb_table": _table,
    "aws_efs_file_system": _files,
    "aws_eip": _address,
    "aws_flow_log": _nothing_itself,
    "aws_instance": _instance,
    "aws_kms_key": _key,
    "aws_lambda_function": _function,
    "aws_launch_template": _nothing_itself,
    "aws_lb": _load_balancer,
    "aws_nat_gateway": _nat,
    "aws_s3_bucket": _bucket,
    "aws_scheduler_schedule": _schedule,
    "aws_secretsmanager_secret": _secret,
    "aws_sesv2_email_identity": _mail,
    "aws_sns_topic": _topic,
    "aws_vpc_endpoint": _endpoint,
    "aws_wafv2_web_acl": _firewall,
}

_IAM = "IAM is free"
_BUCKET = "a setting of a bucket; what lies in the bucket is paid for there"
_NETWORK = "part of the VPC, which is free; what passes is paid for at gateways and endpoints"
_SETTING = "a setting of what is paid for itself"
FREE: dict[str, str] = {
    "aws_acm_certificate": "a public certificate used by a load balancer is free",
    "aws_acm_certificate_validation": "Terraform's own waiting, nothing in AWS",
    "aws_backup_selection": _SETTING,
    "aws_backup_vault": "what is kept in it is paid for, at the plan that fills it",
    "aws_backup_vault_lock_configuration": _SETTING,
    "aws_budgets_budget": "a budget without actions is free",
    "aws_cloudwatch_event_rule": "events of AWS's own services are free",
    "aws_cloudwatch_event_target": _SETTING,
    "aws_cloudwatch_log_resource_policy": _SETTING,
    "aws_codebuild_webhook": _SETTING,
    "aws_codeconnections_connection": "a connection is free",
    "aws_db_parameter_group": _SETTING,
    "aws_db_subnet_group": _SETTING,
    "aws_default_security_group": _NETWORK,
    "aws_efs_access_point": _SETTING,
    "aws_efs_file_system_policy": _SETTING,
    "aws_efs_mount_target": "a file system's way into a subnet is free",
    "aws_iam_group": _IAM,
    "aws_iam_group_policy": _IAM,
    "aws_iam_instance_profile": _IAM,
    "aws_iam_policy": _IAM,
    "aws_iam_role": _IAM,
    "aws_iam_role_policy": _IAM,
    "aws_iam_role_policy_attachment": _IAM,
    "aws_iam_user": _IAM,
    "aws_iam_user_group_membership": _IAM,
    "aws_internet_gateway": _NETWORK,
    "aws_kms_alias": "the key is paid for, its names are not",
    "aws_lb_listener": "part of the load balancer",
    "aws_lb_target_group": "part of the load balancer",
    "aws_network_acl": _NETWORK,
    "aws_route": _NETWORK,
    "aws_route53_record": "the zone is the owner's and there before; its queries cost $0.40 a million, those of an "
    "alias nothing",
    "aws_route_table": _NETWORK,
    "aws_route_table_association": _NETWORK,
    "aws_s3_bucket_cors_configuration": _BUCKET,
    "aws_s3_bucket_lifecycle_configuration": _BUCKET,
    "aws_s3_bucket_ownership_controls": _BUCKET,
    "aws_s3_bucket_policy": _BUCKET,
    "aws_s3_bucket_public_access_block": _BUCKET,
    "aws_s3_bucket_server_side_encryption_configuration": _BUCKET,
    "aws_s3_bucket_versioning": _BUCKET,
    "aws_secretsmanager_secret_version": "the secret is paid for, whatever its versions",
    "aws_security_group": _NETWORK,
    "aws_sesv2_configuration_set": "letters are paid for, at the identity that sends them",
    "aws_sesv2_configuration_set_event_destination": "counts that SES keeps in CloudWatch; see what is not counted",
    "aws_sesv2_email_identity_mail_from_attributes": _SETTING,
    "aws_sns_topic_policy": _SETTING,
    "aws_sns_topic_subscription": "letters are paid for, at the topic",
    "aws_ssm_document": "Session Manager costs nothing for servers on EC2",
    "aws_subnet": _NETWORK,
    "aws_vpc": _NETWORK,
    "aws_vpc_security_group_egress_rule": _NETWORK,
    "aws_vpc_security_group_ingress_rule": _NETWORK,
    "aws_wafv2_web_acl_association": _SETTING,
    "aws_wafv2_web_acl_logging_configuration": "what it writes is paid for at its log group",
    "terraform_data": "Terraform's own, nothing in AWS",
}
