"""Writing the answer: by the model, block for block as they are finished, or out of the passages' own words."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from shared_services.contracts.chat import HelpMode
from shared_services.contracts.rag import Passage, Turn
from shared_services.llm.blocks import BlockAssembler
from shared_services.llm.extractive import extract_answer
from shared_services.llm.gateway import ChatMessage, Finish, ModelGateway
from shared_services.llm.prompt import answer_prompt, general_prompt, says_no_answer

PARAGRAPH = "\n\n"


@dataclass(frozen=True)
class WrittenBlock:
    """A finished piece as it was written, not yet checked. Citations are numbers of passages, from 1."""

    markdown: str
    before: str = PARAGRAPH


class NotInPassagesError(Exception):
    """The model says that the passages do not hold the answer."""


@dataclass(frozen=True)
class Commission:
    """What the model is asked to write.

    Attributes:
        passages: Best first, within `context_characters`; number n of an answer is the n-th of these.
        history: Earlier turns, oldest first.
        max_tokens: Longest answer, in the model's tokens.
        mode: The way of helping.
        about: What of the step the participant points at.
        general: Not from passages, of which there are none, but from what the model knows.
    """

    question: str
    passages: Sequence[Passage]
    history: Sequence[Turn]
    workshop_title: str
    step_title: str | None
    max_tokens: int
    context_characters: int
    mode: HelpMode = "explain"
    about: str = ""
    general: bool = False


def prompt_for(commission: Commission) -> list[ChatMessage]:
    """The messages to send."""
    asked, workshop, step = commission.question, commission.workshop_title, commission.step_title
    if commission.general:
        return general_prompt(asked, commission.history, workshop, step, mode=commission.mode, about=commission.about)
    return answer_prompt(
        asked,
        commission.passages,
        commission.history,
        workshop,
        step,
        max_characters=commission.context_characters,
        mode=commission.mode,
        about=commission.about,
    )


async def write_with_model(gateway: ModelGateway, commission: Commission) -> AsyncGenerator[WrittenBlock | Finish]:
    """The model's answer as it is written, then how it ended. Closing the generator stops the model.

    Raises:
        NotInPassagesError: The model says so before it has written anything else.
        ModelUnavailableError: No answer, or not the whole of one; blocks given before it stand.
    """
    messages = prompt_for(commission)
    assembler = BlockAssembler()
    written = False
    end: Finish | None = None
    async with aclosing(gateway.stream(messages, max_tokens=commission.max_tokens)) as reply:
        async for piece in reply:
            if isinstance(piece, Finish):
                end = piece
                finished = assembler.close()
            else:
                finished = assembler.feed(piece)
            for block in finished:
                if says_no_answer(block.markdown):
                    if written:
                        return
                    raise NotInPassagesError
                written = True
                yield WrittenBlock(block.markdown, block.before)
    if end is not None:
        yield end


def write_extractive(question: str, passages: Sequence[Passage]) -> list[WrittenBlock]:
    """The passages' own sentences and commands that answer the question; none where nothing in them does."""
    return [WrittenBlock(block.markdown) for block in extract_answer(question, passages)]
