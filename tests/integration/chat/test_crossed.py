"""500 questions asked at two workshops that say the same things in the same words: nothing of one is ever seen at the other."""

from collections import Counter

import pytest
from sqlalchemy import text

from shared_services.contracts.chat import Answer
from shared_services.kit.database import migrate
from tests.integration.chat.conftest import Platform, browser
from tests.integration.chat.test_conversations import start
from tests.integration.chat.twins import MARKS, contents, questions
from tests.integration.chat.workshops import files_of
from workshop_chat.tables import MIGRATIONS

PAIRS = (("north", "south"), ("south", "north"))


@pytest.fixture(scope="module")
async def twins(platform: Platform) -> Platform:
    for workshop in MARKS:
        await platform.publish(files_of(workshop, f"The {workshop} gateway", contents(workshop)))
    return platform


def of_the_other(answer: Answer, other: str) -> str:
    """What an answer holds of the other workshop's values; the question's own words are no part of it."""
    said = answer.model_dump_json(exclude={"conversation", "options"})
    return said if MARKS[other] in said else ""


@pytest.mark.parametrize("with_history", [False, True])
async def test_nothing_crosses(twins: Platform, with_history: bool) -> None:
    """Both agents run at once over one database, one RAG agent and, for each, one participant with the same name."""
    engine = twins.engine
    asked, crossed, cited = Counter[str](), [], Counter[str]()
    before = await figures(twins)
    async with (
        twins.app("north", confidence_threshold=0) as north,
        twins.app("south", confidence_threshold=0) as south,
        browser(north, "north") as at_north,
        browser(south, "south") as at_south,
    ):
        browsers = {"north": at_north, "south": at_south}
        talks = {workshop: await start(http) for workshop, http in browsers.items()}
        every = [(own, other, *pair) for own, other in PAIRS for pair in questions(own, other)]
        assert len(every) == 500
        # In turn, so that whatever is kept between two questions is kept for the wrong one.
        order = [each for pair in zip(every[:250], every[250:], strict=True) for each in pair]
        for number, (own, other, step, question) in enumerate(order[:: 5 if with_history else 1]):
            http = browsers[own]
            if not with_history and number % 2 == 0:
                talks = {workshop: await start(each) for workshop, each in browsers.items()}
            response = await http.post(f"/api/v1/conversations/{talks[own]}/messages", json={"text": question, "step": step})
            assert response.status_code == 200, response.text
            answer = Answer.model_validate_json(response.content)
            asked[own] += 1
            cited[own] += len(answer.citations)
            crossed += [(question, citation.file) for citation in answer.citations if citation.workshop != own]
            if of_the_other(answer, other):
                crossed.append((question, of_the_other(answer, other)))
        strange = await at_south.get(f"/api/v1/conversations/{talks['north']}")
        metrics = (await at_north.get("/metrics")).text
    assert crossed == []
    assert min(cited.values()) > asked["north"] / 2
    assert strange.status_code == 404
    after = await figures(twins)
    for workshop in MARKS:
        assert after[workshop] - before[workshop] == asked[workshop]
        assert f'workshop_chat_questions_total{{workshop="{workshop}"}}' in metrics
    async with engine.connect() as connection:
        rows = (await connection.execute(text("SELECT workshop, answer, citations FROM chat_turns"))).all()
    for workshop, answer, citations in rows:
        for other, mark in MARKS.items():
            assert other == workshop or mark not in f"{answer} {citations}", workshop


async def figures(platform: Platform) -> dict[str, int]:
    """How many turns are kept of each workshop."""
    await migrate(platform.engine, MIGRATIONS)
    async with platform.engine.connect() as connection:
        rows = await connection.execute(text("SELECT workshop, count(*) FROM chat_turns GROUP BY workshop"))
        return dict.fromkeys(MARKS, 0) | {str(row[0]): int(row[1]) for row in rows}
