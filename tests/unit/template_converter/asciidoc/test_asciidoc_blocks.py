"""Blocks: lists that keep their numbers, code that keeps its bytes, tables, and what stands around them."""

import pytest

from shared_services.asciidoc.alone import to_markdown
from tests.unit.template_converter.showroom.antora_site import fences, markdown, one_page, tokens


def test_numbered_steps_go_on_over_blocks() -> None:
    text = markdown(
        ". First\n+\n[source,bash,role=execute]\n----\nmix --all\n\n\tfold\n----\n+\nThen wait.\n\n. Second\n.. inner\n+\nmore inner\n.. inner two\n\n\n. Third\n"
    )
    assert text == (
        "1. First\n\n   ```bash exec\n   mix --all\n\n   \tfold\n   ```\n\n   Then wait.\n\n2. Second\n   1. inner\n\n      more inner\n\n   2. inner two\n\n3. Third"
    )
    assert fences(text) == [("bash exec", "mix --all\n\n\tfold\n")]
    assert [token.type for token in tokens(text)].count("ordered_list_open") == 2


def test_a_plus_after_a_blank_line_belongs_one_level_up() -> None:
    assert markdown("* a\n** b\n\n+\nfor a\n* c\n") == "- a\n  - b\n\n  for a\n\n- c"


def test_text_below_an_attached_image_stays_in_the_item() -> None:
    text = markdown(". one\n+\nimage::https://example.org/i.png[I]\nbelow\n. two\n")
    assert text == "1. one\n\n   ![I](https://example.org/i.png)\n\n   below\n\n2. two"


def test_an_indented_paragraph_of_an_item_may_look_like_a_list() -> None:
    assert markdown(". one\n+\n  spec:\n  - name: x\n  . dot\n\n. two\n") == (
        "1. one\n\n   ```\n   spec:\n   - name: x\n   . dot\n   ```\n\n2. two"
    )
    assert markdown("a::\n+\n  lit\nb:: x\n") == "- **a**\n\n  ```\n  lit\n  ```\n\n- **b**: x"


def test_code_without_delimiters_right_below_an_item_is_the_items_and_ends_with_it() -> None:
    text = markdown("** Name:\n[.lines_space]\n[source,text]\nuser-1\n** Key:\n[source,text]\nsecret\n** Done\n")
    assert text == "- Name:\n\n  ```text\n  user-1\n  ```\n\n- Key:\n\n  ```text\n  secret\n  ```\n\n- Done"
    assert (
        markdown(". one\n[source,sh]\nls\n+\nYou see\n\n. two\n") == "1. one\n\n   ```sh\n   ls\n   ```\n\n   You see\n\n2. two"
    )


def test_code_of_an_item_may_look_like_a_list_that_is_not_open() -> None:
    assert markdown(". one\n[source,yaml]\n- name: x\n- name: y\n. two\n") == (
        "1. one\n\n   ```yaml\n   - name: x\n   - name: y\n   ```\n\n2. two"
    )
    assert markdown("- one\n+\n[source,yaml]\n  x:\n  - y\n- two\n") == "- one\n\n  ```yaml\n    x:\n    - y\n  ```\n\n- two"


def test_what_stands_right_below_an_item_does_not_start_its_list_anew() -> None:
    assert markdown(". one\n[NOTE]\nbeware\n. two\n") == "1. one\n\n   > **Note**\n   >\n   > beware\n\n2. two"
    assert markdown(". one\nimage::https://example.org/i.png[I]\n. two\n") == (
        "1. one\n\n   ![I](https://example.org/i.png)\n\n2. two"
    )
    assert markdown(". one\n[[here]]\nmore\n. two\n") == "1. one\n\n   more\n\n2. two"


def test_a_delimited_block_without_a_plus_ends_the_list() -> None:
    assert markdown(". one\n[source,sh]\n----\nls\n----\n. two\n") == "1. one\n\n```sh\nls\n```\n\n1. two"
    assert markdown("a:: text\n[source,sh]\nls\n") == "- **a**: text\n\n```sh\nls\n```"


def test_lists_start_where_the_author_says_and_neighbours_stay_apart() -> None:
    assert markdown("[start=4]\n. d\n. e\n\n//-\n\n. a\n") == "4. d\n5. e\n\n1) a"
    assert markdown("* [x] done\n* [ ] open\n* plain\n") == "- [x] done\n- [ ] open\n- plain"


def test_descriptions() -> None:
    assert (
        markdown("Yeast:: lives\nSalt::\n  tastes\nOven::\n+\n----\nhot\n----\n")
        == "- **Yeast**: lives\n\n- **Salt**: tastes\n\n- **Oven**\n\n  ```\n  hot\n  ```"
    )


@pytest.mark.parametrize(
    ("source", "info"),
    [
        ('[source,bash,role="execute"]\n----\nx\n----', "bash exec"),
        ('[source,sh,subs="attributes",role="copypaste"]\n----\nx\n----', "sh copy"),
        ("[.console-input]\n[source,bash]\n----\nx\n----", "bash copy"),
        ("[.console-output]\n[source,text]\n----\nx\n----", "text output"),
        (".Sample output\n[source,json]\n----\nx\n----", "json output"),
        ("[role=execute]\n----\nx\n----", "bash exec"),
        ('[source,sh,role="send-to-terminal"]\n----\nx\n----', "sh exec=terminal"),
        ("[source%linenums,Python]\n----\nx\n----", "python"),
        ("[,yaml]\n----\nx\n----", "yaml"),
        ("```go\nx\n```", "go"),
        ("....\nx\n....", ""),
        ("[source,ruby]\nx\n", "ruby"),
        (" x\n", ""),
        ("[listing]\n--\nx\n--", ""),
    ],
)
def test_info_strings(source: str, info: str) -> None:
    assert fences(markdown(f"{source}\n")) == [(info, "x\n")]


def test_code_keeps_its_bytes() -> None:
    body = (
        "a `b` *c* <tag> &amp; {name} \\ # not a comment\n\n```\nfenced\n```\n  - x\n:not: an entry\n// no comment\n== no title"
    )
    assert fences(markdown(f"[source,text]\n----\n{body}\n----\n\nafter\n")) == [("text", f"{body}\n")]


def test_callouts_leave_the_code_and_name_their_lines() -> None:
    text = markdown("[source,yaml]\n----\na: 1 # <1>\nb: 2 <2>\nc: x<y>\n----\n<1> first\n<2> second\n")
    assert text == "```yaml\na: 1\nb: 2\nc: x<y>\n```\n\n1. (line 1) first\n2. (line 2) second"


def test_substitutions_are_those_that_the_author_asked_for() -> None:
    text = markdown(
        ':n: 5\n\n[source,bash,subs="+quotes,+macros,attributes+"]\n----\nrun *{n}* https://e.org[E] pass:[<x>]\n----\n\n[subs=attributes]\n----\n{n} <1>\n----\n'
    )
    assert fences(text) == [("bash", "run 5 E <x>\n"), ("", "5 <1>\n")]


def test_tables_become_grids_or_lists_of_rows() -> None:
    grid = markdown('[cols="1,2",options="header"]\n|===\n|A |B\n\n|`x\\|y`\n|*b* +\nmore\n2+|wide\n|===\n')
    assert grid == "| A | B |\n| --- | --- |\n| `x\\|y` | **b** more |\n| wide |  |"
    csv = markdown(',===\na,"b,c"\n,===\n')
    assert csv == "|  |  |\n| --- | --- |\n| a | b,c |"
    found = one_page("= P\n\n|===\n|H |I\n\n|c\na|\n* one\n\n----\nls\n----\n|===\n")
    assert "- **H:** c\n  - **I:**\n\n    - one\n\n    ```\n    ls\n    ```\n" in found.steps[0].content
    assert [loss.kind for loss in found.losses] == ["table"]


def test_admonitions_sidebars_quotes_and_examples() -> None:
    assert markdown("NOTE: take *care*\n") == "> **Note**\n>\n> take **care**"
    assert markdown("[WARNING]\n.Hot\n====\na\n\n----\nb\n----\n====\n") == "> **Hot**\n>\n> a\n>\n> ```\n> b\n> ```"
    assert markdown("[quote, Ann, Book]\n____\nsaid\n____\n") == "> said\n>\n> — Ann, Book"
    assert markdown("[verse, Ann]\n____\none\ntwo\n____\n") == "> one\\\n> two\n>\n> — Ann"
    assert markdown(".T\n====\nin\n====\n") == "**T**\n\nin"


def test_tabs_keep_their_labels() -> None:
    assert (
        markdown("[tabs]\n====\nOne::\n+\n--\nfirst\n--\nTwo::\n+\nsecond\n====\n")
        == "- **One**\n\n  first\n\n- **Two**\n\n  second"
    )


def test_raw_html_keeps_its_words_and_is_reported() -> None:
    found = one_page(
        "= P\n\n++++\n<p>Kept <b>words</b></p><script>evil()</script>\n++++\n\nvideo::abc[youtube]\n\nwhatever::x[y]\n"
    )
    text = found.steps[0].content
    assert "Kept words" in text
    assert "evil" not in text
    assert "https://www.youtube.com/watch?v=abc" in text
    assert [loss.kind for loss in found.losses] == ["html", "video", "macro"]


def test_the_authors_of_a_page_are_not_prose() -> None:
    found = one_page("= Title\nAda Lovelace <ada@example.org>; Grace Hopper\nv1.0, 2024-01-01\n:x: y\n\nText {x}.\n")
    assert found.steps[0].content == "# Title\n\nText y.\n"
    assert found.authors == ["Ada Lovelace", "Grace Hopper"]


def test_two_line_titles_and_comments() -> None:
    assert markdown("Section\n-------\n\n////\nhidden\n////\n// hidden\nseen\n") == "## Section\n\nseen"


def test_a_table_without_its_end_does_not_swallow_the_page() -> None:
    text = markdown("| row\n|===\n\n[source,bash]\n----\nls | wc\n----\n")
    assert text == "\\| row\n\n\\|===\n\n```bash\nls | wc\n```"


def test_passthroughs_in_code_keep_what_they_hold() -> None:
    text = (
        ':ns: kitchen\n\n[source,bash,subs="+macros,+attributes"]\n----\nget +https://a.b/{ns}+ -n {ns}\npath=+"{range x}\\\n  {end}"+ -n {ns}\n'
        "say pass:[{ns}] pass:a[{ns}] a + b i++\n----\n"
    )
    assert fences(markdown(text)) == [
        ("bash", 'get https://a.b/{ns} -n kitchen\npath="{range x}\\\n  {end}" -n kitchen\nsay {ns} kitchen a + b i++\n')
    ]


def test_marks_in_code_go_where_quotes_are_asked_for() -> None:
    body = "[.line-through]#User root#\n*Bold* MY_VAR_X _slow_ a*b*c `ls` <*b*> **x**y \\*kept*\n"
    assert fences(markdown(f'[source,bash,subs="+quotes"]\n----\n{body}----\n')) == [
        ("bash", "User root\nBold MY_VAR_X slow a*b*c ls <*b*> xy *kept*\n")
    ]
    assert fences(markdown(f"[source,bash]\n----\n{body}----\n")) == [("bash", body)]


def test_code_without_delimiters_ends_at_a_blank_line_alone() -> None:
    text = markdown(
        ".Sum\n[source,text]\n\nflour 2\nwater 1\n-------\n.dough\n[3]\n\nThen {more}.\n\n:more: salt\n\nAnd {more}.\n\n[source,bash]\n----\n-----\nls\n----\n"
    )
    assert fences(text) == [("text", "flour 2\nwater 1\n-------\n.dough\n[3]\n"), ("bash", "-----\nls\n")]
    assert "And salt." in text


def test_marks_in_code_over_several_lines() -> None:
    assert fences(markdown('[source,bash,subs="+quotes"]\n----\n$ *get -f \\\nhere* and *.txt\n----\n')) == [
        ("bash", "$ get -f \\\nhere and *.txt\n")
    ]


def test_what_raw_html_shows_is_kept() -> None:
    found = one_page(
        '= Page\n\n++++\n<p>See <a href="https://example.org/a?b=1&amp;c">the *mill*</a>:</p>\n<img src="loaf.png" alt="A loaf"> <iframe\n'
        '  src="https://example.org/v"></iframe>\n<a href="#x">no</a><img src="gone.png"><script>var a = "<img src=\'x.png\'>"</script>\n++++\n',
        content__modules__ROOT__images__loaf__png=b"x",
    )
    text = found.steps[0].content
    assert "See [the \\*mill\\*](https://example.org/a?b=1&c):" in text
    assert "[Embedded: https://example.org/v](https://example.org/v)" in text
    assert "no*gone (missing image gone.png)*" in text
    assert [loss.kind for loss in found.losses] == ["html"]


def test_an_attribute_that_is_written_wrongly_below_the_title_is_no_text() -> None:
    assert to_markdown("= Page\n:imagesdir::../images\n:toc:\n\nText.\n", "a.adoc") == ("Page", "# Page\n\nText.\n")
    assert to_markdown("= Page\n:toc:\n:imagesdir::../images\n\nText.\n", "a.adoc") == ("Page", "# Page\n\nText.\n")
    assert to_markdown("= Page\n\n:here::it is\n", "a.adoc") == ("Page", "# Page\n\n:here::it is\n")
