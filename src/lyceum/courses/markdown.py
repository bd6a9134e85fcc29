"""Turns the Markdown of authors into HTML that is safe to show.

Two layers, because authors are not the site's operators: the parser passes no raw HTML on, and what it makes is
cleaned again by a list of what may remain. Headings move down one level, since the page's own title is the first.
"""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, cast

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token

from lyceum.content import ContentError, get_store

CONTENT_SCHEME = "content:"

TAGS = {
    "a", "blockquote", "br", "code", "del", "div", "em", "h2", "h3", "h4", "h5", "h6", "hr", "img", "li", "ol", "p",
    "pre", "s", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
ATTRIBUTES = {
    "a": {"href", "title"},
    "code": {"class"},
    "div": {"class", "tabindex"},
    "img": {"src", "alt", "title", "loading"},
    "ol": {"start"},
    "td": {"class"},
    "th": {"class", "scope"},
}
# What browsers drop from an address before they read it.
_BLANKS = re.compile(r"[\x00-\x20]+")
CLASSES = ("table-scroll", "align-left", "align-center", "align-right")


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "typographer": True}).enable(["table", "strikethrough"])
    for name, rule in {"table_open": _table_open, "table_close": _table_close}.items():
        parser.add_render_rule(name, cast(Callable[..., Any], rule))
    return parser


def _table_open(renderer: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    # A wide table scrolls by itself, also from the keyboard, instead of widening the page of a phone.
    return '<div class="table-scroll" tabindex="0"><table>'


def _table_close(renderer: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    return "</table></div>"


def _prepare(tokens: Sequence[Token]) -> None:
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(6, int(token.tag[1]) + 1)}"
        if token.type in {"th_open", "td_open"} and (style := str(token.attrGet("style") or "")):
            # The policy of the site allows no inline style.
            token.attrs = {"class": f"align-{style.removeprefix('text-align:')}"}
        for name in ("src", "href"):
            address = str(token.attrGet(name) or "")
            if address.startswith(CONTENT_SCHEME):
                token.attrSet(name, _content_address(address.removeprefix(CONTENT_SCHEME)))
        if token.type == "image":
            token.attrSet("loading", "lazy")
        if token.children:
            _prepare(token.children)


def _content_address(key: str) -> str:
    try:
        return get_store().url(key)
    except ContentError:
        return "#missing"


def _filter(tag: str, attribute: str, value: str) -> str | None:
    if attribute == "class":
        allowed = value in CLASSES or (tag == "code" and value.startswith("language-") and len(value) < 40)
        return value if allowed else None
    # `//host` leads to another site and looks like a page of this one; browsers also read a backslash as a slash.
    if attribute in {"href", "src"} and _BLANKS.sub("", value).replace("\\", "/").startswith("//"):
        return None
    return value


def render(text: str) -> SafeString:
    """HTML for the Markdown. `content:KEY` as the address of a picture or a link means what the content store has
    there.
    """
    parser = _parser()
    tokens = parser.parse(text)
    _prepare(tokens)
    html = parser.renderer.render(tokens, parser.options, {})
    clean = nh3.clean(
        html,
        tags=TAGS,
        attributes=ATTRIBUTES,
        attribute_filter=_filter,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer",
    )
    return mark_safe(clean)  # noqa: S308 - cleaned just above
