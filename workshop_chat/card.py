"""A chat agent's A2A card: which workshop it knows and what it can do."""

from typing import Any

from shared_services.kit.a2a import JSON, TEXT, Skill, agent_card
from workshop_chat.participants import AUDIENCE

SKILLS = (
    Skill(
        id="ask",
        name="Ask the workshop's assistant",
        description=(
            "Answers a question out of the workshop's own text, with numbered citations, or says that the workshop does not hold "
            "it. Send the question as a text part, or a data part {question, step?, mode?} with `mode` one of hint, explain, "
            "solve. The answer is a task: its artifact `answer` grows by a text part for each finished block and ends with a "
            "data part {answer, citations, abstained, ...}. A task in the state input-required asks back: send the reply to that "
            "task. Messages with the same contextId from the same caller are one conversation."
        ),
        tags=("question", "answer", "help", "workshop"),
        examples=(
            "How do I scale the deployment?",
            '{"question": "Why does the pod not start?", "step": "deploy", "mode": "hint"}',
        ),
        input_modes=(TEXT, JSON),
    ),
    Skill(
        id="search_workshop",
        name="Search the workshop",
        description=(
            "Finds passages that answer a question or hold a command. Send a data part {query, limit?}. The answer is a message: "
            "a text part to read, and a data part {passages, confidence, version, took_ms}."
        ),
        tags=("search", "retrieval", "workshop"),
        examples=('{"query": "CrashLoopBackOff", "limit": 3}',),
    ),
    Skill(
        id="get_step",
        name="Read a step",
        description=(
            "Gives a step's text as Markdown. Send a data part {step}, with the step's id or its number from 1. The answer is a "
            "message: a text part, and a data part {id, title, number, total, content, ...}."
        ),
        tags=("step", "read", "workshop"),
        examples=('{"step": "deploy"}', '{"step": "2"}'),
    ),
)


def chat_card(workshop: str, base: str) -> dict[str, Any]:
    """The card of the chat agent of `workshop`, given the address of its root."""
    return agent_card(
        name=f"Assistant of the workshop {workshop}",
        description=f"Answers questions about the workshop '{workshop}' from its text, with citations; searches and reads it.",
        base=base,
        audience=AUDIENCE,
        skills=SKILLS,
    )
