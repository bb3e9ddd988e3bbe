"""`workshop up`: every service in one process, on one data folder, until it is told to stop."""

import argparse
import asyncio
import contextlib
import errno
import json
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn
from structlog import get_logger

from shared_services.contracts.jobs import JobState
from shared_services.kit.errors import PlatformError
from shared_services.kit.identity import LOCAL_AUTHOR, sign_in_link
from shared_services.kit.logging import configure_logging
from workshop_cli.access import access_for
from workshop_cli.datafolder import DataFolder, DataFolderError, Holder, hold
from workshop_cli.following import follow
from workshop_cli.settings import CliSettings
from workshop_cli.terminal import err, out, plain, progress_bar, show_error

if TYPE_CHECKING:
    from workshop_cli.core import Core

log = get_logger()

GRACE_SECONDS = 5


class PortInUseError(PlatformError):
    """The address cannot be listened on."""

    slug = "port-in-use"
    title = "The address cannot be used"


def listen(host: str, port: int) -> socket.socket:
    """A listening socket.

    Raises:
        PortInUseError: In use, not allowed, or not an address of this machine.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        bound = socket.socket(family)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        bound.listen(128)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortInUseError(f"Port {port} on {host} is in use. Stop what uses it, or choose another with --port.") from error
        raise PortInUseError(
            f"{host}:{port} cannot be listened on: {error.strerror}. Choose others with --host and --port."
        ) from error
    bound.set_inheritable(False)
    return bound


class _Server(uvicorn.Server):
    """Leaves signals to this module, so that Ctrl-C is an orderly end and not an exception; tells when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listens = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listens.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("--host", help="address to listen on (default 127.0.0.1)")
    parser.add_argument("--port", type=int, help="port to listen on (default 8080)")


async def run(args: argparse.Namespace, settings: CliSettings) -> int:
    """Serve until SIGINT or SIGTERM."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    given = {name: value for name in ("host", "port") if (value := getattr(args, name)) is not None}
    settings = CliSettings.model_validate({**settings.model_dump(), **given})
    with hold(settings.data, "up") as folder:
        configure_logging(settings.log_level, file=folder.log_file)
        with listen(settings.host, settings.port) as bound:
            await _serve(settings, folder, bound, stop)
    err.print("Stopped. Everything is kept; `workshop up` goes on from here.")
    return 0


async def _serve(settings: CliSettings, folder: DataFolder, bound: socket.socket, stop: asyncio.Event) -> None:
    # Importing the services takes seconds; an address that cannot be used is to be told before.
    from workshop_cli.core import open_core

    url = _url(settings.host, bound.getsockname()[1])
    async with open_core(folder, settings, warm=True) as core:
        server = _Server(
            uvicorn.Config(
                core.app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=GRACE_SECONDS, ws="none"
            )
        )
        serving = asyncio.create_task(server.serve(sockets=[bound]))
        stopping = asyncio.create_task(stop.wait())
        try:
            listening = asyncio.create_task(server.listens.wait())
            await asyncio.wait({listening, serving}, return_when=asyncio.FIRST_COMPLETED)
            listening.cancel()
            folder.announce(Holder(pid=os.getpid(), command="up", url=url))
            await _install_and_tell(core, settings, folder, url, stopping)
            await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            folder.announce(Holder(pid=os.getpid(), command="up"))
            server.should_exit = True
            stopping.cancel()
            await serving


def _url(host: str, port: int) -> str:
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{shown}:{port}"


async def _install_and_tell(
    core: "Core", settings: CliSettings, folder: DataFolder, url: str, stopping: "asyncio.Task[bool]"
) -> None:
    installing = asyncio.create_task(install_examples(core, settings.examples, folder.root / "examples.json"))
    await asyncio.wait({installing, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if stopping.done():
        installing.cancel()
        await asyncio.gather(installing, return_exceptions=True)
        return
    installing.result()
    await tell_what_is_behind(core)
    public = settings.public_url or url
    out.print(f"Workshop Assistant  {plain(public)}")
    out.print(f"Sign in as author   {plain(sign_in_link(core.issuer, public))}")
    if access_for(settings) == "code":
        out.print("Participants need a workshop's join code; the author sees it in the list of workshops.")


async def tell_what_is_behind(core: "Core") -> None:
    """One line on the terminal where workshops were indexed with another model than the one in use."""
    try:
        behind = sum(not status.current_model for status in await core.rag.serving())
    except PlatformError as error:
        # a model that is not there is told by the readiness report and by each search
        log.warning("indexes_not_looked_at", reason=str(error))
        return
    if behind:
        are = "1 workshop is" if behind == 1 else f"{behind} workshops are"
        err.print(f"The embedding model has changed: {are} searched by keywords only until `workshop reindex` is run.")


async def install_examples(core: "Core", examples: Path, record: Path) -> None:
    """Publish the example workshops that this data folder has not had yet; one that was removed does not come back.

    Killed in the middle, the next start goes on with the same jobs.
    """
    from shared_services.library.form import read_folder
    from shared_services.library.publishing import PUBLISH

    had = _read_record(record)
    folders = _examples_in(examples, without=had)
    if not folders:
        return
    with progress_bar() as bar:
        for number, example in enumerate(folders, 1):
            bar.update(f"Installing example {number} of {len(folders)}: {example.name}")
            try:
                draft = await core.library.draft(await asyncio.to_thread(read_folder, example))
                key = f"example-{draft.workshop}-{draft.version}"
                given = {"workshop": draft.workshop, "version": draft.version}
                job = await core.jobs.submit(PUBLISH, draft.workshop, LOCAL_AUTHOR.id, given, idempotency_key=key)
                if job.state == JobState.FAILED:
                    job = await core.jobs.retry(job.id)
                await follow(core.jobs, job, bar)
            except PlatformError as error:
                log.warning("example_not_installed", example=example.name, reason=str(error))
                show_error(PlatformError(f"The example '{example.name}' was not installed: {error}"))
                continue
            had.append(example.name)
            _write_record(record, had)


def _read_record(record: Path) -> list[str]:
    if not record.exists():
        return []
    try:
        return [str(name) for name in json.loads(record.read_text())]
    except (ValueError, TypeError) as error:
        raise DataFolderError(
            f"{record} is damaged, so which examples were installed is not known. Remove it, and they are installed again."
        ) from error


def _write_record(record: Path, had: list[str]) -> None:
    draft = record.with_suffix(".new")
    draft.write_text(json.dumps(had))
    draft.replace(record)


def _examples_in(folder: Path, *, without: list[str]) -> list[Path]:
    return sorted(path.parent for path in folder.glob("*/workshop.yaml") if path.parent.name not in without)
