"""What the internet reaches: the load balancer and nothing else, over TLS; and no server's identity through a proxy.

Each check yields a verdict for whatever it looked at: the address, and what is wrong there, "" when nothing is.
"""

from __future__ import annotations

from collections.abc import Iterator

from lyceum_lab.proofs.static.resources import Posture, Resource, Statement

Verdict = tuple[str, str]

ANYBODY = {"0.0.0.0/0", "::/0"}
# Ways out to the world that this project has no use for: their presence alone is a fault.
PUBLIC = {
    "aws_ami_launch_permission": "gives an image away",
    "aws_api_gateway_rest_api": "is a public API",
    "aws_apigatewayv2_api": "is a public API",
    "aws_cloudfront_distribution": "is public",
    "aws_eip_association": "gives something a public address",
    "aws_globalaccelerator_accelerator": "is public",
    "aws_lambda_function_url": "starts a function from the internet",
    "aws_s3_account_public_access_block": "decides for buckets that are not ours",
    "aws_s3_bucket_acl": "gives access beside the bucket's policy",
    "aws_s3_bucket_website_configuration": "makes a bucket a public website",
}
BLOCKS = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")
# Policies of AWS that serve TLS 1.2 and 1.3 only.
TLS_POLICIES = "ELBSecurityPolicy-TLS13-1-2"


def only_the_load_balancer_is_public(posture: Posture) -> Iterator[Verdict]:
    """No public address, database, bucket or port but what the load balancer and the NAT gateways need."""
    balancers = [one for one in posture.of("aws_lb") if one["values"].get("internal") is not True]
    for number, balancer in enumerate(balancers):
        guarded = posture.beside(balancer, "aws_wafv2_web_acl_association", "resource_arn")
        wrong = "is a second public load balancer" if number else "" if guarded else "stands behind no firewall"
        yield balancer["address"], wrong
    gateways = len(list(posture.of("aws_nat_gateway")))
    for number, address in enumerate(posture.of("aws_eip")):
        bound = address["values"].get("instance") or address["values"].get("network_interface")
        wrong = "is an address of no NAT gateway" if bound or number >= gateways else ""
        yield address["address"], wrong
    for resource in posture.resources:
        if resource["type"] in PUBLIC:
            yield resource["address"], PUBLIC[resource["type"]]
        elif resource["type"] in _PRIVATE:
            yield resource["address"], _PRIVATE[resource["type"]](resource["values"])
    for bucket in posture.of("aws_s3_bucket"):
        blocks = posture.beside(bucket, "aws_s3_bucket_public_access_block", "bucket")
        shut = any(all(block["values"].get(name) is True for name in BLOCKS) for block in blocks)
        yield bucket["address"], "" if shut else f"is not shut by {', '.join(BLOCKS)}"


def _instance(values: dict[str, object]) -> str:
    return "" if values.get("associate_public_ip_address") is False else "does not refuse a public address"


def _template(values: dict[str, object]) -> str:
    cards = values.get("network_interfaces") or []
    assert isinstance(cards, list)  # noqa: S101 - a block's type
    refused = cards and all(str(card.get("associate_public_ip_address")).lower() == "false" for card in cards)
    return "" if refused else "does not refuse a public address"


def _subnet(values: dict[str, object]) -> str:
    return "gives whatever starts in it a public address" if values.get("map_public_ip_on_launch") else ""


def _database(values: dict[str, object]) -> str:
    return "" if values.get("publicly_accessible") is False else "is publicly accessible"


def _rule(values: dict[str, object]) -> str:
    if not ANYBODY & {values.get("cidr_ipv4"), values.get("cidr_ipv6")}:
        return ""
    ports = {values.get("from_port"), values.get("to_port")}
    return "" if ports in ({80}, {443}) else f"lets anybody in at {values.get('from_port')}-{values.get('to_port')}"


_PRIVATE = {
    "aws_instance": _instance,
    "aws_launch_template": _template,
    "aws_subnet": _subnet,
    "aws_db_instance": _database,
    "aws_vpc_security_group_ingress_rule": _rule,
}


def metadata_needs_a_token(posture: Posture) -> Iterator[Verdict]:
    """IMDSv2 only, and not beyond the server itself: a request that was tricked out of it carries no role away."""
    for server in posture.of("aws_instance", "aws_launch_template"):
        options = (server["values"].get("metadata_options") or [{}])[0]
        wrong = "" if options.get("http_tokens") == "required" else "answers metadata requests without a token"
        if not wrong and options.get("http_put_response_hop_limit") != 1:
            wrong = "answers metadata requests from beyond itself"
        yield server["address"], wrong


def tls_everywhere(posture: Posture) -> Iterator[Verdict]:
    """Listeners, database, mail, and the policies of buckets, topics and file systems: nothing goes unencrypted."""
    for listener in posture.of("aws_lb_listener"):
        yield listener["address"], _listener(listener)
    for group in posture.of("aws_db_parameter_group"):
        forced = any(p["name"] == "rds.force_ssl" and p["value"] == "1" for p in group["values"].get("parameter") or [])
        yield group["address"], "" if forced else "lets clients connect without TLS"
    for mail in posture.of("aws_sesv2_configuration_set"):
        options = (mail["values"].get("delivery_options") or [{}])[0]
        yield mail["address"], "" if options.get("tls_policy") == "REQUIRE" else "delivers letters without TLS"
    for kind, policy, argument in (
        ("aws_s3_bucket", "aws_s3_bucket_policy", "bucket"),
        ("aws_sns_topic", "aws_sns_topic_policy", "arn"),
        ("aws_efs_file_system", "aws_efs_file_system_policy", "file_system_id"),
    ):
        for resource in posture.of(kind):
            policies = posture.beside(resource, policy, argument)
            refused = any(_refuses_plain(one) for found in policies for one in posture.policy(found))
            yield resource["address"], "" if refused else "has no policy that refuses whoever comes without TLS"


def _listener(listener: Resource) -> str:
    values = listener["values"]
    if values.get("protocol") in {"HTTPS", "TLS"}:
        policy = str(values.get("ssl_policy"))
        return "" if policy.startswith(TLS_POLICIES) else f"serves TLS by {policy}"
    actions = values.get("default_action") or []
    leads = actions and all(
        one.get("type") == "redirect" and one["redirect"][0]["protocol"] == "HTTPS" for one in actions
    )
    return "" if leads else "serves without TLS"


def _refuses_plain(statement: Statement) -> bool:
    return (
        statement.effect == "Deny"
        and any(name == "*" for _, name in statement.principals)
        and any(
            test == "Bool" and variable == "aws:SecureTransport" and values == ("false",)
            for test, variable, values in statement.conditions
        )
    )
