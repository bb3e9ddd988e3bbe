"""Who may read what: the scope of a search, made from a verified token and from nothing else, and the filters made of it.

Every filter that reaches the engine is put together here, from a closed list of fields and typed values. No text from
outside ever becomes part of an expression other than as a JSON literal, and ids are held against their pattern first.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import InitVar, dataclass
from typing import Final, Literal

from shared_services.contracts.base import SLUG_PATTERN
from shared_services.kit.errors import BadInputError, ForbiddenError
from shared_services.kit.tokens import Claims

FilterField = Literal["workshop_id", "kind", "step"]

_FIELDS: Final = frozenset({"workshop_id", "kind", "step"})
_SLUG = re.compile(SLUG_PATTERN.removeprefix("^").removesuffix("$"))
_MINT: Final = object()


def checked_slug(value: str, what: str) -> str:
    """The value, when it is an id.

    Raises:
        BadInputError: It is not; `what` names it in the sentence.
    """
    if not _SLUG.fullmatch(value):
        raise BadInputError(f"{what} {value[:80]!r} is not an id: 1 to 63 lower-case letters, digits and inner hyphens.")
    return value


@dataclass(frozen=True)
class Scope:
    """One workshop, and what of the shared documents it may see. Made by `Scope.of` alone.

    Attributes:
        workshop: The only workshop whose rows may be read.
        tags: Tags of shared documents that the workshop's context allows.
        content_focus: The focus that narrows them; None for any.
    """

    workshop: str
    tags: frozenset[str]
    content_focus: str | None
    mint: InitVar[object]

    def __post_init__(self, mint: object) -> None:
        if mint is not _MINT:
            raise TypeError("a Scope is made from a verified token's claims, by Scope.of")
        checked_slug(self.workshop, "The workshop")
        for tag in self.tags:
            checked_slug(tag, "The tag")
        if self.content_focus is not None:
            checked_slug(self.content_focus, "The content focus")

    @classmethod
    def of(cls, claims: Claims, *, workshop: str | None = None) -> "Scope":
        """The scope that a token opens.

        Args:
            claims: From `TokenVerifier.verify`.
            workshop: The workshop that the request is about, for tokens that are not bound to one; a token that is
                bound opens its own workshop and no other.

        Raises:
            ForbiddenError: The token is bound to another workshop, or no workshop is named at all.
            BadInputError: A name is not an id.
        """
        if claims.workshop is not None and workshop not in (None, claims.workshop):
            raise ForbiddenError(f"The token is for workshop '{claims.workshop}' alone.")
        name = claims.workshop if claims.workshop is not None else workshop
        if name is None:
            raise ForbiddenError("The token names no workshop, so there is nothing that it may search.")
        return cls(name, frozenset(claims.tags), claims.content_focus, _MINT)

    def admits(self, workshop_id: object) -> bool:
        """Whether a row that carries `workshop_id` may leave the store."""
        return isinstance(workshop_id, str) and workshop_id == self.workshop


def condition(field: FilterField, values: Iterable[str]) -> str:
    """`field in [...]` with every value a JSON literal.

    Raises:
        ValueError: The field is not on the closed list, or a value is not an id (kinds and steps are ids, too).
    """
    if field not in _FIELDS:
        raise ValueError(f"{field!r} is not a field that may be filtered by")
    literals = [json.dumps(checked_slug(value, f"The {field}")) for value in values]
    return f"{field} in [{', '.join(literals)}]"


def scope_filter(scope: Scope, kinds: Iterable[str] | None = None) -> str:
    """The whole filter expression of a read inside `scope`, narrowed to `kinds` where given."""
    parts = [condition("workshop_id", [scope.workshop])]
    if kinds is not None:
        parts.append(condition("kind", sorted(set(kinds))))
    return " and ".join(parts)
