"""`workshop ask`: a question, and the answer as it comes, with the places it rests on."""

import argparse
import asyncio
import contextlib
import sys

from shared_services.clients.chat import ChatClient
from shared_services.contracts.chat import MAX_MESSAGE_CHARACTERS, Answer, BlockEvent, Citation, MessageRequest, NearestSection
from shared_services.contracts.problems import Problem
from shared_services.kit.errors import BadInputError, PlatformError, ProblemError, UnavailableError
from workshop_cli.connection import Connection, connect
from workshop_cli.names import workshop_name
from workshop_cli.settings import CliSettings
from workshop_cli.terminal import err, out, plain, printable

FIRST_TURN = 1
STOP_SECONDS = 3.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("name", type=workshop_name, help="the workshop's slug")
    parser.add_argument("question")
    parser.add_argument("--step", help="the step that you are on; its passages are favoured")
    parser.add_argument("--json", action="store_true", help="the answer as one JSON object on stdout")


async def run(args: argparse.Namespace, settings: CliSettings) -> int:
    """Ask; 0 also when the workshop does not hold an answer, which is then said."""
    _check_question(args.question)
    async with connect(settings, "ask") as connection:
        version = await connection.library.current(args.name)
        if args.step and args.step not in version.steps:
            known = ", ".join(version.manifest.steps)
            raise BadInputError(f"Workshop '{args.name}' has no step '{args.step}'. Its steps: {known}.")
        message = MessageRequest(text=args.question, step=args.step)
        answer = await _ask(connection, args.name, message, show=not args.json)
    if args.json:
        fields = {"answer", "abstained", "nearest", "citations", "timings", "written_by", "note"}
        sys.stdout.write(answer.model_dump_json(indent=2, include=fields) + "\n")
    else:
        _show_places(answer)
    return 0


def _check_question(question: str) -> None:
    if not question.strip():
        raise BadInputError("The question is empty.")
    if len(question) > MAX_MESSAGE_CHARACTERS:
        raise BadInputError(f"The question has {len(question):,} characters; at most {MAX_MESSAGE_CHARACTERS:,} are taken.")
    if any("\ud800" <= character <= "\udfff" for character in question):
        raise BadInputError("The question is not UTF-8 text.")


async def _ask(connection: Connection, workshop: str, message: MessageRequest, *, show: bool) -> Answer:
    chat = connection.chat(workshop)
    conversation = await chat.create_conversation()
    try:
        return await _read(chat, conversation, message, show=show)
    except (asyncio.CancelledError, BrokenPipeError):
        # Ctrl-C, or nobody reads the output. The answer would go on.
        await _stop(chat, conversation)
        raise


async def _stop(chat: ChatClient, conversation: str) -> None:
    with contextlib.suppress(PlatformError, TimeoutError):
        await asyncio.wait_for(chat.stop(conversation, FIRST_TURN), STOP_SECONDS)


async def _read(chat: ChatClient, conversation: str, message: MessageRequest, *, show: bool) -> Answer:
    async for event in chat.stream(conversation, message):
        if event.event == "block" and show:
            block = BlockEvent.model_validate_json(event.data)
            print(printable(block.before + block.markdown), end="", flush=True)
        elif event.event == "done":
            if show:
                print("\n")
            return Answer.model_validate_json(event.data)
        elif event.event == "error":
            raise ProblemError(Problem.model_validate_json(event.data))
    raise UnavailableError("The answer ended before it was complete. Ask again.")


def _show_places(answer: Answer) -> None:
    if answer.note:
        err.print(f"[dim]{plain(answer.note)}[/]")
    for citation in answer.citations:
        out.print(f"[bold]\\[{citation.n}][/] {plain(_place(citation))}")
    if answer.abstained and answer.nearest:
        out.print("Nearest sections:")
        for section in answer.nearest:
            out.print(f"  {plain(_titles(section))}  {plain(section.file)}:{section.line}")


def _place(citation: Citation) -> str:
    source = f"{citation.source.file}:{citation.source.line}"
    own = f"{citation.file}:{citation.first_line}"
    return f"{own}  {_titles(citation)}" + (f"  (source {source})" if source != own else "")


def _titles(place: Citation | NearestSection) -> str:
    if place.document is None:
        return " > ".join(place.heading)
    return f"shared document: {' > '.join(place.document.titles(place.heading))}"
