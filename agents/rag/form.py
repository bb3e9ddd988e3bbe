"""What an index was made by, beside its model. An index of another form is made anew when its version is published again."""

from dataclasses import dataclass

from agents.rag.chunking import CHUNKING_VERSION
from agents.rag.terms import TERMS_VERSION

ROWS_VERSION = 3
"""Raised when a collection's fields change. Since 2 a row carries the digest of what was embedded of it,
since 3 the number, tags and focus of its shared document."""


@dataclass(frozen=True)
class Form:
    """Versions of the three things that decide what stands in an index.

    Attributes:
        chunking: How a text is cut and prefixed.
        terms: What the keyword index sees of it.
        rows: The fields of a row.
    """

    chunking: int
    terms: int
    rows: int


CURRENT_FORM = Form(CHUNKING_VERSION, TERMS_VERSION, ROWS_VERSION)
