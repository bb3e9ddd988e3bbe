"""Conversations: letting a message in, and having it answered by a run that outlives its reader."""

import hashlib
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import anyio

from shared_services.contracts.chat import Answer, HelpMode, MessageRequest, StoredTurn
from shared_services.contracts.library import WorkshopVersion
from shared_services.kit.errors import BadInputError, UnavailableError
from workshop_chat import metrics
from workshop_chat.content import WorkshopContent
from workshop_chat.contexts import Contexts, SafetyLevel
from workshop_chat.pipeline import AnswerPipeline, Draft, Piece, Question
from workshop_chat.repository import ConversationRepository
from workshop_chat.runs import Run, Runs
from workshop_chat.stages.moderate import moderate_message, moderate_turns


@dataclass(frozen=True)
class Admitted:
    """A message that has been let in and waits for its answer."""

    conversation: str
    participant: str
    question: Question
    mode: HelpMode = "explain"


class ChatService:
    """The conversations of one workshop.

    Args:
        content: The workshop.
        repository: Where conversations are kept.
        pipeline: What answers.
        runs: The answers that are being made.
        contexts: Tell the workshop's context, and so its level of safety.
        history_turns: How many earlier turns are read to understand a message.
    """

    def __init__(
        self,
        content: WorkshopContent,
        repository: ConversationRepository,
        pipeline: AnswerPipeline,
        contexts: Contexts,
        runs: Runs,
        *,
        history_turns: int,
    ) -> None:
        self._contexts = contexts
        self._content = content
        metrics.begin(content.workshop)
        self._repository = repository
        self._pipeline = pipeline
        self._runs = runs
        self._history_turns = history_turns

    async def create(self, participant: str) -> str:
        """A new conversation's id."""
        return await self._repository.create(participant)

    async def resume(self, thread: str, participant: str) -> str:
        """The id of a participant's conversation for a thread that the caller names, begun where it has not been.

        The same thread of another participant is another conversation.
        """
        named = hashlib.sha256(f"{self._content.workshop}\n{participant}\n{thread}".encode()).hexdigest()[:32]
        await self._repository.ensure(named, participant)
        return named

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
        earlier = await self._repository.earlier_turns(conversation, participant, self._history_turns)
        published = await self._content.current()
        step = message.step if message.step in published.steps else None
        question = self._question(message.text, step, earlier, published, participant)
        asked = replace(question, mode=message.mode, about=message.about)
        return Admitted(conversation, participant, asked, message.mode)

    async def question(self, text: str, turns: Sequence[StoredTurn], step: str | None, participant: str = "") -> Question:
        """A message whose caller keeps the conversation; `turns` are its earlier ones, oldest first.

        Args:
            text: The message.
            turns: Earlier ones.
            step: The step that its sender is on, where that is known.
            participant: Who asks, for fair turns at the model.

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
        return self._question(text, step, earlier, published, participant)

    def level(self, published: WorkshopVersion) -> SafetyLevel:
        """The level of safety of a version."""
        return self._contexts.of(published.manifest).safety_level

    def _question(
        self, text: str, step: str | None, turns: Sequence[StoredTurn], published: WorkshopVersion, participant: str
    ) -> Question:
        level = self.level(published)
        kept, checks = moderate_message(level, text)
        return Question(kept, step, turns, published, checks, level, participant=participant)

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

    async def begin(self, turn: Admitted) -> Run:
        """Write the turn down and begin its answer, which goes on whoever reads it; `Run.follow` it.

        Raises:
            UnavailableError: The store does not answer, or the process is about to end.
        """
        asked = turn.question
        asked_at = datetime.now(UTC)
        self._runs.check_open()
        # Shielded: a caller who leaves right now must not leave a turn behind that nobody answers.
        with anyio.CancelScope(shield=True):
            try:
                number = await self._repository.begin_turn(
                    turn.conversation,
                    turn.participant,
                    asked.text,
                    asked.step,
                    asked.published.version,
                    turn.mode,
                    asked.about,
                    asked_at,
                )
            except UnavailableError:
                # A store that goes away in the middle of it may have kept the question all the same.
                self._runs.forget(turn.conversation, turn.participant, asked_at)
                raise
        metrics.QUESTIONS.labels(self._content.workshop).inc()
        draft = Draft(turn.conversation)
        return self._runs.begin(turn.conversation, turn.participant, number, draft, self._pipeline.run(asked, draft))

    async def retry(self, conversation: str, participant: str, number: int) -> Run:
        """Answer a question anew whose answer was interrupted or could not be begun, in the same turn; `Run.follow` it.

        Raises:
            TurnNotFoundError: This participant has no such turn.
            TurnOpenError: It is being answered.
            TurnAnsweredError: It has its answer.
            UnavailableError: The workshop or the store cannot be read, or the process is about to end.
        """
        self._runs.check_open()
        asked = (await self._repository.turn(conversation, participant, number)).turn
        published = await self._content.current()
        earlier = await self._repository.last_turns(conversation, participant, self._history_turns, before=number)
        step = asked.step if asked.step in published.steps else None
        question = self._question(asked.question, step, earlier, published, participant)
        question = replace(question, mode=asked.mode, about=asked.about if step else None)
        with anyio.CancelScope(shield=True):
            attempt = await self._repository.reopen_turn(conversation, participant, number, published.version)
        draft = Draft(conversation)
        return self._runs.begin(conversation, participant, number, draft, self._pipeline.run(question, draft), attempt)

    async def turn(self, conversation: str, participant: str, number: int) -> StoredTurn:
        """One turn, as far as its answer is kept.

        Raises:
            TurnNotFoundError: This participant has no such turn.
        """
        return (await self._repository.turn(conversation, participant, number)).turn

    def follow(self, conversation: str, participant: str, number: int, after: int) -> AsyncGenerator[Piece | Answer]:
        """What comes after block `after` (-1 for all) of a turn, whether it is being answered or was, then the Answer.

        Raises:
            TurnNotFoundError: This participant has no such turn.
            PlatformError: The answer failed or was interrupted.
        """
        return self._runs.follow(conversation, participant, number, after)

    async def stop(self, conversation: str, participant: str, number: int) -> None:
        """End a turn's answer, at whichever process; what there is of it is kept.

        Raises:
            TurnNotFoundError: This participant has no such turn.
        """
        await self._runs.stop(conversation, participant, number)
