"""The life of a job in one process."""

import asyncio
import logging
import threading
from pathlib import Path
from typing import Any

import pytest

from shared_services.contracts.jobs import Job, JobEvent, JobState
from shared_services.jobs import JobContext, Jobs
from shared_services.kit.errors import BadInputError, ConflictError, NotFoundError
from tests.integration.jobs.conftest import MakeJobs


async def all_events(jobs: Jobs, job_id: str, after: int = 0) -> list[JobEvent]:
    return [event async for event in jobs.events(job_id, after)]


async def ended(jobs: Jobs, job_id: str) -> Job:
    async with asyncio.timeout(30):
        return await jobs.wait(job_id)


async def greet(context: JobContext, given: dict[str, Any]) -> dict[str, Any]:
    async def upper(text: str) -> str:
        await context.progress(1, 2, "half")
        await context.progress(2, 2, "whole")
        await context.log("shouted", length=len(text))
        return text.upper()

    async def punctuate(text: str) -> tuple[str, str]:
        return (text, "!")

    loud = await context.step("upper", upper, given["text"])
    return {"parts": await context.step("punctuate", punctuate, loud), "owner": context.owner, "id": context.job_id}


async def test_a_job_runs_to_its_result_and_tells_of_it(make_jobs: MakeJobs) -> None:
    jobs = await make_jobs(greet=greet)
    job = await jobs.submit("greet", "a word", "author:1", {"text": "hello"})
    assert job.state == JobState.QUEUED
    done = await ended(jobs, job.id)
    assert done.state == JobState.SUCCEEDED
    assert done.result == {"parts": ["HELLO", "!"], "owner": "author:1", "id": job.id}
    assert [(step.name, step.state) for step in done.steps] == [("upper", "succeeded"), ("punctuate", "succeeded")]
    assert all(step.seconds is not None for step in done.steps)
    events = await all_events(jobs, job.id)
    assert [event.number for event in events] == list(range(1, len(events) + 1))
    assert [event.data["state"] for event in events if event.type == "state"] == ["queued", "running", "succeeded"]
    logs = [event.data for event in events if event.type == "log"]
    assert logs == [{"level": "info", "message": "shouted", "fields": {"length": 5}}]
    assert [event.data for event in events if event.type == "progress"][-1] == {"done": 2, "total": 2, "message": "whole"}


async def test_two_listeners_and_one_that_resumes(make_jobs: MakeJobs) -> None:
    go = asyncio.Event()

    async def wait(context: JobContext, _given: dict[str, Any]) -> dict[str, Any]:
        await context.log("first")
        await go.wait()
        await context.log("second")
        return {}

    jobs = await make_jobs(wait=wait)
    job = await jobs.submit("wait", "", "a", {})
    early = asyncio.create_task(all_events(jobs, job.id))
    seen: list[JobEvent] = []
    async for event in jobs.events(job.id):
        seen.append(event)
        if event.type == "log":
            break
    go.set()
    rest = await all_events(jobs, job.id, after=seen[-1].number)
    assert seen + rest == await early
    assert rest[0].number == seen[-1].number + 1
    assert rest[-1].data == {"state": "succeeded"}
    assert await all_events(jobs, job.id, after=rest[-1].number) == []


async def test_progress_from_a_thread_is_thinned_and_its_last_state_kept(make_jobs: MakeJobs) -> None:
    async def count(context: JobContext, _given: dict[str, Any]) -> dict[str, Any]:
        def work() -> str:
            for number in range(2000):
                context.progress_from_thread(number + 1, 2000, "counting")
            context.log_from_thread("counted", thread=threading.current_thread() is not threading.main_thread())
            return "done"

        async def step() -> str:
            return await asyncio.to_thread(work)

        return {"said": await context.step("count", step)}

    jobs = await make_jobs(count=count)
    job = await ended(jobs, (await jobs.submit("count", "", "a", {})).id)
    assert (job.done, job.total, job.message) == (2000, 2000, "counting")
    events = await all_events(jobs, job.id)
    progress = [event.data["done"] for event in events if event.type == "progress"]
    assert progress[-1] == 2000
    assert len(progress) < 20
    assert [event.data["fields"] for event in events if event.type == "log"] == [{"thread": True}]


async def test_a_refusal_is_kept_as_its_problem(make_jobs: MakeJobs) -> None:
    async def refuse(context: JobContext, _given: dict[str, Any]) -> dict[str, Any]:
        async def step() -> None:
            raise BadInputError("The archive is empty.", archive="a.zip")

        await context.step("look", step)
        return {}

    jobs = await make_jobs(refuse=refuse)
    job = await ended(jobs, (await jobs.submit("refuse", "", "a", {})).id)
    assert job.state == JobState.FAILED
    assert job.error is not None
    assert job.error["type"] == "urn:workshop-assistant:problem:bad-input"
    assert (job.error["detail"], job.error["archive"]) == ("The archive is empty.", "a.zip")
    assert (job.steps[0].state, job.steps[0].detail) == (JobState.FAILED, "The archive is empty.")


@pytest.mark.parametrize("in_step", [True, False])
async def test_an_unexpected_error_names_its_class_alone(make_jobs: MakeJobs, in_step: bool) -> None:
    async def crash(context: JobContext, _given: dict[str, Any]) -> dict[str, Any]:
        async def step() -> None:
            raise ZeroDivisionError("the secret is 42")

        await (context.step("divide", step) if in_step else step())
        return {}

    jobs = await make_jobs(crash=crash)
    job = await ended(jobs, (await jobs.submit("crash", "", "a", {})).id)
    assert job.error is not None
    assert job.error["type"].endswith(":internal")
    assert "ZeroDivisionError" in job.error["detail"]
    assert "secret" not in job.model_dump_json()


async def test_what_json_has_no_form_for_fails_the_job(make_jobs: MakeJobs) -> None:
    async def odd(context: JobContext, _given: dict[str, Any]) -> dict[str, Any]:
        async def step() -> object:
            return object()

        await context.step("odd", step)
        return {}

    async def not_a_number(_context: JobContext, _given: dict[str, Any]) -> dict[str, Any]:
        return {"score": float("nan")}

    jobs = await make_jobs(odd=odd, nan=not_a_number)
    for kind in ("odd", "nan"):
        assert (await ended(jobs, (await jobs.submit(kind, "", "a", {})).id)).state == JobState.FAILED


async def test_text_that_databases_refuse_is_cleaned(make_jobs: MakeJobs) -> None:
    async def odd(context: JobContext, _given: dict[str, Any]) -> dict[str, Any]:
        await context.progress(1, None, "nul \x00 and half \ud800")
        await context.log("nul \x00 and half \ud800", what={"\x00": ["\ud800"]})
        return {}

    jobs = await make_jobs(odd=odd)
    job = await ended(jobs, (await jobs.submit("odd", "nul \x00", "a", {})).id)
    assert (job.state, job.message, job.subject) == (JobState.SUCCEEDED, "nul  and half ?", "nul ")


async def test_junk(make_jobs: MakeJobs) -> None:
    jobs = await make_jobs(greet=greet)
    with pytest.raises(BadInputError, match="no job of kind 'mine-bitcoin'"):
        await jobs.submit("mine-bitcoin", "", "a", {})
    with pytest.raises(BadInputError, match="not JSON"):
        await jobs.submit("greet", "", "a", {"text": object()})
    for call in (jobs.get, jobs.cancel, jobs.retry, jobs.wait):
        with pytest.raises(NotFoundError):
            await call("no-such-job")
    with pytest.raises(NotFoundError):
        await all_events(jobs, "no-such-job")
    assert await jobs.list() == []


async def test_an_idempotency_key_gives_the_first_job(make_jobs: MakeJobs) -> None:
    jobs = await make_jobs(greet=greet)
    first = await jobs.submit("greet", "x", "a", {"text": "x"}, idempotency_key="k")
    again = await jobs.submit("greet", "x", "a", {"text": "x"}, idempotency_key="k")
    other = await jobs.submit("greet", "x", "b", {"text": "x"}, idempotency_key="k")
    assert again.id == first.id != other.id
    with pytest.raises(ConflictError):
        await jobs.submit("greet", "x", "a", {"text": "y"}, idempotency_key="k")
    await ended(jobs, first.id)
    await ended(jobs, other.id)


async def test_the_list_is_newest_first_and_paged(make_jobs: MakeJobs) -> None:
    jobs = await make_jobs(greet=greet, other=greet)
    made = [await jobs.submit("greet", str(number), "a", {"text": "x"}) for number in range(3)]
    made.append(await jobs.submit("other", "3", "b", {"text": "x"}))
    for job in made:
        await ended(jobs, job.id)
    assert [job.subject for job in await jobs.list()] == ["3", "2", "1", "0"]
    assert [job.subject for job in await jobs.list(owner="a", limit=2)] == ["2", "1"]
    assert [job.subject for job in await jobs.list(owner="a", before=made[1].id)] == ["0"]
    assert [job.subject for job in await jobs.list(kind="other")] == ["3"]
    assert [len(job.steps) for job in await jobs.list()] == [2, 2, 2, 2]


async def test_so_many_run_at_once_and_the_others_wait(make_jobs: MakeJobs) -> None:
    go = asyncio.Event()
    order: list[str] = []
    most = running = 0

    async def wait(_context: JobContext, given: dict[str, Any]) -> dict[str, Any]:
        nonlocal most, running
        order.append(given["name"])
        running += 1
        most = max(most, running)
        await go.wait()
        running -= 1
        return {}

    jobs = await make_jobs(wait=wait)
    made = [await jobs.submit("wait", name, "a", {"name": name}) for name in "abcd"]
    for job in made[:2]:
        async for event in jobs.events(job.id):
            if event.data == {"state": "running"}:
                break
    await asyncio.sleep(1)
    assert [(await jobs.get(job.id)).state for job in made] == ["running", "running", "queued", "queued"]
    go.set()
    for job in made:
        await ended(jobs, job.id)
    assert most == 2
    assert set(order[:2]) == {"a", "b"}


async def test_a_step_is_tried_again_after_an_error_that_may_pass(make_jobs: MakeJobs) -> None:
    tries = {"flaky": 0, "refused": 0}

    async def flaky(context: JobContext, given: dict[str, Any]) -> dict[str, Any]:
        async def step(name: str) -> int:
            tries[name] += 1
            if name == "refused":
                raise BadInputError("No.")
            if tries[name] < 2:
                raise ConnectionError("gone")
            return tries[name]

        return {"tries": await context.step("ask", step, given["name"], retries=3)}

    jobs = await make_jobs(flaky=flaky)
    good = await ended(jobs, (await jobs.submit("flaky", "", "a", {"name": "flaky"})).id)
    assert good.result == {"tries": 2}
    bad = await ended(jobs, (await jobs.submit("flaky", "", "a", {"name": "refused"})).id)
    assert bad.state == JobState.FAILED
    assert tries == {"flaky": 2, "refused": 1}


async def test_retry_goes_on_from_the_failed_step(make_jobs: MakeJobs) -> None:
    runs: list[str] = []

    async def fragile(context: JobContext, _given: dict[str, Any]) -> dict[str, Any]:
        async def step(name: str) -> str:
            runs.append(name)
            if name == "two" and runs.count("two") < 3:
                raise ConnectionError
            return name

        return {"all": [await context.step(name, step, name) for name in ("one", "two", "three")]}

    jobs = await make_jobs(fragile=fragile)
    job = await jobs.submit("fragile", "", "a", {})
    assert (await ended(jobs, job.id)).state == JobState.FAILED
    for state in (JobState.FAILED, JobState.SUCCEEDED):
        again = await jobs.retry(job.id)
        assert again.error is None
        assert (await ended(jobs, job.id)).state == state
    assert runs == ["one", "two", "two", "two", "three"]
    last = await jobs.get(job.id)
    assert last.result == {"all": ["one", "two", "three"]}
    assert [(step.name, step.state) for step in last.steps] == [(name, "succeeded") for name in ("one", "two", "three")]
    events = await all_events(jobs, job.id)
    assert [event.number for event in events] == list(range(1, len(events) + 1))
    states = [event.data["state"] for event in events if event.type == "state"]
    assert states == ["queued", "running", "failed", "queued", "running", "failed", "queued", "running", "succeeded"]
    with pytest.raises(ConflictError, match="succeeded"):
        await jobs.retry(job.id)


async def test_a_job_that_failed_between_steps_keeps_all_of_them(make_jobs: MakeJobs) -> None:
    runs: list[str] = []

    async def fragile(context: JobContext, _given: dict[str, Any]) -> dict[str, Any]:
        async def step() -> None:
            runs.append("step")

        await context.step("one", step)
        runs.append("between")
        if runs.count("between") == 1:
            raise ConnectionError
        return {}

    jobs = await make_jobs(fragile=fragile)
    job = await jobs.submit("fragile", "", "a", {})
    await ended(jobs, job.id)
    await jobs.retry(job.id)
    assert (await ended(jobs, job.id)).state == JobState.SUCCEEDED
    assert runs == ["step", "between", "between"]


async def test_steps_may_run_side_by_side(make_jobs: MakeJobs) -> None:
    hold = True
    runs: list[str] = []

    async def fan_out(context: JobContext, _given: dict[str, Any]) -> dict[str, Any]:
        async def step(name: str) -> str:
            runs.append(name)
            while name == "b" and hold:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            return name.upper()

        return {"all": await asyncio.gather(*(context.step(name, step, name) for name in "abc"))}

    jobs = await make_jobs(fan_out=fan_out)
    job = await jobs.submit("fan_out", "", "a", {})
    names = set[str]()
    async for event in jobs.events(job.id):
        if event.data.get("state") == "succeeded":
            names.add(event.data["name"])
        if names == {"a", "c"}:
            break
    await asyncio.sleep(0.3)  # for the engine to write down what the steps came to
    await jobs.stop()
    hold = False
    await jobs.start()
    done = await ended(jobs, job.id)
    assert done.result == {"all": ["A", "B", "C"]}
    assert [(step.name, step.state) for step in done.steps] == [(name, "succeeded") for name in "abc"]
    assert sorted(runs) == ["a", "b", "b", "c"]


async def test_a_job_may_submit_another_from_a_step(make_jobs: MakeJobs) -> None:
    async def parent(context: JobContext, _given: dict[str, Any]) -> dict[str, Any]:
        async def step() -> str:
            return (await jobs.submit("greet", "", context.owner, {"text": "x"}, idempotency_key=context.job_id)).id

        return {"child": await context.step("submit", step)}

    jobs = await make_jobs(parent=parent, greet=greet)
    job = await ended(jobs, (await jobs.submit("parent", "", "a", {})).id)
    assert job.result is not None
    assert (await ended(jobs, job.result["child"])).state == JobState.SUCCEEDED


def listening() -> set[str]:
    """Inodes of the sockets on which this process listens."""
    own = {str(fd.readlink()) for fd in Path("/proc/self/fd").iterdir() if fd.is_symlink()}
    rows = [row.split() for name in ("tcp", "tcp6") for row in Path(f"/proc/self/net/{name}").read_text().splitlines()[1:]]
    return {row[9] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in own}


async def test_the_loop_keeps_its_own_threads_and_the_root_logger_its_say(
    make_jobs: MakeJobs, tmp_path: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    before_listening = listening()
    await asyncio.to_thread(int)
    before = asyncio.get_running_loop()._default_executor  # type: ignore[attr-defined]
    jobs = await make_jobs(greet=greet)
    await ended(jobs, (await jobs.submit("greet", "", "a", {"text": "x"})).id)
    assert asyncio.get_running_loop()._default_executor is before  # type: ignore[attr-defined]
    assert listening() == before_listening
    await jobs.stop()
    assert await asyncio.to_thread(int) == 0
    assert [type(handler) for handler in logging.getLogger("dbos").handlers] == [logging.NullHandler]
    assert "DBOS" not in capfd.readouterr().err
