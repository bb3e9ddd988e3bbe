"""From a line of the source to the step made of it, and to its page on the web."""

import pytest

from console.comparing import BlockPlace, Excerpt, anchors, block_places, excerpt, files_of, ranges_of
from console.places import StepLine, find_line, web_address
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
    html = '<h2 data-line="3-4">A</h2><ul data-line="9-11"><li data-line="10-10">x</li></ul><p data-line="7-9">y</p><p>made</p>'
    assert block_places(html, MAPS["setup"]) == {
        3: BlockPlace("guide/01.md", 5, 6),
        # Its end is in another file, so no more than its beginning is sure.
        7: BlockPlace("guide/01.md", 9, 9),
        9: BlockPlace("parts/login.md", 1, 3),
        10: BlockPlace("parts/login.md", 2, 2),
    }


def test_the_lines_of_each_file_that_a_step_was_made_from():
    assert files_of(MAPS["setup"]) == ["guide/01.md", "parts/login.md"]
    # 12 to 15 of the content are 20 to 23 of the page; lines that were made have no place.
    assert ranges_of(MAPS["setup"], 15) == {"guide/01.md": (5, 23), "parts/login.md": (1, 3)}
    assert ranges_of(SourceMap(file="a.md"), 3) == {}


@pytest.mark.parametrize(
    ("total", "used", "shown"),
    [
        (30, (10, 20), (1, 30)),
        (500, (100, 200), (96, 204)),
        (500, (41, 460), (37, 500)),
        (500, (40, 459), (1, 463)),
        (12, None, (1, 12)),
        (9000, None, (1, 3000)),
        # The file changed its length since, or the map is wrong: no line is made up.
        (20, (70, 90), (66, 65)),
    ],
)
def test_a_step_is_compared_with_its_own_part_of_a_file(total: int, used: tuple[int, int] | None, shown: tuple[int, int]):
    text = "".join(f"line {number}\n" for number in range(1, total + 1))
    found = excerpt("a.md", text, used)
    assert (found.first, found.last, found.total) == (*shown, total)
    assert not found.lines or found.lines[0] == f"line {found.first}"


def test_a_line_without_end_is_cut():
    [line] = excerpt("a.ipynb", "x" * 5000, None).lines
    assert line == "x" * 2000 + " …"


def test_a_block_leads_to_its_line_where_that_is_shown():
    shown = [Excerpt("a.md", 5, ["five", "six"], 9), Excerpt("b.md", 1, ["one"], 1)]
    places = {1: BlockPlace("a.md", 6, 6), 2: BlockPlace("a.md", 9, 9), 3: BlockPlace("b.md", 1, 1), 4: BlockPlace("c.md", 1, 1)}
    assert anchors(places, shown) == {1: "source-0-6", 3: "source-1-1"}
