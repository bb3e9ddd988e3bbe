"""Codelabs: header lines, steps with durations, boxes in each way they are written, imports, and several in one folder."""

import pytest

from agents.template_converter.errors import UnreadableSourceError
from agents.template_converter.forms.codelab import CodelabImporter
from agents.template_converter.recognise import classify, every
from shared_services.contracts.conversion import Form, FormCandidate
from tests.unit.template_converter.trees import make_tree, places, read

IMPORTER = CodelabImporter()
HEADER = "summary: About it\nid: a-lab\ncategories: Java, Cloud\nauthors: Ann, Bob\nstatus: draft\n\n"


def convert(tmp_path, page, **files):
    return read(IMPORTER, make_tree(tmp_path, {"lab.md": HEADER + page, **files.pop("files", {})}))


def first(tmp_path, body):
    return convert(tmp_path, f"# T\n\n## S\n\n{body}").steps[0].content.removeprefix("## S\n\n")


def test_the_header_and_the_steps(tmp_path):
    page = "# My lab\n\n## One\nDuration: 0:03:00\n\nText.\n\n## Two\n\nDuration: 12\n\nMore.\n\n### Part\n\n## Three\nDuration: 0\n\nEnd.\n"
    workshop = convert(tmp_path, page)
    assert (workshop.title, workshop.summary, workshop.authors, workshop.tags) == (
        "My lab",
        "About it",
        ["Ann", "Bob"],
        ["Java", "Cloud"],
    )
    assert [(step.title, step.duration) for step in workshop.steps] == [("One", 3), ("Two", 12), ("Three", None)]
    assert workshop.steps[0].content == "## One\n\nText.\n"


def test_a_duration_without_a_colon_and_links_to_steps_by_number(tmp_path):
    page = "# T\n\n## One\nDuration 0:03:00\n\nGo [on](#1), [back](#0), [far](#7).\n\n## Two\nDuration of it: long.\n"
    workshop = convert(tmp_path, page)
    assert [step.duration for step in workshop.steps] == [3, None]
    assert workshop.steps[0].content == (
        "## One\n\nGo [on](../two/content.md#two), [back](../one/content.md#one), [far](../one/content.md).\n"
    )
    assert [row.target for row in workshop.broken] == ["#7"]
    assert workshop.steps[1].content == "## Two\nDuration of it: long.\n"


def test_text_before_the_first_step_is_an_introduction(tmp_path):
    assert [step.title for step in convert(tmp_path, "# T\n\nHello.\n\n## One\n\nText.\n").steps] == ["Introduction", "One"]


def test_a_duration_inside_the_text_or_a_block_stays(tmp_path):
    body = "Text.\nDuration: 5\n\n```\nDuration: 5\n```\n"
    assert first(tmp_path, body) == body


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("Positive\n: Do **this**.\nAnd that.\n\nNext.\n", "> **Tip:** Do **this**.\n> And that.\n\nNext.\n"),
        ("negative\n: Mind it.\n", "> **Note:** Mind it.\n"),
        ("> aside positive\n> Do this.\n>\n> More.\n", "> **Tip:** Do this.\n>\n> More.\n"),
        ('<aside class="negative">\nMind it.\n</aside>\n', "> **Note:** Mind it.\n"),
        ('<aside class="positive">Do it.</aside>\n', "> **Tip:** Do it.\n"),
        ("> aside negative\n> - a\n> - b\n", "> **Note:**\n>\n> - a\n> - b\n"),
        ("Positive\n\nis a word here.\n", "Positive\n\nis a word here.\n"),
        ("```\nPositive\n: code\n```\n", "```\nPositive\n: code\n```\n"),
    ],
)
def test_boxes(tmp_path, written, read_as):
    assert first(tmp_path, written) == read_as


def test_buttons_are_links(tmp_path):
    assert first(tmp_path, "<button>\n\n[Get it](https://example.org)\n\n</button>\n") == "\n[Get it](https://example.org)\n"


def test_an_imported_page_stands_in_its_place(tmp_path):
    files = {"parts/setup.md": "## Setup\nDuration: 2\n\nInstall it.\n\n<<setup.md>>\n"}
    workshop = convert(tmp_path, "# T\n\n<<parts/setup.md>>\n\n## Go\n\n<<gone.md>>\n", files=files)
    assert [(step.title, step.duration) for step in workshop.steps] == [("Setup", 2), ("Go", None)]
    assert [(row.kind, row.source, row.target) for row in workshop.broken] == [
        ("include", "parts/setup.md", "setup.md"),
        ("include", "lab.md", "gone.md"),
    ]
    assert places(workshop.steps[0])[0] == ("## Setup", "parts/setup.md", 1)


def test_images_and_lines_are_carried(tmp_path):
    workshop = convert(tmp_path, "# T\n\n## S\n\n![x](img/a.png)\n", files={"img/a.png": b"png"})
    assert workshop.assets == {"img/a.png": "img/a.png"}
    assert places(workshop.steps[0])[0] == ("## S", "lab.md", 9)


def test_carriage_returns_and_a_header_between_rules(tmp_path):
    text = "---\r\nid: x\r\nsummary: y\r\nstatus: z\r\n---\r\n# T\r\n\r\n## One\r\nDuration: 1:00:00\r\n\r\nText.\r\n"
    workshop = read(IMPORTER, make_tree(tmp_path, {"lab.md": text}))
    assert [(step.title, step.duration) for step in workshop.steps] == [("One", 60)]


def test_several_in_one_folder_are_told_by_page(tmp_path):
    tree = make_tree(tmp_path, {f"labs/{name}.md": f"{HEADER}# {name}\n\n## S\n\nText.\n" for name in ("a", "b")})
    assert [row.path for row in classify(tree) if row.form is Form.CODELAB] == ["labs/a.md", "labs/b.md"]
    chosen = FormCandidate(form=Form.CODELAB, score=1, path="labs/b.md")
    assert IMPORTER.read(tree, chosen).title == "b"


def test_a_survey_is_said(tmp_path):
    workshop = convert(tmp_path, "# T\n\n## S\n\n<form>\n<name>How was it?</name>\n</form>\n")
    assert "quiz" in {row.kind for row in workshop.losses}


def test_without_header_lines_there_is_no_codelab(tmp_path):
    tree = make_tree(tmp_path, {"lab.md": "# T\n\n## S\n\nid: not a header\n"})
    assert IMPORTER.recognise(tree) == []
    with pytest.raises(UnreadableSourceError, match="header lines"):
        read(IMPORTER, tree)


def test_a_page_without_steps_is_one_step(tmp_path):
    assert [step.title for step in convert(tmp_path, "# T\n\nText only.\n").steps] == ["Introduction"]


@pytest.mark.parametrize(
    ("written", "minutes"),
    [
        ("2:00", 2),
        ("2:01", 3),
        ("0:59", 1),
        ("0:03:30", 4),
        ("1:00:00", 60),
        ("1:2:3:4", 62),
        ("12", 12),
        (":", None),
        ("0:00", None),
        ("9" * 5000, None),
    ],
)
def test_durations_are_read_as_the_codelab_tools_read_them(tmp_path, written, minutes):
    assert convert(tmp_path, f"# T\n\n## S\nDuration: {written}\n\nText.\n").steps[0].duration == minutes


def test_steps_on_the_same_line_of_two_pages_have_durations_of_their_own(tmp_path):
    files = {f"parts/{name}.md": f"## {name}\nDuration: {minutes}\n\nText.\n" for name, minutes in (("a", 2), ("b", 5))}
    workshop = convert(tmp_path, "# T\n\n<<parts/a.md>>\n\n<<parts/b.md>>\n", files=files)
    assert [(step.title, step.duration) for step in workshop.steps] == [("a", 2), ("b", 5)]


def test_an_imported_pages_files_are_its_own_else_the_main_pages(tmp_path):
    body = "## S\n\n![a](img/a.png) <img src='img/c.png'> ![b](img/b.png) [c](c.txt) ![d](no.png) [e](#0)\n\n![r][r]\n\n[r]: img/a.png\n"
    names = ("parts/img/a.png", "img/a.png", "img/b.png", "parts/img/c.png", "parts/c.txt")
    workshop = convert(tmp_path, "# T\n\n<<parts/s.md>>\n", files={"parts/s.md": body, **dict.fromkeys(names, b"x")})
    assert set(workshop.assets.values()) == {"parts/img/a.png", "img/b.png", "parts/img/c.png", "parts/c.txt"}
    assert [(row.source, row.target) for row in workshop.broken] == [("parts/s.md", "no.png")]
    assert "[e](../s/content.md#s)" in workshop.steps[0].content


def test_text_above_the_title_is_told(tmp_path):
    workshop = convert(tmp_path, "Badge Path: x\nMore: y\n\n# T\n\n## S\n\nText.\n")
    assert [(row.kind, row.line, row.detail.startswith("2 lines above")) for row in workshop.losses] == [("text", 7, True)]


@pytest.mark.parametrize(
    ("page", "is_one"),
    [
        ("---\nid: a\ntags: b\nlanguage: en\n---\n# T\n\n## S\n\nText.\n", False),
        ("---\nid: a\nsummary: b\nstatus: c\nauthors: d\n---\n# T\n", False),
        ("Status: a\nAuthors: b\nTags: c\n\n# T\n", False),
        ("---\nid: a\ntags: b\nfeedback link: https://x.example\n---\n# T\n", True),
        ("---\nid: a\ntags: b\nlanguage: en\n---\n# T\n\n## S\n\nDuration: 2\n\nText.\n", True),
        ("id: a\ntags: b\nlanguage: en\n\n# T\n", True),
        ("id: a\nenvironments: web\n\n# T\n", False),
    ],
)
def test_front_matter_alone_makes_no_codelab(tmp_path, page, is_one):
    assert [row.score for row in IMPORTER.recognise(make_tree(tmp_path, {"lab.md": page}))] == [0.92] * is_one


def test_codelabs_in_folders_below_the_template_are_offered_each_by_itself(tmp_path):
    lab = "id: {0}\nsummary: S\nstatus: Published\n\n# {0}\n\n## One\n\nText.\n"
    files = {f"codelabs/{name}.md": lab.format(name) for name in ("template", "first/first", "second/second", "all")}
    found = classify(make_tree(tmp_path, files))
    likely = [row.path for row in found if row.form is Form.CODELAB and row.score >= 0.5]
    assert sorted(likely) == ["codelabs/all.md", "codelabs/first", "codelabs/second"]
    assert [row.path for row in every(make_tree(tmp_path, files), found, None)] == sorted(likely)
