import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.rag.endpoints import writer_scope
from agents.rag.scope import SHARED, Condition, Scope, SharedScope, literal, read_conditions, templated
from shared_services.contracts.identity import Role
from shared_services.kit.errors import BadInputError, ForbiddenError
from shared_services.kit.tokens import Claims


def _claims(
    subject: str = "service:chat",
    workshop: str | None = "one",
    roles: frozenset[Role] = frozenset(),
    tags: tuple[str, ...] = (),
    focus: str | None = None,
) -> Claims:
    return Claims(subject, "rag", 0, workshop=workshop, roles=roles, tags=tags, content_focus=focus)


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
        scope = Scope.of(_claims(workshop=None), workshop=name)
        assert literal(read_conditions(scope)) == f'workshop_id in ["{name}"]'
    else:
        with pytest.raises(BadInputError):
            Scope.of(_claims(workshop=None), workshop=name)


def test_filters_take_listed_fields_alone() -> None:
    assert literal([Condition("kind", ("code",))]) == 'kind in ["code"]'
    with pytest.raises(ValueError, match="not a field"):
        Condition("text", ("x",))  # type: ignore[arg-type]
    with pytest.raises(BadInputError):
        Condition("kind", ('"] or 1==1 or kind in ["',))
    with pytest.raises(BadInputError):
        Condition("kind", ("code\n",))
    with pytest.raises(ValueError, match="not a number"):
        Condition("document", ("1 or 1==1",))
    with pytest.raises(ValueError, match="not a number"):
        Condition("document", (True,))
    with pytest.raises(BadInputError):
        Condition("kind", (SHARED,))


def test_a_template_holds_no_value() -> None:
    scope = Scope.of(_claims(workshop="secret-name"))
    expression, values = templated(read_conditions(scope, ["code", "prose"]))
    assert expression == "workshop_id == {workshop_id_value} and kind in {kind_values}"
    assert values == {"workshop_id_value": "secret-name", "kind_values": ["code", "prose"]}


def test_a_row_of_another_workshop_is_not_admitted() -> None:
    scope = Scope.of(_claims())
    assert scope.admits({"workshop_id": "one"})
    assert not scope.admits({"workshop_id": "two"})
    assert not scope.admits({"workshop_id": None})
    assert not scope.admits({})


def test_no_workshop_can_take_the_shared_documents_name() -> None:
    with pytest.raises(BadInputError):
        Scope.of(_claims(workshop=None), workshop=SHARED)


def _document(number: int = 7, tags: str = "java spring", focus: str = "", workshop: str = SHARED) -> dict[str, object]:
    return {"workshop_id": workshop, "document": number, "tags": tags, "content_focus": focus}


def test_a_shared_row_is_held_against_number_tags_and_focus() -> None:
    scope = Scope.of(_claims(tags=("java",), focus="backend")).shared([7])
    assert scope.admits(_document())
    assert scope.admits(_document(focus="backend"))
    assert not scope.admits(_document(focus="frontend"))
    assert not scope.admits(_document(tags="javascript"))
    assert not scope.admits(_document(tags=""))
    assert not scope.admits(_document(8))
    assert not scope.admits(_document(workshop="one"))
    assert not Scope.of(_claims()).admits(_document())
    assert not Scope.of(_claims()).shared([7]).admits(_document())


def test_who_looks_after_shared_documents() -> None:
    for claims in (_claims("service:core", None), _claims("ops:1", None, frozenset({Role.OPS}))):
        assert SharedScope.whole(claims, [7]).admits(_document(tags=""))
    for claims in (
        _claims("author:1", None, frozenset({Role.AUTHOR})),
        _claims("service:chat", "one"),
        _claims("ops:1", "one", frozenset({Role.OPS})),
    ):
        with pytest.raises(ForbiddenError):
            SharedScope.whole(claims, [7])


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


@pytest.mark.parametrize(
    ("tags", "focus", "left", "left_focus"),
    [
        (None, None, {"java", "ops"}, "spring"),
        (["java"], None, {"java"}, "spring"),
        (["java", "secret"], "spring", {"java"}, "spring"),
        (["secret"], None, set(), "spring"),
        ([], None, set(), "spring"),
        (["java"], "beans", set(), "beans"),
    ],
)
def test_a_request_narrows_what_its_token_opens(
    tags: list[str] | None, focus: str | None, left: set[str], left_focus: str
) -> None:
    scope = Scope.of(_claims(tags=("java", "ops"), focus="spring"))
    narrowed = scope.narrowed(tags, focus)
    assert (narrowed.workshop, narrowed.tags, narrowed.content_focus) == ("one", left, left_focus)


def test_a_token_for_every_focus_is_narrowed_to_one() -> None:
    narrowed = Scope.of(_claims(tags=("java",))).narrowed(None, "spring")
    assert (narrowed.tags, narrowed.content_focus) == ({"java"}, "spring")


@given(st.frozensets(st.sampled_from("abcd")), st.none() | st.lists(st.sampled_from("abcde")), st.sampled_from([None, "x", "y"]))
def test_a_request_never_widens(held: frozenset[str], asked: list[str] | None, focus: str | None) -> None:
    scope = Scope.of(_claims(tags=tuple(held), focus="x"))
    narrowed = scope.narrowed(asked, focus).shared([1])
    for tag in "abcde":
        for of in ("", "x", "y"):
            row = {"workshop_id": SHARED, "document": 1, "tags": tag, "content_focus": of}
            assert scope.shared([1]).admits(row) or not narrowed.admits(row)
