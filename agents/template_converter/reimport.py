"""A newer commit of a workshop's source, and what the workshop was made from, both read the same way: what a merge needs."""

import re
from dataclasses import dataclass

from agents.template_converter.errors import SourceError
from agents.template_converter.git import Progress
from agents.template_converter.service import ConverterService, silent
from agents.template_converter.sources import parse_source
from shared_services.contracts.conversion import ConversionReport, Form
from shared_services.contracts.workshop import WorkshopManifest, WorkshopSource
from shared_services.library.form import WorkshopFiles
from shared_services.library.merging import with_origin

_COMMIT = re.compile(r"^[0-9a-f]{40}([0-9a-f]{24})?$")


class NoOriginError(SourceError):
    """A workshop does not say what it was made from."""

    slug = "source-unknown-origin"
    title = "It is not known what this workshop was made from"


@dataclass(frozen=True)
class Newer:
    """Two conversions of one source.

    Attributes:
        base: Of the commit that the workshop was made from.
        theirs: Of the newer one; its origin is what the workshop's is to be.
        report: Of the newer one.
        pages: Of the newer one, by path in the source.
    """

    base: WorkshopFiles
    theirs: WorkshopFiles
    report: ConversionReport
    pages: dict[str, bytes]


def read_newer(
    service: ConverterService,
    mine: WorkshopManifest,
    *,
    source: str | None = None,
    ref: str | None = None,
    base: str | None = None,
    form: Form | None = None,
    path: str | None = None,
    progress: Progress = silent,
) -> Newer:
    """Convert what `mine` was made from, and a newer commit of it, the way that `mine` says.

    Args:
        service: Converts.
        mine: The author's `workshop.yaml`, with the origin.
        source: Where the source is, in place of what the workshop says.
        ref: The newer commit: a branch, a tag or a commit; else the branch or tag that the workshop was made from.
        base: What it was made from, in place of what the workshop says.
        form: How to read both, in place of what the workshop says; needed where that is not recorded and not plain.
        path: The folder to read of both, likewise.
        progress: As for `ConverterService.convert`.

    Raises:
        ChoiceRequiredError: How to read it is neither recorded nor plain.
        NoOriginError: The workshop does not say where it comes from, and neither does the caller.
        SourceError: The source cannot be fetched, is refused, or cannot be read.
    """
    recorded = mine.source or WorkshopSource()
    if form is not None or path is not None:
        folder = recorded.path if path is None else path.strip("/")
        recorded = recorded.model_copy(update={"form": form or recorded.form, "path": folder})
    address, first = source or recorded_address(recorded), base or recorded.commit
    if first is None:
        raise NoOriginError(
            "workshop.yaml does not say which commit the workshop was made from. Name it: with --base, or as `base`."
        )
    wanted = ref or following(recorded)
    slug = mine.slug
    progress("base", 0, None, f"What the workshop was made from: {first[:12]}")
    before = service.read_again(address, recorded, first, progress)
    progress("newer", 0, None, f"The newer commit: {wanted or 'the default branch'}")
    after = service.read_again(address, recorded, wanted, progress)
    read = after.workshop.manifest.source or WorkshopSource()
    # The address may be this machine's own, or hold a password; what the workshop says of it stays.
    origin = recorded.model_copy(
        update={
            "repository": recorded.repository or read.repository,
            "ref": wanted,
            "commit": after.report.commit,
            "path": read.path,
            "form": after.report.form,
        }
    )
    return Newer(
        with_origin(before.workshop, slug, before.workshop.manifest.source),
        with_origin(after.workshop, slug, origin),
        after.report,
        after.pages,
    )


def recorded_address(recorded: WorkshopSource) -> str:
    """The address that a workshop says it comes from; never one of this machine's own files, whatever it says.

    Raises:
        NoOriginError: It says none.
        SourceError: It says one that is not taken.
    """
    if recorded.repository is None:
        raise NoOriginError(
            "workshop.yaml does not say which repository the workshop was made from (folders and archives are not recorded). "
            "Name it: with --source, or as `source`."
        )
    parse_source(recorded.repository, allow_local=False)
    return recorded.repository


def following(recorded: WorkshopSource) -> str | None:
    """The branch or tag whose newest commit a workshop follows; None for the default branch, as after a commit's id."""
    if recorded.ref is None or _COMMIT.match(recorded.ref) or (recorded.commit or " ").startswith(recorded.ref):
        return None
    return recorded.ref
