"""Endpoints of annotated classes, Java's and Kotlin's alike: Spring's mappings, Jakarta REST's and Micronaut's methods.

What a class inherits from an interface or a class of the repository is its own; annotations of the repository that are made
of others stand for these.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from agents.template_converter.inventory.syntax import exactly, joined
from shared_services.contracts.inventory import Endpoint, Place

_MICRONAUT = {"Get": "GET", "Post": "POST", "Put": "PUT", "Delete": "DELETE", "Patch": "PATCH"}
_CLIENTS = frozenset({"RegisterRestClient", "FeignClient", "HttpExchange", "Client", "RestClient"})
"""What makes an interface ask others rather than answer."""
_SPRING = {"GetMapping": "GET", "PostMapping": "POST", "PutMapping": "PUT", "DeleteMapping": "DELETE", "PatchMapping": "PATCH"}
_JAKARTA = frozenset({"GET", "POST", "PUT", "DELETE", "PATCH"})
"""`HEAD` and `OPTIONS` tell of the other endpoints and are none of their own, here as in the other languages."""
_KNOWN = frozenset({*_SPRING, *_JAKARTA, *_MICRONAUT, *_CLIENTS, "RequestMapping", "Path", "Controller", "RestController"})
_MAX_DEPTH = 6
WORTH = re.compile(
    rb"Mapping\b|@(?:GET|POST|PUT|DELETE|PATCH|Path|Controller|RestController|Get|Post|Put|Delete|Patch)\b|@interface"
)
"""What a file says that may hold annotations of endpoints, or make annotations of them."""


@dataclass(frozen=True)
class Annotation:
    """An annotation.

    Attributes:
        name: Without its package.
        addresses: What it says by itself or as `value`, `path` or `uri`; of a value that is not known, its expression in `${}`.
        methods: Spring's request methods that it names.
        line: Where it stands.
    """

    name: str
    addresses: tuple[str, ...]
    methods: tuple[str, ...]
    line: int


@dataclass(frozen=True)
class Method:
    """A method of a class, with its annotations by name."""

    name: str
    annotations: Mapping[str, Annotation]
    line: int


@dataclass(frozen=True)
class Kind:
    """A class or an interface.

    Attributes:
        above: Names of what it extends and implements.
        abstract: Whether others have to extend it before it answers: an interface or an abstract class.
        micronaut: Whether its file draws in Micronaut, whose annotations have common words for names.
    """

    path: str
    name: str
    above: tuple[str, ...]
    abstract: bool
    micronaut: bool
    annotations: Mapping[str, Annotation]
    methods: tuple[Method, ...] = field(default=())


def endpoints_of(
    kinds: Iterable[Kind], made: Mapping[str, Mapping[str, Annotation]], applications: Mapping[str, str]
) -> Iterator[Endpoint]:
    """One for each method and address that answers.

    Args:
        kinds: Every class and interface of the repository.
        made: Annotations that the repository declares, with those that they are made of.
        applications: What goes before resources of Jakarta REST, by the folder above `src/main`.
    """
    rows = [row for row in kinds if not _CLIENTS & row.annotations.keys()]
    named: dict[str, list[Kind]] = {}
    for row in rows:
        named.setdefault(row.name, []).append(row)
    inherited = {(each.path, each.name) for row in rows if not row.abstract for each in _all_above(row, named)}
    for row in rows:
        if not (row.abstract and (row.path, row.name) in inherited):
            yield from _answers_of(row, _all_above(row, named) if not row.abstract else [], made, applications)


def _all_above(kind: Kind, named: Mapping[str, list[Kind]]) -> list[Kind]:
    """What a class inherits from, the nearest first; of several of one name the one in the nearest folder."""
    found: list[Kind] = []
    waiting = [(kind, 0)]
    while waiting:
        here, depth = waiting.pop(0)
        for name in here.above if depth < _MAX_DEPTH else ():
            choice = [row for row in named.get(name, ()) if row not in found and row is not kind]
            if choice:
                nearest = max(choice, key=lambda row: _shared(row.path, kind.path))
                found.append(nearest)
                waiting.append((nearest, depth + 1))
    return found


def _shared(one: str, other: str) -> int:
    pairs = zip(one.split("/"), other.split("/"), strict=False)
    return next((index for index, (left, right) in enumerate(pairs) if left != right), 99)


def _answers_of(
    kind: Kind, above: list[Kind], made: Mapping[str, Mapping[str, Annotation]], applications: Mapping[str, str]
) -> Iterator[Endpoint]:
    outer = _meant(kind.annotations, made)
    for row in above:
        outer = {**_meant(row.annotations, made), **outer}
    micronaut = "Controller" in outer and any(row.micronaut for row in (kind, *above))
    named = outer.get("RequestMapping") or outer.get("Path") or (outer.get("Controller") if micronaut else None)
    prefix = next(iter(named.addresses), "") if named is not None else ""
    if "Path" in outer:
        prefix = joined(applications.get(top_of(kind.path), ""), prefix)
    own = {method.name: method for method in kind.methods}
    seen: set[tuple[str, str, str]] = set()
    for row in (kind, *above):
        for method in row.methods:
            here = own.get(method.name)
            for verb, address, annotation in _answers(_meant(method.annotations, made), micronaut=micronaut):
                # Spring tells a slash at the end apart from none; the others do not.
                put = exactly if annotation.name in (*_SPRING, "RequestMapping") else joined
                whole = (verb, put(prefix, address), method.name)
                if row is not kind and (
                    whole in seen or (here is not None and list(_answers(_meant(here.annotations, made), micronaut=micronaut)))
                ):
                    continue
                seen.add(whole)
                place = Place(path=row.path, line=annotation.line)
                if row is not kind and here is not None:
                    place = Place(path=kind.path, line=here.line)
                yield Endpoint(method=verb, path=whole[1], handler=method.name, place=place)


def top_of(path: str) -> str:
    """The folder of the module that a source is of."""
    return path.partition("src/main/")[0]


def _meant(
    annotations: Mapping[str, Annotation], made: Mapping[str, Mapping[str, Annotation]], depth: int = 0
) -> dict[str, Annotation]:
    """Annotations, with those of the repository replaced by what they are made of; what is said where they stand counts first."""
    found: dict[str, Annotation] = {}
    for name, each in annotations.items():
        inner = made.get(name) if name not in _KNOWN and depth < _MAX_DEPTH else None
        if inner is None:
            found[name] = each
            continue
        for base, given in _meant(inner, made, depth + 1).items():
            addresses = each.addresses if base in _KNOWN and each.addresses else given.addresses
            found.setdefault(base, Annotation(base, addresses, given.methods, each.line))
    return found


def _answers(annotations: Mapping[str, Annotation], *, micronaut: bool) -> Iterator[tuple[str, str, Annotation]]:
    for name, each in annotations.items():
        addresses = each.addresses or ("",)
        if name in _SPRING:
            yield from ((_SPRING[name], address, each) for address in addresses)
        elif micronaut and name in _MICRONAUT:
            # What follows `{?` are parameters of the query.
            yield from ((_MICRONAUT[name], re.sub(r"\{\?[^}]*\}|\?.*", "", address), each) for address in addresses)
        elif name == "RequestMapping":
            yield from ((verb, address, each) for verb in each.methods or ("ANY",) for address in addresses)
        elif name in _JAKARTA:
            said = annotations.get("Path")
            yield name, next(iter(said.addresses), "") if said is not None else "", each
