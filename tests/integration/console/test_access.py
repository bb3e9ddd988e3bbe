"""Who gets which page of the console, and who may send which form."""

import httpx
import pytest

from shared_services.kit.identity import SESSION_COOKIE, sign_in_link
from tests.integration.console.conftest import ADDRESS, Site, browser

WHO = ("nobody", "bound", "participant", "reviewer", "author", "other author", "ops", "admin")

# What each person gets, in the order of WHO. `in`: sent to sign in; `go`: done, and sent on to another page.
ROUTES = [
    ("GET", "/", (200,) * 8),
    ("GET", "/sign-in", (200,) * 8),
    ("GET", "/nothing/here", (404,) * 8),
    ("GET", "/convert", ("in", 403, 403, 403, 200, 200, 403, 200)),
    ("POST", "/convert", ("in", 403, 403, 403, 422, 422, 403, 422)),
    ("GET", "/jobs", ("in", 403, 403, 200, 200, 200, 200, 200)),
    ("GET", "/jobs/{job}", ("in", 403, 403, 404, 200, 404, 200, 200)),
    ("GET", "/jobs/unknown", ("in", 403, 403, 404, 404, 404, 404, 404)),
    ("POST", "/jobs/{job}/cancel", ("in", 403, 403, 403, "go", 404, "go", "go")),
    ("POST", "/jobs/{job}/retry", ("in", 403, 403, 403, 409, 404, 409, 409)),
    ("POST", "/jobs/unknown/retry", ("in", 403, 403, 403, 404, 404, 404, 404)),
    ("GET", "/convert?job={conversion}", ("in", 403, 403, 403, 200, 404, 403, 404)),
    ("POST", "/jobs/{conversion}/read-as", ("in", 403, 403, 403, 422, 404, 403, 404)),
    ("GET", "/convert?job={job}", ("in", 403, 403, 403, 404, 404, 403, 404)),
    ("POST", "/jobs/{job}/read-as", ("in", 403, 403, 403, 404, 404, 403, 404)),
    ("POST", "/inspect", ("in", 403, 403, 403, 422, 422, 403, 422)),
    ("POST", "/jobs/{conversion}/inspect", ("in", 403, 403, 403, 422, 404, 403, 404)),
    ("GET", "/jobs/{job}/workshops/tiny", ("in", 403, 403, 404, 404, 404, 404, 404)),
    ("GET", "/drafts/tiny/{draft}/export", ("in", 403, 403, 403, 200, 200, 403, 200)),
    ("GET", "/drafts/tiny/{draft}/export/mkdocs", ("in", 403, 403, 403, 200, 200, 403, 200)),
    ("POST", "/drafts/tiny/{draft}/export/mkdocs", ("in", 403, 403, 403, "go", "go", 403, "go")),
    ("GET", "/drafts/tiny/{draft}/source?of=none.md", ("in", 403, 403, 404, 404, 404, 403, 404)),
    ("GET", "/drafts/tiny/{draft}/export/mkdocs/archive", ("in", 403, 403, 403, 200, 200, 403, 200)),
    ("GET", "/drafts/tiny/unknown/export/mkdocs", ("in", 403, 403, 403, 404, 404, 403, 404)),
    ("GET", "/drafts/tiny/{draft}", ("in", 403, 403, "go", "go", "go", 403, "go")),
    ("GET", "/drafts/tiny/{draft}/steps/first", ("in", 403, 403, 200, 200, 200, 403, 200)),
    ("GET", "/drafts/tiny/{draft}/steps/unknown", ("in", 403, 403, 404, 404, 404, 403, 404)),
    ("GET", "/drafts/tiny/{draft}/files/workshop.yaml", ("in", 403, 403, 200, 200, 200, 403, 200)),
    ("GET", "/drafts/tiny/unknown/steps/first", ("in", 403, 403, 404, 404, 404, 403, 404)),
    ("POST", "/drafts/tiny/unknown/publish", ("in", 403, 403, 403, 404, 404, 403, 404)),
    ("POST", "/workshops/unknown/remove", ("in", 403, 403, 403, 404, 404, 403, 404)),
]


def outcome(response: httpx.Response) -> int | str:
    if response.status_code != 303:
        return response.status_code
    return "in" if response.headers["location"].startswith("/sign-in") else "go"


@pytest.mark.parametrize(("method", "path", "expected"), ROUTES, ids=[f"{method} {path}" for method, path, _ in ROUTES])
async def test_every_role_gets_what_the_table_says(site: Site, method: str, path: str, expected: tuple[int | str, ...]):
    address = path.format(job=site.job, conversion=site.conversion, draft=site.draft)
    got = [outcome(await site[person].request(method, address)) for person in WHO]
    assert dict(zip(WHO, got, strict=True)) == dict(zip(WHO, expected, strict=True))


@pytest.mark.parametrize("path", [path for method, path, _ in ROUTES if method == "POST"] + ["/sign-out"])
@pytest.mark.parametrize(
    "headers", [{"origin": "https://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}], ids=str
)
async def test_no_form_is_taken_from_another_site(site: Site, path: str, headers: dict[str, str]):
    address = path.format(job=site.job, conversion=site.conversion, draft=site.draft)
    response = await site["admin"].post(address, headers=headers)
    assert response.status_code == 403
    assert "another site" in response.text


async def test_a_drafts_bytes_are_for_those_who_may_preview(site: Site):
    version = await site.core.library.version("tiny", site.draft)
    shown = {file.sha256 for file in (await site.core.library.current("tiny")).files}
    drafted = next(file.sha256 for file in version.files if file.sha256 not in shown)
    got = {
        who: (await site[who].get(f"/api/v1/library/tiny/files/{drafted}")).status_code
        for who in ("nobody", "bound", "participant", "reviewer", "author")
    }
    assert got == {"nobody": 401, "bound": 404, "participant": 404, "reviewer": 200, "author": 200}


async def test_a_form_of_this_site_is_taken(site: Site):
    response = await site["admin"].post("/convert", headers={"origin": ADDRESS, "sec-fetch-site": "same-origin"})
    assert response.status_code == 422


async def test_signing_in_leads_back_to_where_one_was(site: Site):
    assert (await site["nobody"].get("/jobs")).headers["location"] == "/sign-in?next=/jobs"
    sent = await site["nobody"].post("/convert", headers={"referer": f"{ADDRESS}/convert"})
    assert sent.headers["location"] == "/sign-in?next=/convert"
    foreign = await site["nobody"].post("/convert", headers={"referer": "https://evil.example/convert"})
    assert foreign.headers["location"] == "/sign-in?next=/"


async def test_a_program_gets_problem_documents(site: Site):
    for path, status in (("/jobs", 401), ("/nothing", 404), ("/api/v1/jobs", 401)):
        response = await site["nobody"].get(path, headers={"accept": "application/json"})
        assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")


async def test_a_session_that_was_changed_is_nobodys(site: Site):
    async with browser(site.core, None) as stranger:
        good = site["admin"].cookies[SESSION_COOKIE]
        head, body, signature = good.split(".")
        stranger.cookies.set(SESSION_COOKIE, f"{head}.{body}.{signature[::-1]}")
        assert outcome(await stranger.get("/jobs")) == "in"


async def test_no_page_offers_what_it_would_refuse(site: Site):
    offered = {
        person: {
            word
            for word in (
                "/convert",
                "/jobs",
                "/workshops/tiny/remove",
                "/w/tiny/board",
                "/w/tiny/insights",
                "Join code",
                "Sign out",
            )
            if word in (await site[person].get("/")).text
        }
        for person in ("nobody", "participant", "reviewer", "author", "ops")
    }
    assert offered == {
        "nobody": set(),
        "participant": {"Sign out"},
        "reviewer": {"Sign out", "/jobs"},
        "author": {"Sign out", "/jobs", "/convert", "/workshops/tiny/remove", "/w/tiny/board", "/w/tiny/insights", "Join code"},
        "ops": {"Sign out", "/jobs"},
    }


async def test_boards_and_insights_are_for_those_who_teach(site: Site):
    found = {
        person: {(await site[person].get(f"/w/tiny/{page}")).status_code for page in ("board", "insights")}
        for person in site.browsers
    }
    assert found == {
        "nobody": {303},
        "bound": {403},
        "participant": {403},
        "reviewer": {403},
        "author": {200},
        "other author": {200},
        "ops": {403},
        "admin": {200},
    }
    likeness = (await site["author"].get("/w/tiny/api/v1/insights")).json()["likeness"]
    assert (likeness["by"], likeness["note"]) == ("embeddings", "")


async def test_everybodys_jobs_are_for_those_who_look_after_the_server(site: Site):
    assert site.job in (await site["ops"].get("/jobs")).text
    assert "oidc:ada" in (await site["ops"].get("/jobs")).text
    assert site.job not in (await site["other author"].get("/jobs")).text


async def test_the_sign_in_link_opens_a_session_once_it_is_true(site: Site):
    async with browser(site.core, None) as stranger:
        link = sign_in_link(site.core.issuer, "")
        refused = await stranger.get(link[:-2])
        assert refused.status_code == 401
        assert SESSION_COOKIE not in stranger.cookies
        assert "does not hold any more" in refused.text
        opened = await stranger.get(f"{link}&next=//evil.example")
        assert (opened.status_code, opened.headers["location"]) == (303, "/")
        cookie = opened.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=lax" in cookie
        assert (await stranger.get("/convert")).status_code == 200
        # the cookie is for the whole host, so it reaches the chat agents below it
        for page in ("/w/tiny/board", "/w/tiny/insights"):
            assert (await stranger.get(page)).status_code == 200
        await stranger.post("/sign-out")
        assert (await stranger.get("/w/tiny/board")).headers["location"] == "/w/tiny/join?next=/board"
        assert outcome(await stranger.get("/convert")) == "in"


async def test_a_page_is_never_kept_between_people_and_runs_nothing_of_others(site: Site):
    response = await site["author"].get(f"/drafts/tiny/{site.draft}/steps/first")
    assert response.headers["cache-control"] == "private, no-cache"
    assert "unsafe-inline" not in response.headers["content-security-policy"]
    assert "style=" not in response.text
    assert "onclick" not in response.text


async def test_an_address_with_a_slash_too_many_leads_on_this_site(site: Site):
    assert (await site["author"].get("/jobs/")).headers["location"] == "/jobs"
    for trick in ("/%2Fevil.example/", "/%5Cevil.example/", "/%09/evil.example/"):
        assert (await site["author"].get(trick)).headers["location"] in {"/", "/evil.example"}
