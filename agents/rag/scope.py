"""Who may read what: the scope of a search, made from a verified token and from nothing else, and the filters made of it.

Every filter that reaches the engine is put together here, from a closed list of fields and typed values. No text from
outside ever becomes part of an expression other than as a JSON literal or a template's parameter, and ids are held against
their pattern first.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import InitVar, dataclass
from typing import Any, Final, Literal, Protocol

from shared_services.contracts.base import SLUG_PATTERN
from shared_services.kit.errors import BadInputError, ForbiddenError
from shared_services.kit.identity import Permission, identity_of, may
from shared_services.kit.tokens import Claims

FilterField = Literal["workshop_id", "kind", "step", "document", "index_id"]

SHARED = "_shared"
"""The `workshop_id` of shared documents' rows. It is no id, so no workshop can be called that."""

INDEXES = "_indexes"
"""The `workshop_id` of the rows that name a Milvus collection's indexes; no scope reads them."""

_FIELDS: Final = frozenset({"workshop_id", "kind", "step", "document", "index_id"})
_INDEX: Final = re.compile(r"index_[0-9a-f]{32}")
_NUMBERS: Final = frozenset({"document"})
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


def checked_index(name: str) -> str:
    """The name, when it is an index's.

    Raises:
        ValueError: It is not; names of indexes are made in this room alone.
    """
    if not _INDEX.fullmatch(name):
        raise ValueError(f"{name!r} is not the name of an index")
    return name


@dataclass(frozen=True)
class Scope:
    """One workshop, and what of the shared documents it may see. Made by `Scope.of`, and narrowed by `narrowed`, alone.

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

    def narrowed(self, tags: Iterable[str] | None, content_focus: str | None) -> "Scope":
        """As much of this scope as a request asks for, never more.

        Args:
            tags: None for every tag of the scope; a tag that the scope has not is of no effect.
            content_focus: None for the scope's own. No document is of two foci, so with another one nothing shared is left.

        Raises:
            BadInputError: A name is not an id.
        """
        kept = self.tags if tags is None else self.tags & frozenset(tags)
        if content_focus is None or content_focus == self.content_focus:
            return Scope(self.workshop, kept, self.content_focus, _MINT)
        return Scope(self.workshop, frozenset() if self.content_focus else kept, content_focus, _MINT)

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields of a row that `admits` looks at."""
        return ("workshop_id",)

    def conditions(self) -> "list[Condition]":
        """What a row must meet to be in scope."""
        return [Condition("workshop_id", (self.workshop,))]

    def admits(self, row: Mapping[str, Any]) -> bool:
        """Whether a row may leave the store."""
        return row.get("workshop_id") == self.workshop

    def shared(self, documents: Iterable[int]) -> "SharedScope":
        """What this workshop may read of the shared documents, given the numbers of those that its tags and focus meet."""
        return SharedScope(self.workshop, self.tags, self.content_focus, frozenset(documents), _MINT)


@dataclass(frozen=True)
class SharedScope:
    """Shared documents that a reader may see. Made by `Scope.shared` or `SharedScope.whole` alone.

    Attributes:
        reader: The workshop that reads; empty for whoever looks after the documents.
        tags: One of these a document must have; None for whoever looks after them.
        content_focus: A document of another focus is out; None for any.
        documents: Numbers of the documents, each one revision of one.
    """

    reader: str
    tags: frozenset[str] | None
    content_focus: str | None
    documents: frozenset[int]
    mint: InitVar[object]

    def __post_init__(self, mint: object) -> None:
        if mint is not _MINT:
            raise TypeError("a SharedScope is made from a Scope, or from a verified token's claims")

    @classmethod
    def whole(cls, claims: Claims, documents: Iterable[int]) -> "SharedScope":
        """Every one of `documents`, for who may look after them: ops, admins and the platform's own services.

        Raises:
            ForbiddenError: Someone else, or a token that is bound to a workshop.
        """
        service = claims.subject.startswith("service:") and claims.workshop is None
        if not (service or may(identity_of(claims), Permission.DOCUMENTS_MANAGE)):
            raise ForbiddenError("Only ops and admins look after shared documents.")
        return cls("", None, None, frozenset(documents), _MINT)

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields of a row that `admits` looks at; tags stand in one text, a space between two."""
        return ("workshop_id", "document", "tags", "content_focus")

    def conditions(self) -> "list[Condition]":
        """What a row must meet to be in scope."""
        return [Condition("workshop_id", (SHARED,)), Condition("document", tuple(sorted(self.documents)))]

    def admits(self, row: Mapping[str, Any]) -> bool:
        """Whether a row may leave the store: its document is one of these, and its own tags and focus allow it as well."""
        if row.get("workshop_id") != SHARED or row.get("document") not in self.documents:
            return False
        if self.tags is None:
            return True
        tags = frozenset(str(row.get("tags", "")).split())
        return bool(self.tags & tags) and visible_focus(row.get("content_focus") or None, self.content_focus)


class ReadScope(Protocol):
    """What a read needs of a scope; only `Scope` and `SharedScope` are ones."""

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields of a row that `admits` looks at."""
        ...

    def conditions(self) -> "list[Condition]":
        """What a row must meet to be in scope."""
        ...

    def admits(self, row: Mapping[str, Any]) -> bool:
        """Whether a row may leave the store."""
        ...


def visible_focus(document: str | None, workshop: str | None) -> bool:
    """Whether a document's focus fits a workshop's; None on either side fits everything."""
    return document is None or workshop is None or document == workshop


@dataclass(frozen=True)
class Condition:
    """`field in values`; the one way in which anything is filtered.

    Raises:
        ValueError: The field is not on the closed list, or a value is not of its type.
        BadInputError: A value is not an id (kinds and steps are ids, too).
    """

    field: FilterField
    values: tuple[str, ...] | tuple[int, ...]

    def __post_init__(self) -> None:
        if self.field not in _FIELDS:
            raise ValueError(f"{self.field!r} is not a field that may be filtered by")
        for value in self.values:
            if self.field in _NUMBERS:
                if type(value) is not int or value < 0:
                    raise ValueError(f"{value!r} is not a number that {self.field} may have")
            elif not isinstance(value, str):
                raise ValueError(f"{value!r} is not a text")
            elif self.field == "index_id":
                checked_index(value)
            elif not (self.field == "workshop_id" and value in (SHARED, INDEXES)):
                checked_slug(value, f"The {self.field}")


def read_conditions(scope: ReadScope, kinds: Iterable[str] | None = None) -> list[Condition]:
    """The conditions of a read inside `scope`, narrowed to `kinds` where given."""
    narrowed = [] if kinds is None else [Condition("kind", tuple(sorted(set(kinds))))]
    return scope.conditions() + narrowed


def literal(conditions: Iterable[Condition]) -> str:
    """The conditions as a filter expression with every value a JSON literal."""
    return " and ".join(f"{each.field} in [{', '.join(json.dumps(value) for value in each.values)}]" for each in conditions)


def templated(conditions: Iterable[Condition]) -> tuple[str, dict[str, Any]]:
    """The conditions as a filter template and its parameters: no value stands in the expression.

    One value is asked for by `==`: with partition key isolation Milvus refuses `in`, even of a single one.
    """
    expression: list[str] = []
    parameters: dict[str, Any] = {}
    for each in conditions:
        if len(each.values) == 1:
            expression.append(f"{each.field} == {{{each.field}_value}}")
            parameters[f"{each.field}_value"] = each.values[0]
        else:
            expression.append(f"{each.field} in {{{each.field}_values}}")
            parameters[f"{each.field}_values"] = list(each.values)
    return " and ".join(expression), parameters
