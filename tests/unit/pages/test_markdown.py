"""Steps and answers as HTML: what is kept, what is marked, and how long it may take."""

import time

import pytest

from shared_services.pages.markdown import MAX_CHARACTERS, TocEntry, heading_slug, render_answer, render_step


def link(address: str) -> str | None:
    return None if "missing" in address else f"/ok/{address}"


def html(markdown: str) -> str:
    return render_step(markdown, link=link).html


def test_every_top_level_block_and_list_item_says_its_lines():
    text = "# Title\n\nOne\ntwo.\n\n- a\n- b\n\n```sh\nls\n```\n\n| a |\n|---|\n| 1 |\n\n> quote\n\n<div>raw</div>\n\n***\n"
    found = html(text)
    for tag, lines in [
        ("h1", "1-1"),
        ("p", "3-4"),
        ("ul", "6-8"),
        ("li", "6-6"),
        ("figure", "9-11"),
        ("div", "13-15"),
        ("blockquote", "17-17"),
        ("div", "19-19"),
        ("hr", "21-21"),
    ]:
        assert any(part.startswith(tag) and f'data-line="{lines}"' in part.partition(">")[0] for part in found.split("<")), lines


def test_headings_have_githubs_anchors_and_make_the_table_of_contents():
    rendered = render_step("# A `b` & C!\n\n## Über_uns 2.0\n\n## Über_uns 2.0\n\n### Was *ist* [das](x.md)?\n", link=link)
    assert rendered.toc == [
        TocEntry(1, "A b & C!", "a-b--c"),
        TocEntry(2, "Über_uns 2.0", "über_uns-20"),
        TocEntry(2, "Über_uns 2.0", "über_uns-20-1"),
        TocEntry(3, "Was ist das?", "was-ist-das"),
    ]
    assert 'id="über_uns-20-1"' in rendered.html
    assert 'href="#über_uns-20-1"' in rendered.html


def test_a_text_beside_another_has_lower_headings_and_anchors_of_its_own():
    rendered = render_step("# Valve\n", link=link, prefix="aside-", lower=2)
    assert rendered.toc == [TocEntry(3, "Valve", "aside-valve")]
    assert rendered.html.startswith('<h3 id="aside-valve"')
    assert rendered.html.rstrip().endswith("</h3>")


def test_a_heading_cannot_take_an_id_of_the_page():
    assert ":" not in heading_slug("ui:ask ui:main")


@pytest.mark.parametrize(
    ("info", "kind", "label"),
    [
        ("bash exec", "exec", "Bash"),
        ("python", "plain", "Python"),
        ("text output", "output", "Output"),
        ("yaml copy", "plain", "YAML"),
        ("nonsense", "plain", "nonsense"),
        ("", "plain", ""),
    ],
)
def test_code_blocks_of_three_kinds_with_a_label_and_a_copy_button(info: str, kind: str, label: str):
    found = html(f"```{info}\necho 'a < b'\n```\n")
    assert f'class="code {kind}"' in found
    assert f'<span class="code-label">{label}</span>' in found
    assert '<button type="button" class="copy" hidden="">Copy</button>' in found
    assert "&lt;" in found
    assert ("data-exec=" in found) == (kind == "exec")


def test_code_is_coloured_by_classes_alone():
    found = html("```python exec=host2\ndef f():\n    return 1\n```\n")
    assert '<span class="k">def</span>' in found
    assert 'data-exec="host2"' in found
    assert "style=" not in found


def test_links_inside_are_resolved_and_those_that_lead_nowhere_keep_their_text():
    found = html("[step](../two/content.md#x) [gone](missing.md) [here](#part) <a href='../two/content.md'>raw</a>")
    assert '<a href="/ok/../two/content.md#x">step</a>' in found
    assert '<a href="#part">here</a>' in found
    assert '<a href="/ok/../two/content.md">raw</a>' in found
    assert "gone" in found
    assert "missing" not in found


def test_links_elsewhere_open_apart_and_know_nothing_of_us():
    found = html("[a](https://a.example/x?y=1&z=2) [m](mailto:me@a.example) <a href='//b.example'>b</a>")
    assert '<a href="https://a.example/x?y=1&amp;z=2" rel="noopener noreferrer" target="_blank">a</a>' in found
    assert 'href="mailto:me@a.example"' in found
    assert '<a href="https://b.example" rel="noopener noreferrer" target="_blank">b</a>' in found


def test_images_of_the_workshop_are_shown_and_remote_ones_are_links_with_a_note():
    found = html(
        "![mine](../../assets/a.png) ![far](https://far.example/a.png) ![lost](missing.png) <img src='b.png' alt='raw' width=10>"
    )
    assert '<img src="/ok/../../assets/a.png" alt="mine" loading="lazy" decoding="async">' in found
    assert '<img src="/ok/b.png" alt="raw" loading="lazy" decoding="async" width="10">' in found
    assert found.count("<img") == 2
    assert '<a class="remote" href="https://far.example/a.png"' in found
    assert "(image on far.example, not loaded)" in found
    assert '<span class="missing" title="This image is not in the workshop">lost</span>' in found


def test_a_remote_badge_inside_a_link_is_its_description():
    assert html("[![build](https://ci.example/b.svg)](https://ci.example)") == (
        '<p data-line="1-1"><a href="https://ci.example" rel="noopener noreferrer" target="_blank">build</a></p>\n'
    )


def test_tables_scroll_and_align_without_styles():
    found = html("| a | b |\n|:-:|--:|\n| 1 | 2 |\n")
    assert '<div class="table-scroll" role="region" aria-label="Table"' in found
    assert '<td class="align-right">2</td>' in found
    assert "style" not in found


def test_task_lists_and_strikethrough():
    found = html("- [x] done ~~old~~\n- [ ] open\n")
    assert 'class="task done" role="img" aria-label="Done"' in found
    assert 'class="task open" role="img" aria-label="To do"' in found
    assert "<s>old</s>" in found


def test_variables_are_marked_in_text_and_code_and_escaped():
    text = "Hello {{user}} and {{other}} and {{<b>}}.\n\n```bash\nssh {{user}}@host '{{user}}'\n```\n"
    found = render_step(text, link=link, variables={"user"}).html
    assert found.count('<span class="variable" title="Filled in when the workshop runs">{{user}}</span>') == 3
    assert "{{other}} and {{<b>}}" in found
    assert html("{{anything}}").count('class="variable"') == 1


def test_answers_link_citations_outside_code_and_links():
    found = render_answer(
        "Do it [1][2], not `[3]` or [see [4]](https://a.example).\n\n[5]: https://evil.example\n\n```\n[6]\n```\n"
    )
    assert [n for n in range(1, 7) if f'data-n="{n}"' in found] == [1, 2, 5]
    assert '<a class="citation" href="#citation-1" data-n="1">[1]</a><a class="citation" href="#citation-2"' in found


def test_answers_have_no_anchors_no_lines_and_no_links_into_nowhere():
    found = render_answer("# Title\n\n[in](../two/content.md) [part](#title)\n")
    assert found == '<p class="heading">Title</p>\n<p>in part</p>\n'


def test_an_answer_of_citations_alone_is_marked_as_such():
    assert 'class="cites"' in render_answer("[1] [2]\n")
    assert 'class="cites"' not in render_answer("See [1]\n")


def test_a_text_that_is_too_long_is_cut_at_a_line_and_says_so():
    found = html("word word\n\n" * 60_000)
    assert 'class="note cut"' in found
    assert "characters are not shown" in found
    assert len(found) < 3 * MAX_CHARACTERS
    assert 'class="note cut"' not in html("short")


@pytest.mark.parametrize(
    "piece",
    [
        "[",
        "*",
        "<",
        "![",
        "`",
        "> ",
        "- ",
        "1. a\n",
        "(",
        "[a](",
        "**a ",
        "_",
        "~~",
        "<a ",
        "<div>",
        "<div>\n\n",
        "&",
        "|a",
        "```\n",
        "# a\n",
        "a|b\n-|-\n",
        "[x]: y\n",
        "<!--",
        "<?",
        "<![CDATA[",
        "](",
        "    a\n",
        "- - ",
        "<a href='",
        "![a](b.png)",
        "*a_",
        "<svg>",
        "<details>",
        "<p>a",
        "[a](b.md)\n\n",
        "| x | y |\n",
        "<b>",
        "{{a}}",
        "\\",
        "\x00",
        "[1]",
        "```python exec\nx\n```\n",
    ],
)
def test_a_megabyte_of_anything_is_rendered_or_cut_within_two_seconds(piece: str):
    text = piece * (1_000_000 // len(piece))
    started = time.process_time()
    rendered = html(text)
    assert time.process_time() - started < 2
    assert rendered
    assert len(text) <= MAX_CHARACTERS or "not shown" in rendered


@pytest.mark.parametrize(
    ("language", "piece"),
    [("console", "a"), ("basemake", "{"), ("abap", "("), ("ng2", "["), ("html+ng2", "<!--"), ("boogie", "{{")],
)
def test_code_made_to_take_long_is_shown_plain_in_time(language: str, piece: str):
    line = (piece * 1000)[:999]
    text = f"```{language}\n" + f"{line}\n" * 19 + "```\n"
    started = time.process_time()
    found = html(text * 9)
    assert time.process_time() - started < 2
    assert found.count("<figure") == 9
    assert html(f"```python\nx = '{'a' * 1000}'\n```\n").count("<span class=") == 1
