"""Headers, limits, health and error pages: what every answer of the site promises."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.db import DatabaseError, connection
from django.test import Client, RequestFactory
from pytest_django import Settings
from tests.lyceum.conftest import signed_in

from lyceum.accounts.models import User
from lyceum.courses import selectors
from lyceum.courses.models import Course

PAGES = [
    "/",
    "/?q=x",
    "/accounts/login/",
    "/accounts/signup/",
    "/accounts/password/reset/",
    "/courses/maps/",
    "/nothing",
]
INSIDE = [
    "/courses/maps/files/",
    "/my-courses/",
    "/accounts/logout/",
    "/accounts/password/change/",
    "/accounts/email/",
    "/courses/maps/lessons/words/",
    "/courses/maps/lessons/film/",
    "/courses/maps/lessons/sheet/",
]


def _pages(client: Client, learner: Client) -> list[tuple[str, str, dict[str, str]]]:
    pairs = [(client, page) for page in PAGES] + [(learner, page) for page in INSIDE]
    answers = [(address, browser.get(address)) for browser, address in pairs]
    return [(address, answer.content.decode(), dict(answer.headers)) for address, answer in answers]


def test_every_page_defends_itself(client: Client, learner: Client) -> None:
    for address, _, headers in _pages(client, learner):
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy, address
        assert "script-src 'self';" in policy, address
        assert "unsafe" not in policy, address
        assert headers["X-Frame-Options"] == "DENY", address
        assert headers["X-Content-Type-Options"] == "nosniff", address
        assert headers["Referrer-Policy"] == "strict-origin-when-cross-origin", address


def test_no_page_needs_what_the_policy_forbids_or_another_site(client: Client, learner: Client) -> None:
    for address, text, _ in _pages(client, learner):
        assert not re.search(r"\sstyle=|\son[a-z]+=|<style", text), address
        assert not re.search(r'<script(?![^>]*\s(?:src=|type="application/json"))', text), address
        assert not re.search(r'(?:src|href|action)="(?:https?:)?//', text), address


def test_every_page_can_be_read_aloud(client: Client, learner: Client) -> None:
    for address, text, _ in _pages(client, learner):
        assert '<html lang="en">' in text, address
        assert len(re.findall(r"<h1[\s>]", text)) == 1, address
        assert '<main id="main"' in text, address
        assert 'class="skip"' in text, address
        for field in re.findall(r'<input[^>]*type="(?:text|email|password|search)"[^>]*id="([^"]+)"', text):
            assert f'for="{field}"' in text, (address, field)


def test_the_policy_names_the_bucket(
    client: Client, db: None, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:5999")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    settings.CONTENT_URL = "s3://lyceum-policy"
    policy = client.get("/")["Content-Security-Policy"]
    for directive in ("media-src", "img-src", "frame-src"):
        assert re.search(rf"{directive} 'self' http://127\.0\.0\.1:5999[; ]", policy), directive
    assert "script-src 'self';" in policy


def test_health(client: Client, db: None) -> None:
    for host in ("localhost", "10.1.2.3", "not a host at all"):
        answer = client.get("/healthz", headers={"host": host})
        assert (answer.status_code, json.loads(answer.content)["status"]) == (200, "ok")
        assert answer["Cache-Control"] == "no-store"
    assert client.post("/healthz").status_code == 405


def test_health_without_a_database(client: Client, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable() -> None:
        raise DatabaseError("secret-host:5432 refused")

    with monkeypatch.context() as broken:
        broken.setattr(connection, "cursor", unreachable)
        broken.setattr(connection, "close", lambda: None)
        answer = client.get("/healthz")
    assert answer.status_code == 503
    assert b"secret-host" not in answer.content


def test_health_is_answered_over_plain_http_when_the_site_is_not(client: Client, db: None, settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    assert client.get("/healthz").status_code == 200


def test_another_host_is_refused(client: Client, db: None) -> None:
    assert client.get("/", headers={"host": "evil.example"}).status_code == 400


@pytest.mark.parametrize("size", [64 * 1024 + 1, 10 * 1024 * 1024])
def test_a_large_report_is_refused_unread(student: User, size: int) -> None:
    answer = signed_in(student).post("/api/v1/progress/reports", b"x" * size, content_type="application/json")
    assert answer.status_code == 413
    assert json.loads(answer.content)["code"] == "too-large"


def test_a_report_of_the_permitted_size_is_read(student: User) -> None:
    answer = signed_in(student).post("/api/v1/progress/reports", b"x" * 64 * 1024, content_type="application/json")
    assert answer.status_code in {400, 422}


def test_a_large_form_is_refused_in_plain_words(client: Client, db: None) -> None:
    answer = client.post("/accounts/login/", b"x" * 3_000_000, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 413
    assert "larger than" in answer.content.decode()


def test_the_web_firewall_lets_large_bodies_pass_where_the_site_takes_them() -> None:
    text = (settings.BASE_DIR / "infra" / "platform" / "main.tf").read_text()
    paths = re.search(r"large_body_paths = (\[.*\])", text)
    assert paths
    large = {start for start, limit in settings.BODY_LIMITS.items() if limit > settings.BODY_LIMITS["/"]}
    assert large == {"/uploads/"}
    assert large <= set(json.loads(paths[1]))


def test_a_length_that_is_no_number(client: Client, db: None) -> None:
    answer = client.post("/accounts/login/", CONTENT_LENGTH="many")
    assert answer.status_code == 400


def test_an_address_that_is_none(client: Client, db: None) -> None:
    """As OPTIONS asks of a server as a whole."""
    assert client.generic("OPTIONS", "/", PATH_INFO="*").status_code == 404
    assert client.generic("OPTIONS", "/", b"x" * 3_000_000, PATH_INFO="*").status_code == 413


def test_a_page_that_is_not_there(client: Client, db: None) -> None:
    answer = client.get("/nothing")
    assert answer.status_code == 404
    assert "could not find that page" in answer.content.decode()


def test_the_api_answers_errors_in_json(client: Client, student: User) -> None:
    for browser, address, status, code in [
        (client, "/api/v1/lessons/00000000-0000-0000-0000-000000000000/media", 401, "signed-out"),
        (signed_in(student), "/api/v1/lessons/00000000-0000-0000-0000-000000000000/media", 404, "lesson-not-found"),
        (client, "/api/v1/nothing", 404, "not-found"),
    ]:
        answer = browser.get(address)
        assert (answer.status_code, json.loads(answer.content)["code"]) == (status, code)


def test_the_api_refuses_a_wrong_method_in_json(client: Client, student: User) -> None:
    for browser in (client, signed_in(student)):
        answer = browser.get("/api/v1/progress/reports")
        assert (answer.status_code, answer["Allow"]) == (405, "POST")
        assert json.loads(answer.content) == {
            "code": "wrong-method",
            "detail": "This address takes POST, and not GET. Nothing was changed.",
        }


def test_the_api_refuses_a_forged_request_as_the_pages_do(student: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(student)
    answer = strict.post("/api/v1/progress/reports", "{}", content_type="application/json")
    body = json.loads(answer.content)
    assert (answer.status_code, body["code"]) == (403, "csrf-failed")
    assert body["detail"] in strict.post("/accounts/logout/").content.decode().replace("&#x27;", "'")


def test_the_api_describes_itself(client: Client, db: None) -> None:
    assert "/api/v1/progress/reports" in json.loads(client.get("/api/v1/openapi.json").content)["paths"]
    assert client.get("/api/v1/docs").status_code == 404  # its page would load scripts from elsewhere


@pytest.mark.parametrize("address", ["/", "/api/v1/openapi.json"])
def test_a_fault_of_ours_leaks_nothing(db: None, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the secret of the house")

    monkeypatch.setattr(selectors, "catalogue", broken)
    monkeypatch.setattr("lyceum.api.api.get_openapi_schema", broken)
    answer = Client(raise_request_exception=False).get(address)
    assert answer.status_code == 500
    assert "on our side" in answer.content.decode()
    assert "secret" not in answer.content.decode()


def test_a_suspicious_request_is_a_400_in_plain_words(
    client: Client, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def suspicious(*_: object, **__: object) -> None:
        raise SuspiciousOperation("details")

    monkeypatch.setattr(selectors, "catalogue", suspicious)
    answer = client.get("/")
    assert answer.status_code == 400
    assert "details" not in answer.content.decode()


def test_an_expired_address_is_a_403_in_plain_words(client: Client, course: Course) -> None:
    answer = client.get("/content/maps/walk.mp4?expires=1&signature=x")
    assert answer.status_code == 403
    assert "expired" in answer.content.decode()


def test_error_pages_work_without_a_database(monkeypatch: pytest.MonkeyPatch) -> None:
    """No `db` fixture: pytest-django fails any query."""
    from lyceum.web import errors

    answer = errors.server_error(RequestFactory().get("/"))
    assert answer.status_code == 500
    assert "Something broke" in answer.content.decode()


def test_the_style_sheet_is_served(client: Client, db: None) -> None:
    answer = client.get("/static/web/site.css")
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/css")
    assert "Access-Control-Allow-Origin" not in answer


def _settings(tmp_path: Path, expression: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The value of an expression over the settings, in a process with that environment."""
    return subprocess.run(
        [sys.executable, "-c", f"import django; django.setup(); from django.conf import settings; print({expression})"],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(settings.BASE_DIR / "src"),
            "DJANGO_SETTINGS_MODULE": "lyceum.settings",
            "LYCEUM_VAR_DIR": str(tmp_path / "var"),
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_laptop_makes_its_secret_once_and_keeps_it_to_itself(tmp_path: Path) -> None:
    first, second = (_settings(tmp_path, "settings.SECRET_KEY").stdout for _ in range(2))
    assert first == second
    assert len(first) > 50
    assert (tmp_path / "var" / "secret-key").stat().st_mode & 0o777 == 0o600


def test_a_server_must_be_given_its_secret(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/other.sqlite3"
    answer = _settings(tmp_path, "1", DATABASE_URL=database)
    assert answer.returncode != 0
    assert "SECRET_KEY is not set" in answer.stderr
    assert _settings(tmp_path, "settings.SECRET_KEY", DATABASE_URL=database, SECRET_KEY="given").stdout == "given\n"


def test_behind_tls_cookies_travel_only_there(tmp_path: Path) -> None:
    names = "settings.SESSION_COOKIE_SECURE, settings.CSRF_COOKIE_SECURE, settings.SECURE_SSL_REDIRECT"
    assert _settings(tmp_path, names, SECURE="1").stdout == "True True True\n"
    assert _settings(tmp_path, names).stdout == "False False False\n"


@pytest.mark.parametrize("wrong", [{"LYCEUM_DEBUG": "maybe"}, {"TRUSTED_PROXIES": "-1"}, {"EMAIL_URL": "mail.example"}])
def test_a_setting_that_makes_no_sense_is_named(tmp_path: Path, wrong: dict[str, str]) -> None:
    answer = _settings(tmp_path, "1", **wrong)
    assert answer.returncode != 0
    assert next(iter(wrong)) in answer.stderr.splitlines()[-1]


def test_another_tools_debug_is_not_ours(tmp_path: Path) -> None:
    assert _settings(tmp_path, "settings.DEBUG", DEBUG="*").stdout == "False\n"
    assert _settings(tmp_path, "settings.DEBUG", LYCEUM_DEBUG="1").stdout == "True\n"


def test_what_visitors_do_wrong_does_not_fill_the_log(tmp_path: Path) -> None:
    client = "__import__('django.test').test.Client(enforce_csrf_checks=True)"
    for expression, status in [
        (f"{client}.get('/', headers={{'host': 'evil.example'}}).status_code", 400),
        (f"{client}.post('/accounts/login/', headers={{'host': 'localhost'}}).status_code", 403),
    ]:
        answer = _settings(tmp_path, expression)
        assert (answer.stdout, answer.stderr) == (f"{status}\n", "")


def test_sqlite_waits_and_writes_ahead(tmp_path: Path) -> None:
    expression = "[settings.DATABASES['default']['OPTIONS'][k] for k in ('transaction_mode', 'timeout')]"
    assert _settings(tmp_path, expression).stdout == "['IMMEDIATE', 20]\n"


def test_starting_loads_no_aws_library(tmp_path: Path) -> None:
    assert _settings(tmp_path, "__import__('lyceum.urls') and 'boto3' in __import__('sys').modules").stdout == "False\n"
