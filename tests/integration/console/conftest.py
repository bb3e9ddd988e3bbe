"""Every service in one process on a folder of its own, and people of every role who look at its pages."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from shared_services.clients.transport import InProcessTransport
from shared_services.contracts.identity import Identity, Role
from shared_services.contracts.jobs import Job, JobState
from shared_services.kit.identity import LOCAL_AUTHOR, SESSION_COOKIE, issue_session
from shared_services.library.publishing import PUBLISH
from tests.tutorials import make_repository
from tests.workshops import make_workshop
from workshop_cli.core import Core, open_core
from workshop_cli.datafolder import hold
from workshop_cli.settings import CliSettings

ADDRESS = "http://workshop.test"

PEOPLE: dict[str, Identity | None] = {
    "nobody": None,
    "bound": Identity(id="participant:eve", roles=frozenset({Role.PARTICIPANT}), workshop="tiny"),
    "participant": Identity(id="oidc:pat", roles=frozenset({Role.PARTICIPANT})),
    "reviewer": Identity(id="oidc:rita", roles=frozenset({Role.REVIEWER})),
    "author": Identity(id="oidc:ada", name="Ada", roles=frozenset({Role.AUTHOR})),
    "other author": Identity(id="oidc:bob", name="Bob", roles=frozenset({Role.AUTHOR})),
    "ops": Identity(id="oidc:olga", roles=frozenset({Role.OPS})),
    "admin": LOCAL_AUTHOR,
}


@pytest.fixture(scope="package")
def anyio_backend() -> str:
    return "asyncio"


@dataclass
class Site:
    """The services, and their browsers."""

    core: Core
    browsers: dict[str, httpx.AsyncClient]
    version: str
    draft: str
    job: str
    conversion: str

    def __getitem__(self, person: str) -> httpx.AsyncClient:
        return self.browsers[person]

    async def ended(self, response: httpx.Response) -> Job:
        """The job that a form's answer led to, once it has ended."""
        assert response.status_code == 303, response.text
        assert response.headers["location"].startswith("/jobs/"), response.headers["location"]
        return await self.core.jobs.wait(response.headers["location"].removeprefix("/jobs/"))


def browser(core: Core, identity: Identity | None) -> httpx.AsyncClient:
    """A person's browser, signed in; redirects are not followed."""
    cookies = {SESSION_COOKIE: issue_session(core.issuer, identity)} if identity else {}
    return httpx.AsyncClient(
        transport=InProcessTransport(core.app),
        base_url=ADDRESS,
        cookies=cookies,
        headers={"accept": "text/html"},
        timeout=60,
    )


@pytest.fixture(scope="package")
async def site(tmp_path_factory: pytest.TempPathFactory, anyio_backend: str) -> AsyncIterator[Site]:
    """A site that needs join codes, with the published workshop `tiny`, a draft of it, and a finished job of Ada's."""
    root = tmp_path_factory.mktemp("site")
    with hold(root, "test") as folder:
        async with open_core(
            folder, CliSettings(data=root, access="code", public_url="https://lab.example/"), warm=False
        ) as core:
            first = await core.library.draft(make_workshop())
            given = {"workshop": first.workshop, "version": first.version}
            job = await core.jobs.submit(PUBLISH, first.workshop, "oidc:ada", given)
            assert (await core.jobs.wait(job.id)).state == JobState.SUCCEEDED
            draft = await core.library.draft(make_workshop(title="The next tiny workshop"))
            browsers = {name: browser(core, identity) for name, identity in PEOPLE.items()}
            # A conversion of Ada's; what it names is refused when she asks for it again.
            conversion = await core.jobs.submit("convert", "/nowhere/at/all", "oidc:ada", {"source": "/nowhere/at/all"})
            await core.jobs.wait(conversion.id)
            yield Site(core, browsers, first.version, draft.version, job.id, conversion.id)
            for client in browsers.values():
                await client.aclose()


@pytest.fixture
def repository(tmp_path: Path) -> Callable[[dict[str, str]], str]:
    """Makes a repository; gives its address."""
    return lambda files: make_repository(tmp_path / "repository", files)
