"""What the runbook's pages ask of AWS before they change anything is asked, on an environment made by hand."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import jmespath
import pytest
from botocore import xform_name
from botocore.exceptions import ClientError
from tests.lyceum_ops.conftest import CHECKOUT, Emulated
from tests.lyceum_ops.test_doctor import WELL, build

from lyceum_lab.documents.runbook import check
from lyceum_lab.documents.runbook.awscli import Call


def make(account: Emulated, call: Call) -> Any:
    """The answer, as --query would print it."""
    client = account.client({"s3api": "s3"}.get(call.service, call.service))
    answer = getattr(client, xform_name(call.operation))(**call.parameters)
    # The command line makes text of times before it queries.
    answer = json.loads(json.dumps(answer, default=str))
    return jmespath.search(call.query, answer) if call.query else answer


def test_what_the_pages_ask_is_answered(account: Emulated) -> None:
    build(account)
    account.say(WELL)
    outcomes: Counter[str] = Counter()
    odd = []
    asked: dict[str, str] = {}

    def answer(call: Call) -> str:
        if repr(call) in asked:
            return asked[repr(call)]
        asked[repr(call)] = ""
        try:
            found = make(account, call)
            outcomes["answered" if found is not None else "empty"] += 1
            asked[repr(call)] = found if isinstance(found, str) else ""
        except ClientError as error:
            code = error.response["Error"]["Code"]
            odd.append((call.service, call.operation, code, error.response["Error"]["Message"][:80]))
        return asked[repr(call)]

    for page in check.load(CHECKOUT / "docs" / "runbook").values():
        check.ask(page, answer)
    print(outcomes, len(odd), *odd, sep="\n")
    pytest.fail("x")
