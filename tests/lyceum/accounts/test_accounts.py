"""Signing up, in and out, and the command that makes accounts, as a visitor and an operator meet them."""

import io
from collections.abc import Iterator

import pytest
from django.contrib.auth import get_user
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.http import HttpResponse
from django.test import Client
from tests.lyceum.conftest import PASSWORD, signed_in

from lyceum.accounts.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_former_tries() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def sign_in(client: Client, email: str, password: str, address: str = "127.0.0.1") -> HttpResponse:
    form = {"login": email, "password": password}
    answer: HttpResponse = client.post("/accounts/login/", form, REMOTE_ADDR=address)  # type: ignore[assignment]
    return answer


def sign_up(client: Client, **changes: str) -> HttpResponse:
    form = {"email": "New@Lyceum.Example", "display_name": "New Person", "password1": PASSWORD, **changes}
    answer: HttpResponse = client.post("/accounts/signup/", form)  # type: ignore[assignment]
    return answer


def is_signed_in(client: Client) -> bool:
    return bool(get_user(client).is_authenticated)


def test_a_visitor_signs_up_and_is_signed_in(client: Client) -> None:
    answer = sign_up(client)
    assert (answer.status_code, answer["Location"]) == (302, "/my-courses/")
    user = User.objects.get()
    assert (user.email, user.display_name, user.role) == ("new@lyceum.example", "New Person", "student")
    assert user.check_password(PASSWORD)
    assert is_signed_in(client)
    assert "New Person" in client.get("/").content.decode()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"password1": "short"}, "at least 10 characters"),
        ({"password1": "password1234"}, "too common"),
        ({"password1": "93746102846"}, "entirely numeric"),
        ({"email": "nobody"}, "valid email address"),
        ({"display_name": ""}, "required"),
        ({"display_name": "a\nb"}, "invisible character"),
        ({"display_name": "a\u202eb"}, "invisible character"),
    ],
)
def test_a_sign_up_that_will_not_do_says_why_and_makes_nothing(
    client: Client, changes: dict[str, str], sentence: str
) -> None:
    answer = sign_up(client, **changes)
    assert answer.status_code == 200
    assert sentence in answer.content.decode()
    assert not User.objects.exists()


def test_nobody_signs_up_as_more_than_a_student(client: Client) -> None:
    sign_up(client, role="administrator", is_staff="1", is_superuser="1")
    assert User.objects.get().role == "student"


def test_an_email_is_taken_however_it_is_typed(client: Client, student: User) -> None:
    answer = sign_up(client, email="ADA@lyceum.example")
    assert answer.status_code == 200
    assert User.objects.count() == 1


def test_the_database_refuses_an_email_in_capitals_and_an_unknown_role(student: User) -> None:
    for change in ({"email": "ADA@lyceum.example"}, {"role": "king"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            User.objects.filter(pk=student.pk).update(**change)


def test_signing_in_and_out(client: Client, student: User) -> None:
    answer = sign_in(client, "Ada@Lyceum.example", PASSWORD)
    assert (answer.status_code, answer["Location"]) == (302, "/my-courses/")
    assert is_signed_in(client)
    assert client.get("/accounts/logout/").status_code == 200
    assert is_signed_in(client)  # a link cannot sign anyone out
    assert client.post("/accounts/logout/").status_code == 302
    assert not is_signed_in(client)


def test_signing_in_goes_back_to_where_it_was_needed_but_never_to_another_site(client: Client, student: User) -> None:
    form = {"login": student.email, "password": PASSWORD}
    assert client.post("/accounts/login/", {**form, "next": "/courses/maps/"})["Location"] == "/courses/maps/"
    client.post("/accounts/logout/")
    assert client.post("/accounts/login/", {**form, "next": "https://evil.example/"})["Location"] == "/my-courses/"


def test_a_wrong_password_does_not_tell_whether_the_account_exists(client: Client, student: User) -> None:
    def without_address(answer: HttpResponse, email: str) -> str:
        text = answer.content.decode().replace(email, "EMAIL")
        return "\n".join(line for line in text.splitlines() if "csrfmiddlewaretoken" not in line)

    known = sign_in(client, student.email, "not-the-password")
    unknown = sign_in(client, "eve@lyceum.example", "not-the-password")
    assert known.status_code == unknown.status_code == 200
    assert "not correct" in known.content.decode()
    assert without_address(known, student.email) == without_address(unknown, "eve@lyceum.example")
    assert not is_signed_in(client)


def test_guessing_passwords_is_stopped_also_for_the_right_one(client: Client, student: User) -> None:
    for _ in range(5):
        assert sign_in(client, student.email, "a guess").status_code == 200
    answer = sign_in(client, student.email, PASSWORD)
    assert not is_signed_in(client)
    assert "Too many" in answer.content.decode()
    # The limit is kept where every server and every restart finds it.
    assert sign_in(Client(), student.email, PASSWORD).status_code != 302


def test_wrong_passwords_from_elsewhere_lock_nobody_out(client: Client, student: User) -> None:
    for _ in range(6):
        sign_in(Client(), student.email, "a guess", "10.0.0.66")
    assert "Too many" in sign_in(Client(), student.email, PASSWORD, "10.0.0.66").content.decode()
    assert sign_in(client, student.email, PASSWORD, "10.0.0.1").status_code == 302


def test_guessing_from_many_addresses_is_stopped_as_well(client: Client, student: User) -> None:
    for number in range(50):
        assert "not correct" in sign_in(client, student.email, "a guess", f"10.0.1.{number}").content.decode()
    assert "Too many" in sign_in(client, student.email, PASSWORD, "10.0.2.1").content.decode()


def test_signing_in_rightly_uses_up_no_tries(student: User) -> None:
    for number in range(51):
        assert sign_in(Client(), student.email, PASSWORD, f"10.0.1.{number % 6}").status_code == 302, number


def test_a_page_full_of_sign_ups_is_stopped_in_plain_words(client: Client) -> None:
    answers = [sign_up(client, password1="short") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert "Too many tries" in answers[-1].content.decode()


def test_a_closed_account_cannot_sign_in(client: Client, student: User) -> None:
    User.objects.filter(pk=student.pk).update(is_active=False)
    sign_in(client, student.email, PASSWORD)
    assert not is_signed_in(client)


def test_a_form_from_another_site_changes_nothing(student: User) -> None:
    client = Client(enforce_csrf_checks=True)
    answer = sign_in(client, student.email, PASSWORD)
    assert answer.status_code == 403
    assert "Nothing was changed" in answer.content.decode()
    assert not is_signed_in(client)


def test_cookies_are_kept_from_scripts_and_other_sites(client: Client, student: User) -> None:
    sign_in(client, student.email, PASSWORD)
    session = client.cookies["sessionid"]
    assert session["httponly"]
    assert session["samesite"] == "Lax"


def test_the_administration_is_for_administrators(
    client: Client, student: User, instructor: User, administrator: User
) -> None:
    assert client.get("/manage/").status_code == 302
    for user in (student, instructor):
        assert signed_in(user).get("/manage/", follow=True).status_code == 403
    inside = signed_in(administrator)
    for page in ("", "courses/course/", "courses/lesson/add/", "courses/enrolment/", "accounts/user/"):
        assert inside.get(f"/manage/{page}").status_code == 200, page
    assert signed_in(student).get("/manage/accounts/user/").status_code != 200


def test_an_administrator_changes_a_role(administrator: User, student: User) -> None:
    answer = signed_in(administrator).post(
        f"/manage/accounts/user/{student.pk}/change/",
        {"email": "Ada.L@lyceum.example", "display_name": "Ada L", "role": "instructor", "is_active": "on"},
    )
    assert answer.status_code == 302
    student.refresh_from_db()
    assert (student.email, student.role, student.is_staff) == ("ada.l@lyceum.example", "instructor", False)


def create_user(*arguments: str) -> str:
    out = io.StringIO()
    call_command("create_user", *arguments, stdout=out)
    return out.getvalue()


def test_create_user_makes_an_account_that_can_sign_in(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LYCEUM_USER_PASSWORD", PASSWORD)
    arguments = ("--email", "Boss@lyceum.example", "--role", "administrator", "--display-name", "Boss")
    assert "Made boss@lyceum.example" in create_user(*arguments)
    before = User.objects.get().password
    assert "Updated boss@lyceum.example" in create_user(*arguments)
    user = User.objects.get()
    assert (user.role, user.display_name, user.is_staff) == ("administrator", "Boss", True)
    assert user.password == before
    sign_in(client, "boss@lyceum.example", PASSWORD)
    assert is_signed_in(client)


def test_create_user_refuses_a_name_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LYCEUM_USER_PASSWORD", PASSWORD)
    with pytest.raises(CommandError, match="invisible character"):
        create_user("--email", "a@lyceum.example", "--display-name", "a\u200bb")


def test_create_user_reads_the_password_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LYCEUM_USER_PASSWORD", raising=False)
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
    create_user("--email", "a@lyceum.example")
    assert User.objects.get().check_password(PASSWORD)


@pytest.mark.parametrize(
    ("email", "password"), [("a@lyceum.example", ""), ("a@lyceum.example", "short"), ("nobody", PASSWORD)]
)
def test_create_user_refuses_in_one_sentence(monkeypatch: pytest.MonkeyPatch, email: str, password: str) -> None:
    monkeypatch.setenv("LYCEUM_USER_PASSWORD", password)
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    with pytest.raises(CommandError):
        create_user("--email", email)
    assert not User.objects.exists()
