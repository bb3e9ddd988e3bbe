"""Shared documents: what is embedded, who sees what, and what is left when one goes."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from agents.rag.blocks import split_lines
from agents.rag.documents.intake import Limits, Posted
from agents.rag.form import CURRENT_FORM
from shared_services.contracts.identity import Role
from shared_services.kit.errors import BadInputError, ForbiddenError, NotFoundError, TooLargeError
from shared_services.kit.tokens import Claims
from tests.integration.rag.libraries import OPS, Library, open_library, scope
from tests.unit.rag.fakes import FakeEmbedder


@pytest.fixture
async def library(tmp_path: Path) -> AsyncIterator[Library]:
    async with open_library(tmp_path) as opened:
        yield opened


def _guide(word: str = "green", sections: int = 60) -> str:
    return "# The guide\n\n" + "".join(
        f"## Valve {number}\n\nTurn valve {number} until gauge {number} shows {word if number == 31 else 'green'}. "
        + f"Then note what pump {number} says about line {number} and go on to the next valve of the hall. " * 5
        + "\n\n"
        for number in range(sections)
    )


async def test_a_document_is_indexed_and_seen(library: Library) -> None:
    report = await library.post({"ops/Guide.md": "# The guide\n\nUse `oc adm policy`.\n"}, "java,ops")
    [document] = report.indexed
    assert (document.id, document.title, document.tags, document.format) == (
        "ops-guide",
        "The guide",
        ["java", "ops"],
        "markdown",
    )
    assert (report.embedded, document.chunks, report.refused, report.unchanged) == (1, 1, [], [])
    assert await library.documents.listed(OPS) == [document]
    assert await library.documents.get(OPS, "ops-guide") == document
    [chunk] = await library.chunks("ops")
    assert (chunk.file, chunk.step, chunk.heading, chunk.workshop) == ("ops/Guide.md", "", ("The guide",), "_shared")
    shelf = await library.documents.visible(reader := scope("ops"), library.embedder.model_id)
    assert shelf is not None
    assert reader.shared(shelf.documents).documents == {chunk.document}


async def test_the_same_post_embeds_nothing(library: Library) -> None:
    first = await library.post({"a.md": _guide(), "b.rst": "Title\n=====\n\nText.\n"})
    embedded = library.embedder.encoded
    shelf = await library.documents.visible(scope("java"), library.embedder.model_id)
    second = await library.post({"a.md": _guide(), "b.rst": "Title\n=====\n\nText.\n"})
    assert (second.indexed, second.unchanged, second.embedded) == ([], ["a", "b"], 0)
    assert library.embedder.encoded == embedded == first.embedded
    assert await library.documents.visible(scope("java"), library.embedder.model_id) == shelf


async def test_a_changed_word_embeds_at_most_three_chunks(library: Library) -> None:
    first = await library.post({"a.md": _guide()})
    before = library.embedder.encoded
    second = await library.post({"a.md": _guide("magenta")})
    assert 1 <= second.embedded <= 3
    assert library.embedder.encoded - before == second.embedded
    assert second.indexed[0].chunks == first.indexed[0].chunks
    found = await library.texts("java")
    assert len(found) == second.indexed[0].chunks
    assert sum("magenta" in text for text in found) == 1
    shelf = await library.documents.visible(scope("java"), library.embedder.model_id)
    assert shelf is not None
    assert library.raw_numbers(shelf.collection) == set(shelf.documents), "the old revision's rows are gone"


async def test_other_tags_embed_nothing_and_count_at_once(library: Library) -> None:
    await library.post({"a.md": _guide()}, "java")
    before = library.embedder.encoded
    report = await library.post({"a.md": _guide()}, "python", "ops")
    assert (report.embedded, library.embedder.encoded) == (0, before)
    assert report.indexed[0].tags == ["python"]
    assert await library.seen("java") == set()
    assert await library.seen("python") == {"a"}
    assert await library.seen("python", focus="dev") == set()
    assert await library.texts("java") == []
    assert len(await library.texts("python")) == report.indexed[0].chunks


async def test_tags_match_whole_and_focus_fits(library: Library) -> None:
    await library.post({"one.md": "# One\n\nText.\n"}, "java")
    await library.post({"two.md": "# Two\n\nText.\n"}, "javascript,web")
    await library.post({"three.md": "# Three\n\nText.\n"}, "java", "ops")
    assert await library.seen("java") == {"one", "three"}
    assert await library.seen("java", focus="ops") == {"one", "three"}
    assert await library.seen("java", focus="dev") == {"one"}
    assert await library.seen("javascript") == {"two"}
    assert await library.seen("script") == await library.seen("jav") == await library.seen() == set()
    assert await library.seen("java", "web") == {"one", "two", "three"}
    assert {row.id for row in await library.documents.listed(OPS, ["web"])} == {"two"}


async def test_a_removed_document_leaves_no_row(library: Library) -> None:
    await library.post({"a.md": _guide(), "b.md": "# B\n\nOther text.\n"})
    shelf = await library.documents.visible(scope("java"), library.embedder.model_id)
    assert shelf is not None
    numbers = {document.id: number for number, document in shelf.documents.items()}
    await library.documents.remove(OPS, "a")
    assert await library.seen("java") == {"b"}
    assert library.raw_numbers(shelf.collection) == {numbers["b"]}
    with pytest.raises(NotFoundError, match="There is no shared document 'a'"):
        await library.documents.remove(OPS, "a")
    with pytest.raises(NotFoundError):
        await library.documents.get(OPS, "a")
    with pytest.raises(NotFoundError):
        await library.documents.text(OPS, "a")
    await library.documents.remove(OPS, "b")
    assert library.store.collections() == []
    assert library.dropped == [shelf.collection]
    assert await library.seen("java") == set()


async def test_file_and_lines_give_a_passage_back(library: Library) -> None:
    files = {
        "a.md": "\ufeff---\ntitle: Front\n---\n\r\n# One\r\n\r\nText of one.\r\n\r\n- item\r\n  more\r\n" + _guide(sections=5),
        "b.adoc": "= Two\n\nText.\n\n[source,bash]\n----\noc get pods\n----\n",
        "c.rst": "Three\n=====\n\n.. code-block:: bash\n\n   oc get nodes\n",
        "d.html": "<h1>Four</h1><p>Text</p><pre><code class='language-bash'>oc get routes\n</code></pre>",
    }
    report = await library.post(files)
    texts = {document.file: await library.documents.text(OPS, document.id) for document in report.indexed}
    assert texts["a.md"] == files["a.md"].removeprefix("\ufeff")
    assert {document.title for document in report.indexed} == {"Front", "Two", "Three", "Four"}
    chunks = await library.chunks("java")
    assert {chunk.file for chunk in chunks} == set(files)
    for chunk in chunks:
        lines = split_lines(texts[chunk.file])
        assert "".join(lines[chunk.first_line - 1 : chunk.last_line]) == chunk.text
        assert chunk.heading[0] == next(document.title for document in report.indexed if document.file == chunk.file)
        assert "title: Front" not in chunk.text
    assert {chunk.kind for chunk in chunks if "oc get" in chunk.text} == {"command"}


async def test_what_cannot_be_read_is_refused_and_the_rest_taken(library: Library) -> None:
    await library.post({"kept.md": "# Kept\n\nAs it was.\n"})
    report = await library.post(
        {"kept.md": b"\x00", "logo.png": b"\x89PNG", "empty.md": "", "fine.md": "# Fine\n\nText.\n", "line.md": "x" * 20_000}
    )
    assert [document.id for document in report.indexed] == ["fine"]
    assert [row.file for row in report.refused] == ["empty.md", "kept.md", "line.md", "logo.png"]
    assert all(row.detail.endswith(".") for row in report.refused)
    assert await library.seen("java") == {"kept", "fine"}
    assert any("As it was" in text for text in await library.texts("java"))


async def test_nothing_is_left_of_a_post_that_was_refused_whole(library: Library) -> None:
    report = await library.post({"logo.png": b"\x89PNG"})
    assert (report.indexed, len(report.refused)) == ([], 1)
    assert library.store.collections() == []


@pytest.mark.parametrize(
    ("tags", "focus"),
    [("", None), (" , ", None), ("c++", None), ("java", "a b"), ("x' or 1==1", None), ("ｊava", None), ("j\x00", None)],
)
async def test_labels_are_ids(library: Library, tags: str, focus: str | None) -> None:
    with pytest.raises(BadInputError):
        await library.post({"a.md": "# A\n"}, tags, focus)
    with pytest.raises(BadInputError, match="no document"):
        await library.documents.add(OPS, [], ["java"])


async def test_labels_are_written_in_lower_case(library: Library) -> None:
    report = await library.post({"a.md": "# A\n\nText.\n"}, " Java,OPS,java", " Dev ")
    assert (report.indexed[0].tags, report.indexed[0].content_focus) == (["java", "ops"], "dev")


@pytest.mark.parametrize(
    "claims",
    [
        Claims("participant:p", "rag", 0, workshop="shop", roles=frozenset({Role.PARTICIPANT})),
        Claims("service:chat:shop", "rag", 0, workshop="shop", roles=frozenset({Role.PARTICIPANT}), tags=("java",)),
        Claims("author:a", "rag", 0, roles=frozenset({Role.AUTHOR})),
        Claims("admin:a", "rag", 0, workshop="shop", roles=frozenset({Role.ADMIN})),
    ],
)
async def test_only_who_looks_after_documents_may(library: Library, claims: Claims) -> None:
    await library.post({"a.md": "# A\n\nText.\n"})
    for call in (
        library.documents.add(claims, [Posted("b.md", b"# B\n")], ["java"]),
        library.documents.listed(claims),
        library.documents.get(claims, "a"),
        library.documents.text(claims, "a"),
        library.documents.remove(claims, "a"),
        library.documents.reindex(claims),
    ):
        with pytest.raises(ForbiddenError):
            await call
    assert await library.seen("java") == {"a"}


async def test_limits(tmp_path: Path) -> None:
    async with open_library(tmp_path, limits=Limits(files=2, unpacked=1000)) as library:
        with pytest.raises(TooLargeError):
            await library.post({f"{name}.md": "# A\n" for name in "abc"})
        with pytest.raises(TooLargeError):
            await library.post({"a.md": "x" * 1001})
        assert await library.documents.listed(OPS) == []


async def test_two_posts_at_once_each_win_whole(library: Library) -> None:
    async with anyio.create_task_group() as tasks:
        for word in ("alpha", "beta", "gamma"):
            tasks.start_soon(library.post, {"a.md": f"# A\n\n{word}\n", "b.md": f"# B\n\n{word}\n"})
    texts = await library.texts("java")
    assert len(texts) == 2
    assert len({text.split()[-1] for text in texts}) == 1


async def test_a_moved_path_keeps_its_id_and_a_clash_gets_its_own(library: Library) -> None:
    first = await library.post({"a b.md": "# One\n\nText.\n", "a-b.md": "# Two\n\nText.\n"})
    ids = {document.file: document.id for document in first.indexed}
    assert len(set(ids.values())) == 2
    again = await library.post({"a b.md": "# One\n\nText.\n"})
    assert again.unchanged == [ids["a b.md"]]


async def test_reindex_moves_everything_to_the_model_in_use_at_once(tmp_path: Path) -> None:
    old, new = FakeEmbedder(), FakeEmbedder(32, "other@111111111111")
    async with open_library(tmp_path, old) as library:
        await library.post({"a.md": _guide(sections=9), "b.adoc": "= B\n\nText.\n"})
        [before] = library.store.collections()
    async with open_library(tmp_path, new) as library:
        await library.recover()
        assert await library.seen("java") == {"a", "b"}, "until all is moved, the old shelf is read"
        shelf = await library.documents.visible(scope("java"), new.model_id)
        assert shelf is not None
        assert (shelf.collection, shelf.model) == (before, old.model_id)
        told: list[tuple[int, int]] = []
        during: list[bool] = []

        async def progress(done: int, total: int) -> None:
            told.append((done, total))
            during.append(await library.seen("java") == {"a", "b"})

        assert await library.documents.reindex(OPS, progress) == 2
        assert told[0][0] == 0
        assert told[-1][0] == told[-1][1] == new.encoded
        assert all(during)
        assert await library.seen("java") == {"a", "b"}
        shelf = await library.documents.visible(scope("java"), new.model_id)
        assert shelf is not None
        assert shelf.model == new.model_id
        assert before not in library.store.collections()
        assert {row.model for row in await library.documents.listed(OPS)} == {new.model_id}
        assert await library.documents.reindex(OPS) == 0


@pytest.mark.parametrize("part", ["chunking", "terms", "rows"])
async def test_a_newer_form_indexes_the_same_bytes_anew(tmp_path: Path, part: str) -> None:
    async with open_library(tmp_path) as library:
        await library.post({"a.md": _guide(sections=9)})
        before = library.embedder.encoded
    newer = replace(CURRENT_FORM, **{part: getattr(CURRENT_FORM, part) + 1})
    async with open_library(tmp_path, form=newer) as library:
        report = await library.post({"a.md": _guide(sections=9)})
        assert len(report.indexed) == 1
        assert report.embedded == (before if part == "rows" else 0)
        assert await library.seen("java") == {"a"}
        assert len(library.store.collections()) == 1
