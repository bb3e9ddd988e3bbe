"""Instruqt tracks: challenges in `track.yml` and beside it, scripts by host, notes, quizzes, tabs and variables."""

import pytest
import yaml

from agents.template_converter.errors import UnreadableSourceError
from agents.template_converter.forms.instruqt import InstruqtImporter
from agents.template_converter.recognise import classify
from shared_services.contracts.conversion import Form
from tests.unit.template_converter.trees import make_tree, places, read

IMPORTER = InstruqtImporter()
TRACK = "slug: t\ntitle: The track\nteaser: About it\ntags: [a, '']\ndevelopers: [ann@example.org]\n"
INLINE = """challenges:
- slug: first-one
  type: challenge
  title: First one
  timelimit: 301
  assignment: |-
    Look at it.

    ```bash,run
    ls
    ```
- slug: second-one
  assignment: Just this.
"""


def beside(**values):
    """An assignment with front matter."""
    return f"---\n{yaml.safe_dump(values)}---\nDo it.\n"


def convert(tmp_path, files):
    return read(IMPORTER, make_tree(tmp_path, {"track.yml": TRACK, **files}))


def content(tmp_path, text):
    return convert(tmp_path, {"01-a/assignment.md": f"---\nslug: a\n---\n{text}"}).steps[0].content


def test_challenges_written_into_the_track(tmp_path):
    workshop = convert(tmp_path, {"track.yml": TRACK + INLINE})
    assert (workshop.title, workshop.summary, workshop.tags, workshop.authors) == (
        "The track",
        "About it",
        ["a"],
        ["ann@example.org"],
    )
    assert [(step.title, step.duration) for step in workshop.steps] == [("First one", 6), ("Second one", None)]
    assert workshop.steps[0].content == "Look at it.\n\n```bash exec\nls\n```\n"


def test_what_a_track_says_of_itself_and_its_environment_is_told(tmp_path):
    files = {
        "track.yml": TRACK + "level: expert\ndescription: |-\n  Long.\n",
        "config.yml": "version: 3\nvirtualmachines:\n- name: a\n- name: b\nsecrets: []\n",
        "01-a/assignment.md": beside(slug="a", difficulty="basic"),
    }
    workshop = convert(tmp_path, files)
    assert workshop.difficulty == "advanced"
    assert [(row.kind, row.source) for row in workshop.losses] == [("description", "track.yml"), ("setting", "config.yml")]
    assert "2 of `virtualmachines`" in workshop.losses[1].detail


def test_notes_explain_with_their_pictures_and_links(tmp_path):
    notes = [{"type": "text", "contents": '![p](../assets/p%20q.png) then [[ Instruqt-Var key="K" hostname="h" ]]\n'}]
    workshop = convert(tmp_path, {"01-a/assignment.md": beside(slug="a", notes=notes), "assets/p%20q.png": b"x"})
    assert workshop.steps[0].explain == "![p](../../assets/assets/p-20q.png) then {{K}}\n"
    assert (list(workshop.assets.values()), workshop.broken) == (["assets/p%20q.png"], [])


def test_a_track_without_challenges_is_a_placeholder(tmp_path):
    tree = make_tree(tmp_path, {"a/track.yml": TRACK, "b/track.yml": TRACK + INLINE})
    assert {row.path: (row.score, row.evidence) for row in IMPORTER.recognise(tree)} == {
        "a": (0.3, ["`a/track.yml` is an Instruqt track without challenges."]),
        "b": (0.95, ["`b/track.yml` is an Instruqt track."]),
    }


def test_numbered_assignments_without_a_track(tmp_path):
    files = {
        "t/README.md": "# Name\n",
        "t/1-a-b/assignment.md": "Do it.\n",
        "t/1-a-b/notes.md": "Because.\n",
        "t/1-a-b/tabs.md": "A terminal.\n",
        "t/1-a-b/scripts/check.sh": "true\n",
        "t/10-z/assignment.md": "# The end\n\nBye.\n",
        "t/2-c/assignment.md": "# Go on\n",
        "other/1-x/assignment.md": "Alone.\n",
    }
    tree = make_tree(tmp_path, files)
    found = IMPORTER.recognise(tree)
    assert [(row.path, row.score) for row in found] == [("t", 0.85)]
    workshop = IMPORTER.read(tree, found[0])
    assert [step.title for step in workshop.steps] == ["A b", "Go on", "The end"]
    assert (workshop.steps[0].explain, workshop.steps[0].check) == ("Because.\n", "true\n")
    assert [(row.kind, row.source) for row in workshop.losses] == [("tab", "t/1-a-b/tabs.md")]


def test_lines_of_a_literal_block_are_told_from_the_track(tmp_path):
    step = convert(tmp_path, {"track.yml": TRACK + INLINE}).steps[0]
    rows = (TRACK + INLINE).split("\n")
    first = places(step)[0]
    assert (step.source, first) == ("track.yml", ("Look at it.", "track.yml", rows.index("    Look at it.") + 1))


def test_challenges_beside_the_track_in_natural_order(tmp_path):
    files = {f"{name}/assignment.md": beside(slug=name[3:], title=name) for name in ("10-c", "01-a", "02-b")}
    workshop = convert(tmp_path, files)
    assert [step.title for step in workshop.steps] == ["01-a", "02-b", "10-c"]
    assert places(workshop.steps[0]) == [("Do it.", "01-a/assignment.md", 5)]


def test_the_tracks_order_wins_and_what_it_does_not_list_follows(tmp_path):
    files = {
        "track.yml": TRACK + "challenges:\n- slug: b\n- slug: a\n  title: From the track\n",
        **{f"0{n}-{name}/assignment.md": beside(slug=name) for n, name in ((1, "a"), (2, "b"), (3, "c"))},
    }
    assert [step.title for step in convert(tmp_path, files).steps] == ["B", "From the track", "C"]


@pytest.mark.parametrize(
    ("info", "read_as"),
    [
        ("bash,run", "bash exec"),
        ("bash", "bash"),
        ("yaml,nocopy", "yaml output"),
        ("", ""),
        ("run", "bash exec"),
        ("nocopy", "text output"),
        ("run,Bash", "bash exec"),
        ("java,run,copy", "java exec"),
    ],
)
def test_info_strings(tmp_path, info, read_as):
    assert content(tmp_path, f"```{info}\nls\n```\n") == f"```{read_as}\nls\n```\n"


def test_tabs_are_words_and_variables_stay(tmp_path):
    text = 'Go to [button label="Shell"](tab-0) or [the editor](#tab-1); ask [[ Instruqt-Var key="API_KEY" hostname="h" ]].\n'
    workshop = convert(tmp_path, {"01-a/assignment.md": f"---\nslug: a\n---\n{text}"})
    assert workshop.steps[0].content == "Go to **Shell** or **the editor**; ask {{API_KEY}}.\n"
    assert [row.name for row in workshop.variables] == ["API_KEY"]
    assert [(row.kind, row.line, "2 times" in row.detail) for row in workshop.losses] == [("link", 4, True)]


def test_scripts_of_one_host_and_of_several(tmp_path):
    files = {
        "01-a/assignment.md": beside(slug="a"),
        "01-a/setup-one": "#!/bin/bash\none\n",
        "01-a/setup-two": "two\n",
        "01-a/check-one": "#!/bin/bash\ntest -f x\n",
        "01-a/solve-one": "touch x\n",
        "01-a/cleanup-one": "rm x\n",
        "01-a/deeper/check-no": "no\n",
        "track_scripts/setup-one": "all\n",
        "track_scripts/cleanup-one": "gone\n",
    }
    workshop = convert(tmp_path, files)
    step = workshop.steps[0]
    assert step.setup == "all\n\n# On one\n#!/bin/bash\none\n\n# On two\ntwo\n"
    assert step.check == "#!/bin/bash\ntest -f x\n"
    assert step.solve == "```bash\ntouch x\n```\n"
    assert sorted((row.kind, row.source) for row in workshop.losses) == [
        ("script", "01-a/cleanup-one"),
        ("script", "track_scripts/cleanup-one"),
    ]


def test_a_solution_that_holds_fences_is_fenced_longer(tmp_path):
    files = {"01-a/assignment.md": beside(slug="a"), "01-a/solve-h": "cat <<E\n```\nE\n"}
    assert convert(tmp_path, files).steps[0].solve == "````bash\ncat <<E\n```\nE\n````\n"


def test_notes_explain_and_other_kinds_of_them_are_told(tmp_path):
    notes = [{"type": "text", "contents": "# Why\n\nBecause.\n"}, {"type": "video", "url": "https://v.example"}]
    workshop = convert(tmp_path, {"01-a/assignment.md": beside(slug="a", notes=notes)})
    assert workshop.steps[0].explain == "# Why\n\nBecause.\n"
    assert [(row.kind, "https://v.example" in row.detail) for row in workshop.losses] == [("note", True)]


def test_a_quiz(tmp_path):
    files = {"01-q/assignment.md": beside(slug="q", type="quiz", answers=["Yes", "No", 3], solution=[0, 2])}
    quiz = yaml.safe_load(convert(tmp_path, files).steps[0].files["quiz.yaml"])
    assert quiz == {
        "questions": [
            {
                "question": "Do it.",
                "answers": [
                    {"text": "Yes", "correct": True},
                    {"text": "No", "correct": False},
                    {"text": "3", "correct": True},
                ],
            }
        ]
    }


def test_tabs_with_sites_are_links_at_the_end(tmp_path):
    tabs = [
        {"title": "A [b]", "type": "website", "url": "https://x.example/a?b=(c)"},
        {"title": "C", "type": "website", "url": "c"},
    ]
    workshop = convert(tmp_path, {"01-a/assignment.md": beside(slug="a", title="A", tabs=tabs)})
    assert workshop.steps[0].content == "Do it.\n\n[A b](<https://x.example/a?b=(c)>)\n"
    assert [row.detail for row in workshop.losses] == ["The tabs of “A” (C) are not carried over."]


def test_tabs_that_are_no_terminals_are_told(tmp_path):
    tabs = [{"title": "Shell", "type": "terminal"}, {"title": "Site", "type": "service", "port": 80}]
    workshop = convert(tmp_path, {"01-a/assignment.md": beside(slug="a", title="A", tabs=tabs)})
    assert [(row.kind, row.detail) for row in workshop.losses] == [("tab", "The tabs of “A” (Shell, Site) are not carried over.")]


def test_images_of_a_challenge_and_of_the_track(tmp_path):
    text = "---\nslug: a\n---\n![x](../assets/x.png) ![y](gone.png)\n"
    workshop = convert(tmp_path, {"01-a/assignment.md": text, "assets/x.png": b"x"})
    assert workshop.assets == {"assets/x.png": "assets/x.png"}
    assert [(row.kind, row.target) for row in workshop.broken] == [("image", "gone.png")]


def test_an_empty_challenge_is_told(tmp_path):
    workshop = convert(tmp_path, {"track.yml": TRACK + "challenges:\n- slug: none\n  title: None yet\n"})
    assert [(row.kind, row.target) for row in workshop.broken] == [("page", "none")]
    assert workshop.steps[0].content == "# None yet\n"


@pytest.mark.parametrize(
    ("track", "says"),
    [
        ("a: [", "cannot be read"),
        ("- a\n", "no mapping"),
        (TRACK, "no challenges"),
        (TRACK + "challenges: no\n", "no challenges"),
    ],
)
def test_what_cannot_be_read_says_why(tmp_path, track, says):
    with pytest.raises(UnreadableSourceError, match=says):
        read(IMPORTER, make_tree(tmp_path, {"track.yml": track}))


def test_every_track_of_a_repository_is_offered(tmp_path):
    files = {
        f"{name}/{file}": text
        for name in ("a", "b")
        for file, text in (("track.yml", TRACK), ("01-x/assignment.md", beside(slug="x")))
    }
    found = [(row.path, row.evidence) for row in classify(make_tree(tmp_path, files)) if row.form is Form.INSTRUQT]
    assert found[0] == ("a", ["`a/track.yml` is an Instruqt track with 1 challenge beside it."])
    assert len(found) == 2


def test_a_challenge_without_a_text_does_not_take_the_place_of_another_one(tmp_path):
    challenges = "challenges:\n- slug: one\n  type: challenge\n- title: One\n  assignment: |-\n    Look.\n"
    workshop = convert(tmp_path, {"track.yml": TRACK + challenges})
    assert "Look.\n" in [step.content for step in workshop.steps]


def test_a_slug_that_is_listed_twice_is_one_step_and_told(tmp_path):
    track = TRACK + "challenges:\n- slug: a\n- slug: a\n- slug: a\n  title: Its own\n  assignment: Other.\n"
    workshop = convert(tmp_path, {"track.yml": track, "01-a/assignment.md": beside(slug="a")})
    assert [(step.title, step.content) for step in workshop.steps] == [("A", "Do it.\n"), ("Its own", "Other.\n")]
    assert [(row.kind, "`a` more than once" in row.detail) for row in workshop.losses] == [("page", True)]


def test_folders_of_one_slug_are_taken_in_their_order(tmp_path):
    files = {f"0{number}-a/assignment.md": beside(title=f"No. {number}") for number in (1, 2)}
    workshop = convert(tmp_path, {"track.yml": TRACK + "challenges:\n- slug: a\n- slug: a\n", **files})
    assert [step.title for step in workshop.steps] == ["No. 1", "No. 2"]
    assert workshop.losses == []


def test_a_challenges_teaser_is_told(tmp_path):
    workshop = convert(tmp_path, {"01-a/assignment.md": beside(slug="a", teaser="In short")})
    assert [(row.kind, row.source, "“In short”" in row.detail) for row in workshop.losses] == [
        ("description", "01-a/assignment.md", True)
    ]


def test_a_quiz_asks_with_the_steps_pictures_and_variables(tmp_path):
    variable = '[[ Instruqt-Var key="K" hostname="h" ]]'
    head = yaml.safe_dump({"slug": "q", "type": "quiz", "answers": [f"It is {variable.replace('K', 'L')}"], "solution": [0]})
    files = {"01-q/assignment.md": f"---\n{head}---\n![x](../assets/x.png) {variable}?\n", "assets/x.png": b"x"}
    workshop = convert(tmp_path, files)
    question = yaml.safe_load(workshop.steps[0].files["quiz.yaml"])["questions"][0]
    assert question["question"] == "![x](../../assets/assets/x.png) {{K}}?"
    assert question["answers"] == [{"text": "It is {{L}}", "correct": True}]
    assert [row.name for row in workshop.variables] == ["K", "L"]


def test_a_picture_in_an_answer_is_told(tmp_path):
    files = {"01-q/assignment.md": beside(slug="q", type="quiz", answers=["![x](x.png)", "No"], solution=[0])}
    assert [row.kind for row in convert(tmp_path, files).losses] == ["image"]
