"""Inline markup, and text that must not become markup."""

import pytest

from tests.unit.template_converter.showroom.antora_site import markdown, one_page, tokens


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("*b* _i_ `c` **b**old __i__t ``c``d", "**b** *i* `c` **b**old *i*t `c`d"),
        ("snake_case_name 2 * 3 * 4", "snake_case_name 2 * 3 * 4"),
        ("\\*not bold* \\{x} \\https://e.org", "\\*not bold\\* {x} https://e.org"),
        ("`+{literal}+` `a|b` `<tag>`", "`{literal}` `a|b` `<tag>`"),
        ("+*as is*+ ++__x__++ pass:[*y*]", "\\*as is\\* \\_\\_x\\_\\_ \\*y\\*"),
        ("https://e.org/a_b_c, (https://e.org/x).", "<https://e.org/a_b_c>, (<https://e.org/x>)."),
        ('https://e.org[text^] link:https://e.org["a, b",window=_blank]', "[text](https://e.org) [a, b](https://e.org)"),
        ("link:++https://e.org/a b++[x]", "[x](<https://e.org/a b>)"),
        ("kbd:[Ctrl+C] btn:[OK] menu:File[Save > As]", "`Ctrl+C` **OK** **File › Save › As**"),
        ('"`quoted`" it\'s a -- b... x->y (C)', "“quoted” it's a — b… x→y ©"),
        ("H~2~O x^2^ #marked# [.red]#plain#", "H₂O x² *marked* plain"),
        ("word.footnote:[the *note*]", "word. (the **note**)"),
        ("<b> [a](b) 1 < 2 & C:\\dir", "\\<b> \\[a\\](b) 1 < 2 & C:\\dir"),
        ("{asterisk}x{asterisk} {lt}y{gt}", "\\*x\\* \\<y>"),
        ("`link:https://e.org[cmd]`", "[cmd](https://e.org)"),
        ("ab&#169;c &lt;d", "ab©c \\<d"),
        ("a[.red]^*^ [.small]~x~", "a\\* x"),
        ("`https://e.org[Tool] {lt}v1` `a link:x.org[b]`", "[Tool](https://e.org) `<v1` `a` [b](x.org)"),
        ('link:https://e.org[button label="`Editor`"\nbackground="`#ee0`"] tab', "[Editor](https://e.org) tab"),
        ("one +\ntwo", "one \\\ntwo"),
    ],
)
def test_inline(source: str, expected: str) -> None:
    assert markdown(f"{source}\n") == expected


@pytest.mark.parametrize("line", ["- x", "1. x", "# x", "> x", "---", "===", "| x", "~~~"])
def test_a_line_of_prose_never_becomes_another_block(line: str) -> None:
    text = markdown(f"prose here\n{line}\n") if line not in ("---", "===") else markdown(f"prose that is longer\n{line}\n")
    assert {token.type for token in tokens(text)} <= {"paragraph_open", "inline", "paragraph_close"}


def test_links_inside_a_page_lead_to_headings_as_the_renderer_names_them() -> None:
    found = one_page(
        "= Page\n\n[[top-anchor]]intro <<_second_part>> <<own,mine>> <<Second Part>> <<para>>\n\n== Second Part\n\n[[para]]text\n\n[#own]\n== A `code` & more\n\n== Second Part\n"
    )
    assert (
        "intro [Second Part](#second-part) [mine](#a-code--more) [Second Part](#second-part) [Second Part](#second-part)"
        in found.steps[0].content
    )
    assert found.broken == []


def test_a_doubled_colon_is_a_reference_too() -> None:
    assert "[Page](#page)" in markdown("* xref::index.adoc[]\n")
    assert "[here](#page)" in markdown("xref::index.adoc[here]\n")


def test_links_in_code_are_reported() -> None:
    found = one_page('= P\n\n[source,bash,subs="+macros"]\n----\napply link:https://e.org/a.yml[a.yml] https://e.org/b\n----\n')
    assert "apply a.yml https://e.org/b\n" in found.steps[0].content
    assert [(loss.kind, loss.line) for loss in found.losses] == [("link", 5)]


def test_broken_anchors_are_named() -> None:
    found = one_page("= Page\n\nSee <<nowhere,there>>.\n")
    assert "See there." in found.steps[0].content
    assert [(broken.kind, broken.target, broken.line) for broken in found.broken] == [("anchor", "nowhere", 3)]


def test_footnotes_behind_a_word_and_behind_a_space() -> None:
    text = markdown("A processfootnote:[Or *two*.], an oven footnote:hot[Warm] and a footnote: no macro.\n")
    assert text == "A process (Or **two**.), an oven (Warm) and a footnote: no macro."
    text = markdown("Bread.footnote:[See https://example.org/a[the mill] and link:https://example.org/b[*B*] too.] More.\n")
    assert text == "Bread. (See [the mill](https://example.org/a) and [**B**](https://example.org/b) too.) More."
