"""The log of a server: every line an object, every request a line, and nothing in it that a person typed."""

from __future__ import annotations

import json
import logging
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from django.test import Client
from tests.lyceum.conftest import PASSWORD
from tests.lyceum.servers import CHECKOUT, Browser, Servers

from lyceum.accounts.models import User
from lyceum.courses import selectors
from lyceum.web.logs import JsonFormatter, describe, request_id
from lyceum.web.request_log import identify

# What is typed, sent or stored somewhere below, and must be in no log.
EMAIL, NAME, SECRET = "grace@planted.example", "Grace Planted", "planted-pass-word-7391"
TOKEN, COOKIE, BEARER = "planted-token-5512", "planted-cookie-8841", "planted-bearer-1207"
PLANTED = ("planted", "grace", "5512", "8841", "1207", "7391")


def alarm() -> Callable[[dict[str, Any]], bool]:
    """The metric filter that the alarm on errors counts by, as Terraform writes it. Of its grammar only what it uses:
    `{ ($.field = "value") || … }`.
    """
    text = (CHECKOUT / "infra" / "modules" / "alarms" / "main.tf").read_text()
    pattern = re.search(
        r'resource "aws_cloudwatch_log_metric_filter" "application_errors" \{.*?pattern += "(.*?)"\n', text, re.S
    )
    assert pattern
    alternatives = pattern[1].replace('\\"', '"').strip("{} ").split(" || ")
    terms = [re.fullmatch(r'\(\$\.(\w+) = "(\w+)"\)', one) for one in alternatives]
    assert all(terms), "the pattern uses more than this test understands"
    wanted = [(term[1], term[2]) for term in terms if term]
    return lambda line: any(line.get(field) == value for field, value in wanted)


def misbehave(browser: Browser) -> None:
    """Requests of many kinds, each with something in it that is nobody's business."""
    form = {"Content_Type": "application/x-www-form-urlencoded"}
    browser.ask("GET", "/", Cookie=f"sessionid={COOKIE}; csrftoken={COOKIE}", Authorization=f"Bearer {BEARER}")
    browser.ask("GET", f"/?q={TOKEN}&email={EMAIL}", Referer=f"http://127.0.0.1/{TOKEN}", User_Agent=TOKEN)
    browser.ask("GET", f"/nothing/{TOKEN}/?password={SECRET}")
    browser.ask("GET", f"/accounts/password/reset/key/1-{TOKEN}/")
    browser.ask("GET", f"/accounts/confirm-email/{TOKEN}/")
    browser.ask("GET", f"/content/{TOKEN}.mp4?signature={TOKEN}&expires=1")
    browser.ask("GET", f"/courses/{TOKEN}/")
    browser.ask("GET", f"/static/{TOKEN}.css")
    browser.ask("GET", f"/api/v1/lessons/{TOKEN}/media")
    browser.ask("GET", "/", Host=f"{TOKEN}.example")
    browser.ask(f"PLANTED{TOKEN.upper().replace('-', '')}", "/")
    browser.ask("GET", "/%ff%0a%22planted")
    browser.ask("POST", "/accounts/login/", f"login={EMAIL}&password={SECRET}".encode(), **form)
    browser.ask("POST", "/accounts/login/", SECRET.encode() * 200_000, **form)
    browser.ask("POST", "/accounts/login/", b"", Content_Type=f"multipart/form-data; boundary={TOKEN}")
    browser.ask("POST", "/uploads/maps/", SECRET.encode(), Content_Type=f"multipart/form-data; boundary={TOKEN}")
    browser.fill("/accounts/login/", login=EMAIL, password=SECRET)
    browser.fill("/accounts/login/", login=EMAIL, password=SECRET, next=f"//{TOKEN}")
    browser.fill("/accounts/signup/", email=EMAIL, password1="grace", display_name=NAME)
    browser.fill("/accounts/signup/", email=f"{EMAIL}\x00", password1=SECRET, display_name=NAME)


def test_nothing_that_a_person_typed_is_in_the_log_of_a_server(servers: Servers) -> None:
    made = servers.manage("prepare", "-v0")
    assert made.returncode == 0, made.stderr
    server = servers.start(TRUSTED_PROXIES="0")
    browser = server.browser()
    misbehave(browser)
    assert browser.fill("/accounts/signup/", email=EMAIL, password1=SECRET, display_name=NAME).status == 302
    assert "Grace Planted" in browser.ask("GET", "/my-courses/").text
    csrf = {"X_CSRFToken": browser.cookies["csrftoken"], "Content_Type": "application/json"}
    reported = browser.ask("POST", "/api/v1/progress/reports", json.dumps({"x": SECRET}).encode(), **csrf)
    assert reported.status in {400, 422}
    misbehave(browser)

    # A fault of ours while a password, a cookie and a session are at hand.
    with sqlite3.connect(servers.folder / "var" / "lyceum.sqlite3") as database:
        database.execute("ALTER TABLE accounts_user RENAME TO gone")
    outsider = server.browser()
    broken = outsider.fill("/accounts/login/", login=EMAIL, password=SECRET)
    assert broken.status == 500
    assert browser.ask("GET", "/my-courses/").status == 500
    server.stop()

    text, lines = server.log.read_text(), server.lines()
    assert [word for word in PLANTED if word in text.lower()] == []
    for line in lines:
        assert {"time", "level", "logger", "message"} <= set(line)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"])
    asked = [line for line in lines if line["logger"] == "lyceum.request"]
    assert len(asked) > 45
    assert all(set(line) >= {"request_id", "method", "route", "status", "duration_ms", "user_id"} for line in asked)
    seen = {(line["method"], line["route"], line["status"]) for line in asked}
    assert seen >= {
        ("GET", "/", 200), ("GET", "(none)", 400), ("(other)", "/", 403), ("GET", "(none)", 404),
        ("GET", "/courses/<slug:slug>/", 404), ("GET", "/content/<path:key>", 403), ("GET", "/static/…", 404),
        ("POST", "/accounts/login/", 200), ("POST", "/accounts/login/", 403), ("POST", "(none)", 413),
        ("POST", "/accounts/login/", 500), ("POST", "/api/v1/progress/reports", reported.status),
    }, seen  # fmt: skip
    assert {line["user_id"] for line in asked} == {None, 1}
    assert all("/healthz" not in line["route"] for line in asked)

    [failed, also] = [line for line in lines if alarm()(line)]
    assert failed["request_id"] == broken.headers["x-request-id"]
    assert (failed["message"], failed["exception"]["type"]) == (
        "500 Internal Server Error",
        "django.db.utils.OperationalError",
    )
    assert any(frame.startswith("allauth/account/") for frame in failed["exception"]["stack"])
    assert failed["exception"]["cause"]["type"] == "sqlite3.OperationalError"
    assert also["logger"] == "django.request"
    assert any(line["logger"] == "_granian" and "Listening at" in line["message"] for line in lines)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("Root=1-67891233-abcdef012345678912345678", True),
        ("Self=1-67891234-12456789abcdef012345678f;Root=1-67891233-abcdef012345678912345678", True),
        ("Root=1-67891233-abcdef012345678912345678;Sampled=1", True),
        ("Root=1-67891233-abcdef012345678912345678planted", False),
        ("xRoot=1-67891233-abcdef012345678912345678", False),
        ("planted", False),
        ('Root=1-67891233-abcdef01234567891234567"', False),
        ("", False),
    ],
)
def test_the_load_balancers_id_is_taken_and_nothing_else(db: None, client: Client, sent: str, kept: bool) -> None:
    answer = client.get("/nothing", headers={"X-Amzn-Trace-Id": sent})
    assert (answer["X-Request-ID"] == "1-67891233-abcdef012345678912345678") is kept
    assert re.fullmatch(r"1-[0-9a-f]{8}-[0-9a-f]{24}", answer["X-Request-ID"])


def test_each_request_has_an_id_of_its_own() -> None:
    assert len({identify("") for _ in range(100)}) == 100


@pytest.fixture
def written() -> Any:
    """Lines as a server would write them, from every logger."""
    lines: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    handler = Kept()
    handler.setFormatter(JsonFormatter())
    loggers = [logging.getLogger(name) for name in (None, "django", "django.request")]
    for logger in loggers:
        logger.addHandler(handler)
    logging.getLogger("lyceum.request").setLevel(logging.INFO)
    yield lines
    for logger in loggers:
        logger.removeHandler(handler)
    logging.getLogger("lyceum.request").setLevel(logging.WARNING)


def broken_view(*_: object, **__: object) -> None:
    password = SECRET
    try:
        raise KeyError(f"{EMAIL} {password}")
    except KeyError as error:
        raise psycopg.errors.UniqueViolation(f"Key (email)=({EMAIL}) already exists.") from error


def test_an_error_tells_where_and_not_what(written: list[str], db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selectors, "catalogue", broken_view)
    answer = Client(raise_request_exception=False).get(f"/?q={TOKEN}")
    assert not any(word in "\n".join(written) for word in PLANTED)
    [line] = [json.loads(line) for line in written if '"exception"' in line]
    assert line["request_id"] == answer["X-Request-ID"]
    told = line["exception"]
    assert (told["type"], told["code"]) == ("psycopg.errors.UniqueViolation", "23505")
    assert told["stack"][-1].endswith(f"test_logs.py:{broken_view.__code__.co_firstlineno + 5} broken_view")
    assert told["cause"]["type"] == "builtins.KeyError"


@pytest.mark.parametrize(
    ("say", "message"),
    [
        (lambda log: log.error("Retrying %s", EMAIL), "Retrying %s"),
        (lambda log: log.error(f"Retrying {EMAIL}"), "(not shown)"),
        (lambda log: log.error(ValueError(EMAIL)), "(not shown)"),
    ],
)
def test_other_libraries_sentences_are_not_filled_in(
    written: list[str], say: Callable[[logging.Logger], None], message: str
) -> None:
    say(logging.getLogger("botocore.retries"))
    line = json.loads(written[-1])
    assert line["message"] == message
    assert re.search(r"test_logs\.py:\d+ <lambda>$", line["source"])
    assert "planted" not in written[-1]


def test_a_line_is_a_line_whatever_is_in_it(written: list[str]) -> None:
    request_id.set(None)
    logging.getLogger("lyceum.test").warning('a "quote"\r\nand %s', "\u2028 \x00 é")
    assert "\n" not in written[-1]
    assert written[-1].isascii()
    assert json.loads(written[-1])["message"] == 'a "quote"\r\nand \u2028 \x00 é'
    assert "request_id" not in json.loads(written[-1])


def test_a_deep_stack_and_a_long_chain_are_cut_short() -> None:
    def deep(left: int) -> None:
        if left:
            deep(left - 1)
        raise ValueError(SECRET)

    def chained(left: int) -> None:
        try:
            chained(left - 1) if left else deep(100)
        except Exception as error:
            raise RuntimeError(SECRET) from error

    with pytest.raises(RuntimeError) as caught:
        chained(20)
    told = json.dumps(describe(caught.value))
    assert len(told) < 12_000
    assert SECRET not in told


def test_a_signed_in_users_line_names_an_id(written: list[str], student: User) -> None:
    browser = Client()
    browser.post("/accounts/login/", {"login": student.email, "password": PASSWORD})
    browser.get("/my-courses/")
    lines = [json.loads(line) for line in written if '"lyceum.request"' in line]
    assert [(line["route"], line["user_id"]) for line in lines] == [
        ("/accounts/login/", student.pk),
        ("/my-courses/", student.pk),
    ]


def test_to_log_who_asks_costs_no_query(written: list[str], student: User, django_assert_num_queries: Any) -> None:
    browser = Client()
    browser.force_login(student)
    with django_assert_num_queries(0):
        assert browser.get("/static/web/site.css").status_code == 200
    assert json.loads(written[-1])["user_id"] is None


def test_what_python_prints_by_itself_is_a_line_too() -> None:
    script = (
        "import logging, sys, threading, warnings\n"
        "from lyceum.web import logs\n"
        "handler = logging.StreamHandler(); handler.setFormatter(logs.JsonFormatter())\n"
        "logging.basicConfig(handlers=[handler]); logs.capture_the_rest()\n"
        f"warnings.warn('{EMAIL}')\n"
        "class Bad:\n    def __str__(self): raise ValueError('planted')\n"
        "logging.getLogger('lyceum.x').error('a %s', Bad())\n"
        f"def fail(): raise ValueError('{SECRET}')\n"
        "thread = threading.Thread(target=fail); thread.start(); thread.join()\n"
        "class Odd:\n    def __del__(self): fail()\n"
        "odd = Odd(); del odd\n"
        "fail()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], env={"PYTHONPATH": str(CHECKOUT / "src")}, capture_output=True, text=True
    )
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert done.returncode == 1
    assert [line["level"] for line in lines] == ["WARNING", "ERROR", "ERROR", "ERROR", "CRITICAL"]
    assert "planted" not in done.stderr
    assert [alarm()(line) for line in lines] == [False, True, True, True, True]


def test_a_server_that_cannot_start_says_so_in_one_line(servers: Servers) -> None:
    with pytest.raises(AssertionError):
        servers.start(DATABASE_URL=f"postgresql://lyceum:{SECRET}@127.0.0.1:1/lyceum")  # and no SECRET_KEY
    server = servers.running[-1]
    server.stop()
    [line] = [line for line in server.lines() if line["level"] == "CRITICAL"]
    assert line["exception"]["type"] == "django.core.exceptions.ImproperlyConfigured"
    assert SECRET not in server.log.read_text()
