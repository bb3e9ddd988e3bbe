import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.rag.endpoints import writer_scope
from agents.rag.scope import Scope, condition, scope_filter
from shared_services.contracts.identity import Role
from shared_services.kit.errors import BadInputError, ForbiddenError
from shared_services.kit.tokens import Claims


def _claims(
    subject: str = "service:chat", workshop: str | None = "one", roles: frozenset[Role] = frozenset(), tags: tuple[str, ...] = ()
) -> Claims:
    return Claims(subject, "rag", 0, workshop=workshop, roles=roles, tags=tags)


def test_a_scope_comes_from_claims_alone() -> None:
    with pytest.raises(TypeError):
        Scope("one", frozenset(), None, object())
    assert Scope.of(_claims(tags=("java",))).tags == {"java"}


def test_a_bound_token_opens_its_own_workshop_alone() -> None:
    assert Scope.of(_claims()).workshop == "one"
    with pytest.raises(ForbiddenError):
        Scope.of(_claims(), workshop="two")
    with pytest.raises(ForbiddenError):
        Scope.of(_claims(workshop=None))
    assert Scope.of(_claims(workshop=None), workshop="two").workshop == "two"


@given(st.text(max_size=80))
def test_names_that_are_no_ids_are_refused(name: str) -> None:
    allowed = name.isascii() and name.replace("-", "a").isalnum() and name == name.lower() and len(name) <= 63
    if allowed and not name.startswith("-") and not name.endswith("-"):
        assert scope_filter(Scope.of(_claims(workshop=None), workshop=name)) == f'workshop_id in ["{name}"]'
    else:
        with pytest.raises(BadInputError):
            Scope.of(_claims(workshop=None), workshop=name)


def test_filters_take_listed_fields_alone() -> None:
    assert condition("kind", ["code"]) == 'kind in ["code"]'
    with pytest.raises(ValueError, match="not a field"):
        condition("text", ["x"])  # type: ignore[arg-type]
    with pytest.raises(BadInputError):
        condition("kind", ['"] or 1==1 or kind in ["'])
    with pytest.raises(BadInputError):
        condition("kind", ["code\n"])


def test_a_row_of_another_workshop_is_not_admitted() -> None:
    scope = Scope.of(_claims())
    assert scope.admits("one")
    assert not scope.admits("two")
    assert not scope.admits(None)


@pytest.mark.parametrize(
    "claims",
    [
        _claims(subject="participant:1", workshop=None, roles=frozenset({Role.PARTICIPANT})),
        _claims(subject="service:chat", workshop="one"),
        _claims(subject="author:1", workshop="two", roles=frozenset({Role.AUTHOR})),
        _claims(subject="ops:1", workshop=None, roles=frozenset({Role.OPS})),
    ],
)
def test_who_may_not_write(claims: Claims) -> None:
    with pytest.raises(ForbiddenError):
        writer_scope(claims, "one")


@pytest.mark.parametrize(
    "claims",
    [
        _claims(subject="service:jobs", workshop=None),
        _claims(subject="author:1", workshop=None, roles=frozenset({Role.AUTHOR})),
        _claims(subject="author:1", workshop="one", roles=frozenset({Role.AUTHOR})),
        _claims(subject="admin:1", workshop=None, roles=frozenset({Role.ADMIN})),
    ],
)
def test_who_may_write(claims: Claims) -> None:
    assert writer_scope(claims, "one").workshop == "one"
