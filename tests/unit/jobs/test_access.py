"""Who may have which job, and where a stream goes on."""

import subprocess
import sys
from datetime import UTC, datetime

import pytest

from shared_services.contracts.identity import Identity, Role
from shared_services.contracts.jobs import Job, JobState
from shared_services.jobs.endpoints import check_access, last_number
from shared_services.kit.errors import ForbiddenError, NotFoundError
from shared_services.kit.identity import Permission

JOB = Job(
    id="j",
    kind="convert",
    subject="",
    owner="anna",
    state=JobState.QUEUED,
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
    updated_at=datetime(2026, 1, 1, tzinfo=UTC),
    steps=[],
)


def person(name: str, role: Role) -> Identity:
    return Identity(id=name, roles=frozenset({role}))


@pytest.mark.parametrize("identity", [person("anna", Role.AUTHOR), person("x", Role.OPS), person("x", Role.ADMIN)])
def test_the_owner_and_those_who_may_all(identity: Identity) -> None:
    assert check_access(JOB, identity, own=Permission.JOBS_MANAGE, every=Permission.JOBS_MANAGE_ALL) is JOB


def test_to_others_it_does_not_exist() -> None:
    with pytest.raises(NotFoundError):
        check_access(JOB, person("bert", Role.AUTHOR), own=Permission.JOBS_READ, every=Permission.JOBS_READ_ALL)


def test_an_owner_without_the_permission_is_told_so() -> None:
    with pytest.raises(ForbiddenError):
        check_access(JOB, person("anna", Role.REVIEWER), own=Permission.JOBS_MANAGE, every=Permission.JOBS_MANAGE_ALL)


@pytest.mark.parametrize(
    ("header", "number"), [(None, 0), ("", 0), ("17", 17), ("-1", 0), ("1e3", 0), ("x", 0), ("9" * 40, 0), ("²", 0)]
)
def test_the_number_in_last_event_id(header: str | None, number: int) -> None:
    assert last_number(header) == number


def test_importing_jobs_does_not_import_dbos() -> None:
    code = "import sys, shared_services.jobs, shared_services.jobs.endpoints; sys.exit('dbos' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
