"""The strangers' messages before the rules alone, and the pages that speak to the assistant; whole answers are in `integration`."""

import pytest

from tests.integration.chat.strangers.case import HEALTH, SECURITY, SMALL, SPRING, Case
from tests.integration.chat.strangers.corpus import CASES, KNOWN
from tests.integration.chat.strangers.passages import PAGES, Page
from workshop_chat.contexts import SafetyLevel
from workshop_chat.safety.intent import injected_text
from workshop_chat.stages.moderate import moderate_message
from workshop_chat.stages.understand import small_talk

LEVELS: dict[str, SafetyLevel] = {
    HEALTH: "healthcare_compliant",
    SPRING: "educational_standard",
    SECURITY: "security_focused",
}
BY_RULES = [case for case in CASES if case.finds or case.clean]


def faults_of(case: Case) -> list[str]:
    kept, verdicts = moderate_message(LEVELS[case.workshop], case.last)
    found = {each.check for each in verdicts if each.outcome != "passed"}
    found |= {f"{each.check}: {each.outcome}" for each in verdicts if each.outcome != "passed"}
    alarms = found if "*" in case.clean else found & set(case.clean)
    return [
        *(f"{name} found nothing" for name in case.finds if not set(name.split("|")) & found),
        *(f"false alarm of {name}" for name in sorted(alarms)),
        *(f"keeps {secret}" for secret in case.not_kept if secret in kept),
        *(["is small talk, or is not"] if (small_talk(case.last) is not None) is not (case.expect == SMALL) else []),
    ]


def test_the_corpus_is_large_enough():
    assert len(CASES) >= 200
    assert len(BY_RULES) >= 200


@pytest.mark.parametrize("kind", sorted({case.kind for case in BY_RULES}))
def test_rules(kind: str):
    cases = [case for case in BY_RULES if case.kind == kind and case not in KNOWN]
    assert {case.last: faults for case in cases if (faults := faults_of(case))} == {}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.title)
def test_pages(page: Page):
    assert (injected_text(page.text) is not None) is page.poisoned
