"""Another embedding model, and older rules: searches go on, by keywords where they must, and a reindexing puts it right."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from pymilvus import MilvusClient
from structlog.testing import capture_logs

from agents.rag.embedder import Embedder
from agents.rag.errors import ModelMismatchError, ModelUnavailableError, NotIndexedError
from agents.rag.form import CURRENT_FORM, Form
from agents.rag.job import REINDEX, reindex_job
from agents.rag.reference_embedder import SentenceTransformerEmbedder
from agents.rag.service import Progress, RagService
from agents.rag.store import lite
from shared_services.contracts.jobs import Job, JobState
from shared_services.contracts.rag import ReindexReport, SearchRequest
from shared_services.jobs import Jobs
from shared_services.kit.database import create_engine
from shared_services.kit.errors import NotFoundError
from shared_services.kit.tokens import Claims
from shared_services.library.form import WorkshopFiles
from tests.integration.rag.conftest import Room, open_room, scope_of
from tests.integration.rag.small_models import bert
from tests.unit.rag.fakes import FakeEmbedder
from tests.unit.rag.workshops import CLUSTER_STEPS, workshop

SHOP, PARK = scope_of("shop"), scope_of("park")
VERSIONS = {
    ("shop", "v1"): workshop("shop", CLUSTER_STEPS),
    ("park", "v1"): workshop("park", {"trees": "# Trees\n\nThe old oak stands by the pond since 1720.\n"}),
}
CRASHING = SearchRequest(query="What does CrashLoopBackOff tell me?")
OAK = SearchRequest(query="Since when does the old oak stand by the pond?")


class Files:
    def __init__(self) -> None:
        self.versions = dict(VERSIONS)

    async def fetch(self, name: str, version: str) -> WorkshopFiles:
        if (name, version) not in self.versions:
            raise NotFoundError(f"Workshop '{name}' has no version {version}.")
        return self.versions[name, version]


class OtherEmbedder(FakeEmbedder):
    """Another model, of another dimension."""

    def __init__(self) -> None:
        super().__init__(48, "other@111111111111")


async def _publish_both(folder: Path, embedder: Embedder | None = None) -> None:
    async with open_room(folder, embedder) as room:
        for (name, version), files in VERSIONS.items():
            await room.service.index(scope_of(name), version, files)
            await room.service.activate(scope_of(name), version)


@asynccontextmanager
async def _jobs(folder: Path, room: Room, files: Files, documents: object = None) -> AsyncIterator[Jobs]:
    engine = create_engine(f"sqlite:///{folder}/jobs-tables.sqlite3")
    kinds = {REINDEX: reindex_job(lambda: room.service, lambda: files, documents)}  # type: ignore[arg-type]
    jobs = Jobs(engine, f"sqlite:///{folder}/jobs.sqlite3", kinds)
    try:
        await jobs.start()
        yield jobs
    finally:
        await jobs.stop()
        await engine.dispose()


async def _reindexed(jobs: Jobs, *names: str) -> Job:
    job = await jobs.submit(REINDEX, "", "ops:1", {"workshops": list(names) or None})
    with anyio.fail_after(60):
        return await jobs.wait(job.id)


async def test_an_index_of_another_model_is_searched_by_its_keywords(tmp_path: Path) -> None:
    await _publish_both(tmp_path)
    async with open_room(tmp_path, OtherEmbedder()) as room:
        with capture_logs() as said:
            found = [await room.service.search(SHOP, CRASHING) for _ in range(3)]
        assert [entry["workshop"] for entry in said if entry["event"] == "rag_keywords_only"] == ["shop"]
        assert all(response.keywords_only for response in found)
        assert "CrashLoopBackOff" in found[0].passages[0].text
        assert {passage.scores.dense for passage in found[0].passages} == {None}
        assert found[0].confidence > 0.4
        assert room.embedder.encoded == 0  # type: ignore[attr-defined]
        off = await room.service.search(SHOP, SearchRequest(query="Who won the chess championship of 1972?"))
        assert off.confidence < 0.4
        status = await room.service.status(SHOP)
        assert (status.model, status.current_model, status.current_form) == ("fake@000000000000", False, True)
        assert [(each.workshop, each.current_model) for each in await room.service.serving()] == [
            ("park", False),
            ("shop", False),
        ]


async def test_what_is_indexed_can_be_told_while_the_model_is_not_there(tmp_path: Path) -> None:
    class Missing(FakeEmbedder):
        @property
        def model_id(self) -> str:
            raise ModelUnavailableError("There are no weights.")

        @model_id.setter
        def model_id(self, value: str) -> None: ...

    await _publish_both(tmp_path)
    async with open_room(tmp_path, Missing()) as room, _jobs(tmp_path, room, Files()) as jobs:
        status = await room.service.status(SHOP)
        assert (status.active, status.current_model) == (True, False)
        assert (await room.service.activate(SHOP, "v1")).active
        job = await _reindexed(jobs)
        assert (job.state, (job.error or {})["detail"]) == (JobState.FAILED, "There are no weights.")


async def test_every_search_is_answered_while_all_are_reindexed(tmp_path: Path) -> None:
    await _publish_both(tmp_path)
    async with open_room(tmp_path, OtherEmbedder()) as room, _jobs(tmp_path, room, Files()) as jobs:
        seen: dict[str, list[bool]] = {"shop": [], "park": []}
        done = anyio.Event()

        async def visit(name: str, request: SearchRequest, words: str) -> None:
            while not done.is_set():
                found = await room.service.search(scope_of(name), request)
                assert words in found.passages[0].text
                seen[name].append(found.keywords_only)

        async with anyio.create_task_group() as visitors:
            for _ in range(2):
                visitors.start_soon(visit, "shop", CRASHING, "CrashLoopBackOff")
                visitors.start_soon(visit, "park", OAK, "1720")
            while not (seen["shop"] and seen["park"]):  # noqa: ASYNC110
                await anyio.sleep(0.01)
            job = await _reindexed(jobs)
            done.set()
        assert job.state == JobState.SUCCEEDED
        report = ReindexReport.model_validate(job.result)
        assert [(status.workshop, status.model, status.active) for status in report.renewed] == [
            ("park", "other@111111111111", True),
            ("shop", "other@111111111111", True),
        ]
        for name in seen:
            assert seen[name][0], "by keywords before"
            assert sorted(seen[name], reverse=True) == seen[name], "and never again by keywords once it is not"
        assert not (await room.service.search(SHOP, CRASHING)).keywords_only
        assert (await room.service.search(SHOP, CRASHING)).passages[0].scores.dense is not None
        assert len(room.store.collections()) == 2
        again = ReindexReport.model_validate((await _reindexed(jobs)).result)
        assert (again.renewed, again.current) == ([], ["park", "shop"])


async def test_progress_is_over_all_and_inside_each(tmp_path: Path) -> None:
    await _publish_both(tmp_path)
    async with open_room(tmp_path, OtherEmbedder()) as room, _jobs(tmp_path, room, Files()) as jobs:
        chunks = sum(status.chunks for status in await room.service.serving())
        job = await _reindexed(jobs)
        told = [event.data for event in [each async for each in jobs.events(job.id)] if event.type == "progress"]
        assert told[-1]["done"] == told[-1]["total"] == chunks
        assert told[-1]["message"].startswith("Indexing shop (2 of 2): ")
        assert [step.name for step in job.steps] == ["look", "index park", "index shop"]


async def test_named_ones_alone(tmp_path: Path) -> None:
    await _publish_both(tmp_path)
    async with open_room(tmp_path, OtherEmbedder()) as room, _jobs(tmp_path, room, Files()) as jobs:
        await _reindexed(jobs, "park")
        assert [status.current_model for status in await room.service.serving()] == [True, False]
        unknown = await _reindexed(jobs, "park", "lake")
        assert unknown.state == JobState.FAILED
        assert "'lake'" in (unknown.error or {})["detail"]
        assert (unknown.error or {})["status"] == 404


async def test_two_at_once_index_each_once(tmp_path: Path) -> None:
    await _publish_both(tmp_path)
    async with open_room(tmp_path, OtherEmbedder()) as room, _jobs(tmp_path, room, Files()) as jobs:
        started = [await jobs.submit(REINDEX, "", "ops:1", {}) for _ in range(2)]
        with anyio.fail_after(60):
            ended = [await jobs.wait(job.id) for job in started]
        assert [job.state for job in ended] == [JobState.SUCCEEDED] * 2
        assert room.embedder.encoded == sum(status.chunks for status in await room.service.serving())  # type: ignore[attr-defined]


async def test_files_that_cannot_be_had_hold_up_nobody_else_and_are_tried_again(tmp_path: Path) -> None:
    await _publish_both(tmp_path)
    files = Files()
    missing = files.versions.pop(("park", "v1"))
    async with open_room(tmp_path, OtherEmbedder()) as room, _jobs(tmp_path, room, files) as jobs:
        job = await _reindexed(jobs)
        assert job.state == JobState.FAILED
        assert (job.error or {})["failed"] == {"park": "Workshop 'park' has no version v1."}
        assert [status.current_model for status in await room.service.serving()] == [False, True]
        assert (await room.service.search(PARK, OAK)).passages, "the old index serves"
        files.versions["park", "v1"] = missing
        await jobs.retry(job.id)
        with anyio.fail_after(60):
            assert (await jobs.wait(job.id)).state == JobState.SUCCEEDED
        assert all(status.current_model for status in await room.service.serving())


async def test_one_that_is_removed_meanwhile_is_passed_over(tmp_path: Path) -> None:
    await _publish_both(tmp_path)

    class Removing(Files):
        async def fetch(self, name: str, version: str) -> WorkshopFiles:
            if name == "park":
                await room.service.remove(PARK)
                raise NotFoundError("There is no workshop 'park'.")
            return await super().fetch(name, version)

    async with open_room(tmp_path, OtherEmbedder()) as room, _jobs(tmp_path, room, Removing()) as jobs:
        report = ReindexReport.model_validate((await _reindexed(jobs)).result)
        assert (report.gone, [status.workshop for status in report.renewed]) == (["park"], ["shop"])
        with pytest.raises(NotIndexedError):
            await room.service.status(PARK)


async def test_a_reindexing_that_is_cancelled_leaves_the_old_index(tmp_path: Path) -> None:
    await _publish_both(tmp_path)
    started, never = anyio.Event(), anyio.Event()

    class Hanging(Files):
        async def fetch(self, name: str, version: str) -> WorkshopFiles:
            started.set()
            await never.wait()
            raise AssertionError

    async with open_room(tmp_path, OtherEmbedder()) as room, _jobs(tmp_path, room, Hanging()) as jobs:
        job = await jobs.submit(REINDEX, "", "ops:1", {})
        with anyio.fail_after(60):
            await started.wait()
            await jobs.cancel(job.id)
            assert (await jobs.wait(job.id)).state == JobState.CANCELLED
        assert (await room.service.search(SHOP, CRASHING)).passages
        assert len(room.store.collections()) == 2


async def test_shared_documents_are_reindexed_with_everything_and_not_with_named_ones(tmp_path: Path) -> None:
    await _publish_both(tmp_path)
    calls: list[str] = []

    async def documents(claims: Claims, progress: Progress) -> int:
        calls.append(claims.subject)
        await progress(3, 3)
        return 2

    async with open_room(tmp_path, OtherEmbedder()) as room, _jobs(tmp_path, room, Files(), documents) as jobs:
        await _reindexed(jobs, "park")
        assert calls == []
        job = await _reindexed(jobs)
        assert ReindexReport.model_validate(job.result).documents == 2
        assert calls == ["service:rag"]
        assert [step.name for step in job.steps] == ["look", "index shop", "shared documents"]


class _OldStore(lite.MilvusLiteStore):
    """Makes collections as they were made before rows had the fields of shared documents."""

    def create(self, collection: str, model: str, dimension: int) -> None:
        make = MilvusClient.create_schema

        def schema(**options: object) -> object:
            made = make(**options)
            add = made.add_field
            made.add_field = lambda name, *given, **more: None if name in NEW_FIELDS else add(name, *given, **more)
            return made

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(MilvusClient, "create_schema", staticmethod(schema))
            super().create(collection, model, dimension)

    def insert(self, *given: object, **more: object) -> None:
        row_of = lite.row_of
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                lite, "row_of", lambda *each: {name: value for name, value in row_of(*each).items() if name not in NEW_FIELDS}
            )
            super().insert(*given, **more)  # type: ignore[arg-type]


NEW_FIELDS = ("document", "tags", "content_focus")
OLD_FORM = Form(CURRENT_FORM.chunking, CURRENT_FORM.terms, rows=2)


@pytest.fixture
async def old(tmp_path: Path) -> Path:
    """A folder whose one index is of the form before."""
    async with open_room(tmp_path) as room:
        store = room.store
        store.__class__ = _OldStore
        service = RagService(store, room.embedder, room.indexes, form=OLD_FORM)
        await service.index(SHOP, "v1", VERSIONS["shop", "v1"])
        await service.activate(SHOP, "v1")
        fields = [field["name"] for field in store._client.describe_collection(store.collections()[0])["fields"]]
        assert "digest" in fields
        assert not set(NEW_FIELDS) & set(fields)
    return tmp_path


async def test_an_index_of_an_older_form_serves_whole_and_is_renewed(old: Path) -> None:
    async with open_room(old) as room, _jobs(old, room, Files()) as jobs:
        found = await room.service.search(SHOP, CRASHING)
        assert not found.keywords_only
        assert "CrashLoopBackOff" in found.passages[0].text
        status = await room.service.status(SHOP)
        assert (status.current_model, status.current_form) == (True, False)
        report = ReindexReport.model_validate((await _reindexed(jobs)).result)
        assert [each.current_form for each in report.renewed] == [True]
        fields = [field["name"] for field in room.store._client.describe_collection(room.store.collections()[0])["fields"]]
        assert set(NEW_FIELDS) <= set(fields)
        assert (await room.service.search(SHOP, CRASHING)).passages == found.passages


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SentenceTransformerEmbedder]:
    embedder = SentenceTransformerEmbedder(str(bert(tmp_path_factory.mktemp("model"))))
    yield embedder
    embedder.close()


async def test_a_real_model_of_another_dimension(tmp_path: Path, small: SentenceTransformerEmbedder) -> None:
    await _publish_both(tmp_path)
    async with open_room(tmp_path, small) as room, _jobs(tmp_path, room, Files()) as jobs:
        assert (await room.service.search(SHOP, CRASHING)).keywords_only
        report = ReindexReport.model_validate((await _reindexed(jobs)).result)
        assert {status.model for status in report.renewed} == {small.model_id}
        found = await room.service.search(SHOP, CRASHING)
        assert not found.keywords_only
        assert "CrashLoopBackOff" in found.passages[0].text


async def test_vectors_of_a_wrong_length_are_never_stored(tmp_path: Path) -> None:
    class TwoModels(FakeEmbedder):
        def _vector(self, text: str):  # type: ignore[no-untyped-def]
            return super()._vector(text)[:32]

    await _publish_both(tmp_path)
    async with open_room(tmp_path, TwoModels(64, "mixed@222222222222")) as room:
        with pytest.raises(ModelMismatchError, match=r"64 numbers.*mixed@222222222222 gave one of 32"):
            await room.service.index(SHOP, "v1", VERSIONS["shop", "v1"])
        assert len(room.store.collections()) == 2
        assert (await room.service.search(SHOP, CRASHING)).passages
