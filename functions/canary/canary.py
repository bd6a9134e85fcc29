"""Asks the platform for a page from outside, once a minute, and tells CloudWatch whether it came.

It stands where learners stand: beyond the load balancer, the firewall, the certificate and the name in the DNS, and it
asks for the page they see first, which the platform makes of the database. Its answer is one number a minute, 1 for a
page that came whole and in time and 0 for anything else: how many there are says how often it asked, their sum how
often it was answered. That a page did not come is what it is there to find, and no failure of its own; that it could
not tell so is one, which it raises.

It signs in nowhere and knows no secret. Of the page it looks at the status and at two marks; nothing of it is logged.
"""

from __future__ import annotations

import http.client
import json
import os
import queue
import threading
import time
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

METRIC = "pages-answered"
# Seconds for all of it, the name's look-up included. A reader has left before.
PATIENCE = 10.0
# In every page of the platform, and not both in what somebody else puts in its place, nor in one that breaks off.
MARKS = (b'<main id="main"', b"</html>")
# Bytes that are read of a page, at most: far more than any has.
MOST = 2_097_152


def handler(_event: object, _context: object) -> dict[str, Any]:
    """Lambda's entry: ask for CANARY_URL, and tell the namespace CANARY_NAMESPACE."""
    # All of it within the half minute that the function has: ten seconds of asking, and three times five of telling.
    patience = Config(connect_timeout=2, read_timeout=3, retries={"mode": "standard", "max_attempts": 3})
    return run(boto3.client("cloudwatch", config=patience), os.environ["CANARY_URL"], os.environ["CANARY_NAMESPACE"])


def run(cloudwatch: Any, url: str, namespace: str) -> dict[str, Any]:
    """Ask once, log it as one line of JSON, and publish it at the time of asking. Raises what CloudWatch answers."""
    asked, began = datetime.now(UTC), time.monotonic()
    why = ask(url)
    told = {"answered": not why, "why": why, "seconds": round(time.monotonic() - began, 3)}
    print(json.dumps({"message": "asked", "level": "WARNING" if why else "INFO", **told}))
    datum = {"MetricName": METRIC, "Timestamp": asked, "Value": 0.0 if why else 1.0}
    cloudwatch.put_metric_data(Namespace=namespace, MetricData=[datum])
    return told


def ask(url: str, patience: float = PATIENCE) -> str:
    """Ask for a page. Returns "" when it came, else why not, in a few words."""
    answers: queue.SimpleQueue[str] = queue.SimpleQueue()
    # In a thread of its own: neither a name that is looked up for minutes nor a byte every few seconds ends by a
    # socket's time-out. One that hangs is left behind, and ends by its own socket or with the process.
    threading.Thread(target=lambda: answers.put(_fetch(url, patience)), daemon=True).start()
    try:
        return answers.get(timeout=patience)
    except queue.Empty:
        return _late(patience)


def _fetch(url: str, patience: float) -> str:
    where = urlsplit(url)
    kind = http.client.HTTPSConnection if where.scheme == "https" else http.client.HTTPConnection
    try:
        connection = kind(where.hostname or "", where.port, timeout=patience)
        try:
            # No redirect is followed: where the page has moved is not where learners were told that it is.
            connection.request("GET", where.path or "/", headers={"User-Agent": "lyceum-canary", "Accept": "text/html"})
            answer = connection.getresponse()
            if answer.status != http.client.OK:
                return f"status {answer.status}"
            page = answer.read(MOST)
            return "" if all(mark in page for mark in MARKS) else "no whole page of the platform"
        finally:
            connection.close()
    except TimeoutError:
        return _late(patience)
    # A name that is not found, a port that is closed, a certificate that is not right, an answer that is no HTTP.
    except (OSError, http.client.HTTPException, ValueError) as error:
        return type(error).__name__


def _late(patience: float) -> str:
    return f"nothing within {patience:g} s"
