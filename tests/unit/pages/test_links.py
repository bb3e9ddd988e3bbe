"""Addresses between a workshop's own steps and files."""

import pytest

from shared_services.pages.addresses import WorkshopLinks

LINKS = WorkshopLinks(
    folder="steps/one",
    steps={"one", "two"},
    files={"assets/a b.png", "steps/one/files/x.py"},
    step_address=lambda step: f"/w/g/steps/{step}",
    file_address=lambda path: f"/w/g/files/v/{path}",
)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("../two/content.md", "/w/g/steps/two"),
        ("../two/content.md#a-b", "/w/g/steps/two#a-b"),
        ("../two/", "/w/g/steps/two"),
        ("content.md#x", "/w/g/steps/one#x"),
        ("../../assets/a%20b.png", "/w/g/files/v/assets/a b.png"),
        ("files/x.py?raw=1", "/w/g/files/v/steps/one/files/x.py"),
        ("/assets/a b.png", "/w/g/files/v/assets/a b.png"),
        ("../three/content.md", None),
        ("../../../etc/passwd", None),
        ("../two/solve.md", None),
        ("..%2f..%2f..%2fetc/passwd", None),
        ("files\\x.py", None),
        ("a%00b", None),
    ],
)
def test_only_what_the_workshop_has_is_an_address(address: str, expected: str | None):
    assert LINKS(address) == expected
