"""A load balancer as a configuration of haproxy 2.6. Pure: a description in, text out.

Two layers, joined by a socket inside the process. The first speaks with clients and makes the headers, the second
with targets. Were they one, haproxy would close a client's connection without a word when a target closed a
connection under a request that is not the client's first (RFC 7230 lets browsers repeat it, and they hide the loss);
AWS answers 502. On the socket every request is the first.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

from lyceum_lab.cloud.balancer.described import Balancer, Fixed, Forward, Listener, Redirect, TargetGroup
from lyceum_ops.errors import LyceumError

# How long AWS waits for a target to take a connection.
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html
CONNECT_TIMEOUT = 10
ALGORITHMS = {"round_robin": "roundrobin", "least_outstanding_requests": "leastconn"}
_SHORT = 12  # characters of a hash: the name of a socket has room for few


def backend(group: TargetGroup | str) -> str:
    """The name of a target group's backend: those of its targets that are healthy."""
    arn = group if isinstance(group, str) else group.arn
    return "group-" + hashlib.sha256(arn.encode()).hexdigest()[:_SHORT]


def fallback(group: TargetGroup | str) -> str:
    """The name of the backend that is asked when no target is healthy: all that were ever in service."""
    return f"{backend(group)}-unhealthy"


def write(
    balancer: Balancer,
    *,
    control: Path,
    key: str,
    address: str = "*",
    ports: Mapping[int, int] | None = None,
    certificate: Path | None = None,
) -> str:
    """The configuration of one node.

    `control` is the runtime socket, `key` tells this node from others on the machine, `address` is listened on,
    `ports` says which other port stands for a listener's (where the real one is taken), `certificate` is a PEM file
    with key and chain. Raises LyceumError where a listener wants a certificate and none is given.
    """
    idle = _seconds(balancer.idle_timeout)
    inner = f"lyceum-{hashlib.sha256(key.encode()).hexdigest()[:_SHORT]}"
    parts = [
        f"""\
global
  log stdout format raw local0 info
  stats socket {control} mode 600 level admin
  nbthread 1
  maxconn 4000
  ssl-default-bind-options ssl-min-ver TLSv1.2 no-tls-tickets
  tune.ssl.default-dh-param 2048

defaults
  mode http
  timeout client {idle}
  timeout http-keep-alive {idle}
  timeout http-request {idle}
  timeout server {idle}
  timeout tunnel {idle}
  timeout connect {CONNECT_TIMEOUT}s
  # AWS repeats no request, and promises nothing about one that a closed connection swallowed.
  retries 0
"""
    ]
    parts += [_listener(balancer, each, inner, address, ports or {}, certificate) for each in balancer.listeners]
    for group in balancer.groups.values():
        parts += [_hop(group, inner), _group(balancer, group, inner)]
    return "\n".join(parts)


def server(group: TargetGroup, scale: float, address: str, port: int) -> str:
    """What `add server` is told of a target of the checked backend, after its name."""
    check = group.check
    interval = max(1, round(check.interval / scale * 1000))
    own = f" port {check.port}" if check.port else ""
    slow = f" slowstart {max(1, round(group.slow_start / scale * 1000))}ms" if group.slow_start else ""
    return (
        f"{address}:{port} check{own} inter {interval}ms rise {check.healthy} fall {check.unhealthy} {pooled()}{slow}"
    )


def pooled() -> str:
    """Keeps connections to a target open for as long as the target lets: all clients share them, as on AWS."""
    return "pool-max-conn -1 pool-purge-delay 3600s"


def _listener(
    balancer: Balancer,
    listener: Listener,
    inner: str,
    address: str,
    ports: Mapping[int, int],
    certificate: Path | None,
) -> str:
    bind = f"bind {address}:{ports.get(listener.port, listener.port)}"
    if listener.tls:
        if certificate is None:
            raise LyceumError(f"Listener {listener.port} of {balancer.name} speaks TLS, and no certificate is given.")
        bind += f" ssl crt {certificate} alpn {'h2,' if balancer.http2 else ''}http/1.1"
    protocol = "https" if listener.tls else "http"
    lines = [
        f"frontend port-{listener.port}",
        bind,
        # However busy, no client keeps one connection for longer than this.
        "tcp-request connection set-var(sess.since) date()",
        "http-after-response set-header Connection close if { date(),sub(sess.since) ge "
        f"{round(balancer.client_keep_alive)} }}",
        *_headers(balancer, listener.port, protocol),
    ]
    match listener.action:
        case Forward(group=group):
            lines.append(f"default_backend to-{backend(group)}")
        case Redirect():
            lines += _redirect(listener.action, listener.port, protocol)
        case Fixed(code=code, content_type=content_type, body=body):
            lines.append(
                f"http-request return status {code} content-type {_quoted(content_type)} string {_quoted(body)}"
            )
    return _section(lines)


def _headers(balancer: Balancer, port: int, protocol: str) -> list[str]:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/application/x-forwarded-headers.html"""
    lines = []
    if balancer.drops_invalid_headers:
        lines.append('http-request del-header "[^-A-Za-z0-9]" -m reg')
    client = "%[src]:%[src_port]" if balancer.forwards_client_port else "%[src]"
    if balancer.forwarded_for == "append":
        lines += [
            "http-request set-var(txn.before) req.fhdr(x-forwarded-for) if { req.hdr(x-forwarded-for) -m found }",
            f'http-request set-header X-Forwarded-For "%[var(txn.before)], {client}" if {{ var(txn.before) -m found }}',
            f'http-request set-header X-Forwarded-For "{client}" unless {{ var(txn.before) -m found }}',
        ]
    elif balancer.forwarded_for == "remove":
        lines.append("http-request del-header X-Forwarded-For")
    return [
        *lines,
        f"http-request set-header X-Forwarded-Proto {protocol}",
        f"http-request set-header X-Forwarded-Port {port}",
        # https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-request-tracing.html
        'http-request set-var-fmt(txn.now) "%{+X}Ts"',
        'http-request set-var-fmt(txn.trace) "1-%[var(txn.now),lower]-%[uuid(4),regsub(-,,g),bytes(0,24)]"',
        'http-request set-header X-Amzn-Trace-Id "Self=%[var(txn.trace)];%[req.fhdr(x-amzn-trace-id)]"'
        " if { req.hdr(x-amzn-trace-id) -m found }",
        'http-request set-header X-Amzn-Trace-Id "Root=%[var(txn.trace)]" unless { req.hdr(x-amzn-trace-id) -m found }',
    ]


def _redirect(to: Redirect, port: int, protocol: str) -> list[str]:
    values = {
        "#{protocol}": protocol.upper(),
        "#{host}": "%[req.hdr(host),field(1,:)]",
        "#{port}": str(port),
        "#{path}": "%[path,regsub(^/,)]",
        "#{query}": "%[query]",
    }

    def filled(text: str) -> str:
        for name, value in values.items():
            text = text.replace(name, value)
        return text

    scheme = filled(to.protocol).lower()
    where = f"{scheme}://{filled(to.host)}:{filled(to.port)}{filled(to.path)}"
    query = f"?{filled(to.query)}"
    asked = " if { query -m found } { query -m len ge 1 }"
    if to.query == "#{query}":  # what was not asked is not added
        return [
            f'http-request redirect code {to.code} location "{where}{query}"{asked}',
            f'http-request redirect code {to.code} location "{where}"',
        ]
    return [f'http-request redirect code {to.code} location "{where}{query}"']


def _hop(group: TargetGroup, inner: str) -> str:
    """The socket between the layers: one connection a request."""
    return _section(
        [
            f"backend to-{backend(group)}",
            "option http-server-close",
            "http-reuse never",
            f"server in abns@{inner}-{backend(group)}",
        ]
    )


def _group(balancer: Balancer, group: TargetGroup, inner: str) -> str:
    if group.algorithm not in ALGORITHMS:
        raise LyceumError(f"The algorithm {group.algorithm} of target group {group.name} is not understood here.")
    check = group.check
    balance = f"balance {ALGORITHMS[group.algorithm]}"
    entrance = [
        f"frontend in-{backend(group)}",
        f"bind abns@{inner}-{backend(group)}",
        "log global",
        # The path without its query, which may hold what opens something.
        'log-format "%t %[var(txn.client)] %HM %[var(txn.path)] -> %s %ST %Ta ms %ts"',
        "http-request set-var(txn.client) req.fhdr(x-forwarded-for)",
        "http-request set-var(txn.path) path",
        # If a target group has only unhealthy targets, AWS asks them all.
        f"use_backend {fallback(group)} if {{ nbsrv({backend(group)}) eq 0 }} {{ nbsrv({fallback(group)}) gt 0 }}",
        f"default_backend {backend(group)}",
    ]
    common = [
        balance,
        "http-reuse always",
        "option http-keep-alive",
        # haproxy says 503 when a target takes no connection, AWS 502; without any target both say 503.
        "http-response set-var(txn.answered) bool(true)",
        "http-after-response set-status 502 if { status 503 } { nbsrv gt 0 } !{ var(txn.answered) -m found }",
    ]
    checked = [
        f"backend {backend(group)}",
        *common,
        "log global",
        "option httpchk",
        "option log-health-checks",
        f"timeout check {_seconds(check.timeout)}",
        f"http-check send meth GET uri {_uri(check.path)} ver HTTP/1.1"
        ' hdr Host "%[bc_dst]:%[bc_dst_port]" hdr User-Agent ELB-HealthChecker/2.0',
        f"http-check expect status {_codes(check.matcher)}",
    ]
    return "\n".join(_section(lines) for lines in (entrance, checked, [f"backend {fallback(group)}", *common]))


def _codes(matcher: str) -> str:
    if not re.fullmatch(r"\d{3}(-\d{3})?(,\d{3}(-\d{3})?)*", matcher):
        raise LyceumError(f"A health check's codes must be like 200, 200,302 or 200-299; got {matcher!r}.")
    return matcher


def _uri(path: str) -> str:
    if not re.fullmatch(r"/[!-~]*", path):
        raise LyceumError(f"A health check's path must begin with / and hold no space; got {path!r}.")
    return _quoted(path)


def _quoted(text: str) -> str:
    """A word of haproxy's language that means the text itself."""
    return "'" + text.replace("'", "'\\''") + "'"


def _seconds(value: float) -> str:
    return f"{round(value * 1000)}ms"


def _section(lines: list[str]) -> str:
    return "\n".join([lines[0], *(f"  {line}" for line in lines[1:])]) + "\n"
