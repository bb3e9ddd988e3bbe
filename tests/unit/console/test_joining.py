"""Where a workshop's page is, and the link that lets people in."""

import pytest
from pydantic import ValidationError
from starlette.requests import Request

from console.joining import Invitation, Meeting
from workshop_cli.settings import ConsoleProcessSettings


def request(root: str = "") -> Request:
    scope = {"type": "http", "method": "GET", "path": "/", "headers": [(b"host", b"lab.test:8080")], "scheme": "http"}
    return Request(scope | {"root_path": root, "server": ("lab.test", 8080), "query_string": b""})


async def code(workshop: str) -> str | None:
    return None if workshop == "open" else f"CODE {workshop}"


def test_pages_stand_below_the_console_where_they_have_no_address_of_their_own():
    assert Meeting(code).page(request(), "garden") == "/w/garden/"
    assert Meeting(code, "https://lab.example").page(request("/base"), "garden", "/board") == "/base/w/garden/board"


def test_pages_with_an_address_of_their_own_are_linked_there():
    meeting = Meeting(code, "https://lab.example", "https://{workshop}.example.org")
    assert meeting.page(request("/base"), "garden", "/steps/one") == "https://garden.example.org/steps/one"


def test_pages_for_teachers_are_reached_by_a_hand_over_where_the_cookie_does_not_come():
    assert Meeting(code).teaching(request("/base"), "garden", "/board") == "/base/w/garden/board"
    apart = Meeting(code, None, "https://{workshop}.example.org")
    assert apart.teaching(request("/base"), "garden", "/board") == "/base/workshops/garden/open?page=%2Fboard"


@pytest.mark.parametrize(
    ("meeting", "link"),
    [
        (Meeting(code), "http://lab.test:8080/base/w/garden/join?code=CODE%20garden"),
        (Meeting(code, "https://lab.example/"), "https://lab.example/w/garden/join?code=CODE%20garden"),
        (Meeting(code, None, "https://{workshop}.example.org"), "https://garden.example.org/join?code=CODE%20garden"),
    ],
)
async def test_the_link_carries_the_code(meeting: Meeting, link: str):
    assert await meeting.invitation(request("/base"), "garden") == Invitation("CODE garden", link)
    assert await meeting.invitation(request("/base"), "open") is None


@pytest.mark.parametrize(
    "pattern", ["https://example.org", "ftp://{workshop}.example.org", "{workshop}.org", "https://{workshop}{x}/"]
)
def test_a_pattern_that_leads_nowhere_is_refused(pattern: str):
    with pytest.raises(ValidationError, match="workshop"):
        ConsoleProcessSettings(workshop_url=pattern)
