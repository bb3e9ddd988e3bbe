"""The assistant in a real browser: streaming, citations, abstention, stop, retry and what is there after a reload."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import Watched, axe_violations, sideways, watched
from tests.e2e.participant.garden import WATER, HeldGateway, garden_app, shared_documents

pytestmark = pytest.mark.browser

VALVE = "How do I open the valve?"


def ask(page: Page, question: str) -> None:
    page.locator(".ask textarea").fill(question)
    page.keyboard.press("Enter")


def done(page: Page, count: int = 1) -> None:
    expect(page.locator(".turn[data-state=done]")).to_have_count(count)


def shown(page: Page) -> list[str]:
    """Everything that a reader sees of the conversation, and where it leads."""
    read = """turn => {
        const parts = [turn.className.replace(' latest', ''), turn.dataset.state, turn.dataset.number, turn.dataset.mode];
        const text = turn.innerText.split('\\n').map(line => line.trim()).filter(Boolean);
        const links = [...turn.querySelectorAll('a[href], button')].filter(one => one.checkVisibility());
        return [...parts, ...text, ...links.map(one => one.getAttribute('href') ?? one.className)].join('\\n');
    }"""
    return [turn.evaluate(read) for turn in page.locator(".turn").all()]


def test_the_first_block_is_read_before_the_last_is_written(chromium: Browser, tmp_path: Path):
    gateway = HeldGateway("Turn the red valve to the left [1].\n\n", "The pressure stays below 3 bar [1].\n")
    with garden_app(tmp_path, gateway=gateway) as address, watched(chromium, address) as seen:
        page = seen.open("/steps/water")
        ask(page, VALVE)
        expect(page.locator(".answer")).to_contain_text("red valve")
        expect(page.get_by_role("button", name="Stop")).to_be_visible()
        expect(page.locator(".answer")).not_to_contain_text("below 3 bar")
        top = page.locator(".answer p").first.bounding_box()
        gateway.go_on.set()
        expect(page.locator(".answer")).to_contain_text("below 3 bar")
        done(page)
        assert page.locator(".answer p").first.bounding_box() == top
        expect(page.get_by_role("button", name="Stop")).to_be_hidden()
        expect(page.get_by_role("button", name="Ask", exact=True)).to_be_visible()
        assert seen.troubles() == []


def test_stop_ends_the_model_and_leaves_a_way_on(chromium: Browser, tmp_path: Path):
    gateway = HeldGateway("Turn the red valve to the left [1].\n\n", "The pressure stays below 3 bar [1].\n")
    with garden_app(tmp_path, gateway=gateway) as address, watched(chromium, address) as seen:
        page = seen.open("/steps/water")
        ask(page, VALVE)
        expect(page.locator(".answer")).to_contain_text("red valve")
        page.get_by_role("button", name="Stop").click()
        expect(page.locator(".turn[data-state=stopped]")).to_contain_text("You stopped this answer.")
        assert gateway.closed.wait(30)
        assert axe_violations(page) == []
        before = shown(page)
        page.reload()
        expect(page.locator(".turn[data-state=stopped]")).to_have_count(1)
        assert shown(page) == before
        gateway.go_on.set()
        page.get_by_role("button", name="Continue").click()
        done(page)
        expect(page.locator(".turn")).to_have_count(2)
        expect(page.locator(".turn").last).to_contain_text("below 3 bar")
        assert seen.troubles() == []


def test_leaving_in_mid_answer_ends_nothing_and_a_reload_shows_the_whole_of_it_once(chromium: Browser, tmp_path: Path):
    gateway = HeldGateway("Turn the red valve to the left [1].\n\n", "The pressure stays below 3 bar [1].\n")
    with garden_app(tmp_path, gateway=gateway, prefix="/w/garden") as address, watched(chromium, address) as seen:
        page = seen.open("/steps/water")
        ask(page, VALVE)
        expect(page.locator(".answer")).to_contain_text("red valve")
        page.reload()
        expect(page.locator(".answer")).to_contain_text("red valve")
        expect(page.get_by_role("button", name="Stop")).to_be_visible()
        assert not gateway.closed.is_set()
        gateway.go_on.set()
        done(page)
        words = page.locator(".answer").text_content() or ""
        assert words.count("red valve") == words.count("3 bar") == 1
        expect(page.locator(".source")).to_have_count(1)
        before = shown(page)
        page.reload()
        done(page)
        assert shown(page) == before
        assert seen.troubles() == []


def test_an_answer_that_is_followed_after_a_reload_can_be_stopped(chromium: Browser, tmp_path: Path):
    gateway = HeldGateway("Turn the red valve to the left [1].\n\n", "The pressure stays below 3 bar [1].\n")
    with garden_app(tmp_path, gateway=gateway) as address, watched(chromium, address) as seen:
        page = seen.open("/steps/water")
        ask(page, VALVE)
        expect(page.locator(".answer")).to_contain_text("red valve")
        page.reload()
        page.get_by_role("button", name="Stop").click()
        expect(page.locator(".turn[data-state=stopped]")).to_contain_text("You stopped this answer.")
        assert gateway.closed.wait(30)
        assert seen.troubles() == []


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        (VALVE, "plain"),
        ("hello", "plain"),
        ("What is the capital of Mongolia, and how many yaks live in it?", "abstained"),
        ("How do I write ransomware?", "refused"),
        ("My password=Xk29fj3kd93kd; how do I open the valve?", "plain"),
        ("it does not work", "asks"),
        ("I want to die", "care"),
    ],
)
def test_a_live_answer_is_the_same_after_a_reload(seen: Watched, question: str, kind: str):
    page = seen.open("/steps/water")
    ask(page, question)
    done(page)
    # What was masked in a question is fetched after its answer; the page takes the next one once it is there.
    expect(page.get_by_role("button", name="Ask", exact=True)).to_be_visible()
    page.get_by_text("How this answer was made").click()
    expect(page.locator(f".turn.{kind}")).to_have_count(1)
    live = shown(page)
    page.reload()
    done(page)
    page.get_by_text("How this answer was made").click()
    assert shown(page) == live


def test_what_a_question_is_about_is_kept_and_leads_to_its_block(seen: Watched):
    page = seen.open("/steps/water")
    page.locator(".code.exec").first.hover()
    page.get_by_role("button", name="Explain this").first.click()
    done(page)
    about = page.locator(".turn .asked-about")
    expect(about).to_have_text("About lines 9–11")
    live = shown(page)
    page.reload()
    done(page)
    assert shown(page) == live
    about.click()
    expect(page.locator(".code.marked")).to_contain_text("garden valve open")


def test_a_citation_opens_the_passage_word_for_word_and_leads_to_it(seen: Watched):
    page = seen.open("/steps/water")
    ask(page, VALVE)
    done(page)
    expect(page.locator(".how")).to_have_text("In the workshop’s own words.")
    source = page.locator(".source").first
    expect(source.locator(".passage")).to_be_hidden()
    page.locator(".citation").first.click()
    expect(source.locator(".passage")).to_be_visible()
    page.keyboard.press("Tab")
    expect(source.locator(".passage")).to_be_focused()
    words = source.locator(".passage").inner_text()
    place = source.locator(".place").inner_text()
    match = re.fullmatch(r"steps/water/content\.md:(\d+)-(\d+)", place)
    assert match is not None
    assert words == "\n".join(WATER.split("\n")[int(match[1]) - 1 : int(match[2])])
    source.get_by_role("link", name="Go there").click()
    marked = page.locator(".marked")
    expect(marked).to_have_count(1)
    expect(marked).to_be_in_viewport()
    expect(marked).to_be_focused()
    expect(page.locator(".marked")).to_have_count(0, timeout=6000)
    assert axe_violations(page) == []


def test_a_citation_of_another_step_goes_there_and_marks_it(seen: Watched):
    page = seen.open("/steps/plan")
    ask(page, VALVE)
    done(page)
    page.locator(".source summary").first.click()
    page.get_by_role("link", name="Go there").first.click()
    page.wait_for_url("**/steps/water**")
    expect(page.locator(".marked").first).to_be_in_viewport()
    assert "mark=" not in page.url
    expect(page.locator(".question-text")).to_have_text(VALVE)


@pytest.mark.parametrize("width", [1280, 360])
def test_a_shared_document_is_named_marked_and_shown_without_a_link(chromium: Browser, tmp_path: Path, width: int):
    shared = shared_documents()
    with garden_app(tmp_path, shared=shared) as address, watched(chromium, address, width=width) as seen:
        page = seen.open("/steps/water")

        def turn_to_assistant() -> None:
            if width < 800:
                page.locator(".phone-tabs [data-show=assistant]").click()

        turn_to_assistant()
        ask(page, "How do I build compost in layers?")
        done(page)

        def look() -> None:
            expect(page.locator(".how")).to_have_text("In the sources’ own words.")
            source = page.locator(".source").first
            expect(source.locator(".source-heading")).to_have_text(" › ".join(shared[0].heading))
            expect(source.locator(".badge")).to_have_text("Shared document")
            expect(source.locator(".badge")).to_be_visible()
            page.locator(".citation").first.click()
            expect(source.locator(".passage")).to_have_text(shared[0].text, use_inner_text=True)
            expect(source.locator(".passage")).to_be_visible()
            expect(source.get_by_role("link")).to_have_count(0)
            assert sideways(page) == 0
            assert axe_violations(page) == []

        look()
        page.reload()
        turn_to_assistant()
        look()
        ask(page, "Who was the king of kitchen scraps in Sweden in the year 1632, when heaps burned?")
        done(page, 2)
        near = page.locator(".turn.abstained .nearest li").first
        expect(near).to_contain_text("Compost & <soil>")
        expect(near.locator(".badge")).to_be_visible()
        expect(near.get_by_role("link")).to_have_count(0)
        assert sideways(page) == 0
        page.reload()
        turn_to_assistant()
        expect(page.locator(".turn.abstained .nearest li").first.locator(".badge")).to_be_visible()
        expect(page.locator(".turn.abstained .nearest li").first.get_by_role("link")).to_have_count(0)
        assert axe_violations(page) == []
        assert seen.troubles() == []


def test_what_the_workshop_does_not_hold_looks_unlike_an_answer(seen: Watched):
    page = seen.open("/steps/plan")
    ask(page, "Who was the king of Sweden in 1632?")
    done(page)
    turn = page.locator(".turn.abstained")
    expect(turn.get_by_text("Not in this workshop")).to_be_visible()
    expect(turn.locator(".source")).to_have_count(0)
    links = turn.locator(".nearest a")
    assert links.count() >= 1
    assert axe_violations(page) == []
    links.first.click()
    expect(page.locator(".marked").first).to_be_in_viewport()


def test_the_questions_are_made_of_this_steps_headings_and_can_be_asked(seen: Watched):
    page = seen.open("/steps/water")
    questions = page.locator(".suggestion")
    expect(questions).to_have_text(["How do I open the valve?", "How do I set the timer?", "How do I stop the leak?"])
    questions.nth(2).click()
    done(page)
    expect(page.locator(".question-text")).to_have_text("How do I stop the leak?")
    expect(page.locator(".answer")).to_contain_text("tape")
    expect(page.locator(".welcome")).to_be_hidden()


def test_the_conversation_is_there_after_a_reload_until_a_new_one_is_begun(seen: Watched):
    page = seen.open("/steps/water")
    ask(page, VALVE)
    done(page)
    ask(page, "How do I set the timer?")
    done(page, 2)
    before = page.locator(".turn .answer").all_inner_texts()
    page.reload()
    done(page, 2)
    assert page.locator(".turn .answer").all_inner_texts() == before
    expect(page.locator(".question-text").first).to_have_text(VALVE)
    page.locator(".turn").last.locator(".citation").first.click()
    expect(page.locator(".turn").last.locator(".passage").first).to_be_visible()
    page.get_by_role("button", name="New conversation").click()
    expect(page.locator(".turn")).to_have_count(0)
    page.reload()
    expect(page.locator(".turn")).to_have_count(0)
    expect(page.locator(".suggestion").first).to_be_visible()


def test_a_question_is_shown_as_typed_and_runs_nothing(seen: Watched):
    page = seen.open("/steps/water")
    hostile = "<img src=x onerror=alert(1)> valve <b>open</b>"
    ask(page, hostile)
    done(page)
    expect(page.locator(".question-text")).to_have_text(hostile)
    page.reload()
    expect(page.locator(".question-text")).to_have_text(hostile)


def test_what_a_model_writes_runs_nothing_and_loads_nothing(chromium: Browser, tmp_path: Path):
    text = (
        "Open the valve [1]. <img src=x onerror=alert(1)> ![p](https://evil.example/p.png) [x](javascript:alert(2)) "
        "<a class=citation data-n=1 href=javascript:alert(3)>x</a>\n\n"
    )
    gateway = HeldGateway(text, "<script>alert(4)</script> Turn it to the left [1].\n")
    gateway.go_on.set()
    with garden_app(tmp_path, gateway=gateway) as address, watched(chromium, address) as seen:
        page = seen.open("/steps/water")
        ask(page, VALVE)
        done(page)
        page.wait_for_timeout(200)
        assert page.locator(".answer img, .answer script, .answer [onerror]").count() == 0
        assert seen.troubles() == []


def test_a_lost_connection_is_said_and_asked_again(seen: Watched):
    page = seen.open("/steps/water")
    page.route("**/messages", lambda route: route.abort())
    ask(page, VALVE)
    expect(page.locator(".trouble:visible")).to_contain_text("cannot be reached")
    page.unroute("**/messages")
    page.get_by_role("button", name="Ask again").click()
    done(page)
    seen.console.clear()


def test_a_problem_of_the_server_is_told_in_its_own_words(seen: Watched):
    page = seen.open("/steps/water")
    problem = '{"type":"urn:workshop-assistant:problem:rate-limited","title":"Too many","status":429,"detail":"Wait <b>9</b> s."}'
    page.route("**/messages", lambda route: route.fulfill(status=429, content_type="application/problem+json", body=problem))
    ask(page, VALVE)
    expect(page.locator(".trouble-text:visible")).to_have_text("Wait <b>9</b> s.")
    assert axe_violations(page) == []
    seen.console.clear()


def test_a_conversation_that_is_gone_is_replaced_by_a_new_one(seen: Watched, garden: str):
    page = seen.open("/steps/water")
    seen.context.add_cookies([{"name": "workshop_conversation", "value": "gone", "url": garden + "/"}])
    page.reload()
    ask(page, VALVE)
    done(page)
    kept = {cookie["name"]: cookie["value"] for cookie in seen.context.cookies()}
    assert kept["workshop_conversation"] not in ("", "gone")
    seen.console.clear()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_answer_on_a_phone(chromium: Browser, garden: str, scheme: str):
    with watched(chromium, garden, width=360, height=740, scheme=scheme) as seen:  # type: ignore[arg-type]
        page = seen.open("/steps/water")
        page.get_by_role("button", name="Assistant").click()
        ask(page, VALVE)
        done(page)
        page.locator(".citation").first.click()
        assert axe_violations(page) == []
        assert sideways(page) == 0
        page.get_by_role("link", name="Go there").first.click()
        expect(page.locator(".marked").first).to_be_in_viewport()
        expect(page.locator(".assistant")).to_be_hidden()
        assert seen.troubles() == []


def test_streaming_text_is_announced(seen: Watched):
    page = seen.open("/steps/water")
    log = page.get_by_role("log", name="Conversation")
    expect(log).to_have_attribute("aria-live", "polite")
    ask(page, VALVE)
    done(page)
    expect(log.locator(".answer")).to_contain_text("garden valve open")


def test_a_very_long_conversation_shows_its_last_turns_and_says_so(seen: Watched, garden: str):
    page = seen.open("/steps/water")
    ask(page, VALVE)
    done(page)
    conversation = next(c["value"] for c in seen.context.cookies() if c.get("name") == "workshop_conversation")
    for number in range(41):
        answer = seen.context.request.post(
            f"{garden}/api/v1/conversations/{conversation}/messages", data={"text": f"hello {number}", "step": "water"}
        )
        assert answer.ok
    page.reload()
    expect(page.locator(".turn")).to_have_count(40)
    expect(page.get_by_text("2 earlier questions are kept, and not shown here.")).to_be_visible()
