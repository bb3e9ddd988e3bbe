import pytest

from agents.rag.stemming import stem
from agents.rag.terms import (
    STOP_WORDS,
    heaviest,
    holds,
    identifier_term,
    identifiers,
    inverse_frequency,
    phrases,
    terms,
    weight,
    words,
)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("deployed", "deploi"),
        ("deploying", "deploi"),
        ("deploys", "deploi"),
        ("caresses", "caress"),
        ("ponies", "poni"),
        ("relational", "relat"),
        ("hopping", "hop"),
        ("filing", "file"),
        ("agreed", "agre"),
        ("adjustable", "adjust"),
        ("controlling", "control"),
        ("happy", "happi"),
        ("oc", "oc"),
        ("größe", "größe"),
        ("v2beta", "v2beta"),
    ],
)
def test_stem(word: str, expected: str) -> None:
    assert stem(word) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("scale with --replicas=3 now", ["--replicas=3", "--replicas"]),
        ("the pod is in `CrashLoopBackOff`.", ["crashloopbackoff"]),
        ("edit shop/deployment.yaml, please", ["shop/deployment.yaml", "deployment.yaml"]),
        ("needs version v1.29.3!", ["v1.29.3"]),
        ("it fails with ORA-00942 and exit code 137", ["ora-00942", "137"]),
        ("run oc adm policy -z default", ["-z"]),
        ("the and/or of plain English, isn't it", ["and/or", "or"][:1]),
        ("annotate it with @SpringBootApplication or @Test", ["@springbootapplication", "springbootapplication", "@test"]),
        ("mail to me@example.org", []),
        ("set %PATH%, $HOME or $env:HOME, it costs $5", ["%path%", "$home", "$env:home"]),
        ("C++, C# and error 0x80070005", ["c++", "c#", "0x80070005"]),
        ("", []),
    ],
)
def test_identifiers(text: str, expected: list[str]) -> None:
    assert identifiers(text) == expected


@pytest.mark.parametrize(
    ("text", "identifier", "expected"),
    [
        ("edit values.yaml.", "values.yaml", True),
        ("edit values.yaml.gz", "values.yaml", False),
        ("scale --replicas=30", "--replicas=3", False),
        ("scale --replicas=3", "--replicas", True),
        ("src/main/pom.xml", "pom.xml", True),
        ("docker run -it nginx", "-it", True),
        ("docker run --it nginx", "-it", False),
        ("version 11.29.3", "1.29.3", False),
        ("version 1.29.3,", "1.29.3", True),
    ],
)
def test_an_identifier_is_held_whole(text: str, identifier: str, expected: bool) -> None:
    assert holds(text, identifier) is expected


def test_phrases_are_neighbours_that_nothing_parts() -> None:
    assert phrases("What does `oc adm policy` do?") == ["oc adm", "adm policy"]
    assert phrases("Scale pods, then wait. Now\nread logs") == ["scale pods", "read logs"]
    assert phrases("the and of") == phrases("") == phrases("one") == []


def test_identifier_terms_survive_any_tokenizer() -> None:
    term = identifier_term("--replicas=3")
    assert term.isalnum()
    assert term.isascii()
    assert term == term.lower()
    assert term != identifier_term("--replicas=4")


def test_terms_meet_across_word_forms_and_keep_identifiers_apart() -> None:
    assert set(terms("deploying the shop")) & set(terms("How do I deploy shops?")) == {stem("deploy"), "shop"}
    assert identifier_term("--replicas=3") in terms("kubectl scale --replicas=3")
    assert identifier_term("--replicas=3") not in terms("kubectl scale --replicas=4")


def test_stop_words_alone_leave_no_terms() -> None:
    assert terms("what is the") == []
    assert all(word == word.lower() for word in STOP_WORDS)


def test_camel_case_is_found_by_its_parts() -> None:
    assert words("CrashLoopBackOff") == ["crashloopbackoff", "crash", "loop", "back", "off"]
    assert words("plain") == ["plain"]


def test_rare_terms_weigh_more_and_unknown_ones_most() -> None:
    holding = {"pod": 90, "quota": 2}
    assert inverse_frequency(100, 0) > inverse_frequency(100, 2) > inverse_frequency(100, 90) > 0
    assert heaviest(["pod", "quota", "nowhere", "pod"], holding, 100, 5) == ["quota", "pod"]
    assert heaviest(["pod", "quota"], holding, 100, 1) == ["quota"]
    assert weight(["pod", "pod"], holding, 100) == inverse_frequency(100, 90)
    assert weight([], holding, 100) == 0
