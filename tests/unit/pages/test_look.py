"""Templates, icons, static files and the colours of code."""

import gzip
import re
from pathlib import Path

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from jinja2 import UndefinedError

from shared_services.kit.errors import NotFoundError, UnavailableError
from shared_services.pages.highlight import DARK_BACKGROUND, LIGHT_BACKGROUND, contrast, readable, stylesheet
from shared_services.pages.icons import icon
from shared_services.pages.static_files import IMMUTABLE, StaticBundle
from shared_services.pages.templating import Templates, page_route


def test_the_bundles_hash_follows_its_contents(tmp_path: Path):
    (tmp_path / "a.js").write_text("export const a = 1;")
    first = StaticBundle([tmp_path])
    assert first.path("a.js") == f"/static/{first.digest}/a.js"
    assert StaticBundle([tmp_path]).digest == first.digest
    (tmp_path / "a.js").write_text("export const a = 2;")
    assert StaticBundle([tmp_path]).digest != first.digest
    with pytest.raises(KeyError):
        first.path("b.js")


def test_a_file_is_kept_for_ever_only_under_its_own_hash(tmp_path: Path):
    (tmp_path / "a.js").write_text("export const a = 1;" * 100)
    bundle = StaticBundle([tmp_path])
    now = bundle.response(bundle.digest, "a.js", compressed=True)
    assert now.headers["cache-control"] == IMMUTABLE
    assert now.headers["content-type"].startswith("text/javascript")
    assert gzip.decompress(bytes(now.body)).startswith(b"export")
    assert bundle.response("0" * 16, "a.js", compressed=False).headers["cache-control"] == "no-cache"
    with pytest.raises(NotFoundError):
        bundle.response(bundle.digest, "../secret", compressed=False)


def test_all_shared_styles_and_scripts_use_nothing_from_elsewhere():
    for path in (Path(__file__).parents[3] / "shared_services/pages/static").iterdir():
        assert not re.search(r"@import|https?://(?!www\.w3\.org)|eval\(|Function\(", path.read_text()), path


def test_icons_are_drawn_with_the_texts_colour_and_unknown_ones_are_errors():
    assert 'aria-hidden="true"' in icon("check")
    with pytest.raises(KeyError):
        icon("unknown")


@pytest.mark.parametrize(("background", "style"), [(LIGHT_BACKGROUND, "light"), (DARK_BACKGROUND, "dark")])
def test_every_colour_of_code_can_be_read(background: str, style: str):
    light, dark = stylesheet().split("@media (prefers-color-scheme: dark)")
    colours = re.findall(r"color:#([0-9a-f]{6})", light if style == "light" else dark)
    assert len(colours) > 20
    assert all(contrast(colour, background) >= 4.5 for colour in colours)


def test_a_colour_is_moved_only_as_far_as_needed():
    assert readable("000000", "ffffff") == "000000"
    assert 4.6 <= contrast(readable("ffcc00", "ffffff"), "ffffff") < 6
    assert contrast("000000", "ffffff") == pytest.approx(21)


def make_app(folder: Path) -> FastAPI:
    (folder / "hello.html").write_text(
        "{% extends 'base.html' %}{% block content %}<p>{{ words }}</p>{{ url('/x') }}{% endblock %}"
    )
    (folder / "wrong.html").write_text("{{ nothing }}")
    templates = Templates(StaticBundle(), [folder])
    app = FastAPI()
    app.router.route_class = page_route(templates)

    @app.get("/hello")
    async def hello(request: Request):
        return templates.page(request, "hello.html", words="<script>alert(1)</script>")

    @app.get("/wrong")
    async def wrong(request: Request):
        return templates.page(request, "wrong.html")

    @app.get("/gone")
    async def gone():
        raise NotFoundError("The <b>step</b> is gone.")

    @app.get("/away")
    async def away():
        raise UnavailableError("The library is away.")

    return app


def test_templates_escape_and_know_their_root(tmp_path: Path):
    page = TestClient(make_app(tmp_path), root_path="/w/here").get("/w/here/hello")
    assert "&lt;script&gt;" in page.text
    assert "/w/here/x" in page.text
    assert re.search(r'href="/w/here/static/[0-9a-f]{16}/base\.css"', page.text)
    assert page.headers["cache-control"] == "private, no-cache"


def test_an_unknown_name_in_a_template_is_an_error(tmp_path: Path):
    with pytest.raises(UndefinedError):
        TestClient(make_app(tmp_path), root_path="/w/here").get("/w/here/wrong")


def test_errors_are_pages_for_browsers_alone(tmp_path: Path):
    client = TestClient(make_app(tmp_path), root_path="/w/here")
    gone = client.get("/w/here/gone", headers={"accept": "text/html"})
    assert gone.status_code == 404
    assert "The &lt;b&gt;step&lt;/b&gt; is gone." in gone.text
    away = client.get("/w/here/away", headers={"accept": "text/html"})
    assert away.status_code == 503
    assert "Try again" in away.text
    with pytest.raises(NotFoundError):
        client.get("/w/here/gone", headers={"accept": "application/json"})


def test_what_nobody_foresaw_is_a_page_too(tmp_path: Path):
    client = TestClient(make_app(tmp_path), root_path="/w/here")
    wrong = client.get("/w/here/wrong", headers={"accept": "text/html"})
    assert wrong.status_code == 500
    assert "<h1>Something went wrong on our side</h1>" in wrong.text
    assert 'href="/w/here/wrong"' in wrong.text
    assert "nothing" not in wrong.text
    assert client.get("/w/here/nowhere", headers={"accept": "text/html"}).status_code == 404
