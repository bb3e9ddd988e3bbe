"""Conversations: letting a message in, having it answered, keeping the turn whatever happens."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

import anyio
from structlog import get_logger

from shared_services.contracts.chat import Answer, MessageRequest, StoredTurn
from shared_services.contracts.library import WorkshopVersion
from shared_services.kit.errors import BadInputError, PlatformError
from workshop_chat import metrics
from workshop_chat.content import WorkshopContent
from workshop_chat.contexts import Contexts, SafetyLevel
from workshop_chat.pipeline import AnswerPipeline, Draft, Piece, Question
from workshop_chat.repository import ConversationRepository
from workshop_chat.stages.moderate import moderate_message, moderate_turns

log = get_logger()


@dataclass(frozen=True)
class Admitted:
    """A message that has been let in and waits for its answer."""

    conversation: str
    participant: str
    question: Question


class ChatService:
    """The conversations of one workshop.

    Args:
        content: The workshop.
        repository: Where conversations are kept.
        pipeline: What answers.
        contexts: Tell the workshop's context, and so its level of safety.
        history_turns: How many earlier turns are read to understand a message.
    """

    def __init__(
        self,
        content: WorkshopContent,
        repository: ConversationRepository,
        pipeline: AnswerPipeline,
        contexts: Contexts,
        *,
        history_turns: int,
    ) -> None:
        self._contexts = contexts
        self._content = content
        self._repository = repository
        self._pipeline = pipeline
        self._history_turns = history_turns

    async def create(self, participant: str) -> str:
        """A new conversation's id."""
        return await self._repository.create(participant)

    async def turns(self, conversation: str, participant: str) -> list[StoredTurn]:
        """A conversation's turns, oldest first.

        Raises:
            ConversationNotFoundError: It is not this participant's.
        """
        return await self._repository.turns(conversation, participant)

    async def admit(self, conversation: str, participant: str, message: MessageRequest) -> Admitted:
        """Let a message in. Nothing is written yet.

        A step that the current version no longer has is passed over: the page may be older than the version.

        Raises:
            BadInputError: The message is blank.
            ConversationNotFoundError: The conversation is not this participant's.
            UnavailableError: The workshop cannot be read.
        """
        if not message.text.strip():
            raise BadInputError("The message is empty. Write a question.")
        await self._repository.require(conversation, participant)
        published = await self._content.current()
        earlier = await self._repository.last_turns(conversation, participant, self._history_turns)
        step = message.step if message.step in published.steps else None
        return Admitted(conversation, participant, self._question(message.text, step, earlier, published))

    async def question(self, text: str, turns: Sequence[StoredTurn], step: str | None) -> Question:
        """A message whose caller keeps the conversation; `turns` are its earlier ones, oldest first.

        Raises:
            BadInputError: The message is blank, or the workshop has no such step.
            UnavailableError: The workshop cannot be read.
        """
        if not text.strip():
            raise BadInputError("The message is empty. Write a question.")
        published = await self._content.current()
        if step is not None and step not in published.steps:
            raise BadInputError(f"The workshop has no step '{step[:80]}'. Its steps: {', '.join(published.manifest.steps)}.")
        earlier = moderate_turns(self.level(published), turns[-self._history_turns :] if self._history_turns else [])
        return self._question(text, step, earlier, published)

    def level(self, published: WorkshopVersion) -> SafetyLevel:
        """The level of safety of a version."""
        return self._contexts.of(published.manifest).safety_level

    def _question(self, text: str, step: str | None, turns: Sequence[StoredTurn], published: WorkshopVersion) -> Question:
        level = self.level(published)
        kept, checks = moderate_message(level, text)
        return Question(kept, step, turns, published, checks, level)

    async def reply(self, question: Question) -> AsyncGenerator[Piece | Answer]:
        """The pieces of the answer to a question of which nothing is kept, then the Answer.

        Raises:
            PlatformError: Retrieval failed.
        """
        metrics.QUESTIONS.labels(self._content.workshop).inc()
        draft = Draft("")
        async with aclosing(self._pipeline.run(question, draft)) as pieces:
            async for piece in pieces:
                yield piece
        yield draft.answer()

    async def answer(self, turn: Admitted) -> AsyncGenerator[Piece | Answer]:
        """The pieces of the answer as they come, then the Answer, which is kept by then.

        The turn is written down first. When the caller goes away or anything fails, the model is stopped and the turn is kept
        as interrupted, with what was given so far. Close the generator (`contextlib.aclosing`) to stop it.

        Raises:
            PlatformError: Retrieval or the store failed.
        """
        asked = turn.question
        # Shielded: a caller who leaves right now must not leave a turn behind whose number nobody knows.
        with anyio.CancelScope(shield=True):
            number = await self._repository.begin_turn(
                turn.conversation, turn.participant, asked.text, asked.step, asked.published.version
            )
        metrics.QUESTIONS.labels(self._content.workshop).inc()
        draft = Draft(turn.conversation)
        whole = False
        try:
            async with aclosing(self._pipeline.run(asked, draft)) as pieces:
                async for piece in pieces:
                    yield piece
            answer = draft.answer()
            await self._repository.end_turn(turn.participant, number, answer, interrupted=False)
            whole = True
        finally:
            if not whole:
                await self._keep_interrupted(turn, number, draft)
        yield answer

    async def _keep_interrupted(self, turn: Admitted, number: int, draft: Draft) -> None:
        metrics.INTERRUPTED.labels(self._content.workshop).inc()
        with anyio.CancelScope(shield=True):
            try:
                await self._repository.end_turn(turn.participant, number, draft.answer(), interrupted=True)
            except PlatformError as error:
                # The start-up of the next process marks it; the first failure is the one to show.
                log.exception("interrupted_turn_not_kept", conversation=turn.conversation, detail=error.detail)
