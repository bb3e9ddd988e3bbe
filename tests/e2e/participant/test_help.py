"""The ways of helping, help on a block of code, and every look of an answer, with answers whose events are scripted."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from shared_services.contracts.chat import CheckVerdict, Citation, HelpWay, NearestSection, StatusEvent
from shared_services.contracts.workshop import SourcePlace
from tests.browser import Watched, axe_violations, sideways, watched
from tests.e2e.participant.garden import PLAN, garden_app
from tests.e2e.participant.scripted import Cut, Hold, ScriptedAnswers, block, whole

pytestmark = pytest.mark.browser

VALVE = "How do I open the valve?"
FIRST, SECOND, THIRD = "Turn the red valve to the left [1].", "Keep it below 3 bar.", "Close it at noon."
OPEN = [HelpWay(mode="hint", open=True), HelpWay(mode="explain", open=True), HelpWay(mode="solve", open=True)]
LOCKED = "The solution of this step opens in 5 minutes. Until then there are hints and explanations."
CITED = Citation(
    n=1,
    workshop="garden",
    step="water",
    file="steps/water/content.md",
    first_line=7,
    last_line=7,
    heading=["Water the beds", "Open the valve"],
    text="Turn the red valve a quarter to the left. The pressure must stay below 3 bar.",
    source=SourcePlace(file="docs/water.md", line=7),
)
NEAR = [NearestSection(step="plan", heading=["Plan the beds"], file="steps/plan/content.md", line=3)]


def locked(**fields: object) -> list[HelpWay]:
    return [*OPEN[:2], HelpWay.model_validate({"mode": "solve", "open": False, "message": LOCKED, **fields})]


@dataclass
class Garden:
    """The chat agent's address, and the layer that answers in its place."""

    address: str
    answers: ScriptedAnswers


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Garden]:
    layers: list[ScriptedAnswers] = []

    def around(app: object) -> ScriptedAnswers:
        layers.append(ScriptedAnswers(app))  # type: ignore[arg-type]
        return layers[0]

    with garden_app(tmp_path_factory.mktemp("garden"), prefix="/w/garden", around=around) as address:
        yield Garden(address, layers[0])


@pytest.fixture
def garden(served: Garden) -> Garden:
    served.answers.reset()
    served.answers.ways = OPEN
    served.answers.answer_with(block(0, FIRST), whole(FIRST))
    return served


@pytest.fixture
def seen(chromium: Browser, garden: Garden) -> Iterator[Watched]:
    with watched(chromium, garden.address) as page:
        yield page
        assert page.troubles() == []


def ask(page: Page, question: str = VALVE) -> None:
    page.locator(".ask textarea").fill(question)
    page.keyboard.press("Enter")


def done(page: Page, count: int = 1) -> None:
    expect(page.locator(".turn[data-state=done]")).to_have_count(count)


def words(page: Page) -> str:
    return re.sub(r"\s+", " ", page.locator(".turn .answer").last.text_content() or "").strip()


def test_the_chosen_way_of_helping_is_sent_and_remembered(seen: Watched, garden: Garden):
    page = seen.open("/steps/water")
    expect(page.get_by_role("radio", name="Explain")).to_be_checked()
    expect(page.locator(".mode-line")).to_have_text("Says why, with the passage it rests on.")
    page.get_by_role("radio", name="Explain").focus()
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("radio", name="Hint")).to_be_checked()
    expect(page.locator(".mode-line")).to_have_text("Leads you on without giving the command away.")
    garden.answers.answer_with(block(0, FIRST), whole(FIRST, mode="hint"))
    ask(page)
    done(page)
    assert garden.answers.messages == [{"text": VALVE, "step": "water", "mode": "hint"}]
    expect(page.locator(".turn .asked-mode")).to_have_text("Hint")
    seen.open("/steps/plan")
    expect(page.get_by_role("radio", name="Hint")).to_be_checked()
    assert axe_violations(page) == []


def test_a_locked_solution_says_when_it_opens_and_cannot_be_chosen_until_then(seen: Watched, garden: Garden):
    garden.answers.ways = locked(opens_at=datetime.now(UTC) + timedelta(seconds=290))
    page = seen.open("/steps/water")
    solve = page.get_by_role("radio", name="Solve")
    expect(solve).to_have_attribute("aria-disabled", "true")
    expect(page.locator(".opens:visible")).to_have_text("in 5 min")
    expect(solve).to_have_accessible_description(LOCKED)
    solve.click(force=True)
    expect(solve).not_to_be_checked()
    expect(page.get_by_role("radio", name="Explain")).to_be_checked()
    expect(page.locator(".mode-line")).to_have_text(LOCKED)
    assert axe_violations(page) == []
    ask(page)
    done(page)
    assert garden.answers.messages[-1]["mode"] == "explain"


def test_a_locked_solution_opens_by_itself_when_its_time_has_come(seen: Watched, garden: Garden):
    garden.answers.ways = locked(opens_at=datetime.now(UTC) + timedelta(seconds=2))
    page = seen.open("/steps/water")
    expect(page.locator(".opens:visible")).to_have_text("in 1 min")
    garden.answers.ways = OPEN
    expect(page.get_by_role("radio", name="Solve")).not_to_have_attribute("aria-disabled", "true")
    expect(page.locator(".mode-line")).to_have_text("Solve is open now.")
    expect(page.locator(".opens:visible")).to_have_count(0)
    page.get_by_role("radio", name="Solve").check()
    ask(page)
    done(page)
    assert garden.answers.messages[-1]["mode"] == "solve"


def test_explain_this_sends_the_blocks_lines_from_the_keyboard_too(seen: Watched, garden: Garden):
    page = seen.open("/steps/plan")
    page.get_by_role("button", name="Assistant", exact=True).click()
    figure = page.locator(".code.exec").first
    explain = figure.get_by_role("button", name="Explain this")
    figure.locator(".copy").focus()
    page.keyboard.press("Tab")
    expect(explain).to_be_focused()
    expect(figure.locator(".code-ask")).to_have_css("opacity", "1")
    page.keyboard.press("Enter")
    done(page)
    expect(page.get_by_role("complementary", name="Assistant")).to_be_visible()
    message = garden.answers.messages[-1]
    assert message["text"] == "Explain this."
    assert message["mode"] == "explain"
    lines = PLAN.split("\n")[message["about"]["first_line"] - 1 : message["about"]["last_line"]]
    assert lines == ["```bash exec", "garden measure --bed north", "```"]


def test_an_error_is_asked_about_its_block_and_the_block_can_be_taken_off(seen: Watched, garden: Garden):
    page = seen.open("/steps/plan")
    figure = page.locator(".code.exec").first
    figure.hover()
    error = figure.get_by_role("button", name="I got an error here")
    error.click()
    field = page.locator(".ask textarea")
    expect(field).to_be_focused()
    expect(field).to_have_attribute("placeholder", "Paste what the terminal said")
    expect(page.locator(".about")).to_contain_text("garden measure --bed north")
    assert axe_violations(page) == []
    page.get_by_role("button", name="Not about this block").click()
    expect(page.locator(".about")).to_be_hidden()
    expect(field).to_have_attribute("placeholder", "Ask about this step")
    figure.hover()
    error.click()
    ask(page, "measure: no such bed")
    done(page)
    assert garden.answers.messages[-1]["text"] == "measure: no such bed"
    assert set(garden.answers.messages[-1]["about"]) == {"first_line", "last_line"}
    expect(page.locator(".about")).to_be_hidden()
    ask(page)
    done(page, 2)
    assert "about" not in garden.answers.messages[-1]


def test_output_has_no_error_button_and_answers_and_hints_have_no_buttons_at_all(seen: Watched, garden: Garden):
    garden.answers.answer_with(block(0, "```bash\ngarden measure\n```"), whole("x"))
    page = seen.open("/steps/plan")
    output = page.locator(".code.output").first
    expect(output.locator("[data-ask=explain]")).to_have_count(1)
    expect(output.locator("[data-ask=error]")).to_have_count(0)
    ask(page)
    done(page)
    expect(page.locator(".answer .copy")).to_be_visible()
    expect(page.locator(".assistant [data-ask]")).to_have_count(0)


def test_on_a_phone_the_blocks_buttons_are_in_a_menu(chromium: Browser, garden: Garden):
    with watched(chromium, garden.address, width=360, height=740) as seen:
        page = seen.open("/steps/plan")
        figure = page.locator(".code.exec").first
        expect(figure.get_by_role("button", name="Explain this")).to_be_hidden()
        figure.get_by_role("button", name="Ask about this block").click()
        assert sideways(page) == 0
        assert axe_violations(page) == []
        figure.get_by_role("button", name="I got an error here").click()
        expect(page.locator(".ask textarea")).to_be_focused()
        expect(page.locator(".about")).to_be_visible()
        assert sideways(page) == 0
        assert axe_violations(page) == []
        assert seen.troubles() == []


def test_the_blocks_buttons_are_not_printed(seen: Watched):
    page = seen.open("/steps/plan")
    page.emulate_media(media="print")
    expect(page.locator(".code-ask").first).to_be_hidden()


def test_a_place_in_line_is_shown_and_stop_ends_the_answer_at_the_server(seen: Watched, garden: Garden):
    waiting = StatusEvent(stage="waiting", message="The model is busy. You are 3rd in line.", position=3)
    garden.answers.answer_with(waiting, Hold(), block(0, FIRST), whole(stopped=False))
    page = seen.open("/steps/water")
    ask(page)
    expect(page.locator(".turn-status")).to_have_text("The model is busy. You are 3rd in line.")
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".turn[data-state=stopped]")).to_contain_text("You stopped this answer.")
    assert garden.answers.stops == 1
    expect(page.get_by_role("button", name="Stop")).to_be_hidden()
    assert axe_violations(page) == []
    garden.answers.answer_with(block(0, FIRST), whole(FIRST))
    page.get_by_role("button", name="Continue").click()
    done(page)
    expect(page.locator(".turn")).to_have_count(2)
    expect(page.get_by_role("button", name="Continue")).to_have_count(0)


def test_a_broken_connection_is_taken_up_again_and_nothing_comes_twice(seen: Watched, garden: Garden):
    script = [CITED, block(0, FIRST), Cut(), block(1, SECOND, " "), Cut(), block(2, THIRD), whole(f"{FIRST} {SECOND}\n\n{THIRD}")]
    garden.answers.answer_with(*script)
    page = seen.open("/steps/water")
    ask(page)
    done(page)
    assert words(page) == f"{FIRST} {SECOND} {THIRD}"
    expect(page.locator(".answer p")).to_have_count(2)
    assert garden.answers.resumed == ["2", "4"]
    assert len(garden.answers.messages) == 1


def test_a_connection_that_stays_broken_leaves_a_way_to_read_the_rest(seen: Watched, garden: Garden):
    garden.answers.answer_with(block(0, FIRST), Cut(), block(1, SECOND), whole(f"{FIRST}\n\n{SECOND}"))
    garden.answers.refuse_events = 99
    page = seen.open("/steps/water")
    ask(page)
    expect(page.locator(".turn-status")).to_contain_text("Connecting again")
    expect(page.locator(".turn[data-state=lost]")).to_contain_text("The connection broke.", timeout=25_000)
    assert axe_violations(page) == []
    garden.answers.refuse_events = 0
    page.get_by_role("button", name="Continue").click()
    done(page)
    assert words(page).count("3 bar") == 1
    assert words(page).count("red valve") == 1
    assert len(garden.answers.messages) == 1
    seen.console.clear()


def test_what_a_check_masked_or_stopped_is_shown_at_once(seen: Watched, garden: Garden):
    masked = CheckVerdict(check="secrets", place="message", outcome="masked", found="a password")
    passed = CheckVerdict(check="injection", place="message", outcome="passed")
    garden.answers.answer_with(
        passed, masked, Hold(), block(0, FIRST), whole(FIRST, checks=[passed, masked], note="It was masked.")
    )
    garden.answers.kept = "My password is [masked]."
    page = seen.open("/steps/water")
    ask(page, "My password is Xk29.")
    expect(page.locator(".findings")).to_have_text("Passwords and keys in your message: found, and masked (a password)")
    garden.answers.go_on.set()
    done(page)
    expect(page.locator(".findings")).to_be_hidden()
    expect(page.locator(".how")).to_have_text("It was masked.")
    expect(page.locator(".question-text")).to_have_text("My password is [masked].")


def test_a_refusal_looks_unlike_an_answer_and_says_which_check_and_what_was_not_checked(seen: Watched, garden: Garden):
    blocked = CheckVerdict(check="attack", place="message", outcome="blocked", found="help to attack others")
    away = CheckVerdict(check="safety-model", place="message", outcome="unavailable", found="it did not answer")
    passed = CheckVerdict(check="self-harm", place="message", outcome="passed")
    refusal = "I do not help with attacks on others."
    answer = whole(refusal, refused=True, written_by="extractive", checks=[passed, away, blocked])
    garden.answers.answer_with(passed, away, blocked, block(0, refusal), answer)
    page = seen.open("/steps/water")
    ask(page)
    done(page)
    turn = page.locator(".turn.refused")
    expect(turn.get_by_text("Stopped by a safety check")).to_be_visible()
    expect(turn.get_by_text("Not in this workshop")).to_be_hidden()
    turn.get_by_text("How this answer was made").click()
    expect(turn.locator(".made-checks li")).to_have_text(
        [
            "Danger to yourself in your message: nothing found",
            "Safety model in your message: not checked (it did not answer)",
            "Attacks on others in your message: found, and stopped (help to attack others)",
        ]
    )
    assert axe_violations(page) == []


def test_words_of_despair_are_answered_without_the_look_of_a_refusal(seen: Watched, garden: Garden):
    care = CheckVerdict(check="self-harm", place="message", outcome="care", found="words of despair")
    garden.answers.answer_with(
        care, block(0, "Please talk to someone."), whole("Please talk to someone.", refused=True, checks=[care])
    )
    page = seen.open("/steps/water")
    ask(page)
    done(page)
    expect(page.locator(".turn.care .answer")).to_have_text("Please talk to someone.")
    expect(page.get_by_text("Stopped by a safety check")).to_be_hidden()


def test_a_question_back_offers_what_may_be_meant(seen: Watched, garden: Garden):
    options = ["The valve of the north bed?", "The valve of the barrel?"]
    garden.answers.answer_with(block(0, "Which one?"), whole("Which one?", asks_back=True, options=options))
    page = seen.open("/steps/water")
    ask(page)
    done(page)
    expect(page.locator(".options button")).to_have_text(options)
    assert axe_violations(page) == []
    garden.answers.answer_with(block(0, FIRST), whole(FIRST))
    page.get_by_role("button", name=options[1]).click()
    done(page, 2)
    assert garden.answers.messages[-1]["text"] == options[1]


def test_general_knowledge_is_an_answer_that_says_it_is_not_the_workshops(seen: Watched, garden: Garden):
    garden.answers.answer_with(
        block(0, "Ice splits a barrel."), whole("Ice splits a barrel.", general_knowledge=True, nearest=NEAR)
    )
    page = seen.open("/steps/water")
    ask(page)
    done(page)
    turn = page.locator(".turn.general")
    expect(turn.get_by_text("Not from this workshop")).to_be_visible()
    expect(turn.get_by_text("Not in this workshop")).to_be_hidden()
    turn.get_by_text("How this answer was made").click()
    expect(turn.locator(".made-writer")).to_contain_text("nothing in this workshop says it")
    expect(turn.locator(".made-checks")).to_have_text("none was made")
    assert axe_violations(page) == []


def test_the_author_is_told_of_what_is_missing(seen: Watched, garden: Garden):
    said = "The workshop does not hold it."
    garden.answers.answer_with(block(0, said), whole(said, abstained=True, written_by="extractive", nearest=NEAR))
    page = seen.open("/steps/water")
    ask(page, "Who was king?")
    done(page)
    turn = page.locator(".turn.abstained")
    expect(turn.locator(".looked")).to_contain_text("Who was king?")
    expect(turn.locator(".nearest a")).to_have_attribute("href", "/w/garden/steps/plan?mark=3-3#plan-the-beds")
    turn.get_by_role("button", name="Tell the author").click()
    expect(turn.locator(".told")).to_have_text("The author will see that this is missing.")
    assert [told["rating"] for told in garden.answers.feedback] == ["down"]
    expect(turn.get_by_role("button", name="Tell the author")).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_whole_of_help_on_a_phone(chromium: Browser, garden: Garden, scheme: str):
    garden.answers.ways = locked(opens_at=datetime.now(UTC) + timedelta(minutes=40), failed_checks_left=2)
    check = CheckVerdict(check="secrets", place="message", outcome="passed")
    garden.answers.answer_with(
        CITED, block(0, FIRST), whole(FIRST, citations=[CITED], checks=[check], asks_back=True, options=["a " * 60])
    )
    with watched(chromium, garden.address, width=360, height=740, scheme=scheme) as seen:  # type: ignore[arg-type]
        page = seen.open("/steps/water")
        page.get_by_role("button", name="Assistant").click()
        page.get_by_role("radio", name="Solve").click(force=True)
        ask(page)
        done(page)
        page.get_by_text("How this answer was made").click()
        assert axe_violations(page) == []
        assert sideways(page) == 0
        assert page.locator(".assistant").evaluate("e => e.scrollWidth - e.clientWidth") == 0
        assert seen.troubles() == []


def test_the_way_is_remembered_under_the_workshops_name(seen: Watched):
    page = seen.open("/steps/water")
    page.get_by_role("radio", name="Hint").check(force=True)
    assert "workshop:garden:mode" in page.evaluate("Object.keys(localStorage)")
