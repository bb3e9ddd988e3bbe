"""Three texts made one: what one side changed is taken, and no line of the author's is ever lost."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared_services.library.merging.lines import Agreed, Clash, matching_blocks, merge_lines, split

LINES = st.lists(st.sampled_from(["a\n", "b\n", "c\n", "\n", "d\n"]), max_size=12)


def taken(parts: list[Agreed | Clash], side: str = "mine") -> list[str]:
    return [line for part in parts for line in (part.lines if isinstance(part, Agreed) else getattr(part, side))]


def clashes(parts: list[Agreed | Clash]) -> list[Clash]:
    return [part for part in parts if isinstance(part, Clash)]


@given(LINES, LINES)
def test_what_one_side_alone_changed_is_taken_whole(base: list[str], other: list[str]):
    for parts in (merge_lines(base, base, other), merge_lines(base, other, base), merge_lines(base, other, other)):
        assert taken(parts) == other
        assert clashes(parts) == []


@given(LINES, LINES, LINES)
def test_no_line_of_the_authors_is_lost(base: list[str], mine: list[str], theirs: list[str]):
    parts = merge_lines(base, mine, theirs)
    added = Counter(mine) - Counter(base)
    assert added - Counter(taken(parts)) == Counter()
    # Either side's text can be had back from what agrees and the clashes together with what the other side took away.
    assert not Counter(theirs) - Counter(base) - Counter(taken(parts, "theirs"))


@given(LINES, LINES, LINES)
def test_the_sides_are_treated_alike(base: list[str], mine: list[str], theirs: list[str]):
    one, other = merge_lines(base, mine, theirs), merge_lines(base, theirs, mine)
    assert taken(one) == taken(other, "theirs")
    assert len(clashes(one)) == len(clashes(other))


@given(LINES, LINES, LINES)
def test_every_line_says_where_the_sides_have_it(base: list[str], mine: list[str], theirs: list[str]):
    for part in merge_lines(base, mine, theirs):
        if isinstance(part, Clash):
            assert mine[part.mine_at : part.mine_at + len(part.mine)] == list(part.mine)
            assert theirs[part.theirs_at : part.theirs_at + len(part.theirs)] == list(part.theirs)
            continue
        if part.origin != "theirs":
            assert mine[part.mine : part.mine + len(part.lines)] == list(part.lines)
        if part.origin != "mine":
            assert theirs[part.theirs : part.theirs + len(part.lines)] == list(part.lines)


def test_changes_at_different_places_are_both_taken():
    base = split("one\ntwo\nthree\nfour\nfive\n")
    parts = merge_lines(base, split("ONE\ntwo\nthree\nfour\nfive\n"), split("one\ntwo\nthree\nfour\nFIVE\n"))
    assert "".join(taken(parts)) == "ONE\ntwo\nthree\nfour\nFIVE\n"
    assert clashes(parts) == []


def test_a_clash_holds_the_lines_that_differ_and_no_others():
    base = split("a\nold\nb\n")
    (clash,) = clashes(merge_lines(base, split("a\nsame\nmine\nb\n"), split("a\nsame\ntheirs\nb\n")))
    assert (clash.mine, clash.theirs, clash.mine_at, clash.theirs_at) == (("mine\n",), ("theirs\n",), 2, 2)


@given(st.text(alphabet="ab\n\r\x0b\u2028\0", max_size=30))
def test_only_a_line_feed_ends_a_line(text: str):
    assert "".join(split(text)) == text
    assert len(split(text)) == text.count("\n") + (0 if text.endswith("\n") or not text else 1)


@pytest.mark.parametrize("count", [5_000])
def test_a_text_of_equal_lines_is_no_trap(count: int):
    one, other = ["x\n"] * count + ["a\n"], ["b\n"] + ["x\n"] * count
    for first, second, length in matching_blocks(one, other):
        assert one[first : first + length] == other[second : second + length]
