"""Pages with one very long line, or with one mark written a hundred thousand times: read right or left out by name, never hung upon.

Nothing here looks at a clock. With patterns that try each beginning against each end, most of these tests would take minutes.
"""

import random

import pytest

from agents.template_converter.checkout import checkout
from agents.template_converter.errors import SourceError
from agents.template_converter.forms import (
    book_templates,
    click_code,
    codelab,
    commonmark,
    gitbook,
    html_blocks,
    instruqt,
    instruqt_lab,
    mdbook,
    mdx,
    mdx_left,
    modules,
    myst_pages,
    pages,
    pymarkdown,
    sections,
    shortcodes,
    snippets,
    studio,
)
from agents.template_converter.forms.lines import lines_of, without_enclosed
from agents.template_converter.forms.parsing import Places
from agents.template_converter.forms.sphinx import labels, references, toctree
from agents.template_converter.forms.tags import TagWriter
from agents.template_converter.listing import PAGES
from agents.template_converter.long_lines import longest_line
from agents.template_converter.service import ConverterService
from agents.template_converter.settings import ConverterSettings
from agents.template_converter.signals import instructing
from shared_services.asciidoc import alone, escape, parser, preprocess
from shared_services.contracts.conversion import ConvertRequest
from tests.unit.template_converter.fuzz.seeds import SEEDS
from tests.unit.template_converter.fuzz.wrecks import wreck

N = 60_000
BLANKS = " " * N
WITH_PAGES = [
    (form, number)
    for form, seeds in SEEDS.items()
    for number, seed in enumerate(seeds)
    if any(path.endswith(PAGES) for path in seed.files)
]


def silent(stage: str, done: int, total: int | None, message: str) -> None:
    """Nobody watches."""


@pytest.mark.parametrize(("form", "number"), WITH_PAGES)
@pytest.mark.parametrize("mark", ["[a](", "<a href='", "{{< "])
def test_a_page_of_one_long_line_is_left_out_by_name(form, number, mark, tmp_path):
    seed = SEEDS[form][number]
    files = wreck(seed, 0, 0)
    page = next(path for path in files if path.endswith(PAGES))
    files[page] += b"\n" + mark.encode() * (900_000 // len(mark)) + b"\n"
    for path, data in files.items():
        (tmp_path / "source" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "source" / path).write_bytes(data)
    service = ConverterService(ConverterSettings())
    service.classify(ConvertRequest(source=str(tmp_path / "source")))
    try:
        request = ConvertRequest(source=str(tmp_path / "source"), as_form=form, path=seed.path)
        report = service.convert(request, tmp_path / "out")
    except SourceError as error:
        said = error.detail
    else:
        said = " ".join(f"{row.source} {row.detail}" for row in report.losses)
        said += " ".join(f"{row.target} {row.detail}" for row in report.broken)
    assert page.removeprefix(f"{seed.path}/") in said
    assert "CONVERTER_MAX_LINE_BYTES" in said


@pytest.mark.parametrize(("ending", "length"), [("\n", 5000), ("\r\n", 5000), ("\r", 5000), ("", 5000)])
def test_a_line_is_measured_to_its_end_whatever_that_is(ending, length):
    data = f"# A{ending or chr(10)}{'x' * length}{ending}b".encode()
    assert longest_line(data) == length + (0 if ending else 1)


def test_a_picture_in_a_line_does_not_count_and_a_program_may_be_one_line(tmp_path):
    (tmp_path / "a.md").write_text(f"# A\n\n![p](data:image/png;base64,{'A' * 9000}) and text\n")
    (tmp_path / "b.md").write_text("# B\n\n" + "b " * 4500)
    (tmp_path / "c.js").write_text("c;" * 4500)
    with checkout(str(tmp_path), None, ConverterSettings(max_line_bytes=8000), silent) as out:
        assert set(out.tree.files) == {"a.md", "c.js"}
        assert out.tree.absent == {"b.md": "a line of it has more than 8000 bytes (CONVERTER_MAX_LINE_BYTES)"}


FOUND = [
    (codelab._H2, "## Two # three ##", {"title": "Two # three"}),
    (codelab._H2, "## #", {"title": "#"}),
    (codelab._DURATION, "Duration: 5 minutes ", {"value": "5"}),
    (mdx._ADMONITION, ':::note My title {.x} ', {"kind": "note", "title": "My title"}),
    (mdx._ADMONITION, "  :::tip[One two]", {"kind": "tip", "bracket": "One two"}),
    (mdx._IMPORT, 'import {A,  B}  from "./x";', {"target": "./x"}),
    (mdx._IMPORT, "import C from 'c'", {"name": "C", "target": "c"}),
    (mdbook._LINK, "{{ #include a b.rs:2  }}", {"kind": "include", "rest": "a b.rs:2"}),
    (mdbook._LINK, r"\{{#title }}", {"kind": "title", "rest": ""}),
    (pages._HEADING_ATTRIBUTES, "Go on  {: #there .x } ##", {"inner": "#there .x "}),
    (snippets._MARKER, "# --8<-- [start: a-b ]", {"kind": "start", "name": "a-b"}),
    (studio._LEAF_END, "]{a=b}  ", {"attributes": "a=b"}),
    (myst_pages._NAMED, "The page  <b/c>", {"words": "The page"}),
    (labels._MYST_HEADING, "## C  and D ##", {"title": "C  and D"}),
    (labels._NAME_OPTION, "  :name:  a b ", {"name": "a b"}),
    (toctree._OPTION, ":caption:  Part one  ", {"name": "caption", "value": "Part one"}),
    (toctree._TITLED, "The page <a/b>", {"title": "The page", "target": "a/b"}),
    (click_code._MARK, "{{ execute T1 }}", {"words": " execute T1 "}),
    (click_code._MARK, "{{T1}}", None),
    (instruqt._TAB, '[button label="Go" background="#fff"](tab-2)', {"label": "Go", "number": "2"}),
    (instruqt_lab._TAG, '<instruqt-task id="a"/>', {"name": "task", "attributes": ' id="a"'}),
    (shortcodes.TAG, '{{% notice "a b"  / %}}', {"name": "notice", "empty": "/"}),
    (parser._SECTION, "== Two  three ==", None),
    (preprocess._COMPARISON, " {a}  >= 2 ", None),
]  # fmt: skip


@pytest.mark.parametrize(("pattern", "text", "groups"), FOUND)
def test_what_is_written_by_hand_is_found_as_ever(pattern, text, groups):
    match = pattern.search(text)
    if pattern is parser._SECTION:
        assert match[2] == "Two  three"
    elif pattern is preprocess._COMPARISON:
        assert match.groups() == ("{a}", ">=", "2")
    elif groups is None:
        assert match is None
    else:
        assert {name: match[name] for name in groups} == groups


ENDLESS = [
    (codelab._H2, f"## a{BLANKS}\0", True),
    (codelab._DURATION, f"Duration:{BLANKS}x", False),
    (commonmark._ATTRIBUTE_LIST, "{:" + BLANKS, False),
    (commonmark._BLOCK_ATTRIBUTES, "{:" + BLANKS + "x", False),
    (commonmark._MACRO, "[^" * N, False),
    (gitbook._ARGUMENT, "a" * N, False),
    (html_blocks.HINT, f"Hint{BLANKS}a", False),
    (html_blocks.SOLUTION, f"Solution{BLANKS}a", False),
    (html_blocks._SUMMARY, "<summary " * N, False),
    (instruqt._TAB, "[" * N, False),
    (instruqt_lab._TAG, "<instruqt-a " * N, False),
    (mdbook._LINK, "{{#include" + BLANKS, False),
    (mdx._ADMONITION, f":::note{BLANKS}a{BLANKS}{{", False),
    (mdx._IMPORT, "import {" + BLANKS, False),
    (mdx._ATTRIBUTE, "a" * N, False),
    (mdx._TAB_END, BLANKS + "x", False),
    (mdx_left._NO_EXPRESSION, "`" * N, False),
    (myst_pages._NAMED, f"a{BLANKS}b", False),
    (pages._HEADING_ATTRIBUTES, BLANKS + "x", False),
    (pages._HEADING_ATTRIBUTES, "{" + BLANKS, False),
    (pymarkdown._ADMONITION, f"!!! note{BLANKS}'", False),
    (snippets._MARKER, "-" * N, False),
    (studio._LEAF_END, f"{BLANKS}x", True),
    (studio._CODE_SPAN, "`" * N, False),
    (labels._MYST_HEADING, f"## a{BLANKS}#{BLANKS}\0", True),
    (labels._NAME_OPTION, f":name: a{BLANKS}\0", True),
    (toctree._TITLED, f"a{BLANKS}b", False),
    (click_code._MARK, "{{" + BLANKS, False),
    (shortcodes.TAG, "{{< a b" + BLANKS, False),
    (book_templates._FILENAME, "{% filename " * 10_000, False),
    (parser._SECTION, f"== a{BLANKS}=", True),
    (preprocess._COMPARISON, f"a{BLANKS}b", False),
    (gitbook._TAG, "{%" + "a" * N, False),
    (mdx._COMPONENT, "<A" + "a" * N, False),
    (modules._TAG, "{{<" + BLANKS, False),
    (pymarkdown._ADMONITION, f"!!!{BLANKS}'", False),
    (sections._COUNTED, f"step{BLANKS}", False),
    (parser._MACRO, "a::a" + "[" * N, False),
    (escape._RULER, "-" * N + "x", False),
    (preprocess._VERBATIM, "-" * N + " a", False),
]  # fmt: skip


@pytest.mark.parametrize("case", range(len(ENDLESS)))
def test_what_has_no_end_is_given_up_at_once(case):
    pattern, text, found = ENDLESS[case]
    assert bool(pattern.search(text)) is found


def test_marks_that_nothing_closes_stay():
    assert without_enclosed("a<!-- b --> c <!-- d", "<!--", "-->") == "a c <!-- d"
    assert without_enclosed("<!--" * N, "<!--", "-->") == "<!--" * N
    assert without_enclosed("{/*a*/}b{/**/}", "{/*", "*/}") == "b"


def test_a_hundred_thousand_folds_that_nobody_closes_stay_and_those_before_them_do_not():
    rows = ["<details>", "<summary>One</summary>", "", "text", "", "</details>", "", *["<details>"] * 30_000]
    made = [line.text for line in html_blocks.convert_details(lines_of("\n".join(rows), "a.md"))]
    assert made[:3] == ["> **One**", ">", "> text"]
    assert made.count("<details>") == 30_000


def test_folds_close_where_their_own_tag_does():
    text = "<details>\na\n<details>\nb\n</details>\nc\n</details>\n<details>d</details>\n<details>\n</details> e"
    lines = lines_of(text, "a.md")
    assert html_blocks._closings(lines, [False] * len(lines))[:9:2] == [6, 4, 4, 6, None]


def test_scripts_in_great_number_are_left_out_each():
    writer = TagWriter(block=True)
    assert writer.block_text("<b>x</b><script>a<i></script>" * 20_000).count("**x**") == 20_000
    assert len(writer.lost) == 20_000


def test_places_are_those_of_every_row():
    chance = random.Random(7)
    for _ in range(200):
        lengths = [chance.randint(0, 6) for _ in range(chance.randint(1, 8))]
        rows = [(row, list(range(length + 1)) if chance.random() < 0.8 else []) for row, length in enumerate(lengths)]
        starts = [sum(lengths[:row]) + row for row in range(len(lengths))]
        places = Places(rows, starts)
        start = chance.randint(0, starts[-1] + lengths[-1])
        end = chance.randint(start, starts[-1] + lengths[-1])
        every = []
        for (row, columns), first in zip(rows, starts, strict=True):
            low, high = max(start, first), min(end, first + len(columns) - 1)
            if columns and low <= high and (low < high or start == end or low == start):
                every.append((row, columns[low - first], columns[high - first]))
        assert places.segments(start, end) == every


def test_headings_without_words_are_no_steps_however_many():
    assert instructing("# \n" * 100_000).step_headings == 0
    assert instructing("# - Step 2: go\n## 3. Then\n").step_headings == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The page   <b>", ("The page", "b")),
        ("<b>", ("", "b")),
        ("a", ("", "a")),
        (r"a \<b>", ("", r"a \<b>")),
        (f"a{BLANKS}b", ("", f"a{BLANKS}b")),
    ],
)
def test_titles_of_references_end_before_the_blanks(text, expected):
    assert references.split_target(text) == expected


@pytest.mark.parametrize("mark", ["<<a", "link:a[", "[[a,", "+a ", "*a ", "((a", "{a}[", '"`a '])
def test_a_paragraph_of_open_marks_stays_text(mark):
    text = mark * (200_000 // len(mark))
    _, written = alone.to_markdown(f"= T\n\n{text}\n", "a.adoc")
    assert written.replace("\\", "").count(mark[-1]) >= text.count(mark[-1]) // 2
