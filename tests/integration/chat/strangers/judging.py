"""Asks the cases of a real chat agent behind a scripted model, and says what is wrong with each answer."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import httpx

from shared_services.contracts.chat import Answer
from tests.integration.chat.strangers.case import Case
from tests.integration.chat.test_conversations import ask, start, turns
from tests.integration.chat.test_corpus import decision_of
from tests.upstream import Say, ScriptedUpstream, UpstreamRequest


@dataclass(frozen=True)
class Judged:
    """A case with what came of it; `faults` is empty where all is as it is to be."""

    case: Case
    decision: str
    faults: tuple[str, ...]
    answer: Answer


def folded(text: str) -> str:
    """Without white space, quotes and emphasis, in lower case."""
    return re.sub(r"[\s\"'`*]", "", text).lower()


def findings(answer: Answer) -> set[str]:
    """What checks of the message found, as `check` and as `check: outcome`."""
    found = [each for each in answer.checks if each.place == "message" and each.outcome != "passed"]
    return {each.check for each in found} | {f"{each.check}: {each.outcome}" for each in found}


def faults_of(case: Case, answer: Answer, kept: str, sent: str) -> list[str]:
    """What is wrong with an answer to the last turn of a case.

    Args:
        kept: The conversation as it is kept.
        sent: What went to the model.
    """
    found = findings(answer)
    shown = folded(answer.answer + " ".join(cited.text for cited in answer.citations if case.mode == "hint"))
    whole = f"{answer.model_dump_json()}\n{kept}\n{sent}"
    decision = decision_of(answer)
    unclean = found if "*" in case.clean else found & set(case.clean)
    return [
        *([f"decided {decision}"] if decision not in case.expect else []),
        *(f"{name} found nothing" for name in case.finds if not set(name.split("|")) & found),
        *(f"false alarm of {name}" for name in sorted(unclean) if ":" not in name),
        *([f"{case.cites} is not cited"] if decision == "answer" and not cites(answer, case.cites) else []),
        *(f"says {said!r}" for said in case.lacks if folded(said) in shown),
        *([f"does not say {case.holds!r}"] if folded(case.holds) not in shown else []),
        *(f"keeps {secret!r}" for secret in case.not_kept if secret in whole),
    ]


def cites(answer: Answer, path: str) -> bool:
    """Whether a citation leads to a file whose path begins like this."""
    return any(cited.file.startswith(path) for cited in answer.citations)


async def judge(http: httpx.AsyncClient, upstream: ScriptedUpstream, cases: Iterable[Case]) -> list[Judged]:
    """Hold each conversation; the model is a flatterer until the last turn."""
    judged = []
    for case in cases:
        conversation = await start(http)
        upstream.script(Say("Yes. [1] Certainly. [2]"))
        before = len(upstream.requests)
        for text in case.turns[:-1]:
            await ask(http, conversation, {"text": text, "step": case.step, "mode": case.mode})
        upstream.script(Say(case.says))
        answer = await ask(http, conversation, {"text": case.last, "step": case.step, "mode": case.mode})
        kept = str(await turns(http, conversation))
        sent = "\n".join(map(said_in, upstream.requests[before:]))
        judged.append(Judged(case, decision_of(answer), tuple(faults_of(case, answer, kept, sent)), answer))
    return judged


def said_in(request: UpstreamRequest) -> str:
    """Everything that a request told the model."""
    return "\n".join(str(message["content"]) for message in request.body["messages"])
