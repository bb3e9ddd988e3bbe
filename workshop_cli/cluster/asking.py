"""`operate ask`: a question to a workshop's own chat agent over HTTP, which shows that everything behind it works."""

import time
from dataclasses import dataclass
from typing import Any

import anyio
import httpx

from shared_services.clients.chat import ChatClient
from shared_services.contracts.chat import Answer, Citation, MessageRequest
from shared_services.contracts.library import WorkshopVersion
from shared_services.kit.errors import NotFoundError, PlatformError, UnavailableError
from workshop_cli.cluster.inside import Inside
from workshop_cli.cluster.names import chat_address
from workshop_cli.cluster.server import Say

ANSWER_SECONDS = 200.0
"""Longer than a chat agent takes for an answer at the most (LLM_TOTAL_SECONDS, and its search)."""

PAUSE_SECONDS = 1.0
MOST_QUESTIONS = 3
_NOT_YET = frozenset({404, 408, 429, 500, 502, 503, 504})


@dataclass(frozen=True)
class Reply:
    """An answer and what it took.

    Attributes:
        seconds: From the question's sending to the whole answer.
    """

    question: str
    answer: Answer
    seconds: float

    def as_json(self, workshop: str) -> dict[str, Any]:
        """What `--json` prints."""
        return {
            "workshop": workshop,
            "question": self.question,
            "answer": self.answer.answer,
            "abstained": self.answer.abstained,
            "written_by": self.answer.written_by,
            "note": self.answer.note,
            "citations": [_place(citation) for citation in self.answer.citations],
            "seconds": round(self.seconds, 3),
        }

    def as_text(self) -> str:
        """What a person reads."""
        lines = [f"? {self.question}", "", self.answer.answer.strip(), ""]
        lines += [f"[{row['n']}] step {row['step']}, {row['file']}:{row['line']}" for row in map(_place, self.answer.citations)]
        if not self.answer.citations:
            lines.append("No citation.")
        return "\n".join([*lines, f"Answered in {self.seconds:.2f} s."])


def _place(citation: Citation) -> dict[str, Any]:
    step = citation.step or (f"shared document {citation.document.id}" if citation.document else "")
    return {"n": citation.n, "step": step, "file": citation.file, "line": citation.first_line, "heading": citation.heading}


def questions_for(version: WorkshopVersion) -> list[str]:
    """A few questions that a workshop has to answer: how to do its steps, those with the most telling titles first."""
    titles = [version.steps[step].title for step in version.manifest.steps]
    telling = sorted(dict.fromkeys(titles), key=lambda title: -len({word for word in title.lower().split() if len(word) > 3}))
    return [f"How do I do this: {title.rstrip('?.! ')}?" for title in telling[:MOST_QUESTIONS]]


async def ask(core: Inside, name: str, question: str | None, address: str | None, wait: float, say: Say) -> Reply:
    """The chat agent's answer: the first with a citation, else the last.

    Args:
        core: Signs the token.
        name: The workshop.
        question: None for one made of its steps' titles.
        address: Of the chat agent; None for its Service.
        wait: Seconds that it may take to get ready.
        say: Told what is waited for.

    Raises:
        NotFoundError: Nothing is published under this name.
        UnavailableError: The chat agent did not answer in time.
    """
    questions = [question] if question is not None else questions_for(await core.stored(core.library.current(name)))
    where = (address or chat_address(name)).rstrip("/")
    deadline = time.monotonic() + wait
    said = ""
    timeout = httpx.Timeout(10.0, read=ANSWER_SECONDS)
    async with httpx.AsyncClient(base_url=where, timeout=timeout, trust_env=False) as http:
        chat = ChatClient(http, core.token(name))
        while True:
            try:
                reply = await _first_cited(chat, questions)
                why = reply.answer.note or "it named no source"
                # An answer that has no source because nothing could be looked up is not the workshop's last word.
                if reply.answer.citations or reply.answer.abstained or time.monotonic() > deadline:
                    return reply
            except PlatformError as error:
                if error.status not in _NOT_YET:
                    raise
                why = error.detail or error.title
                if time.monotonic() > deadline:
                    raise _unanswered(where, name, wait, why) from error
            if why != said:
                said = why
                say(f"Waiting for the chat agent at {where}: {why}")
            await anyio.sleep(PAUSE_SECONDS)


def _unanswered(where: str, name: str, wait: float, why: str) -> PlatformError:
    return UnavailableError(
        f"The chat agent at {where} has not answered for {wait:g} s: {why.rstrip('.')}. See its log and `/readyz`: "
        f"kubectl logs -n {name}-workshop deployment/chat-agent."
    )


async def _first_cited(chat: ChatClient, questions: list[str]) -> Reply:
    conversation = await chat.create_conversation()
    for question in questions:
        begun = time.monotonic()
        answer = await chat.ask(conversation, MessageRequest(text=question))
        reply = Reply(question, answer, time.monotonic() - begun)
        if answer.citations:
            break
        conversation = await chat.create_conversation()
    return reply


async def refuse_unpublished(core: Inside, name: str) -> None:
    """Say so where nothing is published.

    Raises:
        NotFoundError: Nothing is.
    """
    try:
        await core.stored(core.library.current(name))
    except NotFoundError as error:
        raise NotFoundError(
            f"Nothing is published as {name} yet, so that its chat agent has nothing to answer from. Publish it first: "
            f"workshop-service operate content {name} --example TYPE."
        ) from error
