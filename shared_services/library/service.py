"""The library's logic: what a version is, and which one participants see."""

import hashlib
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncEngine

from shared_services.contracts.library import LibraryFile, WorkshopSummary, WorkshopVersion
from shared_services.contracts.workshop import StepManifest, WorkshopManifest
from shared_services.library.choice_store import ChoiceStore
from shared_services.library.errors import WorkshopNotFoundError
from shared_services.library.form import WorkshopFiles
from shared_services.library.repository import ExportRow, FileRow, LibraryRepository, VersionRow


def version_of(files: dict[str, bytes]) -> str:
    """The version of a workshop's content: 16 hexadecimal digits over every path and its bytes."""
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(f"{path}\0{hashlib.sha256(files[path]).hexdigest()}\n".encode())
    return digest.hexdigest()[:16]


class LibraryService:
    """Keeps versions; nothing is visible to participants until `set_current`.

    Attributes:
        choices: How people chose to read repositories.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._repository = LibraryRepository(engine)
        self.choices = ChoiceStore(engine)

    async def draft(self, workshop: WorkshopFiles) -> WorkshopVersion:
        """Store a version that nobody sees yet. The same content again is the same version."""
        slug, version = workshop.manifest.slug, version_of(workshop.files)
        hashes = {path: hashlib.sha256(data).hexdigest() for path, data in workshop.files.items()}
        row = VersionRow(
            workshop=slug,
            version=version,
            number=0,
            created_at=datetime.now(UTC),
            manifest=workshop.manifest.model_dump(mode="json", by_alias=True),
            steps={step: manifest.model_dump(mode="json") for step, manifest in workshop.steps.items()},
        )
        files = [
            FileRow(workshop=slug, version=version, path=path, sha256=hashes[path], size=len(data))
            for path, data in workshop.files.items()
        ]
        await self._repository.add(row, files, {hashes[path]: data for path, data in workshop.files.items()})
        return await self.version(slug, version)

    async def set_current(self, workshop: str, version: str) -> None:
        """Show `version` to participants from now on; the older ones are kept.

        Raises:
            WorkshopNotFoundError: There is no such version.
        """
        if not await self._repository.set_current(workshop, version):
            raise WorkshopNotFoundError(f"Workshop '{workshop}' has no version {version}.")

    async def list(self) -> list[WorkshopSummary]:
        """Every workshop's current version, by title."""
        summaries = []
        for row in await self._repository.all_current():
            manifest = WorkshopManifest.model_validate(row.manifest)
            summaries.append(
                WorkshopSummary(
                    workshop=row.workshop,
                    title=manifest.title,
                    summary=manifest.summary,
                    version=row.version,
                    number=row.number,
                    steps=len(manifest.steps),
                    duration=manifest.duration,
                    difficulty=manifest.difficulty,
                    published_at=_utc(row.published_at or row.created_at),
                )
            )
        return sorted(summaries, key=lambda summary: (summary.title.casefold(), summary.workshop))

    async def current(self, workshop: str) -> WorkshopVersion:
        """The version that participants see.

        Raises:
            WorkshopNotFoundError: Nothing is published under this name.
        """
        version = await self._repository.current(workshop)
        if version is None:
            raise WorkshopNotFoundError(f"No workshop is published as '{workshop}'. `workshop list` shows those that are.")
        return await self.version(workshop, version)

    async def version(self, workshop: str, version: str) -> WorkshopVersion:
        """One version.

        Raises:
            WorkshopNotFoundError: There is no such version.
        """
        found = await self._repository.version(workshop, version)
        if found is None:
            raise WorkshopNotFoundError(f"Workshop '{workshop}' has no version {version}.")
        row, files = found
        return WorkshopVersion(
            workshop=row.workshop,
            version=row.version,
            number=row.number,
            created_at=_utc(row.created_at),
            published_at=_utc(row.published_at) if row.published_at else None,
            current=await self._repository.current(workshop) == version,
            manifest=WorkshopManifest.model_validate(row.manifest),
            steps={step: StepManifest.model_validate(manifest) for step, manifest in row.steps.items()},
            files=[LibraryFile(path=file.path, sha256=file.sha256, size=file.size) for file in files],
        )

    async def file(self, workshop: str, sha256: str, *, drafts: bool = True) -> bytes:
        """A file's bytes; without `drafts` only such as a version holds that is or was published.

        Raises:
            WorkshopNotFoundError: No such version of `workshop` holds it.
        """
        data = await self._repository.blob(workshop, sha256, drafts=drafts)
        if data is None:
            raise WorkshopNotFoundError(f"Workshop '{workshop}' has no file {sha256[:12]}.")
        return data

    async def keep_sources(self, workshop: str, version: str, pages: dict[str, bytes]) -> None:
        """Keep the pages that a version was made from (path in the author's repository -> bytes) beside it, for authors.

        They are no part of the version: participants never see them, and no index holds them.

        Raises:
            WorkshopNotFoundError: There is no such version.
        """
        hashes = {path: hashlib.sha256(data).hexdigest() for path, data in pages.items()}
        blobs = {hashes[path]: data for path, data in pages.items()}
        if not await self._repository.keep_sources(workshop, version, hashes, blobs):
            raise WorkshopNotFoundError(f"Workshop '{workshop}' has no version {version}.")

    async def copy_sources(self, workshop: str, version: str, other: str) -> None:
        """Keep the pages that are beside `version` beside `other` too, where it has none."""
        await self._repository.copy_sources(workshop, version, other)

    async def keep_export(self, workshop: str, version: str, form: str, archive: bytes) -> None:
        """Keep a version in another form, for whoever comes to fetch it.

        Raises:
            WorkshopNotFoundError: There is no such version.
        """
        row = ExportRow(workshop=workshop, version=version, form=form, sha256=hashlib.sha256(archive).hexdigest())
        if not await self._repository.keep_export(row, archive):
            raise WorkshopNotFoundError(f"Workshop '{workshop}' has no version {version}.")

    async def export(self, workshop: str, version: str, form: str) -> bytes:
        """An archive that was kept.

        Raises:
            WorkshopNotFoundError: None was, or it went with its workshop.
        """
        archive = await self._repository.export(workshop, version, form)
        if archive is None:
            raise WorkshopNotFoundError(f"Of version {version} of workshop '{workshop}' no export to {form} is kept. Export it.")
        return archive

    async def source_paths(self, workshop: str, version: str) -> set[str]:
        """The paths of the pages that were kept beside a version; none where there are none, or no such version."""
        return set(await self._repository.source_paths(workshop, version))

    async def source(self, workshop: str, version: str, path: str) -> str:
        """The text of a page that a version was made from.

        Raises:
            WorkshopNotFoundError: It was not kept.
        """
        data = await self._repository.source(workshop, version, path)
        if data is None:
            raise WorkshopNotFoundError(f"Of version {version} of workshop '{workshop}' no source `{path}` was kept.")
        return data.decode("utf-8", "replace")

    async def remove(self, workshop: str) -> bool:
        """Remove a workshop with every version; False when there was none."""
        return await self._repository.remove(workshop)


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
