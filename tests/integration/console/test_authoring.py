"""From an address in the form to a published workshop and back, through the real jobs, library and index."""

import html
import io
import json
import re
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from shared_services.contracts.jobs import JobState
from tests.integration.console.conftest import Site
from tests.tutorials import make_repository, pages

MakeRepository = Callable[[dict[str, str]], str]
BOAT = {"README.md": "# Sail a boat\n\nA lab.\n", **pages(["rig", "sail", "moor"])}


async def convert(site: Site, source: str, person: str = "admin", **fields: str) -> httpx.Response:
    return await site[person].post("/convert", data={"source": source, **fields})


async def test_a_repository_becomes_a_workshop_that_is_seen_once_it_is_published(site: Site, repository: MakeRepository):
    author = site["admin"]
    job = await site.ended(await convert(site, repository(BOAT)))
    assert job.state == JobState.SUCCEEDED, job.error
    assert job.result is not None
    name, version = job.result["workshop"], job.result["version"]

    report = (await author.get(f"/jobs/{job.id}")).text
    assert "3 pages, 3 code blocks kept" in report
    assert "3 references were broken in the source." in report
    assert f"/drafts/{name}/{version}/publish" in report

    row = re.search(r'href="((/drafts/[^"]+/steps/[^"?]+)\?line=(\d+)[^"]*)">02-sail.md:9<', report)
    assert row is not None, report
    preview = (await author.get(html.unescape(row[1]))).text
    places = json.loads(html.unescape(re.search(r'data-places="([^"]+)"', preview)[1]))  # type: ignore[index]
    assert places[row[3]] == {"file": "02-sail.md", "first": 9, "last": 9, "web": None, "anchor": "source-0-9"}
    # The author's own line stands beside it, and is marked since the report names it.
    assert '<li id="source-0-9" data-n="9" class="named">Then read [more](lost-sail.md).</li>' in preview
    assert "participants do not see it" in preview

    # Nobody but authors and reviewers learns of the draft.
    assert name not in (await site["participant"].get("/")).text
    assert (await site["nobody"].get(f"/w/{name}/")).status_code == 404
    for path in (f"/api/v1/library/{name}", f"/api/v1/library/{name}/versions/{version}"):
        assert (await site["participant"].get(path)).status_code in {403, 404}
    assert (await site["participant"].get(f"/drafts/{name}/{version}/steps/rig")).status_code == 403

    published = await site.ended(await author.post(f"/drafts/{name}/{version}/publish"))
    assert published.state == JobState.SUCCEEDED, published.error
    page = (await author.get(f"/jobs/{published.id}")).text
    assert "Participants see it now." in page
    assert "Sail a boat" in (await site["participant"].get("/")).text
    assert (await author.get(f"/w/{name}/steps/{(await site.core.library.current(name)).manifest.steps[0]}")).status_code == 200
    assert f"/drafts/{name}/{version}/publish" not in (await author.get(f"/jobs/{job.id}")).text

    removed = await site.ended(await author.post(f"/workshops/{name}/remove"))
    assert removed.state == JobState.SUCCEEDED, removed.error
    assert "Removed with every version and its index." in (await author.get(f"/jobs/{removed.id}")).text
    assert "Sail a boat" not in (await site["participant"].get("/")).text
    assert (await author.get(f"/w/{name}/")).status_code == 404
    gone = await author.get(f"/jobs/{job.id}")
    assert gone.status_code == 200
    assert "has been removed since" in gone.text
    assert (await author.post(f"/drafts/{name}/{version}/publish")).status_code == 404


async def test_a_join_link_that_the_author_copies_fills_in_the_code(site: Site):
    listed = (await site["author"].get("/")).text
    link = re.search(r'data-copy="https://lab\.example(/w/tiny/join\?code=([A-Z0-9]{8}))"', listed)
    assert link is not None, listed
    assert link[2] not in (await site["participant"].get("/")).text
    joined = await site["nobody"].get(link[1])
    assert f'value="{link[2]}"' in joined.text
    assert link[1] in (await site["author"].get(f"/jobs/{site.job}")).text


async def test_two_readings_are_a_choice_that_keeps_branch_and_address(site: Site, repository: MakeRepository):
    source = repository({**pages(["rig", "sail", "moor"], "alpha/"), **pages(["bake", "eat", "wash"], "beta/")})
    asked = await site.ended(await convert(site, source, ref="main"))
    page = (await site["admin"].get(f"/jobs/{asked.id}")).text
    assert "Your choice" in page
    cards = re.findall(r'name="path" value="([^"]*)">\s*<input type="hidden" name="as_form" value="([^"]*)"', page)
    assert sorted(cards) == [("alpha", "markdown"), ("beta", "markdown")]
    assert "Try again" not in page
    # Somebody else who may see the job is not offered to answer for its owner.
    assert "Read it like this" not in (await site["ops"].get(f"/jobs/{asked.id}")).text

    chosen = await site["admin"].post(f"/jobs/{asked.id}/read-as", data={"path": "beta", "as_form": "markdown"})
    done = await site.ended(chosen)
    assert done.state == JobState.SUCCEEDED, done.error
    assert "02-eat.md" in (await site["admin"].get(f"/jobs/{done.id}")).text
    assert await site.core.jobs.given(done.id) == {
        "source": source,
        "as_form": "markdown",
        "ref": "main",
        "path": "beta",
        "slug": None,
        "every": False,
    }


async def test_every_workshop_of_a_choice_may_be_taken(site: Site, repository: MakeRepository):
    source = repository({**pages(["paddle", "drift"], "alpha/"), **pages(["knead", "proof"], "beta/")})
    asked = await site.ended(await convert(site, source))
    page = (await site["admin"].get(f"/jobs/{asked.id}")).text
    assert "Convert every workshop" in page
    assert page.count("<meter") == 2
    assert "Convert every workshop" not in (await site["ops"].get(f"/jobs/{asked.id}")).text

    done = await site.ended(await site["admin"].post(f"/jobs/{asked.id}/read-as", data={"every": "true"}))
    assert (done.kind, done.state) == ("convert-all", JobState.SUCCEEDED), done.error
    page = (await site["admin"].get(f"/jobs/{done.id}")).text
    assert "2 workshops read; 0 things lost or changed, 4 references broken in the source." in page
    links = re.findall(rf'href="(/jobs/{done.id}/workshops/[^"]+)"', page)
    assert len(links) == 2
    report = (await site["admin"].get(links[1])).text
    assert "2 pages, 2 code blocks kept" in report
    assert "beta/01-knead.md:9" in report
    assert "/publish" in report
    assert (await site["admin"].get(f"/jobs/{done.id}/workshops/none")).status_code == 404
    assert (await site["author"].get(links[1])).status_code == 404
    assert "Convert all of" in (await site["admin"].get("/jobs")).text


async def test_an_export_is_looked_at_and_downloaded(site: Site):
    base = f"/drafts/tiny/{site.draft}/export"
    choices = (await site["author"].get(base)).text
    assert re.findall(rf'href="{base}/(\w+)/archive"', choices) == ["showroom", "educates", "mkdocs"]
    report = (await site["author"].get(f"{base}/mkdocs")).text
    assert "nothing was lost" in report
    assert "mkdocs.yml" in report
    archive = await site["author"].get(f"{base}/mkdocs/archive")
    assert archive.headers["content-disposition"] == 'attachment; filename="tiny-mkdocs.zip"'
    with zipfile.ZipFile(io.BytesIO(archive.content)) as opened:
        assert "tiny/mkdocs.yml" in opened.namelist()
    refused = await site["author"].get(f"{base}/jupyter")
    assert refused.status_code == 422
    assert "Known ones: showroom, educates, mkdocs" in refused.text


async def test_a_long_workshop_is_exported_by_a_job(site: Site, repository: MakeRepository):
    converted = await site.ended(await convert(site, repository(pages([f"knot-{number}" for number in range(31)]))))
    assert converted.result is not None
    base = f"/drafts/{converted.result['workshop']}/{converted.result['version']}/export"
    choices = (await site["admin"].get(base)).text
    assert "its export is a job" in choices
    assert "/archive" not in choices
    job = await site.ended(await site["admin"].post(f"{base}/educates"))
    assert (job.kind, job.state) == ("export", JobState.SUCCEEDED), job.error
    page = (await site["admin"].get(f"/jobs/{job.id}")).text
    assert "Educates:" in page
    archive = await site["admin"].get(f"{base}/educates/archive?kept=true")
    with zipfile.ZipFile(io.BytesIO(archive.content)) as opened:
        assert "export-report.json" in opened.namelist()
    assert (await site["admin"].get(f"{base}/mkdocs/archive?kept=true")).status_code == 404


SHOP = {
    "pyproject.toml": '[project]\nname = "shop"\ndependencies = ["fastapi"]\n',
    "shop/main.py": 'from fastapi import FastAPI\n\napp = FastAPI()\n\n\n@app.get("/orders")\ndef orders() -> list[str]:\n    return []\n',
}


async def test_an_application_is_inspected_and_becomes_a_skeleton(site: Site, repository: MakeRepository):
    refused = await site.ended(await convert(site, repository(SHOP)))
    page = (await site["admin"].get(f"/jobs/{refused.id}")).text
    assert "Inspect it" in page
    assert "Inspect it" not in (await site["ops"].get(f"/jobs/{refused.id}")).text

    inspected = await site.ended(await site["admin"].post(f"/jobs/{refused.id}/inspect"))
    assert (inspected.kind, inspected.state) == ("inspect", JobState.SUCCEEDED), inspected.error
    page = (await site["admin"].get(f"/jobs/{inspected.id}")).text
    for said in ("2 files: Python; 1 endpoint, 1 build file.", "/orders", "shop/main.py:6", "FastAPI"):
        assert said in page
    assert "skeleton of it" in page

    made = await site.ended(await site["admin"].post(f"/jobs/{inspected.id}/inspect", data={"skeleton": "true"}))
    page = (await site["admin"].get(f"/jobs/{made.id}")).text
    assert "Change an endpoint" in page
    assert "There is no step" in page
    assert "/publish" in page
    assert (await site["author"].post(f"/jobs/{made.id}/inspect")).status_code == 404


async def test_an_inspection_is_started_from_the_form(site: Site, repository: MakeRepository):
    job = await site.ended(await site["admin"].post("/inspect", data={"source": repository(SHOP), "as_form": "mkdocs"}))
    assert job.kind == "inspect"
    empty = await site["admin"].post("/inspect", data={"source": " "})
    assert empty.status_code == 422
    assert "Enter the address" in empty.text
    elsewhere = await site["author"].post("/inspect", data={"source": "/etc"})
    assert elsewhere.status_code == 422
    assert "own machine are not taken here" in elsewhere.text


async def test_a_choice_is_remembered_for_the_repository_and_can_be_forgotten(site: Site, repository: MakeRepository):
    source = repository({**pages(["tack", "gybe", "heel"], "alpha/"), **pages(["fry", "boil", "steam"], "beta/")})
    asked = await site.ended(await convert(site, source))
    await site.ended(await site["admin"].post(f"/jobs/{asked.id}/read-as", data={"path": "beta", "as_form": "markdown"}))

    again = await site.ended(await convert(site, source))
    assert again.state == JobState.SUCCEEDED, again.error
    page = (await site["admin"].get(f"/jobs/{again.id}")).text
    assert "Remembered: to be read as markdown in <code>beta</code>, chosen by author:local on " in page
    assert "02-boil.md" in page
    assert "Forget it and recognise anew" in page
    assert "Forget it and recognise anew" not in (await site["ops"].get(f"/jobs/{again.id}")).text
    known = await site["admin"].get("/api/v1/choices", params={"address": source})
    assert (known.json()["form"], known.json()["path"]) == ("markdown", "beta")
    for person in ("participant", "reviewer", "ops"):
        assert (await site[person].get("/api/v1/choices", params={"address": source})).status_code == 403
        assert (await site[person].delete("/api/v1/choices", params={"address": source})).status_code == 403

    assert (await site["author"].post(f"/jobs/{again.id}/forget-choice")).status_code == 404
    anew = await site.ended(await site["admin"].post(f"/jobs/{again.id}/forget-choice"))
    assert "Your choice" in (await site["admin"].get(f"/jobs/{anew.id}")).text
    assert (await site["admin"].get("/api/v1/choices", params={"address": source})).status_code == 404


async def test_an_application_is_refused_with_what_it_is(site: Site, repository: MakeRepository):
    source = repository(
        {"package.json": '{"dependencies": {"react": "18"}}', "src/a.js": "1", "src/b.js": "2", "README.md": "# App\n"}
    )
    job = await site.ended(await convert(site, source))
    page = (await site["admin"].get(f"/jobs/{job.id}")).text
    assert job.state == JobState.FAILED
    assert "This is an application" in page
    assert "<code>package.json</code>" in page
    assert "Try again" not in page
    again = (await site["admin"].get(f"/convert?job={job.id}")).text
    assert f'value="{source}"' in again


async def test_what_failed_is_tried_again(site: Site, tmp_path: Path):
    folder = tmp_path / "late"
    failed = await site.ended(await convert(site, f"file://{folder}"))
    assert failed.state == JobState.FAILED
    page = (await site["admin"].get(f"/jobs/{failed.id}")).text
    assert "there is no" in page
    assert f"/jobs/{failed.id}/retry" in page
    make_repository(folder, BOAT)
    again = await site.ended(await site["admin"].post(f"/jobs/{failed.id}/retry"))
    assert (again.id, again.state) == (failed.id, JobState.SUCCEEDED), again.error


async def test_a_publication_that_fails_is_tried_again_and_shows_nothing_meanwhile(site: Site, repository: MakeRepository):
    job = await site.ended(await convert(site, repository(pages(["dive", "rise"]))))
    assert job.result is not None
    # Removed between the button and the job's turn.
    given = {"workshop": job.result["workshop"], "version": "0" * 16}
    publish = await site.core.jobs.submit("publish", "dive", "author:local", given)
    failed = await site.core.jobs.wait(publish.id)
    page = (await site["admin"].get(f"/jobs/{publish.id}")).text
    assert failed.state == JobState.FAILED
    assert "has no version" in page
    assert "Try again" in page
    assert "Open the workshop" not in page


@pytest.mark.parametrize(
    ("fields", "said", "kept"),
    [
        ({"source": "  "}, "Enter the address of a Git repository.", []),
        ({"source": "https://example.org/" + "x" * 2000, "ref": "v1"}, "longer than 2,000 characters", ["v1"]),
        ({"source": "https://example.org/lab", "path": "p" * 1001}, "longer than 1,000 characters", ["https://example.org/lab"]),
        (
            {"source": "https://example.org/lab", "as_form": "novel", "ref": "v1"},
            "cannot be used",
            ["https://example.org/lab", "v1"],
        ),
    ],
)
async def test_a_form_that_is_refused_shows_what_was_typed(site: Site, fields: dict[str, str], said: str, kept: list[str]):
    response = await site["admin"].post("/convert", data=fields)
    assert response.status_code == 422
    assert said in response.text
    assert 'aria-invalid="true"' in response.text
    for value in kept:
        assert f'value="{value}"' in response.text


HOSTILE = "<script>alert(1)</script>"


async def test_what_a_repository_says_is_text_and_never_markup(site: Site, repository: MakeRepository):
    source = repository(
        {
            "README.md": f"# Evil {HOSTILE}\n\n<img src=x onerror=alert(1)>\n",
            f"01-{HOSTILE.replace('/', '')}.md": f"# One {HOSTILE}\n\n```bash\necho '{HOSTILE}'\n```\n\n[x](javascript:alert(1)) [y](gone{HOSTILE}.md)\n",
            "02-two.md": f'# Two "{HOSTILE}\n\n```bash\necho 2\n```\n',
        }
    )
    job = await site.ended(await convert(site, source))
    assert job.state == JobState.SUCCEEDED, job.error
    assert job.result is not None
    base = f"/drafts/{job.result['workshop']}/{job.result['version']}"
    steps = [row["id"] for row in job.result["report"]["workshop"]["steps"]]
    looked_at = [f"/jobs/{job.id}", "/jobs", "/", *(f"{base}/steps/{step}" for step in steps)]
    for path in looked_at:
        page = (await site["admin"].get(path)).text
        assert HOSTILE not in page, path
        assert "<script>alert" not in page, path
        assert "onerror=" not in re.sub(r"&lt;.*?&gt;", "", page), path
        assert 'href="javascript:' not in page, path
    assert html.escape(HOSTILE) in (await site["admin"].get(f"/jobs/{job.id}")).text
    for typed in ({"source": f'"{HOSTILE}'}, {"source": "x", "as_form": HOSTILE}):
        refused = await site["author"].post("/convert", data=typed)
        assert HOSTILE not in refused.text


@pytest.mark.parametrize(
    "path",
    [
        "../../../../etc/passwd",
        "..%2f..%2f..%2fetc%2fpasswd",
        "../../workshop.db",
        "/etc/passwd",
        "%2fetc%2fpasswd",
        "steps/first/../../workshop.yaml",
        "steps\\first\\content.md",
        "workshop.yaml%00.png",
        "steps/first",
        "",
    ],
)
async def test_a_preview_hands_out_its_own_files_alone(site: Site, path: str):
    # Dots are encoded, since the client would tidy them away before the server sees them.
    response = await site["admin"].get(f"/drafts/tiny/{site.draft}/files/{path.replace('..', '%2e%2e')}")
    assert response.status_code == 404
    assert "root:" not in response.text


async def test_a_file_of_a_workshop_runs_nowhere(site: Site, repository: MakeRepository):
    files = pages(["rig", "sail"]) | {"img/evil.svg": "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"}
    files["01-rig.md"] += "\n![drawing](img/evil.svg)\n"
    job = await site.ended(await convert(site, repository(files)))
    assert job.result is not None
    base = f"/drafts/{job.result['workshop']}/{job.result['version']}"
    version = await site.core.library.version(job.result["workshop"], job.result["version"])
    path = next(file.path for file in version.files if file.path.endswith("evil.svg"))
    served = await site["admin"].get(f"{base}/files/{path}")
    assert served.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert served.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("form", ["folder", "file", "home", "relative", "archive"])
async def test_the_servers_own_folders_are_for_its_administrators(site: Site, tmp_path: Path, form: str):
    folder = tmp_path / "private"
    make_repository(folder, BOAT)
    shutil.make_archive(str(tmp_path / "private"), "zip", folder)
    there, nowhere = {
        "folder": (str(folder), str(tmp_path / "none")),
        "file": (f"file://{folder}", f"FILE://{tmp_path}/none"),
        "home": ("~", "~/none"),
        "relative": (".", "none/at/all"),
        "archive": (f"{folder}.zip", f"{folder}-none.zip"),
    }[form]
    for source in (there, nowhere):
        # The same answer for what is there and what is not: it tells nothing about the machine.
        page = await convert(site, source, "author")
        assert page.status_code == 422
        assert "own machine are not taken here" in page.text
        for path in ("/classify", "/conversions"):
            direct = await site["author"].post(f"/agents/template-converter/api/v1{path}", json={"source": source})
            assert direct.status_code == 422
            assert "own machine are not taken here" in direct.json()["detail"]
    assert not any(there in job.subject for job in await site.core.jobs.list(owner="oidc:ada"))
    if form in {"folder", "file", "archive"}:
        assert (await site.ended(await convert(site, there))).state == JobState.SUCCEEDED


async def test_an_author_gives_addresses_of_other_machines(site: Site):
    # Nothing listens on this port: the address is taken, and the conversion ends with what is wrong.
    job = await site.ended(await convert(site, "https://127.0.0.1:1/ada/lab.git", "author"))
    assert job.state == JobState.FAILED
    page = (await site["author"].get(f"/jobs/{job.id}")).text
    assert "cannot be reached" in page
    assert (await site["other author"].get(f"/jobs/{job.id}")).status_code == 404
    assert (await site["other author"].post(f"/jobs/{job.id}/retry")).status_code == 404


async def test_a_password_in_an_address_is_shown_to_nobody_but_its_owner(site: Site):
    job = await site.ended(await convert(site, "https://ada:hunter2@127.0.0.1:1/lab.git", "author"))
    for person in ("author", "ops", "admin"):
        for path in ("/jobs", f"/jobs/{job.id}", f"/api/v1/jobs/{job.id}"):
            assert "hunter2" not in (await site[person].get(path)).text
    assert "hunter2" in (await site["author"].get(f"/convert?job={job.id}")).text
    assert (await site["admin"].get(f"/convert?job={job.id}")).status_code == 404


async def test_a_cancelled_job_says_so(site: Site):
    job = await site.core.jobs.submit("convert", "x", "oidc:ada", {"source": "https://10.255.255.1/never.git"})
    assert (await site["author"].post(f"/jobs/{job.id}/cancel")).status_code == 303
    ended = await site.core.jobs.wait(job.id)
    assert ended.state == JobState.CANCELLED
    page = (await site["author"].get(f"/jobs/{job.id}")).text
    assert "Nothing of it was kept" in page
    assert f"/jobs/{job.id}/cancel" not in page
