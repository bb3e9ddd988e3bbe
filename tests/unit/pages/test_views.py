"""What the participant's pages decide before anything is drawn."""

import pytest

from shared_services.contracts.chat import Answer, Citation, NearestSection, StoredTurn
from shared_services.contracts.workshop import SourcePlace
from shared_services.pages.markdown import TocEntry
from tests.unit.chat.worlds import published, shared_passage
from workshop_chat.pages import views
from workshop_chat.pipeline import citation_of
from workshop_chat.stages.decide import nearest_sections
from workshop_chat.suggestions import question_for


def entries(*titles: str, level: int = 2) -> list[TocEntry]:
    return [TocEntry(level, title, title.lower()) for title in titles]


@pytest.mark.parametrize(
    ("heading", "question"),
    [
        ("Deploy the app", "How do I deploy the app?"),
        ("1. Create a cluster", "How do I create a cluster?"),
        ("Step 2: Scale it.", "How do I scale it?"),
        ("What you need", "Explain what I need."),
        ("Why does it fail?", "Why does it fail?"),
        ("Requirements", "What is “Requirements” about?"),
        ("Build and push", "How do I build and push?"),
        ("3D printing", "What is “3D printing” about?"),
    ],
)
def test_questions_are_made_from_headings(heading: str, question: str):
    assert question_for(heading) == question


def test_three_questions_and_never_one_twice():
    assert views.questions("T", entries("Add it", "Add it", "Run it", "Stop it", "Drop it")) == [
        "How do I add it?",
        "How do I run it?",
        "How do I stop it?",
    ]
    assert views.questions("Deploy", []) == ["What is “Deploy” for?"]


def test_only_long_steps_have_a_table_of_contents():
    assert views.outline(entries("a", "b", "c")) == []
    assert len(views.outline(entries("a", "b", "c", "d"))) == 4
    many = entries(*"abcd") + entries(*(f"x{n}" for n in range(20)), level=3)
    assert [entry.level for entry in views.outline(many)] == [2, 2, 2, 2]


@pytest.mark.parametrize(
    ("path", "public"),
    [
        ("assets/a.png", True),
        ("steps/one/files/deep/x.py", True),
        ("steps/one/solve.md", False),
        ("steps/one/check.sh", False),
        ("steps/one/files/", False),
        ("workshop.yaml", False),
        ("assets", False),
    ],
)
def test_checks_and_solutions_are_not_handed_out(path: str, public: bool):
    assert views.is_public(path) is public


@pytest.mark.parametrize(
    ("cookie", "layout"),
    [
        ("r300o.a420c", views.Layout(300, 420, True, False)),
        ("r200c.a640o", views.Layout(200, 640, False, True)),
        ("r199o.a333o", views.Layout()),
        ('"><script>', views.Layout()),
        ("", views.Layout()),
    ],
)
def test_the_layout_cookie_holds_known_widths_alone(cookie: str, layout: views.Layout):
    assert views.read_layout(cookie) == layout


def test_a_title_is_split_from_its_step():
    assert views.split_title('<h1 id="a">A</h1>\n<p>b</p>') == ('<h1 id="a">A</h1>', "\n<p>b</p>")
    assert views.split_title("<p>b</p>") == ("", "<p>b</p>")


def test_a_stored_turn_leads_to_its_passages():
    citation = Citation(
        n=1,
        workshop="kettle",
        step="boil",
        file="steps/boil/content.md",
        first_line=3,
        last_line=5,
        heading=["Boil the water", "Start it"],
        text="Start.",
        source=SourcePlace(file="a.md", line=1),
    )
    gone = citation.model_copy(update={"n": 2, "step": "gone", "file": "steps/gone/content.md"})
    solve = citation.model_copy(update={"n": 3, "file": "steps/boil/solve.md"})
    hints = citation.model_copy(update={"n": 4, "file": "steps/boil/hints.md"})
    answer = Answer(
        conversation="c",
        answer="Start [1].",
        abstained=False,
        written_by="extractive",
        nearest=[NearestSection(step="fill", heading=["Fill the kettle"], file="steps/fill/content.md", line=3)],
        citations=[citation, gone, solve, hints],
        timings={},
    )
    turn = StoredTurn(number=1, question="How?", step="boil", state="done", answer=answer)
    shown = views.turn_view(turn, published(), lambda step: f"/s/{step}")
    assert [source.address for source in shown.sources] == [
        "/s/boil?mark=3-5#start-it",
        None,
        None,
        "/s/boil?mark=3-5&in=hints",
    ]
    assert shown.sources[0].place == "steps/boil/content.md:3-5"
    assert shown.nearest == [views.Nearest("Fill the kettle", "/s/fill?mark=3-3#fill-the-kettle")]
    assert 'class="citation"' in shown.html
    assert shown.own_words == "In the workshop’s own words."
    assert not any(source.shared for source in shown.sources)


def test_a_shared_document_is_shown_by_its_title_and_leads_nowhere():
    # a document may lie under any path, a step's included
    passages = [
        shared_passage("Use vinegar."),
        shared_passage("Rinse.").model_copy(update={"file": "steps/boil/content.md", "heading": ["Rinsing"]}),
    ]
    answer = Answer(
        conversation="c",
        answer="Use vinegar [1].",
        abstained=False,
        written_by="extractive",
        nearest=nearest_sections(passages),
        citations=[citation_of(number, passage) for number, passage in enumerate(passages, 1)],
        timings={},
    )
    turn = StoredTurn(number=1, question="How?", step="boil", state="done", answer=answer)
    shown = views.turn_view(turn, published(), lambda step: f"/s/{step}")
    assert [(source.heading, source.address, source.shared) for source in shown.sources] == [
        ("Kettles at work › Descaling", None, True),
        ("Kettles at work › Rinsing", None, True),
    ]
    assert shown.sources[0].place == "guides/kettles.pdf:7-7"
    assert shown.nearest == [views.Nearest("Kettles at work › Descaling", None), views.Nearest("Kettles at work › Rinsing", None)]
    assert shown.own_words == "In the sources’ own words."
    model = turn.model_copy(update={"answer": answer.model_copy(update={"written_by": "model"})})
    assert views.turn_view(model, published(), str).own_words == ""
