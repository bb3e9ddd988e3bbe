"""Any text is read: no crash, no hang, no character of our own making, and a map that stays inside its files."""

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared_services.asciidoc.inline import Inline
from shared_services.asciidoc.lines import Line
from shared_services.asciidoc.nodes import Code
from shared_services.asciidoc.pages import read_page, walk
from shared_services.asciidoc.preprocess import Findings, Preprocessor
from shared_services.asciidoc.writer import Writer, content, runs
from shared_services.contracts.workshop import WorkshopManifest
from tests.unit.template_converter.showroom.antora_site import PAGES, workshop

PIECES = [
    "= T", "== S", "* a", "** b", "*** c", "- d", ". one", ".. two", "1. x", "<1> co", "a:: b", "c::", "+", "", "", "--", "----", "....", "====",
    "****", "____", "++++", "|===", "|a |b", "a|c", "2+|x", ",===", "[source,bash,role=execute]", "[NOTE]", "[quote,a,b]", "[verse]", "[%collapsible]",
    "[[id]]", "[#x.y%z]", ".Title", "image::a.png[]", "video::v[]", "include::self.adoc[]", "ifdef::a[]", "ifeval::[{a} > 1]", "endif::[]", ":a: {a}{a}",
    ":!a:", ":leveloffset: +1", "// c", "////", "```", "'''", "<<<", " lit", "> q", "*b* _i_ `c` #m#", "{a} {user} {lt}", "xref:a.adoc#b[c]", "<<x,y>>",
    "https://e.org[x] footnote:[y] pass:[z]", "text\\", "a +", "[tabs]", "toc::[]", "NOTE: n", "word word", "x <1>", "{counter:x}", "\ue000\x00", "\t- t",
    '[source,bash,subs="+macros,+quotes,+attributes"]', "[source]", "\ue0107\ue011 \ue0127\ue013", "<img src='x.png'> <a href='y'>z</a>", "+{a}+ ++b++",
    "pass:a[{a}] *c", "footnote:[a [b] c]", "-------",
]  # fmt: skip


class _Files:
    def __init__(self, text: str) -> None:
        self._text = text

    def text(self, path: str) -> str:
        return self._text

    def resolve(self, target: str, page: str, from_file: str) -> str | None:
        return "self.adoc" if target == "self.adoc" else None


class _Around:
    def link(self, target: str, line: Line) -> str | None:
        return target

    def xref(self, target: str, line: Line) -> tuple[str | None, str]:
        return f"#{target}", target

    def image(self, target: str, line: Line) -> str | None:
        return target

    def variable(self, name: str, line: Line) -> str:
        return f"{{{{{name}}}}}"

    def lose(self, kind: str, line: Line, detail: str) -> None:
        assert detail


def convert(text: str) -> str:
    findings = Findings()
    lines = Preprocessor(_Files(text), findings, {}, frozenset(), "page.adoc").read()
    page = read_page("page.adoc", lines, _Around())
    rows = Writer(_Around()).page(page.blocks)
    written = content(rows)
    count = text.count("\n") + 1
    assert all(1 <= line <= count for _, _, line in runs(rows))
    assert len(rows) == written.count("\n")
    for block in walk(page.blocks):
        if isinstance(block, Code):
            body = [line.text for line in block.lines if line.text.strip()]
            # `subs` may take the marks of bold and of passthroughs away, and leave of a link its text.
            first = [part.split()[0].strip("*_`#") for part in body]
            assert all(
                word in written or any(mark in part for mark in ("<", "{", "+", "pass:", "xref:", "link:"))
                for word, part in zip(first, body, strict=True)
            )
    return written


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(PIECES), max_size=40))
def test_any_order_of_blocks(pieces: list[str]) -> None:
    text = "\n".join(pieces)
    assert convert(text) == convert(text)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=st.sampled_from("ab \n*_`#+{}[]<>|:.-=/\\'\"()~^$%&;!,1x@"), max_size=300))
def test_any_text(text: str) -> None:
    assert convert(text) == convert(text)


NAVIGATION = [
    "* xref:index.adoc[A]", "* xref:index.adoc[]", "** xref:b.adoc#x[B]", "** xref:b.adoc[]", "* Label", "** Inner", "*** xref:b.adoc[*C*]", ".Title", "",
    "* xref:gone.adoc[]", "* xref:[]", "* https://e.org[E]", "* {u}[U]", ". xref:b.adoc[]", "ifdef::z[]", "endif::[]", "include::nav.adoc[]", "* <<b.adoc#,D>>",
    "* xref:lab:ROOT:b.adoc[]", "* xref:1@no:b.adoc[]", "// x", "+", "====", "* xref:../b.adoc[]", "* xref:partial$b.adoc[]", "xref:b.adoc[]", "a:: xref:b.adoc[]",
]  # fmt: skip


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(NAVIGATION), max_size=14))
def test_any_navigation(rows: list[str]) -> None:
    found = workshop(
        {
            "content/modules/ROOT/nav.adoc": "\n".join(rows),
            f"{PAGES}/index.adoc": "= Index\n\nxref:b.adoc#x[]\n",
            f"{PAGES}/b.adoc": "[[x]]\nxref:index.adoc[]\n",
        }
    )
    steps = [entry.id for entry in found.steps]
    assert 1 <= len(steps) == len(set(steps)) <= 2
    manifest = WorkshopManifest(slug="x", title=found.title, steps=steps, chapters=found.chapters, variables=found.variables)
    assert sum(len(chapter.steps) for chapter in manifest.chapters) <= len(steps)
    assert all(entry.title and "\0" not in entry.title for entry in found.steps)
    assert all("\0" not in chapter.title for chapter in found.chapters)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.sampled_from("ab *_`#+{}[]<>:.-'\"~^\\()&;"), max_size=80))
def test_plain_text_never_grows_marks(text: str) -> None:
    line = Line(text, "page.adoc", 1, {})
    plain = Inline(_Around(), line, plain=True).render(text)
    assert "\x00" not in plain
    assert len(plain) <= len(text) * 3 + 20


@pytest.mark.parametrize(
    "text",
    [
        "*a " * 20_000,
        "`" * 20_000,
        "[" * 20_000,
        "{a}" * 20_000,
        "<<" * 20_000,
        "+" * 20_000 + "x",
        "**_" * 20_000,
        "link:" * 10_000,
        "xref:a[" * 5_000,
        "(((" * 10_000,
        "pass:" * 10_000 + "[",
        "\n".join(["* " * 5 + "x"] * 5_000),
        "\n".join("*" * (number % 40 + 1) + " x" for number in range(5_000)),
        "====\n[NOTE]\n" * 3_000,
        "\n".join("=" * (number + 4) for number in range(200)),
        "|===\n" + "|a " * 20_000 + "\n|===",
        "99999999*|x\n" * 50,
        "|===\n9999*|x\n.9999+|y\n9999+|z\n|===",
        "\n".join(f":a{number}: {{a{number - 1}}}{{a{number - 1}}}" for number in range(1, 60)) + "\n:a0: x\n\n{a59}",
        ":a0: xxxxxxxxxx\n"
        + "\n".join(f":a{number}: {{a{number - 1}}}{{a{number - 1}}}" for number in range(1, 60))
        + "\n\n{a59}",
        "\n".join(["include::self.adoc[]"] * 2_000),
        "\n".join(["ifdef::a[]"] * 20_000),
        "----\nx <1>\n" * 3_000,
        "----\n" + "<1> " * 10_000 + "\n----",
        "a::\n" * 5_000,
        "x" * 1_000_000,
    ],
    ids=range(26),
)
def test_hostile_pages_take_no_longer_than_large_ones(text: str) -> None:
    start = time.process_time()
    convert(text)
    assert time.process_time() - start < 10
