"""How a workshop's own files are served."""

import pytest

from shared_services.pages.workshop_files import file_response, media_type


@pytest.mark.parametrize(
    ("path", "kind", "saved"),
    [
        ("assets/a.PNG", "image/png", False),
        ("assets/a.svg", "image/svg+xml", False),
        ("files/page.html", "text/plain; charset=utf-8", False),
        ("files/app.js", "text/plain; charset=utf-8", False),
        ("files/a.css", "text/plain; charset=utf-8", False),
        ("files/x.xhtml", "text/plain; charset=utf-8", False),
        ("files/Dockerfile", "text/plain; charset=utf-8", False),
        ("files/a.pdf", "application/pdf", True),
        ("files/a.unknown", "application/octet-stream", True),
        ("files/a.swf", "application/octet-stream", True),
    ],
)
def test_no_file_of_a_workshop_is_served_as_something_that_runs(path: str, kind: str, saved: bool):
    assert media_type(path) == (kind, saved)


def test_files_carry_a_policy_of_their_own():
    response = file_response("assets/ü\n.bin", b"x")
    assert response.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["content-disposition"] == "attachment; filename*=UTF-8''%C3%BC%0A.bin"
