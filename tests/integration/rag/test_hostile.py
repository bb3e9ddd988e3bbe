"""Hostile names, tags, questions, texts and paths against the real engine: refused where they are ids, else data and no more."""

import json
import re
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from agents.rag.chunking import Chunk
from agents.rag.scope import Condition, Scope, literal, templated
from agents.rag.store import Owner
from shared_services.contracts.base import SLUG_PATTERN
from shared_services.contracts.rag import SearchRequest, Turn
from shared_services.kit.errors import BadInputError, PlatformError
from shared_services.kit.tokens import Claims
from shared_services.library.form import WorkshopFiles, validate_files
from tests.integration.rag.conftest import Room, open_room, scope_of
from tests.unit.rag.fakes import FakeEmbedder
from tests.unit.rag.workshops import workshop

FRAGMENTS = [
    '"',
    "'",
    "`",
    "\\",
    '\\"',
    '" or 1==1',
    "' or '1'=='1",
    ' or workshop_id == "blue"',
    '"] or workshop_id in ["blue',
    " and id >= 0",
    "%",
    "like '%'",
    "_",
    "\x00",
    "\u200b",
    "\u202e",
    "ｂｌｕｅ",
    "ЬLUE",
    "blue",
    "Blue",
    "ß",
    "ﬁ",
    "{",
    "}}",
    "{{workshop_id}}",
    "{{{{workshop_id_values}}}}",
    "${HOME}",
    "{workshop_id_values}",
    "../../blue",
    "\n",
    "\r\n",
    "\t",
    "😀",
    "x" * 10_240,
    '"' * 10_240,
    "_shared",
]
TEXTS = st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=20), min_size=1, max_size=5).map("".join)
"""What may come in from outside: lone surrogates are in `st.text`."""

STORABLE = TEXTS.filter(lambda text: text.isprintable() or text.strip() != "").map(
    lambda text: text.encode("utf-8", "replace").decode()
)
"""What a UTF-8 file can hold."""

SECRET = "The phrase of the blue tower is silver heron."
CHECKS = settings(deadline=None, suppress_health_check=list(HealthCheck), database=None)


async def _with_blue(room: Room) -> None:
    await room.service.index(scope_of("blue"), "v1", workshop("blue", {"start": f"# Start\n\n{SECRET}\n"}))
    await room.service.activate(scope_of("blue"), "v1")


async def _in_threads(tmp_path: Path, check: Callable[[Room, Callable[..., Any]], None]) -> None:
    """Run a property check in a thread; it may call the room's coroutines by its second argument."""
    async with open_room(tmp_path) as room:
        await _with_blue(room)
        await anyio.to_thread.run_sync(check, room, anyio.from_thread.run)


@CHECKS
@given(TEXTS)
def test_ids_are_slugs_or_refused_with_a_sentence(text: str) -> None:
    if len(text) <= 63 and text.isascii() and text.replace("-", "a").isalnum() and text == text.lower():
        return
    for claims in (
        Claims("service:x", "rag", 0, workshop=text),
        Claims("service:x", "rag", 0, workshop="red", tags=(text,)),
        Claims("service:x", "rag", 0, workshop="red", content_focus=text),
    ):
        with pytest.raises(BadInputError, match="is not an id") as refused:
            Scope.of(claims)
        assert len(refused.value.detail) < 400
    for field in ("step", "kind", "workshop_id"):
        if (field, text) != ("workshop_id", "_shared"):
            with pytest.raises(BadInputError, match="is not an id"):
                Condition(field, (text,))  # type: ignore[arg-type]
    with pytest.raises(ValidationError):
        SearchRequest(query="x", step=text)
    with pytest.raises(ValidationError):
        SearchRequest.model_validate({"query": "x", "kinds": [text]})


@CHECKS
@given(st.from_regex(SLUG_PATTERN.replace("$", r"\Z"), fullmatch=True).filter(lambda text: len(text) <= 63))
def test_a_filter_is_one_comparison_whatever_the_id(text: str) -> None:
    conditions = Scope.of(Claims("service:x", "rag", 0, workshop=text)).conditions()
    assert literal(conditions) == f'workshop_id in ["{text}"]'
    assert templated(conditions) == ("workshop_id == {workshop_id_value}", {"workshop_id_value": text})


@CHECKS
@given(TEXTS)
def test_a_workshop_with_a_hostile_name_or_step_is_refused(text: str) -> None:
    if text.isascii() and text.replace("-", "a").isalnum() and text == text.lower():
        return
    with pytest.raises(PlatformError):
        validate_files(_files(text, "start"))
    with pytest.raises(PlatformError):
        validate_files(_files("red", text))


def _files(slug: str, step: str) -> dict[str, bytes]:
    manifest = {"apiVersion": "workshop-assistant/v1", "slug": slug, "title": "T", "steps": [step]}
    path = f"steps/{step}".encode("utf-8", "replace").decode()
    return {
        # JSON is YAML
        "workshop.yaml": json.dumps(manifest).encode(),
        f"{path}/step.yaml": b"title: T\n",
        f"{path}/content.md": b"# T\n\nText.\n",
    }


async def test_any_question_with_any_history_stays_inside(tmp_path: Path) -> None:
    def check(room: Room, call: Callable[..., Any]) -> None:
        call(room.service.index, scope_of("red"), "v1", workshop("red", {"start": "# Start\n\nThe red tower is shut.\n"}))
        call(room.service.activate, scope_of("red"), "v1")

        @settings(CHECKS, max_examples=80)
        @given(TEXTS, TEXTS, TEXTS)
        def ask(query: str, before: str, step: str) -> None:
            history = [Turn.model_construct(speaker="user", text=before), Turn.model_construct(speaker="assistant", text=query)]
            request = SearchRequest.model_construct(query=query, limit=50, step=step, kinds=None, history=history, version=None)
            found = call(room.service.search, scope_of("red"), request)
            assert {passage.workshop for passage in found.passages} <= {"red"}
            assert "heron" not in found.model_dump_json()
            assert 0 <= found.confidence <= 1

        ask()

    await _in_threads(tmp_path, check)


async def test_a_hostile_kind_is_refused_and_widens_nothing(tmp_path: Path) -> None:
    def check(room: Room, call: Callable[..., Any]) -> None:
        @settings(CHECKS, max_examples=40)
        @given(TEXTS)
        def ask(kind: str) -> None:
            if kind.isascii() and kind.replace("-", "a").isalnum() and kind == kind.lower():
                return
            request = SearchRequest.model_construct(query="phrase", limit=50, step=None, kinds=[kind], history=[], version=None)
            with pytest.raises(BadInputError):
                call(room.service.search, scope_of("blue"), request)

        ask()

    await _in_threads(tmp_path, check)


async def test_hostile_text_is_stored_and_found_byte_for_byte(tmp_path: Path) -> None:
    def check(room: Room, call: Callable[..., Any]) -> None:

        @settings(CHECKS, max_examples=12)
        @given(st.lists(STORABLE, min_size=1, max_size=6), STORABLE)
        def index(texts: list[str], title: str) -> None:
            slug = f"odd-{uuid.uuid4().hex[:8]}"
            content = "# Odd\n\n" + "\n\n".join(f"Marmot says {text}" for text in texts) + "\n"
            files = WorkshopFiles(*_parts(slug, title, content))
            try:
                call(room.service.index, scope_of(slug), "v1", files)
            except BadInputError:
                # a text in which only overlong lines stand has nothing to index
                return
            call(room.service.activate, scope_of(slug), "v1")
            found = call(room.service.search, scope_of(slug), SearchRequest(query=f"marmot says {texts[0][:500]}", limit=50))
            assert found.passages
            for passage in found.passages:
                assert passage.workshop == slug
                lines = _lines(files.files[passage.file])
                assert passage.text.encode() == b"".join(lines[passage.first_line - 1 : passage.last_line])
            call(room.service.remove, scope_of(slug))

        index()

    await _in_threads(tmp_path, check)


def _parts(slug: str, title: str, content: str) -> tuple[Any, Any, dict[str, bytes]]:
    plain = workshop(slug, {"start": "# Odd\n\nMarmot.\n"})
    manifest = plain.manifest.model_copy(update={"title": title[:300]})
    steps = {"start": plain.steps["start"].model_copy(update={"title": title[:300]})}
    return manifest, steps, plain.files | {"steps/start/content.md": content.encode()}


def _lines(raw: bytes) -> list[bytes]:
    """The lines of a file, as an editor counts them."""
    return re.findall(rb"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+", raw)


async def test_hostile_paths_and_titles_come_back_as_they_are(tmp_path: Path) -> None:
    embedder = FakeEmbedder()

    def check(room: Room, call: Callable[..., Any]) -> None:
        @settings(CHECKS, max_examples=20)
        @given(STORABLE, STORABLE, STORABLE, STORABLE)
        def store(file: str, title: str, heading: str, source: str) -> None:
            scope, collection = scope_of("red"), f"index_{uuid.uuid4().hex}"
            chunk = Chunk(
                "start",
                title,
                file,
                3,
                3,
                (title, heading),
                "prose",
                "Marmot.\n",
                "\n",
                f"{title} > {heading}\nMarmot.",
                source,
                7,
            )
            room.store.create(collection, embedder.model_id, embedder.dimension)
            room.store.insert(Owner.of(scope), collection, [(0, chunk, embedder.encode(["marmot"])[0])], None)
            room.store.seal(collection)
            ((row, _),) = room.store.read(scope, collection)
            assert (row.file, row.step_title, row.heading, row.source_file) == (file, title, (title, heading), source)
            assert [
                [hit.ordinal for hit in hits] for hits in room.store.search_terms(scope, collection, [["marmot"]], 5, None)
            ] == [[0]]
            assert list(room.store.read(scope_of("blue"), collection)) == []
            room.store.drop(collection)

        store()

    await _in_threads(tmp_path, check)
