"""HTTP endpoints of Java and Kotlin sources together: a class of one language may inherit what an interface of the other says."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from agents.template_converter.inventory import routes_java, routes_kotlin
from agents.template_converter.inventory.annotated import WORTH, Annotation, Kind, endpoints_of, top_of
from agents.template_converter.inventory.called import RouteFile, called_endpoints
from agents.template_converter.inventory.syntax import parse
from shared_services.contracts.inventory import Endpoint

SETTINGS = re.compile(r"(?:^|/)src/main/resources/application\.properties$")
"""Files that are read beside the sources, for what stands before addresses."""
_APPLICATION = re.compile(rb'@ApplicationPath\(\s*(?:value\s*=\s*)?"([^"]*)"')
_SETTING = re.compile(rb"^quarkus\.(?:rest|resteasy-reactive|resteasy)\.path[ \t]*=[ \t]*(/[\w./-]*)[ \t]*\r?$", re.MULTILINE)
_CALLED = {
    ".java": re.compile(rb"\bio\.javalin\b|\bspark\.Spark\b"),
    ".kt": re.compile(rb"\bio\.(?:ktor\.server|ktor\.routing|ktor\.locations|javalin)\b"),
}


def all_endpoints(sources: Mapping[str, bytes]) -> Iterator[Endpoint]:
    """Those of every file; what `@ApplicationPath` or Quarkus' own setting names goes before those of resources beside it."""
    applications = {
        top_of(path): match[1].decode(errors="replace")
        for path, source in sources.items()
        if (match := (_SETTING if path.endswith(".properties") else _APPLICATION).search(source))
    }
    files = {path: source for path, source in sources.items() if not path.endswith(".properties")}
    chosen = {path for path, source in files.items() if WORTH.search(source) or _called(path, source)}
    trees = {path: _parsed(path, files[path]) for path in files if path in chosen}
    texts = _texts(files)
    made: dict[str, dict[str, Annotation]] = {}
    for path, root in trees.items():
        made.update((routes_kotlin if _language(path) == "kotlin" else routes_java).made_in(root, texts))
    if made:
        named = re.compile(rb"@(?:" + b"|".join(re.escape(name.encode()) for name in made if name) + rb")\b")
        more = [path for path, source in files.items() if path not in trees and named.search(source)]
        trees.update({path: _parsed(path, files[path]) for path in more})
    kinds = [kind for path, root in trees.items() for kind in _kinds(path, files[path], root, texts)]
    yield from endpoints_of(kinds, made, applications)
    yield from called_endpoints(
        [_routed(path, files[path], root, texts) for path, root in trees.items() if _called(path, files[path])]
    )


def _language(path: str) -> str:
    return "kotlin" if path.endswith((".kt", ".kts")) else "java"


def _parsed(path: str, source: bytes) -> Any:
    kotlin = _language(path) == "kotlin"
    return parse("kotlin", routes_kotlin.readable(source)) if kotlin else parse("java", source)


def _called(path: str, source: bytes) -> bool:
    pattern = _CALLED.get(".kt" if _language(path) == "kotlin" else ".java")
    return bool(pattern and pattern.search(source))


def _kinds(path: str, source: bytes, root: Any, texts: Mapping[str, str]) -> Iterator[Kind]:
    reader = routes_kotlin if _language(path) == "kotlin" else routes_java
    yield from reader.kinds_of(path, root, texts, micronaut=b"io.micronaut" in source)


def _routed(path: str, source: bytes, root: Any, texts: Mapping[str, str]) -> RouteFile:
    if _language(path) == "kotlin":
        return routes_kotlin.route_file(path, source, root, texts)
    return routes_java.route_file(path, root, texts)


def _texts(files: Mapping[str, bytes]) -> dict[str, str]:
    """Names that the whole repository gives one text."""
    found: dict[str, set[str]] = {}
    for path, source in files.items():
        for name, text in (routes_kotlin if _language(path) == "kotlin" else routes_java).texts_of(source):
            found.setdefault(name, set()).add(text)
    return {name: texts.pop() for name, texts in found.items() if len(texts) == 1}
