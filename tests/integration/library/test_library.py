"""Versions are whole, one is current, older ones stay, and a workshop gets no other's bytes. On SQLite and on PostgreSQL."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from shared_services.contracts.choices import Choice
from shared_services.contracts.conversion import Form
from shared_services.kit.database import create_engine, migrate, session_factory
from shared_services.kit.errors import NewerDataError
from shared_services.library.errors import WorkshopNotFoundError
from shared_services.library.repository import MIGRATIONS, BlobRow, FileRow, VersionRow
from shared_services.library.service import LibraryService
from tests.postgres import throwaway_postgres
from tests.workshops import make_files, make_workshop


@pytest.fixture(scope="module")
def postgres_url() -> Iterator[str]:
    with throwaway_postgres() as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    url = f"sqlite:///{tmp_path / 'test.db'}" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    engine = create_engine(url)
    await migrate(engine, MIGRATIONS)
    yield engine
    async with engine.begin() as connection:
        for table in (
            "library_current",
            "library_files",
            "library_choices",
            "library_sources",
            "library_exports",
            "library_versions",
            "library_blobs",
            "library_alembic_version",
        ):
            await connection.exec_driver_sql(f"DROP TABLE {table}")
    await engine.dispose()


async def test_a_draft_is_not_shown_until_it_is_made_current(engine: AsyncEngine):
    library = LibraryService(engine)
    draft = await library.draft(make_workshop())
    assert not draft.current
    assert draft.published_at is None
    assert await library.list() == []
    with pytest.raises(WorkshopNotFoundError):
        await library.current("tiny")

    await library.set_current("tiny", draft.version)
    shown = await library.current("tiny")
    assert (shown.version, shown.current, shown.number) == (draft.version, True, 1)
    assert [row.title for row in await library.list()] == ["A tiny workshop"]


async def test_what_only_a_draft_holds_is_not_for_readers(engine: AsyncEngine):
    library = LibraryService(engine)
    shown = await library.draft(make_workshop(steps={"one": "# Shown"}))
    await library.set_current("tiny", shown.version)
    await library.draft(make_workshop(steps={"one": "# Not yet"}))
    public, secret = (hashlib.sha256(text).hexdigest() for text in (b"# Shown", b"# Not yet"))
    assert await library.file("tiny", public, drafts=False) == b"# Shown"
    assert await library.file("tiny", secret) == b"# Not yet"
    with pytest.raises(WorkshopNotFoundError):
        await library.file("tiny", secret, drafts=False)


async def test_pages_of_the_source_are_kept_beside_a_version(engine: AsyncEngine):
    library = LibraryService(engine)
    draft = await library.draft(make_workshop(steps={"one": "# One"}))
    other = await library.draft(make_workshop(steps={"one": "# Other"}))
    await library.keep_sources("tiny", draft.version, {"docs/one.md": b"# One", "docs/two.md": "# Zwölf\n".encode()})
    assert await library.source("tiny", draft.version, "docs/two.md") == "# Zwölf\n"
    assert await library.source_paths("tiny", draft.version) == {"docs/one.md", "docs/two.md"}
    assert await library.source_paths("tiny", other.version) == set()
    # No part of the version, nor of another one; and those kept again take the place of the first.
    assert await library.version("tiny", draft.version) == draft
    for version, path in ((other.version, "docs/one.md"), (draft.version, "docs/three.md")):
        with pytest.raises(WorkshopNotFoundError):
            await library.source("tiny", version, path)
    await library.keep_sources("tiny", draft.version, {"docs/one.md": b"# Newer"})
    assert await library.source("tiny", draft.version, "docs/one.md") == "# Newer"
    with pytest.raises(WorkshopNotFoundError):
        await library.source("tiny", draft.version, "docs/two.md")
    with pytest.raises(WorkshopNotFoundError):
        await library.keep_sources("tiny", "0" * 16, {})
    await library.set_current("tiny", draft.version)
    with pytest.raises(WorkshopNotFoundError):
        await library.file("tiny", hashlib.sha256(b"# Newer").hexdigest())

    await library.remove("tiny")
    with pytest.raises(WorkshopNotFoundError):
        await library.source("tiny", draft.version, "docs/one.md")
    async with session_factory(engine)() as session:
        assert await session.scalar(select(func.count()).select_from(BlobRow)) == 0


async def test_an_export_is_kept_until_a_newer_one_or_the_workshop_s_end(engine: AsyncEngine):
    library = LibraryService(engine)
    draft = await library.draft(make_workshop())
    with pytest.raises(WorkshopNotFoundError):
        await library.export("tiny", draft.version, "mkdocs")
    for archive in (b"first", b"second"):
        await library.keep_export("tiny", draft.version, "mkdocs", archive)
    assert await library.export("tiny", draft.version, "mkdocs") == b"second"
    with pytest.raises(WorkshopNotFoundError):
        await library.export("tiny", draft.version, "educates")
    with pytest.raises(WorkshopNotFoundError):
        await library.keep_export("tiny", "0" * 16, "mkdocs", b"x")
    await library.remove("tiny")
    with pytest.raises(WorkshopNotFoundError):
        await library.export("tiny", draft.version, "mkdocs")
    async with session_factory(engine)() as session:
        assert await session.scalar(select(func.count()).select_from(BlobRow)) == 0


async def test_what_is_kept_beside_a_version_outlives_another_workshop(engine: AsyncEngine):
    library = LibraryService(engine)
    kept = await library.draft(make_workshop("kept"))
    gone = await library.draft(make_workshop("gone"))
    for draft in (kept, gone):
        await library.keep_sources(draft.workshop, draft.version, {"page.md": b"the same page"})
    await library.remove("gone")
    assert await library.source("kept", kept.version, "page.md") == "the same page"


async def test_the_same_content_is_the_same_version(engine: AsyncEngine):
    library = LibraryService(engine)
    first = await library.draft(make_workshop())
    assert await library.draft(make_workshop()) == first
    assert (await library.draft(make_workshop(title="Another title"))).number == 2


async def test_older_versions_are_kept(engine: AsyncEngine):
    library = LibraryService(engine)
    old = await library.draft(make_workshop(steps={"one": "# Old"}))
    new = await library.draft(make_workshop(steps={"one": "# New"}))
    await library.set_current("tiny", old.version)
    await library.set_current("tiny", new.version)
    kept = await library.version("tiny", old.version)
    content = next(file for file in kept.files if file.path == "steps/one/content.md")
    assert await library.file("tiny", content.sha256) == b"# Old"
    assert kept.published_at is not None
    assert not kept.current


async def test_every_file_comes_back_byte_for_byte(engine: AsyncEngine):
    files = make_files() | {"assets/picture.png": bytes(range(256)), "steps/first/files/empty": b""}
    library = LibraryService(engine)
    from shared_services.library.form import validate_files

    version = await library.draft(validate_files(files))
    assert {file.path: await library.file("tiny", file.sha256) for file in version.files} == files


async def test_a_workshop_gets_no_other_workshops_bytes(engine: AsyncEngine):
    library = LibraryService(engine)
    await library.draft(make_workshop("mine"))
    await library.draft(make_workshop("other", steps={"secret": "# Only here"}))
    sha256 = hashlib.sha256(b"# Only here").hexdigest()
    assert await library.file("other", sha256) == b"# Only here"
    with pytest.raises(WorkshopNotFoundError):
        await library.file("mine", sha256)


async def test_removing_leaves_nothing_behind_and_others_whole(engine: AsyncEngine):
    library = LibraryService(engine)
    for slug in ("gone", "stays"):
        version = await library.draft(make_workshop(slug))
        await library.set_current(slug, version.version)
    assert await library.remove("gone")
    assert not await library.remove("gone")
    async with session_factory(engine)() as session:
        for table in (VersionRow, FileRow):
            assert await session.scalar(select(func.count()).where(table.workshop == "gone")) == 0
        orphans = select(func.count()).select_from(BlobRow).where(BlobRow.sha256.not_in(select(FileRow.sha256)))
        assert await session.scalar(orphans) == 0
    stays = await library.current("stays")
    assert all([await library.file("stays", file.sha256) is not None for file in stays.files])


async def test_two_publishers_at_once_give_two_whole_versions(engine: AsyncEngine):
    library = LibraryService(engine)
    workshops = [make_workshop(steps={"one": f"# Text {number}"}) for number in range(6)]
    versions = await asyncio.gather(*(library.draft(workshop) for workshop in workshops))
    assert sorted(version.number for version in versions) == [1, 2, 3, 4, 5, 6]
    assert all(len(version.files) == 3 for version in versions)


async def test_data_of_a_newer_program_is_refused(engine: AsyncEngine):
    async with engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE library_alembic_version SET version_num = 'library_9999'")
    with pytest.raises(NewerDataError, match="library_9999"):
        await migrate(engine, MIGRATIONS)


async def test_migrating_twice_changes_nothing(engine: AsyncEngine):
    library = LibraryService(engine)
    await library.draft(make_workshop())
    await migrate(engine, MIGRATIONS)
    assert (await library.draft(make_workshop())).number == 1


async def test_a_choice_of_how_to_read_a_repository_is_kept_replaced_and_forgotten(engine: AsyncEngine):
    choices = LibraryService(engine).choices
    first = Choice(form=Form.MKDOCS, path="docs", by="ada", at=datetime(2026, 1, 2, tzinfo=UTC))
    assert await choices.get("github.com/you/lab") is None
    await choices.remember("github.com/you/lab", first)
    assert await choices.get("github.com/you/lab") == first
    second = Choice(path="lab", by="bob", at=datetime(2026, 1, 3, tzinfo=UTC))
    others = [second.model_copy(update={"by": f"b{number}"}) for number in range(5)]
    await asyncio.gather(*(choices.remember("github.com/you/lab", row) for row in others))
    assert await choices.get("github.com/you/lab") in others
    assert await choices.forget("github.com/you/lab")
    assert not await choices.forget("github.com/you/lab")
    assert await choices.get("github.com/you/lab") is None
