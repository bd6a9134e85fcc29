"""What authors write: shown as meant, and harmless whatever it holds."""

import time

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st
from tests.lyceum.conftest import Put

from lyceum.courses.markdown import render
from lyceum.courses.models import LONGEST_MARKDOWN, Course, Lesson


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("**bold** and *soft*", "<p><strong>bold</strong> and <em>soft</em></p>"),
        ("# One\n\n###### Six", "<h2>One</h2>\n<h6>Six</h6>"),
        ("```python\nx < 1\n```", '<pre><code class="language-python">x &lt; 1\n</code></pre>'),
        ("<b>raw</b>", "<p>&lt;b&gt;raw&lt;/b&gt;</p>"),
        ("~~gone~~", "<p><s>gone</s></p>"),
        (
            "[out](https://example.org 'A')",
            '<p><a href="https://example.org" title="A" rel="noopener noreferrer">out</a></p>',
        ),
        ("[in](/courses/maps/)", '<p><a href="/courses/maps/" rel="noopener noreferrer">in</a></p>'),
        ("![A hill](/static/a.png)", '<p><img src="/static/a.png" alt="A hill" loading="lazy"></p>'),
    ],
)
def test_markdown(text: str, html: str) -> None:
    assert render(text).strip() == html


def test_a_table_scrolls_and_aligns_without_inline_style() -> None:
    html = render("| a | b |\n|---|--:|\n| 1 | 2 |")
    assert '<div class="table-scroll" tabindex="0"><table>' in html
    assert '<td class="align-right">2</td>' in html
    assert "style" not in html


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<svg/onload=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](&#106;avascript:alert(1))",
        "[x](java\tscript:alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "[x](vbscript:alert(1))",
        "![x](javascript:alert(1))",
        '[x](https://a "\\" onmouseover=\\"alert(1)")',
        '```" onclick=alert(1)\nx\n```',
        "<iframe src=https://evil.example></iframe>",
        "<style>body{display:none}</style>",
        "<form action=https://evil.example><input name=password>",
        "<a href='javascript:alert(1)'>x</a>",
        '<https://a.example/"onclick=alert(1)>',
    ],
)
def test_nothing_written_can_run(text: str) -> None:
    _is_harmless(render(text))


PIECES = [*"<>\"'=/:()[]!`#&;\n\t *_|- ", "script", "onerror", "javascript:", "img", "a"]


@given(st.lists(st.sampled_from(PIECES)).map("".join))
def test_no_text_at_all_can_run(text: str) -> None:
    _is_harmless(render(text))


def _is_harmless(html: str) -> None:
    """Only tags and attributes of the list, and no address that runs; what else stands there is escaped text."""
    from html.parser import HTMLParser

    from lyceum.courses.markdown import ATTRIBUTES, TAGS

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            assert tag in TAGS
            for name, value in attrs:
                assert name in ATTRIBUTES.get(tag, set()) | {"rel"}, (tag, name)
                if name in {"href", "src"}:
                    scheme = (value or "").partition(":")[0].lower().strip()
                    assert scheme not in {"javascript", "data", "vbscript"}

    Reader().feed(html)


def test_content_of_the_store_is_shown_by_its_address(put: Put) -> None:
    put("maps/hill.png", b"png", "image/png")
    html = render("![A hill](content:maps/hill.png) [the file](content:maps/hill.png)")
    assert html.count("/content/maps/hill.png?expires=") == 2


@pytest.mark.parametrize("key", ["../secret", "", "UPPER", "%2e%2e/secret", ".types/a"])
def test_content_that_cannot_be_is_not_linked(put: Put, key: str) -> None:
    assert "secret" not in render(f"![x](content:{key})").replace("%", "")


@pytest.mark.parametrize(
    "address",
    ["//evil.example", "/\\evil.example", "</\t/evil.example>", "&#47;/evil.example", "</ /evil.example>"],
)
def test_an_address_that_hides_another_site_is_taken_out(address: str) -> None:
    for text in (f"[x]({address})", f"![x]({address})"):
        html = render(text)
        assert "//evil" not in html.replace("\t", "").replace("\\", "/")


def test_addresses_of_other_sites_that_say_so_stay() -> None:
    assert 'href="http://example.org/a//b"' in render("[x](http://example.org/a//b)")


@pytest.mark.parametrize("piece", ["![", '[a](b"', "["])
def test_the_worst_text_of_the_permitted_length_is_shown_at_once(piece: str) -> None:
    text = (piece * LONGEST_MARKDOWN)[:LONGEST_MARKDOWN]
    before = time.process_time()
    render(text)
    assert time.process_time() - before < 2  # a third of it on a quiet machine; a text of 1 MiB takes 16 s


def test_a_longer_text_is_refused_where_it_is_typed() -> None:
    long = "x" * (LONGEST_MARKDOWN + 1)
    for thing in (Course(description_md=long), Lesson(body_md=long)):
        with pytest.raises(ValidationError, match="32 768 characters at most"):
            thing.clean()
