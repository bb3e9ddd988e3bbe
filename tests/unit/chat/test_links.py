"""Links of an answer lead where a passage leads that it rests on, or nowhere."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workshop_chat.stages.links import with_safe_links

SOURCE = "See [docs](https://k8s.io/docs), open http://localhost:8081/x."


@pytest.mark.parametrize(
    "kept",
    [
        "See [docs](https://k8s.io/docs) now. [1]",
        "Open http://localhost:8081/x.",
        "`http://evil.example`",
        "```\ncurl http://evil.example\n```",
        "[a][b] and [1]",
        "Words [1] and a < b > c.",
    ],
)
def test_some_stay(kept: str):
    assert with_safe_links(kept, [SOURCE]) == kept


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("[d](https://k8s.io/docs/evil)", "d"),
        ("[d](https://k8s.io/doc)", "d"),
        ("![i](http://e.example/x.png) b", "i b"),
        ("[![i](http://e.example/x.png)](http://e.example)", "i"),
        ("<http://evil.example>", "`http://evil.example`"),
        ("go to http://evil.example/a?b=c. Now", "go to `http://evil.example/a?b=c`. Now"),
        ("[a](javascript:alert(1))", "a"),
        ("[a]: http://evil.example", ""),
        ("<a href='http://x.example'>t</a>", "t"),
        ("[x](../deploy/content.md) y", "x y"),
        ('[t](http://e.example "ti")', "t"),
        ("[`code`](http://e.example)", "`code`"),
    ],
)
def test_others_lose_their_address(text: str, left: str):
    assert with_safe_links(text, [SOURCE]) == left


@given(st.text(st.sampled_from("[]()<>!`\"'ab:/.\\ \n\ue000\ue001\ue002\ue0031http"), max_size=80))
def test_no_text_breaks_it(text: str):
    assert isinstance(with_safe_links(text, [text]), str)
