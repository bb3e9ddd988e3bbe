"""The chat agent's own workshop: noticed when new, kept when the library is away, never another one's."""

import pytest

from shared_services.kit.errors import NotFoundError, UnavailableError
from tests.unit.chat.worlds import KETTLE, FakeLibrary
from workshop_chat.content import WorkshopContent
from workshop_chat.errors import FileNotInWorkshopError, StepNotFoundError

NEWER = {"fill": KETTLE["fill"], "pour": ("Pour", "# Pour\n\nPour slowly.\n")}


async def test_the_library_is_asked_once_within_the_interval():
    library = FakeLibrary()
    library.publish()
    content = WorkshopContent(library, "kettle", check_seconds=60)
    first = await content.current()
    assert await content.current() is first
    assert library.calls == ["current"]


async def test_a_new_version_is_noticed():
    library = FakeLibrary()
    library.publish()
    content = WorkshopContent(library, "kettle", check_seconds=0)
    await content.current()
    newer = library.publish(steps=NEWER)
    assert (await content.current()).version == newer.version
    assert (await content.step("pour")).title == "Pour"


async def test_it_goes_on_with_what_it_has_while_the_library_is_away():
    library = FakeLibrary()
    version = library.publish()
    content = WorkshopContent(library, "kettle", check_seconds=0)
    await content.step("boil")
    library.away = True
    assert (await content.current()).version == version.version
    assert (await content.step("boil")).content == KETTLE["boil"][1]
    assert await content.ready() is None


async def test_with_nothing_fetched_and_the_library_away_it_says_so():
    library = FakeLibrary()
    library.away = True
    content = WorkshopContent(library, "kettle")
    with pytest.raises(UnavailableError):
        await content.current()
    assert "library" in str(await content.ready())


async def test_a_removed_workshop_is_not_shown_any_more():
    library = FakeLibrary()
    library.publish()
    content = WorkshopContent(library, "kettle", check_seconds=0)
    await content.current()
    library.versions.clear()
    with pytest.raises(NotFoundError):
        await content.current()


async def test_a_step_knows_its_neighbours():
    library = FakeLibrary()
    library.publish()
    content = WorkshopContent(library, "kettle")
    fill, boil = await content.step("fill"), await content.step("boil")
    assert (fill.number, fill.total, fill.previous, fill.next) == (1, 2, None, "boil")
    assert (boil.number, boil.previous, boil.next) == (2, "fill", None)
    with pytest.raises(StepNotFoundError):
        await content.step("freeze")


async def test_files_are_fetched_once_and_an_older_version_stays_readable():
    library = FakeLibrary()
    older = library.publish()
    content = WorkshopContent(library, "kettle", check_seconds=0)
    await content.file("steps/boil/content.md")
    await content.file("steps/boil/content.md")
    assert library.calls.count("file") == 1
    library.publish(steps=NEWER)
    assert await content.file("steps/boil/content.md", older.version) == KETTLE["boil"][1].encode()
    with pytest.raises(FileNotInWorkshopError):
        await content.file("steps/boil/content.md")
    with pytest.raises(FileNotInWorkshopError):
        await content.file("../secrets")


async def test_other_bytes_than_those_published_are_refused():
    library = FakeLibrary()
    version = library.publish()
    library.contents = dict.fromkeys(library.contents, b"something else")
    with pytest.raises(UnavailableError, match="other bytes"):
        await WorkshopContent(library, "kettle").file(version.files[0].path)


async def test_an_answer_about_another_workshop_is_refused():
    library = FakeLibrary()
    library.publish("teapot")
    library.versions["kettle"] = library.versions["teapot"]
    with pytest.raises(UnavailableError, match="another workshop"):
        await WorkshopContent(library, "kettle").current()


async def test_the_cache_stays_within_its_limit():
    library = FakeLibrary()
    library.publish()
    content = WorkshopContent(library, "kettle", cache_bytes=130)
    for _ in range(2):
        await content.file("steps/fill/content.md")
        await content.file("steps/boil/content.md")
    assert library.calls.count("file") > 2
