"""The catalogue: what each reader sees there, and how words and topics narrow it."""

import re

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from tests.lyceum.conftest import signed_in

from lyceum.accounts.models import User
from lyceum.courses.models import Course

pytestmark = pytest.mark.django_db


@pytest.fixture
def shelf(instructor: User) -> None:
    for slug, title, summary, topic in [
        ("stars", "The night sky", "Find planets with bare eyes.", "Astronomy"),
        ("bread", "Bread", "Flour, water and time under the night sky.", "Kitchen"),
        ("nets", "Networks", "How packets travel.", "Computing"),
    ]:
        Course.objects.create(slug=slug, title=title, summary=summary, topic=topic, published=True)


def titles(client: Client, query: str = "") -> list[str]:
    answer = client.get(f"/{query}")
    assert answer.status_code == 200
    return re.findall(r'class="card__link" href="[^"]+">([^<]+)</a>', answer.content.decode())


def test_everything_published_by_title(client: Client, shelf: None, draft: Course) -> None:
    assert titles(client) == ["Bread", "Networks", "The night sky"]


def test_a_draft_is_seen_by_its_instructor_and_administrators_only(
    client: Client, draft: Course, student: User, instructor: User, administrator: User, stranger: User
) -> None:
    other = User.objects.create_user("other@lyceum.example", role="instructor")
    for blind in (client, signed_in(student), signed_in(stranger), signed_in(other)):
        assert titles(blind) == []
        assert titles(blind, "?q=thought") == []
        assert "Secrets" not in blind.get("/").content.decode()  # not even its topic
    for seeing in (signed_in(instructor), signed_in(administrator)):
        assert titles(seeing) == ["Half a thought"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?q=night", ["Bread", "The night sky"]),
        ("?q=NIGHT+planets", ["The night sky"]),
        ("?q=astronomy", ["The night sky"]),
        ("?topic=kitchen", ["Bread"]),
        ("?q=night&topic=Kitchen", ["Bread"]),
        ("?q=&topic=", ["Bread", "Networks", "The night sky"]),
        ("?q=%25", []),
        ("?q=_", []),
        ("?q=nothing", []),
        ("?page=99", ["Bread", "Networks", "The night sky"]),
        ("?page=x", ["Bread", "Networks", "The night sky"]),
        ("?q=" + "zz+" * 400, []),
    ],
)
def test_search(client: Client, shelf: None, query: str, found: list[str]) -> None:
    assert titles(client, query) == found


def test_what_was_searched_is_shown_as_text(client: Client, shelf: None) -> None:
    page = client.get("/", {"q": '"><script>alert(1)</script>', "topic": "<b>"}).content.decode()
    assert "<script>alert" not in page
    assert "<b>" not in page
    assert "No course matches" in page


def test_a_search_that_is_no_text(client: Client, shelf: None) -> None:
    assert client.get("/?q=%00").status_code == 400


def test_a_long_catalogue_has_pages(client: Client, db: None) -> None:
    for number in range(30):
        Course.objects.create(slug=f"c{number}", title=f"Course {number:02}", topic="Things", published=True)
    assert len(titles(client)) == 24
    assert len(titles(client, "?q=course&topic=Things&page=2")) == 6


def test_a_long_catalogue_takes_no_more_queries(
    client: Client, db: None, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(20):
        Course.objects.create(slug=f"c{number}", title=f"Course {number}", topic="Things", published=True)
    with django_assert_max_num_queries(4):
        client.get("/")


def test_an_empty_catalogue_says_so(client: Client, db: None) -> None:
    assert "no courses yet" in client.get("/").content.decode()
