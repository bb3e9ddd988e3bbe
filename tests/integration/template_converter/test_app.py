"""The converter over HTTP: authors may classify, others may not, and errors are problem documents."""

import subprocess
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agents.template_converter.app import create_app
from agents.template_converter.service import ConverterService
from agents.template_converter.settings import ConverterSettings
from shared_services.contracts.identity import Role
from shared_services.kit.tokens import TokenIssuer

ISSUER = TokenIssuer(Ed25519PrivateKey.generate())


@pytest.fixture
async def client():
    app = create_app(ConverterService(ConverterSettings()), ISSUER.verifier())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://converter") as client:
        yield client


def headers(*roles: Role, audience: str = "template-converter") -> dict[str, str]:
    return {"authorization": f"Bearer {ISSUER.issue('ann', audience, roles=frozenset(roles))}"}


def make_repository(folder: Path) -> None:
    folder.mkdir()
    for number in (1, 2):
        (folder / f"0{number}-lab.md").write_text("# Lab\n\n```bash\nls\n```\n")
    for command in (["init", "-q"], ["add", "-A"], ["-c", "user.name=a", "-c", "user.email=a@a", "commit", "-q", "-m", "x"]):
        subprocess.run(["git", *command], cwd=folder, check=True, capture_output=True)


async def test_an_administrator_classifies_a_folder(client: httpx.AsyncClient, tmp_path: Path):
    for number in (1, 2):
        (tmp_path / f"0{number}-lab.md").write_text("# Lab\n\n```bash\nls\n```\n")
    answer = await client.post("/api/v1/classify", json={"source": str(tmp_path)}, headers=headers(Role.AUTHOR, Role.ADMIN))
    assert answer.status_code == 200
    assert answer.json()[0]["form"] == "markdown"
    assert answer.json()[0]["evidence"]


async def test_an_author_learns_nothing_of_the_machines_folders(client: httpx.AsyncClient, tmp_path: Path):
    answers = [
        await client.post("/api/v1/classify", json={"source": source}, headers=headers(Role.AUTHOR))
        for source in (str(tmp_path), str(tmp_path / "none"), tmp_path.as_uri())
    ]
    assert [answer.status_code for answer in answers] == [422, 422, 422]
    assert len({answer.json()["detail"] for answer in answers}) == 1


async def test_an_author_classifies_a_repository_elsewhere(client: httpx.AsyncClient, tmp_path: Path, git_server):
    make_repository(tmp_path / "lab")
    answer = await client.post("/api/v1/classify", json={"source": git_server(tmp_path / "lab")}, headers=headers(Role.AUTHOR))
    assert answer.status_code == 200
    assert answer.json()[0]["form"] == "markdown"


async def test_a_bad_source_is_a_problem_document(client: httpx.AsyncClient):
    answer = await client.post("/api/v1/classify", json={"source": "--upload-pack=x"}, headers=headers(Role.AUTHOR))
    assert answer.status_code == 422
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert answer.json()["type"].endswith(":source-hostile")


async def test_nobody_else_may(client: httpx.AsyncClient, tmp_path: Path):
    body = {"source": str(tmp_path)}
    assert (await client.post("/api/v1/classify", json=body)).status_code == 401
    assert (await client.post("/api/v1/classify", json=body, headers=headers(Role.PARTICIPANT))).status_code == 403
    assert (await client.post("/api/v1/classify", json=body, headers=headers(Role.AUTHOR, audience="rag"))).status_code == 401


async def test_without_jobs_there_are_no_conversions(client: httpx.AsyncClient):
    assert (await client.post("/api/v1/conversions", json={"source": "x"}, headers=headers(Role.AUTHOR))).status_code == 404
