"""`operate content`: a workshop's content taken or converted, called as the workshop is, published and indexed.

The same content again is no work. Killed anywhere and run again it goes on: a draft that is there already is found again by its
content, and a publication that has begun goes on in the console by itself.
"""

import tempfile
from pathlib import Path
from typing import IO, Any

from anyio import to_thread

from shared_services.contracts.conversion import ConvertRequest, Form
from shared_services.contracts.library import WorkshopVersion
from shared_services.contracts.rag import IndexStatus
from shared_services.kit.errors import BadInputError, NotFoundError, PlatformError, TooLargeError
from shared_services.library.form import WorkshopFiles, read_folder, with_slug
from workshop_cli.cluster.following import Lines, followed
from workshop_cli.cluster.inside import Inside, when_ready
from workshop_cli.cluster.server import Say

MIB = 1024 * 1024

MOST_ARCHIVE_BYTES = 100 * MIB
MOST_UNPACKED_BYTES = 200 * MIB
"""An archive, what it holds and what is made of it lie in the pod's /tmp together, which has 512 MiB."""

_CHUNK = 1 << 20


def shipped_in(examples: Path) -> list[str]:
    """The names of the workshops in a folder of examples."""
    return sorted(manifest.parent.name for manifest in examples.glob("*/workshop.yaml"))


async def from_example(core: Inside, name: str, example: str, examples: Path, say: Say) -> dict[str, Any]:
    """Publish a shipped example as workshop `name`.

    Raises:
        BadInputError: No example of that name ships.
        PlatformError: It could not be published.
    """
    shipped = shipped_in(examples)
    if example not in shipped:
        raise BadInputError(
            f"No example is called {example[:80]!r}; those that ship are {', '.join(shipped) or 'none'}. Give the content with "
            "--source or --archive."
        )
    say(f"Reading the example {example}")
    return await _publish_files(core, name, await to_thread.run_sync(read_folder, examples / example), say)


async def from_archive(core: Inside, name: str, archive: IO[bytes], path: str, form: Form | None, say: Say) -> dict[str, Any]:
    """Publish what an archive (`.tar.gz`) holds, a workshop in the neutral form or a repository of another.

    Raises:
        SourceError: The archive is refused, or there is no workshop in it.
        PlatformError: It could not be published.
    """
    from agents.template_converter.service import ConverterService
    from agents.template_converter.settings import ConverterSettings

    limits = ConverterSettings()
    service = ConverterService(
        limits.model_copy(
            update={
                "allow_local_sources": True,
                "max_source_bytes": min(limits.max_source_bytes, MOST_UNPACKED_BYTES),
                "max_file_bytes": min(limits.max_file_bytes, MOST_UNPACKED_BYTES),
            }
        )
    )
    lines = Lines(say)
    with tempfile.TemporaryDirectory(prefix="operate-") as folder:
        source, out = Path(folder) / f"{name}.tar.gz", Path(folder) / "out" / "workshop"
        say("Reading the archive")
        await to_thread.run_sync(take_archive, archive, source)
        request = ConvertRequest(source=str(source), path=path, as_form=form, slug=name)
        report = await to_thread.run_sync(
            service.convert, request, out, lambda _stage, _done, _total, message: lines.tell(message)
        )
        files = await to_thread.run_sync(read_folder, out)
    say(_counted(report.model_dump(mode="json")))
    return await _publish_files(core, name, files, say)


def take_archive(archive: IO[bytes], target: Path) -> None:
    """Copy what comes in to a file.

    Raises:
        BadInputError: Nothing came.
        TooLargeError: More came than is taken.
    """
    taken = 0
    with target.open("wb") as file:
        while chunk := archive.read(_CHUNK):
            taken += len(chunk)
            if taken > MOST_ARCHIVE_BYTES:
                raise TooLargeError(
                    f"The archive is larger than {MOST_ARCHIVE_BYTES // MIB} MiB. Push the content to a git repository and give "
                    "its address with --source."
                )
            file.write(chunk)
    if not taken:
        raise BadInputError(
            "Nothing came on standard input. Send a tar.gz: tar -C FOLDER -czf - . | ... operate content NAME --archive -"
        )


async def from_repository(core: Inside, name: str, request: ConvertRequest, say: Say) -> dict[str, Any]:
    """Have the template converter read a git repository, and publish what it makes of it.

    Raises:
        PlatformError: It could not be read or published.
    """
    say(f"Asking the template converter for {name}")
    named = request.model_copy(update={"slug": name})
    job = await followed(core.jobs, await when_ready(lambda: core.converter.convert(named), say), say)
    made = job.result or {}
    if made.get("workshop") != name:
        raise PlatformError(f"The template converter made {made.get('workshop')!r} of it in place of {name!r}. Update its image.")
    say(_counted(made["report"]))
    return await _publish(core, await core.stored(core.library.version(name, str(made["version"]))), say)


def _counted(report: dict[str, Any]) -> str:
    counts = report["counts"]
    read = f"Read as {report['form']}: {counts['steps']} steps, {counts['code_blocks']} code blocks"
    return f"{read}; {len(report['losses'])} losses, {len(report['broken'])} broken before"


async def _publish_files(core: Inside, name: str, workshop: WorkshopFiles, say: Say) -> dict[str, Any]:
    return await _publish(core, await core.stored(core.library.draft(with_slug(workshop, name))), say)


async def _publish(core: Inside, draft: WorkshopVersion, say: Say) -> dict[str, Any]:
    name = draft.workshop
    index = await index_of(core, name, say)
    if draft.current and index is not None and index.version == draft.version:
        say(f"{name} {draft.version} is published already; there is nothing to do.")
        return _result(draft, index.chunks, changed=False)
    say(f"Publishing {name} {draft.version} with {len(draft.steps)} steps")
    job = await followed(core.jobs, await when_ready(lambda: core.console.publish(name, draft.version), say), say)
    return _result(draft, int((job.result or {})["chunks"]), changed=True)


def _result(version: WorkshopVersion, chunks: int, *, changed: bool) -> dict[str, Any]:
    return {
        "workshop": version.workshop,
        "title": version.manifest.title,
        "version": version.version,
        "number": version.number,
        "steps": len(version.steps),
        "chunks": chunks,
        "changed": changed,
    }


async def index_of(core: Inside, name: str, say: Say) -> IndexStatus | None:
    """What is searched of a workshop now; None where nothing is.

    Raises:
        PlatformError: The RAG agent does not answer.
    """
    try:
        found = await when_ready(lambda: core.rag(name).status(name), say)
    except PlatformError as error:
        if error.status == NotFoundError.status:
            return None
        raise
    return found if found.active else None
