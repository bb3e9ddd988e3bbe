"""Text from a repository or a model can run nothing, load nothing from elsewhere, and take nothing of the page's own."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared_services.pages.addresses import classify
from shared_services.pages.highlight import CLASSES
from shared_services.pages.markdown import render_answer, render_step
from shared_services.pages.sanitize import sanitize

PAGE = (Path(__file__).parents[2] / "e2e/participant/hostile.md").read_text("utf-8")
LOADING = {"src", "srcset", "poster", "data", "action", "formaction", "background", "srcdoc", "xlink:href", "ping", "manifest"}
OUR_CLASSES = {
    "code",
    "exec",
    "plain",
    "output",
    "copy",
    "code-bar",
    "code-label",
    "code-flag",
    "table-scroll",
    "variable",
    "task",
}
OUR_CLASSES |= {
    "done",
    "open",
    "missing",
    "remote",
    "remote-note",
    "anchor",
    "citation",
    "note",
    "cut",
    "heading",
    "cites",
    "short",
}
OUR_CLASSES |= {"align-left", "align-center", "align-right", *CLASSES}
FORBIDDEN = {
    "script",
    "style",
    "svg",
    "math",
    "base",
    "meta",
    "link",
    "form",
    "input",
    "iframe",
    "object",
    "embed",
    "video",
    "audio",
}
FORBIDDEN |= {"template", "noscript", "textarea", "select", "xmp", "plaintext", "body", "html", "head", "title", "main", "source"}


class Judge(HTMLParser):
    """Reads finished HTML and says what is wrong with it."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in FORBIDDEN:
            self.found.append(f"<{tag}>")
        for name, value in attrs:
            self._attribute(tag, name, value or "")

    def _attribute(self, tag: str, name: str, value: str) -> None:
        bad = name.startswith("on") or name in {"style", "name"}
        bad = bad or (name in LOADING and not (tag == "img" and name == "src" and value.startswith("/ok/")))
        bad = bad or (name == "href" and not re.match(r"^(https?://|mailto:|#|/ok/)", value))
        bad = bad or (name == "id" and (":" in value or not tag.startswith("h")))
        bad = bad or (name == "class" and not set(value.split()) <= OUR_CLASSES)
        bad = bad or (name.startswith("data-") and name not in {"data-line", "data-n", "data-exec", "data-language"})
        if bad:
            self.found.append(f"{tag} {name}={value!r}")


def faults(html: str) -> list[str]:
    judge = Judge()
    judge.feed(html)
    judge.close()
    return judge.found


def both(text: str) -> list[str]:
    return faults(render_step(text, link=lambda a: f"/ok/{a}").html) + faults(render_answer(text))


def test_the_judge_sees_what_it_must():
    bad = '<a href="javascript:x"></a><img src="https://e"><p onclick=x></p><div id="x"></div><b style=x></b><script></script>'
    assert len(faults(bad)) == 6


def test_the_page_of_every_trick_is_harmless_and_still_readable():
    assert both(PAGE) == []
    html = render_step(PAGE, link=lambda a: f"/ok/{a}").html
    assert "kept text" in html or "The end of the wild text." in html


@pytest.mark.parametrize("block", [part for part in re.split(r"\n", PAGE) if part.strip()])
def test_each_trick_alone_is_harmless(block: str):
    assert both(block) == []
    assert both(f"text {block}") == []
    assert both(f"- item\n  {block}") == []


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        " javascript:alert(1)",
        "java\tscript:alert(1)",
        "java\nscript:x",
        "\x01javascript:x",
        "javascript\u200b:x",
        "vbscript:x",
        "data:text/html,x",
        "data:image/svg+xml,<svg/>",
        "file:///etc/passwd",
        "blob:https://a/b",
        "filesystem:https://a/x",
        "about:blank",
        "view-source:https://a",
        "ftp://a/b",
        "intent://x",
        "https:",
        "http://",
        "",
        "http:a",
    ],
)
def test_addresses_with_other_schemes_lead_nowhere(address: str):
    assert classify(address) is None


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("https://a.example", "external"),
        ("HTTPS://a.example", "external"),
        ("//a.example/x", "external"),
        ("\\\\a.example\\x", "external"),
        ("/\\a.example", "external"),
        ("mailto:a@b.example", "external"),
        ("#part", "fragment"),
        ("../a/content.md", "relative"),
        ("a.png?x=1", "relative"),
        ("/a:b", "relative"),
    ],
)
def test_addresses_are_read_as_browsers_read_them(address: str, kind: str):
    found = classify(address)
    assert found is not None
    assert found.kind == kind


def test_the_last_gate_holds_alone():
    """Whatever came through before it: the sanitizer is not there for decoration."""
    assert [line for line in PAGE.split("\n") if faults(sanitize(line))] == []
    assert sanitize('<h2 id="ui:ask">a</h2><img src="//e.example/a.png" alt="b">') == '<h2>a</h2><img alt="b">'
    kept = sanitize(
        '<p class="note skip" style="x" onclick="y" data-line="1-2" data-ui="z">a<script>b</script></p><span class="k evil">c</span>'
    )
    assert kept == '<p class="note" data-line="1-2">a</p><span class="k">c</span>'
    assert sanitize('<button type="submit" formaction="https://e.example" name="x">go</button>') == "<button>go</button>"
    assert sanitize('<a href="javascript:x" ping="https://e.example" target="_blank">a</a>') == '<a target="_blank">a</a>'


_PIECES = [
    "<",
    ">",
    '"',
    "'",
    "&",
    "`",
    "\n",
    "\n\n",
    " ",
    "=",
    "/",
    "-->",
    "<!--",
    "]]>",
    "[",
    "](",
    ")",
    "!",
    "{{",
    "}}",
    "*",
    "|",
    "#",
]
_PIECES += [
    "script",
    "onerror=",
    "src=",
    "href=",
    "javascript:",
    "style",
    "svg",
    "img",
    "a",
    "div",
    "id=",
    "class=",
    "```",
    "x",
    "&#106;",
]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(_PIECES), max_size=40).map("".join))
def test_no_mixture_of_pieces_gets_through(text: str):
    assert both(text) == []
