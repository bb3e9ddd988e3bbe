"""A newer commit of a workshop's source, from the form to a draft, through the real jobs and the library."""

import html
import re
from pathlib import Path

import httpx
import pytest

from shared_services.clients.library import LibraryClient
from shared_services.clients.transport import InProcessTransport
from shared_services.contracts.differences import Change
from shared_services.contracts.jobs import Job, JobState
from shared_services.contracts.library import WorkshopVersion
from shared_services.contracts.merging import Decision, MergeRequest, Take
from shared_services.kit.errors import ProblemError
from shared_services.library.form import WorkshopFiles, validate_files
from tests.integration.console.conftest import ADDRESS, Site
from tests.integration.template_converter.repositories import LAB, commit

PNG = b"\x89PNG\r\n\x1a\n"


def boat(name: str) -> dict[str, str | None]:
    """A lab of its own title, so that tests do not share a workshop."""
    return {**LAB, "README.md": f"# Sail a {name}\n\nA lab.\n"}


async def converted(site: Site, source: str) -> WorkshopVersion:
    response = await site["admin"].post("/convert", data={"source": source})
    job = await site.ended(response)
    assert job.result is not None, job.error
    return await site.core.library.version(job.result["workshop"], job.result["version"])


async def edited(site: Site, version: WorkshopVersion, *changes: tuple[str, str, str], add: dict[str, bytes] | None = None):
    """A draft of the workshop with texts replaced, as an author would store it; and published, without an index."""
    files = {file.path: await site.core.library.file(version.workshop, file.sha256) for file in version.files}
    for path, old, new in changes:
        assert old.encode() in files[path], (path, files[path])
        files[path] = files[path].replace(old.encode(), new.encode())
    draft = await site.core.library.draft(validate_files(files | (add or {})))
    await site.core.library.set_current(draft.workshop, draft.version)
    return draft


async def updated(site: Site, workshop: str, person: str = "admin", **fields: str) -> Job:
    response = await site[person].post(f"/workshops/{workshop}/update", data=fields)
    assert response.status_code == 303, html.unescape(response.text)
    return await site.core.jobs.wait(response.headers["location"].removeprefix("/reimports/"))


async def text_of(site: Site, workshop: str, version: str, path: str) -> str:
    found = await site.core.library.version(workshop, version)
    return (await site.core.library.file(workshop, next(row.sha256 for row in found.files if row.path == path))).decode()


async def test_what_the_author_changed_stays_and_the_rest_follows_the_source(site: Site, tmp_path: Path):
    source = tmp_path / "lab"
    commit(source, boat("dinghy"))
    first = await converted(site, source.as_uri())
    await edited(
        site, first, ("steps/rig-the-boat/content.md", "The end of rig.", "The end, by me."), add={"assets/mine.png": PNG}
    )
    newer = commit(
        source, {"02-sail.md": (LAB["02-sail.md"]).replace("--now", "--far"), "04-dry.md": "# Dry\n\n```bash\nboat dry\n```\n"}
    )

    form = (await site["admin"].get(f"/workshops/{first.workshop}/update")).text
    assert f'value="{source.as_uri()}"' in form  # it was converted from there
    job = await updated(site, first.workshop, source=source.as_uri())
    assert job.state == JobState.SUCCEEDED, job.error
    assert job.result is not None
    assert (job.result["commit"], job.result["conflicts"]) == (newer, 0)
    page = (await site["admin"].get(f"/reimports/{job.id}")).text
    assert "Steps: 1 changed, 1 new. Your changes in 1 step are kept. Nothing clashes." in page
    assert "Rig the boat" in page
    assert "+boat sail --far" in html.unescape(page)
    assert (await site["admin"].get(f"/jobs/{job.id}")).headers["location"] == f"/reimports/{job.id}"
    assert "Merged without a conflict." in (await site["admin"].get("/jobs")).text

    accepted = await site["admin"].post(f"/reimports/{job.id}")
    assert accepted.status_code == 303, accepted.text
    version = accepted.headers["location"].rpartition("/")[2]
    assert version == job.result["version"]
    assert "The end, by me." in await text_of(site, first.workshop, version, "steps/rig-the-boat/content.md")
    assert "--far" in await text_of(site, first.workshop, version, "steps/sail-the-boat/content.md")
    made = await site.core.library.version(first.workshop, version)
    assert made.published_at is None
    assert "assets/mine.png" in {file.path for file in made.files}
    assert await site.core.library.source(first.workshop, version, "04-dry.md") == "# Dry\n\n```bash\nboat dry\n```\n"
    assert made.manifest.source is not None
    assert made.manifest.source.commit == newer

    # From there on the newer commit is what it was made from.
    await site.core.library.set_current(first.workshop, version)
    again = await updated(site, first.workshop, source=source.as_uri())
    assert "The newer commit changes nothing in the workshop." in (await site["admin"].get(f"/reimports/{again.id}")).text


async def test_conflicts_are_decided_one_by_one(site: Site, tmp_path: Path):
    source = tmp_path / "lab"
    commit(source, boat("yacht"))
    first = await converted(site, source.as_uri())
    mine = await edited(
        site,
        first,
        ("steps/rig-the-boat/content.md", "boat rig --now", "boat rig --mine </textarea><script>alert(1)</script>"),
        ("steps/sail-the-boat/content.md", "boat sail --now", "boat sail --mine"),
        ("steps/moor-the-boat/content.md", "The end of moor.", "Mine."),
    )
    theirs = {
        f"{number:02d}-{name}.md": LAB[f"{number:02d}-{name}.md"].replace("--now", "--theirs")
        for number, name in ((1, "rig"), (2, "sail"))
    }
    commit(source, {**theirs, "03-moor.md": None})
    job = await updated(site, first.workshop, source=source.as_uri())
    assert job.result is not None, job.error
    assert job.result["conflicts"] == 3
    # Until they are decided, the author's side stands, and the workshop that participants see is as it was.
    assert "--mine" in await text_of(site, first.workshop, job.result["version"], "steps/sail-the-boat/content.md")
    assert (await site.core.library.current(first.workshop)).version == mine.version

    shown = (await site["admin"].get(f"/reimports/{job.id}")).text
    assert "<script>alert" not in shown
    fields = dict.fromkeys(re.findall(r'name="take-([0-9a-f]+)"', shown))
    rig, sail, moor = fields
    assert "The source removed the step “Moor the boat”" in shown
    half = await site["admin"].post(f"/reimports/{job.id}", data={f"take-{sail}": "theirs"})
    assert half.status_code == 409
    assert "Still to decide: 2 of 3." in half.text
    assert re.search(rf'name="take-{sail}" value="theirs" checked', half.text)

    words = "boat rig --both\r\nboat rig --ways"
    sent = {f"take-{rig}": "text", f"text-{rig}": words, f"take-{sail}": "theirs", f"take-{moor}": "theirs"}
    accepted = await site["admin"].post(f"/reimports/{job.id}", data=sent)
    assert accepted.status_code == 303, accepted.text
    version = accepted.headers["location"].rpartition("/")[2]
    assert "exec\nboat rig --both\nboat rig --ways\n```" in await text_of(
        site, first.workshop, version, "steps/rig-the-boat/content.md"
    )
    assert "boat sail --theirs" in await text_of(site, first.workshop, version, "steps/sail-the-boat/content.md")
    made = await site.core.library.version(first.workshop, version)
    assert made.manifest.steps == ["rig-the-boat", "sail-the-boat"]


async def test_the_same_over_http(site: Site, tmp_path: Path):
    source = tmp_path / "lab"
    commit(source, boat("raft"))
    first = await converted(site, source.as_uri())
    mine = await edited(site, first, ("steps/sail-the-boat/content.md", "--now", "--mine"))
    commit(source, {"02-sail.md": LAB["02-sail.md"].replace("--now", "--theirs")})
    started = await site["admin"].post(
        "/agents/template-converter/api/v1/reimports", json={"workshop": first.workshop, "source": source.as_uri()}
    )
    assert started.status_code == 202, started.text
    job = await site.core.jobs.wait(started.json()["id"])
    assert job.result is not None, job.error
    async with httpx.AsyncClient(transport=InProcessTransport(site.core.app), base_url=ADDRESS) as http:
        library = LibraryClient(http, site.core.token("author:ada"))
        diff = await library.diff(first.workshop, mine.version, job.result["theirs"])
        assert [step.id for step in diff.steps if Change.CHANGED in step.changes] == ["sail-the-boat"]
        asked = MergeRequest(**{name: job.result[name] for name in ("base", "mine", "theirs")})
        open_merge = await library.merge(first.workshop, asked)
        (conflict,) = open_merge.conflicts
        assert (conflict.mine, conflict.theirs) == ("boat sail --mine\n", "boat sail --theirs\n")
        assert open_merge.version == job.result["version"]
        with pytest.raises(ProblemError) as caught:
            await library.merge(first.workshop, asked.model_copy(update={"strict": True}))
        assert (caught.value.status, caught.value.problem().type.rpartition(":")[2]) == (409, "merge-undecided")
        decided = asked.model_copy(update={"strict": True, "decisions": {conflict.id: Decision(take=Take.BOTH)}})
        merged = await library.merge(first.workshop, decided)
        assert "boat sail --mine\nboat sail --theirs\n" in await text_of(
            site, first.workshop, merged.version, "steps/sail-the-boat/content.md"
        )
        with pytest.raises(ProblemError) as caught:
            await library.merge(first.workshop, asked.model_copy(update={"base": "0" * 16}))
        assert caught.value.status == 404


async def test_what_is_missing_is_asked_for(site: Site, tmp_path: Path):
    page = (await site["admin"].get("/workshops/tiny/update")).text
    assert "Not recorded." in page
    job = await updated(site, "tiny", source=str(tmp_path))
    assert job.state == JobState.FAILED
    shown = (await site["admin"].get(f"/reimports/{job.id}")).text
    assert "does not say which commit" in shown
    assert "/workshops/tiny/update" in shown
    assert (await site["admin"].get("/workshops/nowhere/update")).status_code == 404
    refused = await site["admin"].post("/workshops/tiny/update", data={"source": "x" * 2001})
    assert refused.status_code == 422
    assert "The address cannot be used." in refused.text


async def test_who_may(site: Site, tmp_path: Path):
    assert (await site["nobody"].get("/workshops/tiny/update")).status_code == 303
    for person in ("participant", "reviewer", "ops", "bound"):
        assert (await site[person].get("/workshops/tiny/update")).status_code == 403
        assert (await site[person].post("/workshops/tiny/update", data={})).status_code == 403
        direct = await site[person].post("/agents/template-converter/api/v1/reimports", json={"workshop": "tiny"})
        assert direct.status_code == 403
        merge = {"base": site.version, "mine": site.version, "theirs": site.draft}
        assert (await site[person].post("/api/v1/library/tiny/merges", json=merge)).status_code == 403
    for person in ("participant", "ops", "bound"):
        difference = await site[person].get(f"/api/v1/library/tiny/versions/{site.draft}/diff?from={site.version}")
        assert difference.status_code == 403
    # An author of the server gives no folders of its machine, and another author does not see the job.
    folder = await site["author"].post("/workshops/tiny/update", data={"source": str(tmp_path)})
    assert folder.status_code == 422
    assert "own machine are not taken here" in folder.text
    job = await updated(site, "tiny", "author", source="https://127.0.0.1:1/lab.git")
    assert (await site["other author"].get(f"/reimports/{job.id}")).status_code == 404
    assert (await site["other author"].post(f"/reimports/{job.id}")).status_code == 404
    assert (await site["author"].get(f"/reimports/{site.job}")).status_code == 404


@pytest.mark.parametrize("address", ["/etc", "file:///etc", "~"])
async def test_a_stored_manifest_opens_no_folder_of_the_server(site: Site, address: str):
    files = {
        "workshop.yaml": f"apiVersion: workshop-assistant/v1\nslug: hostile\ntitle: H\nsteps: [a]\nsource: {{repository: '{address}', commit: '{'1' * 40}'}}\n".encode(),
        "steps/a/step.yaml": b"title: A\n",
        "steps/a/content.md": b"# A\n",
    }
    workshop: WorkshopFiles = validate_files(files)
    draft = await site.core.library.draft(workshop)
    job = await updated(site, "hostile", "author", version=draft.version)
    assert job.state == JobState.FAILED
    assert "not taken here" in str(job.error)
