"""From a line of the source to the step made of it, and to its page on the web."""

import pytest

from console.places import StepLine, find_line, web_address
from console.preview_pages import block_places
from shared_services.contracts.workshop import SourceMap, WorkshopSource

MAPS = {
    "setup": SourceMap(file="guide/01.md", runs=[(1, "guide/01.md", 0), (3, "guide/01.md", 5), (9, "parts/login.md", 1), (12, "guide/01.md", 20)]),
    "deploy": SourceMap(file="guide/02.md", runs=[(1, "guide/02.md", 1)]),
}  # fmt: skip


@pytest.mark.parametrize(
    ("file", "line", "found"),
    [
        ("guide/01.md", 5, StepLine("setup", 3)),
        ("guide/01.md", 8, StepLine("setup", 6)),
        ("guide/01.md", 25, StepLine("setup", 17)),
        ("parts/login.md", 2, StepLine("setup", 10)),
        ("guide/02.md", 40, StepLine("deploy", 40)),
        # Left out of the result: the nearest line that was kept, above or below it.
        ("guide/01.md", 12, StepLine("setup", 8)),
        ("guide/01.md", 18, StepLine("setup", 12)),
        ("guide/01.md", 1, StepLine("setup", 3)),
        ("guide/01.md", 0, StepLine("setup", 3)),
        ("parts/login.md", 90, StepLine("setup", 11)),
        ("README.md", 3, None),
    ],
)
def test_a_line_of_the_source_leads_to_the_nearest_line_of_a_step(file: str, line: int, found: StepLine | None):
    assert find_line(MAPS, file, line) == found


def test_what_is_found_leads_back():
    for line in (5, 8, 20, 33):
        found = find_line(MAPS, "guide/01.md", line)
        assert found is not None
        place = MAPS[found.step].locate(found.line)
        assert (place.file, place.line) == ("guide/01.md", line)


def test_a_map_without_runs_leads_to_the_top_of_its_step():
    assert find_line({"only": SourceMap(file="README.md")}, "README.md", 12) == StepLine("only", 1)


@pytest.mark.parametrize(
    ("repository", "address"),
    [
        ("https://github.com/ada/lab.git", "https://github.com/ada/lab/blob/abc/docs/a%20b.md#L7"),
        ("https://github.com/ada/lab/", "https://github.com/ada/lab/blob/abc/docs/a%20b.md#L7"),
        ("https://gitlab.com/ada/group/lab", "https://gitlab.com/ada/group/lab/-/blob/abc/docs/a%20b.md#L7"),
        ("https://codeberg.org/ada/lab.git", "https://codeberg.org/ada/lab/src/commit/abc/docs/a%20b.md#L7"),
        ("http://github.com/ada/lab", None),
        ("https://ada@github.com/ada/lab", None),
        ("https://github.com.evil.example/ada/lab", None),
        ("git@github.com:ada/lab.git", None),
        (None, None),
    ],
)
def test_the_web_page_of_a_line_is_known_for_known_hosts_alone(repository: str | None, address: str | None):
    assert web_address(WorkshopSource(repository=repository, commit="abc"), "docs/a b.md", 7) == address


def test_without_a_commit_no_line_is_promised():
    assert web_address(WorkshopSource(repository="https://github.com/ada/lab"), "a.md", 7) is None
    assert web_address(WorkshopSource(repository="https://github.com/ada/lab", commit="abc"), "a.md", 0) == (
        "https://github.com/ada/lab/blob/abc/a.md"
    )
    assert web_address(None, "a.md", 1) is None


def test_each_block_of_a_preview_knows_its_place():
    html = '<h2 data-line="3-3">A</h2><ul data-line="9-11"><li data-line="10-10">x</li></ul><p>made</p>'
    assert block_places(html, MAPS["setup"]) == {3: ("guide/01.md", 5), 9: ("parts/login.md", 1), 10: ("parts/login.md", 2)}
