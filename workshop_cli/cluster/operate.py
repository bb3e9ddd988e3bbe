"""`operate content | ask | status | remove | sign-in`: what who deploys workshops does inside a console's pod.

    kubectl exec -n workshop-core-system console-0 -- workshop-service operate status NAME

Progress and errors go to stderr, results to stdout; with `--json` the result is one line.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from typing import Any

from shared_services.contracts.conversion import ConvertRequest, Form
from shared_services.kit.errors import BadInputError
from shared_services.kit.identity import sign_in_link
from shared_services.kit.logging import configure_logging
from workshop_cli.cluster.asking import ask, refuse_unpublished
from workshop_cli.cluster.content import from_archive, from_example, from_repository
from workshop_cli.cluster.inside import Inside, inside, issuer_of
from workshop_cli.cluster.names import workshop_name
from workshop_cli.cluster.outcome import FAILED, run_reported, say
from workshop_cli.cluster.state import remove, status
from workshop_cli.settings import CliSettings, ConsoleProcessSettings

WAIT_SECONDS = 60.0


def parser() -> argparse.ArgumentParser:
    """The arguments."""
    root = argparse.ArgumentParser(
        prog="workshop-service operate",
        description="Content, questions and the end of workshops, from inside a console's pod.",
    )
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, summary: str, *, named: bool = True) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=summary, description=f"{summary}.")
        if named:
            made.add_argument("name", metavar="NAME", help="the workshop")
        made.add_argument("--json", action="store_true", help="the result as one line of JSON on stdout")
        return made

    content = command("content", "publish the workshop's content; the same again is no work")
    source = content.add_mutually_exclusive_group(required=True)
    source.add_argument("--example", metavar="TYPE", help="a workshop that ships with the platform")
    source.add_argument("--source", metavar="URL", help="address of a git repository, read by the template converter")
    source.add_argument("--archive", choices=["-"], help="a tar.gz on standard input: a workshop or a repository")
    content.add_argument("--ref", help="branch, tag or commit of --source")
    content.add_argument("--path", default="", help="subfolder to read as if it were the whole")
    content.add_argument("--as", dest="form", choices=[form.value for form in Form], metavar="FORM", help="read it as this form")
    asking = command("ask", "ask the workshop's chat agent; fails where the answer has no citation")
    asking.add_argument("question", nargs="?", help="one is made of the workshop's steps where there is none")
    asking.add_argument("--address", help="of the chat agent, in place of its Service")
    asking.add_argument("--wait", type=float, default=WAIT_SECONDS, help="seconds that it may take to get ready")
    command("status", "what is published and indexed of the workshop, as JSON")
    command("remove", "remove the workshop from library and index")
    command("sign-in", "print a link that signs an author in to the console", named=False)
    return root


async def _run(args: argparse.Namespace) -> int:
    settings = ConsoleProcessSettings()
    if args.command == "sign-in":
        link = sign_in_link(issuer_of(settings), (settings.public_url or f"http://127.0.0.1:{settings.port}").rstrip("/"))
        _show(link, {"url": link}, as_json=args.json)
        return 0
    name = workshop_name(args.name)
    async with inside(settings) as core:
        if args.command == "content":
            found = await _content(core, name, args)
            text = f"{name} {found['version']} is published: {found['steps']} steps, {found['chunks']} passages."
        elif args.command == "ask":
            return await _ask(core, name, args)
        elif args.command == "remove":
            found = await remove(core, name, say)
            text = f"Nothing of {name} is left in library and index."
        else:
            found = await status(core, name, say)
            text = json.dumps(found)
    _show(text, found, as_json=args.json)
    return 0


async def _content(core: Inside, name: str, args: argparse.Namespace) -> dict[str, Any]:
    form = Form(args.form) if args.form else None
    if args.ref and not args.source:
        raise BadInputError("--ref names a branch, tag or commit of a git repository; give one with --source.")
    if args.example:
        if args.path or form:
            raise BadInputError("--path and --as are for --source and --archive; an example is taken as it ships.")
        return await from_example(core, name, args.example, CliSettings().examples, say)
    if args.archive:
        if sys.stdin.isatty():
            raise BadInputError("--archive reads a tar.gz on standard input, and that is a terminal: pipe one in.")
        return await from_archive(core, name, sys.stdin.buffer, args.path, form, say)
    request = ConvertRequest(source=args.source, ref=args.ref, path=args.path, as_form=form)
    return await from_repository(core, name, request, say)


async def _ask(core: Inside, name: str, args: argparse.Namespace) -> int:
    if args.question is not None and not args.question.strip():
        raise BadInputError("The question is empty.")
    await refuse_unpublished(core, name)
    reply = await ask(core, name, args.question, args.address, args.wait, say)
    _show(reply.as_text(), reply.as_json(name), as_json=args.json)
    if not reply.answer.citations:
        say("operate ask: the answer has no citation.")
        return FAILED
    return 0


def _show(text: str, found: dict[str, Any], *, as_json: bool) -> None:
    from workshop_cli.terminal import printable

    sys.stdout.write((json.dumps(found) if as_json else printable(text)) + "\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Do it; the exit status."""
    args = parser().parse_args(arguments)
    configure_logging("warning", as_json=False)
    return run_reported(lambda: asyncio.run(_run(args)), f"operate {args.command}")
