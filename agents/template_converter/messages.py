"""What A2A messages to the converter hold, and which request each is; knows nothing of the protocol's library."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from shared_services.contracts.base import Slug, WireModel
from shared_services.contracts.conversion import ConvertRequest, ExportRequest, Form, FormCandidate, InspectRequest
from shared_services.contracts.reimport import ReimportRequest
from shared_services.kit.errors import BadInputError


class ConvertAsked(ConvertRequest):
    """A conversion as a data part carries it; so without `skill` too."""

    skill: Literal["convert"] = "convert"

    def request(self) -> ConvertRequest:
        """As over HTTP."""
        return ConvertRequest(**self.model_dump(exclude={"skill"}))


class ClassifyAsked(WireModel):
    """The wish to know what a source is."""

    skill: Literal["classify"]
    source: Annotated[str, Field(min_length=1, max_length=2000)]
    ref: str | None = None
    path: str = ""


class InspectAsked(InspectRequest):
    """An inspection as a data part carries it."""

    skill: Literal["inspect"]


class ExportAsked(ExportRequest):
    """An export as a data part carries it."""

    skill: Literal["export"]


class UpdateAsked(ReimportRequest):
    """A newer commit of a workshop's source as a data part carries it."""

    skill: Literal["update"]

    def request(self) -> ReimportRequest:
        """As over HTTP."""
        return ReimportRequest(**self.model_dump(exclude={"skill"}))


class CheckAsked(WireModel):
    """The wish to know what is wrong with a workshop of the library, or with the neutral form in a source."""

    skill: Literal["check"]
    workshop: Slug | None = None
    version: Annotated[str, Field(max_length=16)] | None = None
    source: Annotated[str, Field(min_length=1, max_length=2000)] | None = None
    ref: str | None = None
    path: str = ""

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.workshop is None) == (self.source is None):
            raise ValueError("name a workshop of the library, or a source")
        return self


class DiffAsked(WireModel):
    """The wish to know what differs between two versions of a workshop, or two states of a source."""

    skill: Literal["diff"]
    workshop: Slug | None = None
    old: Annotated[str, Field(max_length=16)] | None = None
    new: Annotated[str, Field(max_length=16)] | None = None
    source: Annotated[str, Field(min_length=1, max_length=2000)] | None = None
    ref: str | None = None
    to: str | None = None
    as_form: Form | None = None
    path: str = ""

    @model_validator(mode="after")
    def _two_states(self) -> Self:
        if (self.workshop is None) == (self.source is None):
            raise ValueError("name a workshop of the library, or a source")
        if self.workshop is not None and self.old is None:
            raise ValueError("name the older version as `old`")
        if self.source is not None and self.to is None:
            raise ValueError("name the newer branch, tag or commit as `to`")
        return self

    def states(self) -> tuple[ConvertRequest, ConvertRequest]:
        """The two states of the source."""
        old = ConvertRequest(source=self.source or "", ref=self.ref, as_form=self.as_form, path=self.path)
        return old, old.model_copy(update={"ref": self.to})


class Chosen(WireModel):
    """An answer to the question which reading is meant: a form and where, the number of a candidate, or every one."""

    as_form: Form | None = None
    path: str | None = None
    choice: Annotated[int, Field(ge=1)] | None = None
    every: bool = False


class Question(WireModel):
    """What a task asks that is input-required; `job` where the work is one."""

    job: str | None
    candidates: list[FormCandidate]


class Readings(WireModel):
    """What a classification found."""

    candidates: list[FormCandidate]


Asked = ConvertAsked | ClassifyAsked | InspectAsked | ExportAsked | CheckAsked | DiffAsked | UpdateAsked
_SHAPES: dict[object, type[Asked]] = {
    "convert": ConvertAsked,
    "classify": ClassifyAsked,
    "inspect": InspectAsked,
    "export": ExportAsked,
    "check": CheckAsked,
    "diff": DiffAsked,
    "update": UpdateAsked,
}


def asked(texts: list[str], data: list[Any]) -> Asked:
    """What a message asks for, from its text and data parts.

    Raises:
        BadInputError: It asks for nothing that there is a skill for, or for more than one thing.
    """
    given = _single(texts, data)
    if isinstance(given, str):
        given = {"source": given.strip()}
    if not isinstance(given, dict):
        raise BadInputError("A data part is an object.")
    skill = given.get("skill", "convert")
    shape = _SHAPES.get(skill) if isinstance(skill, str) else None
    if shape is None:
        raise BadInputError(f"There is no such skill. There are: {', '.join(map(str, _SHAPES))}.")
    return _read(shape, given)


def chosen(texts: list[str], data: list[Any], candidates: list[FormCandidate]) -> Chosen:
    """The reading that an answer means, with its form, or `every` one.

    Raises:
        BadInputError: It names none of the candidates.
    """
    given = _single(texts, data)
    if isinstance(given, str):
        word = given.strip().lower()
        given = {"choice": int(word)} if word.isdecimal() and len(word) < 5 else {"every": True} if word == "all" else {}
    answer = _read(Chosen, _whole_numbers(given))
    if answer.every:
        return Chosen(every=True)
    if answer.choice is not None and answer.choice <= len(candidates):
        meant = candidates[answer.choice - 1]
        return Chosen(as_form=meant.form, path=meant.path)
    if answer.as_form is not None:
        return Chosen(as_form=answer.as_form, path=answer.path)
    raise BadInputError(
        f"Say which reading is meant: {{as_form, path}}, {{choice: 1 to {len(candidates)}}}, or {{every: true}}; "
        "as text its number, or `all`."
    )


def answered(first: Asked, answer: Chosen) -> Asked:
    """What a task was first asked, with the answer to its question.

    Raises:
        BadInputError: It cannot be answered like this.
    """
    if isinstance(first, ConvertAsked):
        path = first.path if answer.path is None else answer.path
        return first.model_copy(update={"as_form": answer.as_form, "path": path, "every": answer.every})
    if answer.every:
        raise BadInputError("Only a conversion takes every reading. Say which one is meant.")
    if isinstance(first, UpdateAsked | DiffAsked):
        return first.model_copy(update={"as_form": answer.as_form, "path": first.path if answer.path is None else answer.path})
    if isinstance(first, CheckAsked) and answer.path is not None:
        return first.model_copy(update={"path": answer.path})
    raise BadInputError("Say where the workshop is: {path}.")


def _single(texts: list[str], data: list[Any]) -> Any:
    if len(data) > 1 or (data and texts) or not (data or texts):
        raise BadInputError("Send one data part, or text parts alone: an address as text or {source, ...} converts it.")
    return data[0] if data else "\n".join(texts)


def _read[M: WireModel](shape: type[M], given: Any) -> M:
    try:
        return TypeAdapter(shape).validate_python(given)
    except ValidationError as error:
        rows = [{"field": ".".join(str(part) for part in row["loc"]), "message": row["msg"]} for row in error.errors()]
        raise BadInputError("; ".join(f"{row['field']}: {row['message']}" for row in rows[:5]), fields=rows) from None


def _whole_numbers(given: Any) -> Any:
    """The protocol has no integers: 2 arrives as 2.0, which is taken for one."""
    if not isinstance(given, dict):
        return given
    return {name: int(value) if isinstance(value, float) and value.is_integer() else value for name, value in given.items()}
