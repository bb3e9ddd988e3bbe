"""Storage of the library: every query names the workshop it is about."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, DateTime, ForeignKey, LargeBinary, Select, String, delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from shared_services.kit.database import MigrationSet, session_factory, storage_errors

MIGRATIONS = MigrationSet("library", Path(__file__).parent / "migrations")
_BLOB_BATCH = 200


class Base(DeclarativeBase):
    """The library's tables."""


class BlobRow(Base):
    """Bytes by their hash; shared by every version that holds them."""

    __tablename__ = "library_blobs"
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    size: Mapped[int]
    data: Mapped[bytes] = mapped_column(LargeBinary)


class VersionRow(Base):
    """A version of a workshop, current, older or drafted."""

    __tablename__ = "library_versions"
    workshop: Mapped[str] = mapped_column(String(63), primary_key=True)
    version: Mapped[str] = mapped_column(String(16), primary_key=True)
    number: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    published_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    manifest: Mapped[dict[str, Any]] = mapped_column(JSON)
    steps: Mapped[dict[str, Any]] = mapped_column(JSON)


class FileRow(Base):
    """A file of a version."""

    __tablename__ = "library_files"
    workshop: Mapped[str] = mapped_column(String(63), primary_key=True)
    version: Mapped[str] = mapped_column(String(16), primary_key=True)
    path: Mapped[str] = mapped_column(String(1024), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), ForeignKey("library_blobs.sha256"))
    size: Mapped[int]


class SourceRow(Base):
    """A page of the author's repository that a version was made from; no file of the version, and for authors alone."""

    __tablename__ = "library_sources"
    workshop: Mapped[str] = mapped_column(String(63), primary_key=True)
    version: Mapped[str] = mapped_column(String(16), primary_key=True)
    path: Mapped[str] = mapped_column(String(1024), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), ForeignKey("library_blobs.sha256"))


class ExportRow(Base):
    """A version in another form, as an archive; the newest that a job made."""

    __tablename__ = "library_exports"
    workshop: Mapped[str] = mapped_column(String(63), primary_key=True)
    version: Mapped[str] = mapped_column(String(16), primary_key=True)
    form: Mapped[str] = mapped_column(String(32), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), ForeignKey("library_blobs.sha256"))


class CurrentRow(Base):
    """The one pointer to the version that participants see."""

    __tablename__ = "library_current"
    workshop: Mapped[str] = mapped_column(String(63), primary_key=True)
    version: Mapped[str] = mapped_column(String(16))


class LibraryRepository:
    """Reads and writes versions, each write in one transaction."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._sessions = session_factory(engine)

    async def add(self, row: VersionRow, files: Sequence[FileRow], blobs: dict[str, bytes]) -> None:
        """Store a version with its files; does nothing when it is there. `row.number` is set here."""
        with storage_errors():
            for _attempt in range(5):
                try:
                    async with self._sessions.begin() as session:
                        await self._add(session, row, files, blobs)
                except IntegrityError:
                    continue
                return
            async with self._sessions.begin() as session:
                await self._add(session, row, files, blobs)

    async def _add(self, session: AsyncSession, row: VersionRow, files: Sequence[FileRow], blobs: dict[str, bytes]) -> None:
        if await session.get(VersionRow, (row.workshop, row.version)):
            return
        await self._add_blobs(session, blobs)
        newest = await session.scalar(select(func.max(VersionRow.number)).where(VersionRow.workshop == row.workshop))
        session.add(
            VersionRow(
                workshop=row.workshop,
                version=row.version,
                number=(newest or 0) + 1,
                created_at=row.created_at,
                manifest=row.manifest,
                steps=row.steps,
            )
        )
        await session.flush()
        session.add_all(
            FileRow(workshop=file.workshop, version=file.version, path=file.path, sha256=file.sha256, size=file.size)
            for file in files
        )

    @staticmethod
    async def _add_blobs(session: AsyncSession, blobs: dict[str, bytes]) -> None:
        wanted = sorted(blobs)
        there: set[str] = set()
        for start in range(0, len(wanted), _BLOB_BATCH):
            batch = wanted[start : start + _BLOB_BATCH]
            there.update(await session.scalars(select(BlobRow.sha256).where(BlobRow.sha256.in_(batch))))
        session.add_all(BlobRow(sha256=key, size=len(blobs[key]), data=blobs[key]) for key in wanted if key not in there)

    async def keep_sources(self, workshop: str, version: str, hashes: dict[str, str], blobs: dict[str, bytes]) -> bool:
        """Keep pages (path -> hash) beside a version, in place of those kept before; False when there is no such version."""
        with storage_errors():
            for attempt in range(5):
                try:
                    async with self._sessions.begin() as session:
                        if await session.get(VersionRow, (workshop, version)) is None:
                            return False
                        await self._add_blobs(session, blobs)
                        kept = (SourceRow.workshop == workshop) & (SourceRow.version == version)
                        await session.execute(delete(SourceRow).where(kept))
                        await session.flush()
                        session.add_all(
                            SourceRow(workshop=workshop, version=version, path=path, sha256=sha256)
                            for path, sha256 in hashes.items()
                        )
                except IntegrityError:
                    # Somebody stored the same bytes meanwhile.
                    if attempt == 4:
                        raise
                    continue
                break
        return True

    async def copy_sources(self, workshop: str, version: str, other: str) -> None:
        """Keep the pages of one version beside another one, where that has none."""

        def of(one: str) -> Select[tuple[SourceRow]]:
            return select(SourceRow).where(SourceRow.workshop == workshop, SourceRow.version == one)

        with storage_errors():
            async with self._sessions.begin() as session:
                if (await session.scalars(of(other).limit(1))).first() is None:
                    rows = (await session.scalars(of(version))).all()
                    session.add_all(SourceRow(workshop=workshop, version=other, path=row.path, sha256=row.sha256) for row in rows)

    async def keep_export(self, row: ExportRow, archive: bytes) -> bool:
        """Keep an archive in place of the one that was kept before; False when there is no such version."""
        with storage_errors():
            for attempt in range(5):
                try:
                    async with self._sessions.begin() as session:
                        if await session.get(VersionRow, (row.workshop, row.version)) is None:
                            return False
                        await self._add_blobs(session, {row.sha256: archive})
                        await session.flush()
                        await session.merge(
                            ExportRow(workshop=row.workshop, version=row.version, form=row.form, sha256=row.sha256)
                        )
                except IntegrityError:
                    if attempt == 4:
                        raise
                    continue
                break
        return True

    async def export(self, workshop: str, version: str, form: str) -> bytes | None:
        """An archive that was kept; None where there is none."""
        async with self._sessions() as session:
            held = select(ExportRow.sha256).where(
                ExportRow.workshop == workshop, ExportRow.version == version, ExportRow.form == form
            )
            data: bytes | None = await session.scalar(select(BlobRow.data).where(BlobRow.sha256.in_(held)))
            return data

    async def source_paths(self, workshop: str, version: str) -> Sequence[str]:
        """The paths of the pages that were kept beside a version."""
        async with self._sessions() as session:
            kept = select(SourceRow.path).where(SourceRow.workshop == workshop, SourceRow.version == version)
            return (await session.scalars(kept)).all()

    async def source(self, workshop: str, version: str, path: str) -> bytes | None:
        """A page that was kept beside a version; None for any other."""
        async with self._sessions() as session:
            held = select(SourceRow.sha256).where(
                SourceRow.workshop == workshop, SourceRow.version == version, SourceRow.path == path
            )
            data: bytes | None = await session.scalar(select(BlobRow.data).where(BlobRow.sha256.in_(held)))
            return data

    async def set_current(self, workshop: str, version: str) -> bool:
        """Point `workshop` at `version`; False when there is no such version."""
        with storage_errors():
            async with self._sessions.begin() as session:
                row = await session.get(VersionRow, (workshop, version))
                if row is None:
                    return False
                current = await session.get(CurrentRow, workshop)
                if current is None or current.version != version:
                    row.published_at = datetime.now(UTC)
                    await session.merge(CurrentRow(workshop=workshop, version=version))
                return True

    async def current(self, workshop: str) -> str | None:
        """The current version's id."""
        async with self._sessions() as session:
            version: str | None = await session.scalar(select(CurrentRow.version).where(CurrentRow.workshop == workshop))
            return version

    async def version(self, workshop: str, version: str) -> tuple[VersionRow, Sequence[FileRow]] | None:
        """A version and its files by path."""
        async with self._sessions() as session:
            row = await session.get(VersionRow, (workshop, version))
            if row is None:
                return None
            files = await session.scalars(
                select(FileRow).where(FileRow.workshop == workshop, FileRow.version == version).order_by(FileRow.path)
            )
            return row, files.all()

    async def all_current(self) -> Sequence[VersionRow]:
        """Every workshop's current version."""
        async with self._sessions() as session:
            rows = await session.scalars(
                select(VersionRow).join(
                    CurrentRow, (CurrentRow.workshop == VersionRow.workshop) & (CurrentRow.version == VersionRow.version)
                )
            )
            return rows.all()

    async def blob(self, workshop: str, sha256: str, *, drafts: bool) -> bytes | None:
        """Bytes that a version of `workshop` holds; None for any other, though the store may have it, and for what only a draft
        holds unless `drafts`.
        """
        async with self._sessions() as session:
            held = select(FileRow.sha256).where(FileRow.workshop == workshop, FileRow.sha256 == sha256)
            if not drafts:
                version = (VersionRow.workshop == FileRow.workshop) & (VersionRow.version == FileRow.version)
                held = held.join(VersionRow, version).where(VersionRow.published_at.is_not(None))
            held = held.limit(1)
            data: bytes | None = await session.scalar(select(BlobRow.data).where(BlobRow.sha256.in_(held)))
            return data

    async def remove(self, workshop: str) -> bool:
        """Remove every version of a workshop, and the bytes that no other holds; False when there was none."""
        with storage_errors():
            async with self._sessions.begin() as session:
                found = await session.scalar(select(func.count()).where(VersionRow.workshop == workshop))
                await session.execute(delete(CurrentRow).where(CurrentRow.workshop == workshop))
                await session.execute(delete(FileRow).where(FileRow.workshop == workshop))
                await session.execute(delete(SourceRow).where(SourceRow.workshop == workshop))
                await session.execute(delete(ExportRow).where(ExportRow.workshop == workshop))
                await session.execute(delete(VersionRow).where(VersionRow.workshop == workshop))
                held = select(FileRow.sha256).union(select(SourceRow.sha256), select(ExportRow.sha256))
                await session.execute(delete(BlobRow).where(BlobRow.sha256.not_in(held)))
                return bool(found)
