"""What a message over A2A asks for, and which reading an answer means."""

import json

import pytest

from agents.template_converter.card import SKILLS, converter_card
from agents.template_converter.messages import (
    CheckAsked,
    Chosen,
    ClassifyAsked,
    ConvertAsked,
    DiffAsked,
    ExportAsked,
    InspectAsked,
    UpdateAsked,
    asked,
    chosen,
)
from shared_services.contracts.conversion import Form, FormCandidate
from shared_services.kit.errors import BadInputError

GIT = "https://example.org/lab.git"
CANDIDATES = [FormCandidate(form=Form.MARKDOWN, score=0.8, path=path) for path in ("alpha", "beta")]


@pytest.mark.parametrize(
    ("texts", "data", "request_"),
    [
        ([f" {GIT}\n"], [], ConvertAsked(source=GIT)),
        ([], [{"source": GIT, "as_form": "educates"}], ConvertAsked(source=GIT, as_form=Form.EDUCATES)),
        ([], [{"skill": "convert", "source": GIT, "every": True}], ConvertAsked(source=GIT, every=True)),
        ([], [{"skill": "classify", "source": GIT, "ref": "v2"}], ClassifyAsked(skill="classify", source=GIT, ref="v2")),
        ([], [{"skill": "inspect", "source": GIT, "skeleton": True}], InspectAsked(skill="inspect", source=GIT, skeleton=True)),
        (
            [],
            [{"skill": "export", "workshop": "tiny", "form": "mkdocs"}],
            ExportAsked(skill="export", workshop="tiny", form=Form.MKDOCS),
        ),
        ([], [{"skill": "check", "source": GIT}], CheckAsked(skill="check", source=GIT)),
        ([], [{"skill": "diff", "source": GIT, "to": "v2"}], DiffAsked(skill="diff", source=GIT, to="v2")),
        ([], [{"skill": "update", "workshop": "tiny"}], UpdateAsked(skill="update", workshop="tiny")),
    ],
)
def test_a_message_asks_for_a_skill(texts, data, request_):
    assert asked(texts, data) == request_


@pytest.mark.parametrize(
    ("texts", "data", "said"),
    [
        ([], [], "one data part"),
        (["x"], [{"source": GIT}], "one data part"),
        ([], [{"source": GIT}, {"source": GIT}], "one data part"),
        ([], ["text"], None),
        ([], [3.0], "is an object"),
        ([], [{"skill": "publish", "source": GIT}], "convert, classify, inspect, export"),
        ([], [{"skill": ["convert"], "source": GIT}], "convert, classify, inspect, export"),
        ([], [{"skill": "classify"}], "source"),
        ([], [{"source": GIT, "shell": "rm"}], "shell"),
        ([], [{"skill": "export", "workshop": "../x", "form": "mkdocs"}], "workshop"),
    ],
)
def test_what_asks_for_nothing_is_refused(texts, data, said):
    if said is None:
        # A string of a data part is an address as a text is.
        assert asked(texts, data) == ConvertAsked(source="text")
        return
    with pytest.raises(BadInputError, match=said):
        asked(texts, data)


@pytest.mark.parametrize(
    ("texts", "data", "meant"),
    [
        (["2"], [], Chosen(as_form=Form.MARKDOWN, path="beta")),
        ([" All "], [], Chosen(every=True)),
        ([], [{"choice": 1.0}], Chosen(as_form=Form.MARKDOWN, path="alpha")),
        ([], [{"every": True}], Chosen(every=True)),
        ([], [{"as_form": "markdown", "path": "beta"}], Chosen(as_form=Form.MARKDOWN, path="beta")),
        # A form that was not among them overrules recognition, as over HTTP.
        ([], [{"as_form": "rst"}], Chosen(as_form=Form.RST)),
    ],
)
def test_an_answer_means_a_reading(texts, data, meant):
    assert chosen(texts, data, CANDIDATES) == meant


@pytest.mark.parametrize(
    ("texts", "data"),
    [(["3"], []), (["0"], []), (["beta"], []), (["99999999"], []), ([], [{}]), ([], [{"choice": 1.5}]), ([], [{"form": "rst"}])],
)
def test_an_answer_that_means_none_is_asked_again(texts, data):
    with pytest.raises(BadInputError):
        chosen(texts, data, CANDIDATES)


def test_the_card_names_every_skill_with_a_message_that_asks_for_it():
    card = converter_card("https://converter.example.org")
    assert [skill["id"] for skill in card["skills"]] == ["convert", "classify", "inspect", "export", "check", "diff", "update"]
    for skill in SKILLS:
        for example in skill.examples:
            request = asked([], [json.loads(example)]) if example.startswith("{") else asked([example], [])
            assert request.skill == skill.id
