"""What an author reads of a question tells of no person and holds no secret; a spreadsheet runs none of it."""

import csv
import io
from datetime import UTC, datetime

import pytest

from shared_services.contracts.insights import GroupedQuestion, Likeness, Section
from workshop_chat.insights.export import COLUMNS, cell, csv_text
from workshop_chat.insights.masked import SHOWN_CHARACTERS, masked, shown
from workshop_chat.insights.service import Group, Groups, Wanting
from workshop_chat.safety.rules import health_data, personal_data

AT = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("mail anna.k@firm.com about the pod", "mail [masked e-mail address] about the pod"),
        ("call +49 170 1234567 please", "call [masked telephone number] please"),
        ("my ssn is 123-45-6789", "my ssn is [masked social security number]"),
        ("card 4111 1111 1111 1111 fails", "card [masked card number] fails"),
        ("DE89 3704 0044 0532 0130 00 is my account", "[masked account number] is my account"),
        ("password=hunter22 does not work", "password=[masked secret] does not work"),
        ("push to git@github.com:a/b.git", "push to git@github.com:a/b.git"),
        ("port 8080 and 1234567890123456", "port 8080 and 1234567890123456"),
        ("write to me@example.com", "write to me@example.com"),
    ],
)
def test_what_tells_of_a_person_is_masked_and_the_rest_is_not(text: str, kept: str):
    assert masked(text) == kept


@pytest.mark.parametrize(
    "text",
    [
        "patient John Smith was diagnosed with diabetes, why does the model fail",
        "MRN 4432119 is missing from the table",
        "born on 1.2.1980, does it matter",
    ],
)
def test_what_cannot_be_taken_out_is_not_shown_at_all(text: str):
    kept = masked(text)
    assert kept.startswith("[not shown: it holds ")
    assert personal_data(kept) is None
    assert health_data(kept) is None


def test_whoever_asks_is_not_named():
    assert masked("I am Zelda Quartz. Zelda's pod, quartz in it", "Zelda Quartz") == (
        "I am [masked name]. [masked name]'s pod, quartz in it"
    )
    assert masked("What will Will see?", "Will") == "What will [masked name] see?"
    assert masked("Al is all", "Al") == "Al is all"
    assert masked("(a+b)* matches", "(a+b)*") == "[masked name] matches"


def test_what_is_too_long_is_cut():
    assert len(shown("pod " * 5000)) <= SHOWN_CHARACTERS
    assert shown("  pod \n") == "pod"


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'=1"),
        ("\r\n =1", "'=1"),
        ("a=1", "a=1"),
        ("two\nlines", "two lines"),
    ],
)
def test_a_cell_is_no_formula(text: str, safe: str):
    assert cell(text) == safe


def test_a_row_a_question():
    def question(text: str, **about: bool) -> Wanting:
        flags = {"unanswered": False, "thumbs_down": False, **about}
        section = Section(step="boil", heading=["Boil"], title="=Boil", known_by="step")
        return Wanting(GroupedQuestion(text=text, asked_at=AT, step="boil", **flags), section, "participant:1")

    two = [question('=cmd|"x";,', unanswered=True), question("b", unanswered=True, thumbs_down=True)]
    text = csv_text(Groups([Group("g1", two[0].section, "b", two)], Likeness(by="words", threshold=0.5), 0))
    assert "participant" not in text
    rows = list(csv.reader(io.StringIO(text)))
    assert rows == [
        list(COLUMNS),
        ["2026-05-04", "'=Boil", "g1", "b", "unanswered", '\'=cmd|"x";,'],
        ["2026-05-04", "'=Boil", "g1", "b", "unanswered, thumbs-down", "b"],
    ]
