"""Counts of questions, what they are about, and their vectors: asked for once, and what happens where there are none."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import pytest

from shared_services.contracts.chat import NearestSection
from shared_services.contracts.insights import MAX_DAYS
from shared_services.contracts.rag import EmbeddingsRequest, EmbeddingsResponse
from shared_services.contracts.workshop import StepManifest
from shared_services.kit.errors import RateLimitedError, UnavailableError
from tests.unit.chat.worlds import FakeLibrary, passage, published, shared_passage
from workshop_chat.content import WorkshopContent
from workshop_chat.insights.questions import Outcome, RawQuestion, is_question, over_time, period, section_of, totals
from workshop_chat.insights.service import InsightsService
from workshop_chat.insights.stays import Stay, long_stays
from workshop_chat.insights.vectors import QuestionVectors, VectorCache
from workshop_chat.insights.views import CHART_WIDTH, chart, step_size
from workshop_chat.pipeline import citation_of

NOW = datetime(2026, 5, 4, 12, 30, tzinfo=UTC)


def outcome(state: str = "done", at: datetime = NOW, **about: Any) -> Outcome:
    return Outcome("Why?", at, state, **about)


def test_each_question_is_counted_once():
    counted = totals(
        [
            outcome(first_block_ms=100, rating="up"),
            outcome(first_block_ms=300, rating="down"),
            outcome(abstained=True, first_block_ms=200),
            outcome(abstained=True, general_knowledge=True),
            outcome(refused=True, abstained=True),
            outcome(asks_back=True),
            outcome("stopped"),
            outcome("interrupted", abstained=True),
            outcome("answering"),
        ]
    )
    assert counted.asked == 9
    kinds = ("answered", "asked_back", "unanswered", "refused", "stopped", "interrupted", "answering")
    assert [getattr(counted, kind) for kind in kinds] == [2, 1, 2, 1, 1, 1, 1]
    assert (counted.general_knowledge, counted.thumbs_up, counted.thumbs_down, counted.first_block_ms) == (1, 1, 1, 200)
    assert totals([]).first_block_ms is None


def test_small_talk_is_no_question():
    assert [is_question(text) for text in ("hello!", "thanks a lot", "hello, how do I boil it?", "hi " * 100)] == [
        False,
        False,
        True,
        True,
    ]


def test_a_day_is_counted_by_hours_and_more_by_days():
    since, resolution = period(NOW, 1)
    assert (since, resolution) == (datetime(2026, 5, 3, 13, tzinfo=UTC), "hour")
    hours = over_time([outcome(at=NOW), outcome(at=since, abstained=True)], since, NOW, resolution)
    assert (len(hours), hours[0].asked, hours[0].unanswered, hours[-1].asked) == (24, 1, 1, 1)
    since, resolution = period(NOW, 7)
    assert (since, resolution) == (datetime(2026, 4, 28, tzinfo=UTC), "day")
    days = over_time([outcome(at=NOW, rating="down"), outcome(at=since)], since, NOW, resolution)
    assert [(day.asked, day.thumbs_down) for day in days] == [(1, 0), *[(0, 0)] * 5, (1, 1)]
    assert len(over_time([], *period(NOW, MAX_DAYS)[:1], NOW, "day")) == MAX_DAYS


def test_what_a_question_is_about():
    version = published()
    near = NearestSection(step="boil", heading=["Boil the water", "Heat"], file="steps/boil/content.md", line=3)
    cited = citation_of(1, passage("Boil it.", step="fill", heading="Fill the kettle"))
    shared = citation_of(1, shared_passage("Use vinegar."))
    found = [
        section_of(near, cited, "fill", version),
        section_of(None, cited, "boil", version),
        section_of(None, shared, "boil", version),
        section_of(None, None, "boil", version),
        section_of(None, None, "gone", version),
        section_of(None, None, None, version),
    ]
    assert [(section.known_by, section.step, section.title) for section in found] == [
        ("nearest", "boil", "Boil the water › Heat"),
        ("citation", "fill", "Fill the kettle"),
        ("citation", None, "Kettles at work › Descaling"),
        ("step", "boil", "Boil the water"),
        ("step", "gone", "gone"),
        ("none", None, "No step"),
    ]


def test_long_stays():
    version = published()
    stated = version.model_copy(update={"steps": {**version.steps, "boil": StepManifest(title="Boil", duration=2)}})
    stays = [Stay("boil", seconds, 1, passed=False) for seconds in (100, 181, 400)] + [Stay("fill", 30, 0, passed=True)]
    long, short = long_stays([*stays, Stay("gone", 9999, 0, passed=False)], stated)
    assert (long.step, long.people, long.median_seconds, long.stated_seconds, long.long) == ("boil", 3, 181, 120, True)
    assert (long.failed_checks, short.step, short.passed, short.long) == (3, "fill", 1, False)
    assert long_stays(stays[:2], stated)[0].long is False
    assert long_stays(stays, version)[0].long is True


class FakeModel:
    """Vectors by the first letter; remembers what it was asked."""

    def __init__(self, model: str = "m1") -> None:
        self.model = model
        self.asked: list[list[str]] = []
        self.failure: Exception | None = None

    async def embeddings(self, request: EmbeddingsRequest) -> EmbeddingsResponse:
        if self.failure is not None:
            raise self.failure
        self.asked.append(list(request.texts))
        return EmbeddingsResponse(model=self.model, vectors=[vector(text) for text in request.texts])


def vector(text: str) -> list[float]:
    return [1.0 if "abcdefgh".find(text[:1]) == place else 0.0 for place in range(8)]


async def test_vectors_are_asked_for_once_and_sixty_four_at_a_time():
    model, cache = FakeModel(), VectorCache()
    vectors = QuestionVectors("kettle", model, cache)
    texts = [f"a{number}" for number in range(100)]
    found = await vectors.of(texts)
    assert [len(asked) for asked in model.asked] == [64, 36]
    assert found.vectors is not None
    assert (len(found.vectors), found.model, found.note) == (100, "m1", "")
    await vectors.of([*texts, "b"])
    assert model.asked[2:] == [["b"]]


async def test_another_workshop_gets_nothing_of_it():
    model, cache = FakeModel(), VectorCache()
    await QuestionVectors("kettle", model, cache).of(["a"])
    await QuestionVectors("teapot", model, cache).of(["a"])
    assert model.asked == [["a"], ["a"]]


async def test_the_cache_is_bounded_by_what_was_asked_for_last():
    model, cache = FakeModel(), VectorCache(size=3)
    vectors = QuestionVectors("kettle", model, cache)
    await vectors.of(["a", "b", "c"])
    await vectors.of(["a"])
    await vectors.of(["d"])
    assert len(cache) == 3
    assert cache.get("kettle", "b") is None
    assert cache.get("kettle", "a") is not None


async def test_vectors_of_two_models_are_not_compared():
    model, cache = FakeModel(), VectorCache()
    vectors = QuestionVectors("kettle", model, cache)
    await vectors.of(["a"])
    model.model = "m2"
    found = await vectors.of(["a", "b"])
    assert found.model == "m2"
    assert model.asked == [["a"], ["b"], ["a", "b"]]


@pytest.mark.parametrize("failure", [UnavailableError("away"), RateLimitedError("full", retry_after=3)])
async def test_a_model_that_does_not_answer_is_told(failure: Exception):
    model = FakeModel()
    model.failure = failure
    found = await QuestionVectors("kettle", model, VectorCache()).of(["a"])
    assert found.vectors is None
    assert "did not answer" in found.note


async def test_a_model_that_takes_too_long_is_told():
    class Slow(FakeModel):
        async def embeddings(self, request: EmbeddingsRequest) -> EmbeddingsResponse:
            await anyio.sleep_forever()
            raise AssertionError

    found = await QuestionVectors("kettle", Slow(), VectorCache(), patience=0.01).of(["a"])
    assert "did not answer" in found.note


async def test_too_few_vectors_are_none():
    class Short(FakeModel):
        async def embeddings(self, request: EmbeddingsRequest) -> EmbeddingsResponse:
            return EmbeddingsResponse(model="m", vectors=[])

    assert (await QuestionVectors("kettle", Short(), VectorCache()).of(["a"])).vectors is None


def raw(text: str, minutes: int = 0, participant: str = "p1", **about: Any) -> RawQuestion:
    known: dict[str, Any] = {
        "step": "boil",
        "unanswered": True,
        "thumbs_down": False,
        "reason": "",
        "nearest": None,
        "citation": None,
        "name": "",
    }
    return RawQuestion(text=text, asked_at=NOW - timedelta(minutes=minutes), participant=participant, **{**known, **about})


class FakeReader:
    def __init__(self, questions: Sequence[RawQuestion], outcomes: Sequence[Outcome] = ()) -> None:
        self.questions, self.given = questions, outcomes

    async def outcomes(self, since: datetime) -> list[Outcome]:
        return list(self.given)

    async def to_group(self, since: datetime, limit: int) -> tuple[list[RawQuestion], int]:
        return list(self.questions)[:limit], len(self.questions)

    async def stays(self, since: datetime) -> list[Stay]:
        return []


def insights(questions: Sequence[RawQuestion], model: FakeModel | None = None, **options: Any) -> InsightsService:
    library = FakeLibrary()
    library.publish()
    content = WorkshopContent(library, "kettle")
    return InsightsService(content, FakeReader(questions), QuestionVectors("kettle", model, VectorCache()), **options)


async def test_groups_hold_their_questions_and_name_nobody():
    questions = [
        raw("Apple?", 1, "user:anna", name="Anna", reason="Anna says bad", thumbs_down=True),
        raw("apple", 2, "user:bo"),
        raw("About apples", 3, "user:bo"),
        raw("Butter?", 4, "user:bo"),
        raw("hello", 5, "user:bo"),
    ]
    found = await insights(questions, FakeModel()).look(7, NOW)
    first, second = found.groups
    assert (first.size, first.people, first.unanswered, first.thumbs_down) == (3, 2, 3, 1)
    assert (first.first_asked, first.last_asked) == (NOW - timedelta(minutes=3), NOW - timedelta(minutes=1))
    assert [question.text for question in first.questions] == ["Apple?", "apple", "About apples"]
    assert first.representative == "Apple?"
    assert first.reasons == ["[masked name] says bad"]
    assert (second.size, second.representative) == (1, "Butter?")
    assert (found.likeness.by, found.likeness.model, found.likeness.threshold) == ("embeddings", "m1", 0.6)
    wire = found.model_dump_json()
    assert "user:" not in wire
    assert "Anna" not in wire


async def test_only_the_newest_are_grouped_and_that_is_said():
    found = await insights([raw(f"a{number}", number) for number in range(30)], FakeModel(), most=12).look(7, NOW)
    assert (found.grouped, found.left_out) == (12, 18)
    assert (found.groups[0].size, len(found.groups[0].questions)) == (12, 10)


async def test_secrets_are_masked_before_they_are_embedded():
    model = FakeModel()
    await insights([raw("my mail is anna@firm.com and password=hunter22 fails")], model).look(7, NOW)
    sent = " ".join(text for asked in model.asked for text in asked)
    assert "anna" not in sent
    assert "hunter22" not in sent


async def test_without_a_model_words_group_and_that_is_said():
    found = await insights([raw("How do I descale it?"), raw("descale it how?"), raw("Which port?")]).look(7, NOW)
    assert [group.size for group in found.groups] == [2, 1]
    assert (found.likeness.by, found.likeness.model) == ("words", "")
    assert "words that they share" in found.likeness.note


async def test_a_group_keeps_its_id_when_others_come():
    first = await insights([raw("Apple?", 1), raw("Butter?", 2)], FakeModel()).look(7, NOW)
    second = await insights([raw("Cheese?", 0), raw("Butter?", 2), raw("Apple?", 1)], FakeModel()).look(7, NOW)
    assert {group.id for group in first.groups} < {group.id for group in second.groups}
    assert len({group.id for group in second.groups}) == 3


def test_the_chart_fits_its_frame():
    for most in (0, 1, 3, 7, 10, 99, 12_345):
        assert step_size(most) * 4 >= most
    counts = over_time([outcome(at=NOW)] * 9 + [outcome(at=NOW, abstained=True)], *period(NOW, 30)[:1], NOW, "day")
    drawn = chart(counts, "day")
    assert len(drawn.bars) == 30
    assert all(bar.x >= 0 and bar.x + bar.width <= CHART_WIDTH and bar.height >= 0 for bar in drawn.bars)
    assert (drawn.bars[-1].y, drawn.bars[-1].height) == (8.0, 132.0)
    assert round(drawn.bars[-1].open_height / drawn.bars[-1].height, 2) == 0.1
    assert [tick.text for tick in drawn.ticks] == ["0", "5", "10"]
    assert drawn.dates[-1].text == "4 May"
    assert drawn.bars[-1].label == "Mon 4 May: 10 asked, 1 without an answer, 0 thumbs down"
