"""hapi's routes: objects that name a method, a path and what answers, and the prefixes that a manifest gives plugins."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from agents.template_converter.inventory.syntax import joined, line_of, literal, matches, parse, text_of
from shared_services.contracts.inventory import Endpoint, Place

WORTH = re.compile(rb"require\([\"'](?:@hapi/)?(?:hapi|glue)[\"']\)|from [\"'](?:@hapi/)?(?:hapi|glue)[\"']")
"""What one file of a repository says that is written with hapi."""
_TABLE = re.compile(rb"\bmethod\s*:.*\bpath\s*:|\bpath\s*:.*\bmethod\s*:", re.DOTALL)
_OBJECTS = "(object) @object"
_PLUGIN = re.compile(r"\b(?:register|plugin)\s*:\s*(?:require\(\s*)?[\"'](\.{1,2}/[\w./-]+)[\"']")
_PREFIX = re.compile(r"\bprefix\s*:\s*[\"'](/[^\"']*)[\"']")
_VERBS = frozenset({"GET", "POST", "PUT", "DELETE", "PATCH"})
_MOST_CHARACTERS = 2000


def all_endpoints(sources: Mapping[str, bytes]) -> Iterator[Endpoint]:
    """One for each method and path of such an object."""
    prefixes = _prefixes(sources)
    for path, source in sources.items():
        if not _TABLE.search(source):
            continue
        language = "tsx" if path.endswith("x") else "typescript" if path.endswith("ts") else "javascript"
        for found in matches(language, _OBJECTS, parse(language, source)):
            yield from _described(path, found["object"][0], prefixes)


def _described(path: str, node: Any, prefixes: Mapping[str, str]) -> Iterator[Endpoint]:
    fields = {text_of(child.child_by_field_name("key")): child.child_by_field_name("value") for child in node.named_children}
    fields |= {
        text_of(child): child
        for child in node.named_children
        if child.type in ("method_definition", "shorthand_property_identifier")
    }
    address, method = literal(fields.get("path")), fields.get("method")
    options = text_of(fields.get("options") or fields.get("config"))
    answers = "handler" in fields or any(key.startswith(("handler", "async handler")) for key in fields) or "handler" in options
    if address is None or not address.startswith("/") or method is None or not answers:
        return
    handler = text_of(fields.get("handler"))
    prefix = next((said for folder, said in prefixes.items() if re.search(rf"(?:^|/){re.escape(folder)}(?:/|\.\w+$)", path)), "")
    for row in method.named_children if method.type == "array" else [method]:
        verb = (literal(row) or "").upper()
        if verb in _VERBS or verb == "*":
            place = Place(path=path, line=line_of(node))
            named = handler if re.fullmatch(r"[\w.]+", handler) else ""
            yield Endpoint(method="ANY" if verb == "*" else verb, path=joined(prefix, address), handler=named, place=place)


def _prefixes(sources: Mapping[str, bytes]) -> dict[str, str]:
    """Prefixes of plugins by their folder or file, without the folder that they are given from."""
    found: dict[str, str] = {}
    for path, source in sources.items():
        if b"prefix" not in source or not _PLUGIN.search(source.decode("utf-8", "replace")):
            continue
        language = "typescript" if path.endswith("ts") else "javascript"
        for row in matches(language, _OBJECTS, parse(language, source)):
            text = text_of(row["object"][0])[:_MOST_CHARACTERS]
            plugins, prefix = _PLUGIN.findall(text), _PREFIX.search(text)
            if len(plugins) == 1 and prefix:
                found.setdefault(re.sub(r"^(?:\.{1,2}/)+|\.[jt]s$", "", plugins[0]), prefix[1])
    return found
