"""Starts that are refused, in one sentence, and leave nothing behind."""

from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY

from shared_services.jobs import JobContext, Jobs
from shared_services.jobs.errors import JobsAlreadyRunningError
from shared_services.kit.database import create_engine
from shared_services.kit.errors import UnavailableError
from tests.integration.jobs.conftest import MakeJobs, running_jobs

ENDS = ("succeeded", "failed", "cancelled")


async def nothing(_context: JobContext, _given: dict[str, Any]) -> dict[str, Any]:
    return {}


async def test_a_process_starts_jobs_once(make_jobs: MakeJobs) -> None:
    await make_jobs(nothing=nothing)
    with pytest.raises(JobsAlreadyRunningError):
        await make_jobs(nothing=nothing)


@pytest.mark.parametrize("damage", ["no folder", "no database"])
async def test_a_database_that_cannot_be_used(tmp_path: Path, damage: str, capfd: pytest.CaptureFixture[str]) -> None:
    broken = tmp_path / "missing" / "dbos.sqlite" if damage == "no folder" else tmp_path / "broken.sqlite"
    if damage == "no database":
        broken.write_text("this is no database at all, but long enough to have a header" * 20)
    engine = create_engine(f"sqlite:///{tmp_path}/jobs.sqlite")
    jobs = Jobs(engine, f"sqlite:///{broken}", {"nothing": nothing})
    with pytest.raises(UnavailableError):
        await jobs.start()
    await jobs.stop()
    await engine.dispose()
    assert "Traceback" not in capfd.readouterr().err
    async with running_jobs(tmp_path, {"nothing": nothing}) as working:
        assert (await working.wait((await working.submit("nothing", "", "a", {})).id)).result == {}


async def test_what_failed_is_counted_from_zero(make_jobs: MakeJobs) -> None:
    await make_jobs(seldom=nothing)
    counted = {
        state: REGISTRY.get_sample_value("workshop_jobs_ended_total", {"kind": "seldom", "state": state}) for state in ENDS
    }
    assert counted == dict.fromkeys(ENDS, 0.0)
