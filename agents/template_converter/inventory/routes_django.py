"""Django's paths: those of `urlpatterns`, with the ones under which a module is included, and REST framework's registrations."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from agents.template_converter.inventory.syntax import exactly, line_of, literal, matches, text_of
from shared_services.contracts.inventory import Endpoint, Place

_CALLS = "(call function: [(identifier) (attribute)] @function arguments: (argument_list) @arguments) @call"
WORTH = re.compile(rb"urlpatterns|outer\w*\.register(?:_endpoint)?\(")
"""What a file says that may route in Django."""
_NAMED_GROUP = re.compile(r"\(\?P<(\w+)>(?:[^()]|\((?:[^()])*\))*\)")
_MAX_DEPTH = 10


def all_endpoints(trees: Mapping[str, Any]) -> Iterator[Endpoint]:
    """One for each path and each view set that is registered; Django's own code decides on methods, so they are `ANY`."""
    modules = {module_of(path): path for path in trees}
    rows = [(path, *row) for path, root in trees.items() for row in _paths(root)]
    registered = {path: list(_registered(root)) for path, root in trees.items()}
    above: dict[str, tuple[str, str]] = {}
    lists: dict[tuple[str, str], str] = {}
    routers: dict[tuple[str, str], tuple[str, str]] = {}
    drawn_in: set[tuple[str, str]] = set()
    for path, address, handler, _, _ in rows:
        named = re.match(r"include\(\s*[(\[]?\s*(?:[\"']([\w.]+)[\"']|(\w+)\.urls\b|(\w+)\b)|(\w+)\.urls$", handler)
        target = find_module(modules, named[1]) if named and named[1] else None
        router = (named[2] or named[4]) if named else None
        holding = [each for each, given in registered.items() if any(row[0] == router for row in given)] if router else []
        if router and (path in holding or len(holding) == 1):
            routers[path if path in holding else holding[0], router] = (path, address)
            drawn_in.add((path, handler))
        elif named and named[3]:
            lists[path, named[3]] = address
        if target and target != path:
            above.setdefault(target, (path, address))
    for path, address, handler, line, listed in rows:
        if not handler.startswith("include(") and (path, handler) not in drawn_in:
            name = re.sub(r"(?:\.as_view)?\(.*", "", handler, flags=re.DOTALL)
            before = [*_included_under(path, above), lists.get((path, listed), "")]
            yield Endpoint(method="ANY", path=exactly(*before, address), handler=name, place=Place(path=path, line=line))
    for path, given in registered.items():
        for holder, address, handler, line in given:
            outer = routers.get((path, holder))
            before = [*_included_under(outer[0] if outer else path, above), outer[1] if outer else ""]
            yield Endpoint(method="ANY", path=exactly(*before, address), handler=handler, place=Place(path=path, line=line))


def _paths(root: Any) -> Iterator[tuple[str, str, int, str]]:
    """`(address, what answers, line, list that it stands in)` of each; of a regular expression the text between its anchors."""
    for found in matches("python", _CALLS, root):
        function = text_of(found["function"][0])
        arguments = [child for child in found["arguments"][0].named_children if child.type != "comment"]
        address = literal(arguments[0]) if function in ("path", "re_path", "url") and arguments else None
        if address is not None and len(arguments) > 1:
            said = address if function == "path" else _plain(address)
            yield said, text_of(arguments[1]), line_of(found["call"][0]), _list_of(found["call"][0])


def _list_of(node: Any) -> str:
    """The name of the list that a path stands in."""
    while node is not None and node.type not in ("assignment", "augmented_assignment"):
        node = node.parent
    return "" if node is None else text_of(node.child_by_field_name("left"))


def _plain(pattern: str) -> str:
    """A regular expression as an address: named groups by their names, without anchors and optional slashes."""
    return _NAMED_GROUP.sub(r"<\1>", pattern.removeprefix("^").removesuffix("$").removesuffix("/?")).replace("\\.", ".")


def _registered(root: Any) -> Iterator[tuple[str, str, str, int]]:
    """`(router, address, view set, line)` of each `router.register`."""
    for found in matches("python", _CALLS, root):
        holder, _, name = text_of(found["function"][0]).rpartition(".")
        arguments = [child for child in found["arguments"][0].named_children if child.type not in ("comment", "keyword_argument")]
        address = (
            literal(arguments[0])
            if name in ("register", "register_endpoint") and "router" in holder.lower() and len(arguments) > 1
            else None
        )
        if address is not None:
            yield holder, _plain(address), text_of(arguments[1]), line_of(found["call"][0])


def _included_under(path: str, above: Mapping[str, tuple[str, str]]) -> list[str]:
    parts: list[str] = []
    for _ in range(_MAX_DEPTH):
        if path not in above:
            break
        path, address = above[path]
        parts.insert(0, address)
    return parts


def module_of(path: str) -> str:
    """What a file is called where it is imported."""
    return re.sub(r"(?:^|/)__init__$", "", path.removesuffix(".py")).replace("/", ".")


def find_module(modules: Mapping[str, str], name: str) -> str | None:
    """A module by its name from the repository's root or from a folder of sources below it."""
    if name in modules:
        return modules[name]
    return next((path for module, path in modules.items() if module.endswith(f".{name}")), None)
