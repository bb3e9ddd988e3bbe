"""The RAG agent's A2A card: who it is and what it can do."""

from typing import Any

from shared_services.kit.a2a import JSON, TEXT, Skill, agent_card

SKILLS = (
    Skill(
        id="search",
        name="Search a workshop",
        description=(
            "Finds the passages of the caller's workshop, and of the shared documents that it may see, that answer a question. "
            "Send the question as a text part, or a data part {query, limit?, step?, kinds?, history?, version?}. "
            "The answer is a message: a text part to read, and a data part {passages, confidence, version, took_ms}. "
            "Which workshop is searched is in the token and nowhere else."
        ),
        tags=("search", "retrieval", "workshop"),
        examples=("How do I scale the deployment to three replicas?", '{"query": "CrashLoopBackOff", "limit": 3}'),
        input_modes=(TEXT, JSON),
    ),
    Skill(
        id="index",
        name="Index a version of a workshop",
        description=(
            "Makes a version that the library holds searchable; for authors, admins and services. Send a data part "
            "{workshop, version, activate?}. The answer is a task with its progress; its artifact is a data part "
            "{workshop, version, chunks, model, indexed_at, active}. A cancelled task leaves what served before."
        ),
        tags=("index", "ingest", "workshop"),
        examples=('{"workshop": "kubernetes-basics", "version": "v3", "activate": true}',),
    ),
)


def rag_card(base: str) -> dict[str, Any]:
    """The card, given the address of the agent's root."""
    return agent_card(
        name="RAG agent",
        description="Knows what each workshop says: finds passages inside the caller's workshop, with where they stand.",
        base=base,
        audience="rag",
        skills=SKILLS,
    )
