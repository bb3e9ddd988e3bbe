"""What each stage decides."""

import pytest

from shared_services.contracts.chat import Answer, StoredTurn
from shared_services.contracts.rag import Passage
from tests.unit.chat.worlds import FakeSearch, passage, shared_passage
from workshop_chat.pipeline import citation_of
from workshop_chat.stages.check import OWN_CODE, OWN_COMMAND, Checker, Numbering, UncitedError
from workshop_chat.stages.decide import Decision, decide, nearest_sections
from workshop_chat.stages.retrieve import Retrieved, retrieve, with_section_first
from workshop_chat.stages.understand import SmallTalk, Understood, earlier_turns, small_talk, understand
from workshop_chat.stages.write import WrittenBlock

PASSAGES = [passage("Open the lid.", step="fill", heading="Fill"), passage("Start it."), passage("Wait.", first_line=9)]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Hi", SmallTalk.GREETING),
        ("hello there!", SmallTalk.GREETING),
        ("Good morning :)", SmallTalk.GREETING),
        ("Thanks a lot!!", SmallTalk.THANKS),
        ("ok, thank you", SmallTalk.THANKS),
        ("Danke schön", SmallTalk.THANKS),
        ("bye", SmallTalk.FAREWELL),
        ("What can you do?", SmallTalk.ABILITIES),
        ("help", None),
        ("hi, how do I fill the kettle?", None),
        ("thanks, but it still fails with exit code 1", None),
        ("hello world does not compile", None),
        ("helm", None),
        ("history", None),
        ("what does thanks.py do?", None),
        ("", None),
    ],
)
def test_small_talk_is_told_from_questions(text: str, kind: SmallTalk | None):
    assert small_talk(text) == kind


def test_a_salutation_is_not_searched_for():
    assert understand("Hi there, how do I boil water?", []).query == "how do I boil water?"
    assert understand("hello world fails", []).query == "hello world fails"


def stored(question: str, answer: str, *, abstained: bool = False) -> StoredTurn:
    whole = Answer(
        conversation="c", answer=answer, abstained=abstained, written_by="extractive", nearest=[], citations=[], timings={}
    )
    return StoredTurn(number=1, question=question, step=None, state="done", answer=whole)


def test_history_leaves_out_small_talk_and_abstentions():
    turns = [stored("hi", "Hello."), stored("How do I boil?", "Like this."), stored("Who won?", "Not here.", abstained=True)]
    assert [(turn.speaker, turn.text) for turn in earlier_turns(turns)] == [
        ("user", "How do I boil?"),
        ("assistant", "Like this."),
        ("user", "Who won?"),
    ]


async def test_retrieval_asks_for_the_shown_version_and_the_current_step():
    search = FakeSearch(PASSAGES)
    found = await retrieve(
        search, Understood("boil?", []), workshop="kettle", version="abc", step="boil", limit=5, kinds=["prose"]
    )
    assert found.passages == PASSAGES
    request = search.requests[0]
    assert (request.query, request.version, request.step, request.limit) == ("boil?", "abc", "boil", 5)
    assert request.kinds == ["prose"]


async def test_a_passage_of_another_workshop_is_dropped():
    foreign = passage("The other pot's secret.", workshop="teapot")
    found = await retrieve(
        FakeSearch([foreign, PASSAGES[0]]),
        Understood("x", []),
        workshop="kettle",
        version="v",
        step=None,
        limit=5,
        kinds=["prose"],
    )
    assert found.passages == [PASSAGES[0]]
    alone = await retrieve(
        FakeSearch([foreign]), Understood("x", []), workshop="kettle", version="v", step=None, limit=5, kinds=["prose"]
    )
    assert alone == Retrieved([], 0.0)


@pytest.mark.parametrize(
    ("passages", "confidence", "decision"),
    [
        (PASSAGES, 0.5, Decision.ANSWER),
        (PASSAGES, 0.49, Decision.ABSTAIN),
        ([], 1.0, Decision.ABSTAIN),
    ],
)
def test_confidence_decides(passages: list, confidence: float, decision: Decision):
    assert decide(Retrieved(passages, confidence), 0.5) is decision


def test_nearest_sections_are_different_ones():
    nearest = nearest_sections(PASSAGES)
    assert [(section.step, section.heading, section.file, section.line) for section in nearest] == [
        ("fill", ["Fill"], "steps/fill/content.md", 3),
        ("boil", ["Boil the water"], "steps/boil/content.md", 3),
    ]


def at(first: int, last: int, step: str = "boil") -> Passage:
    return passage("\n".join("x" * (last - first + 1)), step=step, first_line=first)


@pytest.mark.parametrize("held", [at(1, 17), at(8, 12), at(20, 30), at(1, 40)])
def test_a_passage_with_lines_of_a_section_comes_before_others(held: Passage):
    section, above, other = at(3, 22), at(1, 2), at(3, 22, "fill")
    assert with_section_first([other, above, held], section) == [held, other, above]
    assert with_section_first([other, above], section) == [section, other, above]


async def test_shared_documents_pass_and_foreign_workshops_do_not(capsys: pytest.CaptureFixture[str]):
    shared = shared_passage("Use vinegar.")
    search = FakeSearch([passage("Pour tea.", workshop="teapot"), shared, PASSAGES[0]])
    found = await retrieve(search, Understood("how?", []), workshop="kettle", version="v", step=None, limit=3, kinds=["prose"])
    assert found.passages == [shared, PASSAGES[0]]
    assert found.confidence == 0.9
    assert "foreign_passages_dropped" in "".join(capsys.readouterr())
    alone = FakeSearch([passage("Pour tea.", workshop="teapot")])
    found = await retrieve(alone, Understood("how?", []), workshop="kettle", version="v", step=None, limit=3, kinds=["prose"])
    assert (found.passages, found.confidence) == ([], 0.0)


def test_sections_of_shared_documents_are_near_as_well():
    nearest = nearest_sections([shared_passage("Use vinegar."), shared_passage("Rinse."), PASSAGES[0]])
    assert [(section.step, section.document and section.document.title, section.heading) for section in nearest] == [
        (None, "Kettles at work", ["Kettles at work", "Descaling"]),
        ("fill", None, ["Fill"]),
    ]


def shown(numbering: Numbering, markdown: str) -> tuple[str, list[int]]:
    text, new = numbering.renumber(markdown)
    return text, [number for number, _ in new]


def test_citations_are_numbered_in_the_order_of_first_use():
    numbering = Numbering(PASSAGES)
    assert shown(numbering, "Start it. [2]") == ("Start it. [1]", [1])
    assert shown(numbering, "Wait, then open. [3][2][1]") == ("Wait, then open. [2][1][3]", [2, 3])
    assert shown(numbering, "Again. [1]") == ("Again. [3]", [])


def test_brackets_in_code_and_links_are_left_alone():
    numbering = Numbering(PASSAGES)
    for text in ("Use `x[1]` here.", "```py\na[1] = 2\n```", "See [1](https://example.org).", "``a ` b[2]`` ok"):
        assert shown(numbering, text) == (text, [])


def texts(checker: Checker, *blocks: str) -> list[str]:
    return [checked.markdown for block in blocks for checked in checker.check(WrittenBlock(block))]


def test_blocks_wait_for_the_first_citation():
    checker = Checker(PASSAGES)
    assert texts(checker, "First this.") == []
    assert texts(checker, "Then start it. [2]") == ["First this.", "Then start it. [1]"]
    assert texts(checker, "Done.") == ["Done."]
    checker.close()


def test_an_answer_without_a_citation_is_none():
    checker = Checker(PASSAGES)
    assert texts(checker, "It is so.", "Surely. [9]") == []
    with pytest.raises(UncitedError):
        checker.close()


def test_a_citation_that_leads_nowhere_is_taken_out():
    assert texts(Checker(PASSAGES), "Start it. [2][8]", "[9]", "Wait. [7]") == ["Start it. [1]", "Wait."]


def test_a_command_that_no_cited_passage_holds_is_marked():
    held = passage("Run this:\n\n```bash\nkettle start --until 100\n```")
    own, known = texts(
        Checker([held]), "Run it. [1]\n\n```bash\nkettle explode --now\n```", "```bash\nkettle start --until 100\n```"
    )
    assert own.endswith(OWN_CODE)
    assert known == "```bash\nkettle start --until 100\n```"
    inline, fine = texts(Checker([held]), "Type `kettle explode --now` [1].", "Type `kettle start --until 100` [1].")
    assert inline.endswith(OWN_COMMAND)
    assert OWN_COMMAND not in fine


def test_citation_text_is_the_passage():
    cited = citation_of(3, PASSAGES[0])
    assert (cited.n, cited.text, cited.file, cited.first_line, cited.last_line) == (3, PASSAGES[0].text, PASSAGES[0].file, 3, 3)
    assert cited.source == PASSAGES[0].source


def test_a_citation_of_a_shared_document_names_it():
    shared = shared_passage("Use vinegar.")
    cited = citation_of(1, shared)
    assert (cited.workshop, cited.step, cited.document, cited.text) == (None, None, shared.document, "Use vinegar.")
