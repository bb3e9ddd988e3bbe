"""HTTP endpoints of JavaScript and TypeScript sources: routers in Express' manner, Nest's decorators, Next.js' files."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from agents.template_converter.inventory import routes_hapi
from agents.template_converter.inventory.mounts_javascript import Mounts, holder_name
from agents.template_converter.inventory.syntax import joined, line_of, literal, matches, parse, text_of
from shared_services.contracts.inventory import Endpoint, Place

_VERBS = {name: name.upper() for name in ("get", "post", "put", "delete", "patch")} | {"all": "ANY", "del": "DELETE"}
_ROUTED = """
(call_expression function: (member_expression object: (_) @object property: (property_identifier) @verb)
  arguments: (arguments) @arguments) @call
"""
_NEST = "(class_declaration body: (class_body) @body) @class"
_NEST_VERB = re.compile(r"@(?P<verb>Get|Post|Put|Delete|Patch|All)\(")
_ROUTER = re.compile(
    r"^(?:\w*(?:router|routes?|app|application|server|api|fastify)\w*|express\(\)|[\w.]*\s*\.route\(.*)$",
    re.IGNORECASE | re.DOTALL,
)
_VERB = re.compile(rb"\.(?:get|post|put|delete|del|patch|all|route)\s*\(")
_WORTH = re.compile(_VERB.pattern + rb"|@(?:Get|Post|Put|Delete|Patch|All)\(|\.(?:use|register|setGlobalPrefix)\s*\(|\bRouter\(")
_APP_ROUTE = re.compile(r"(?:^|/)app/(?:(?P<folder>.+)/)?route\.[jt]sx?$")
_PAGE_ROUTE = re.compile(r"(?:^|/)pages/api/(?P<name>.+)\.[jt]sx?$")
_EXPORTED = re.compile(rb"^export\s+(?:async\s+)?(?:function|const)\s+(GET|POST|PUT|DELETE|PATCH)\b", re.MULTILINE)
_VERSIONED = re.compile(rb"\benableVersioning\(\s*(\{[^}]*\})?")
_DEFAULT_VERSION = re.compile(rb"\bdefaultVersion\s*:\s*\[?\s*[\"'](\w+)[\"']")
_SETTING = re.compile(rb"\b(\w*(?:[pP]refix|PREFIX))[\"']?\s*[:=]\s*([\"'`])(/[\w./-]*)\2")
_CREATED = re.compile(rb"express|koa|fastify|hono|restify|@nestjs|Router\(")


@dataclass(frozen=True)
class _Versions:
    """Whether Nest puts versions into addresses, and the one of controllers that name none."""

    used: bool
    default: str


def endpoints(path: str, source: bytes) -> Iterator[Endpoint]:
    """The endpoints of one file alone."""
    yield from all_endpoints({path: source})


def all_endpoints(sources: Mapping[str, bytes]) -> Iterator[Endpoint]:
    """One for each route, with the prefixes under which its router is mounted where the code says them."""
    trees = {path: (_language(path), parse(_language(path), source)) for path, source in sources.items() if _WORTH.search(source)}
    mounts = Mounts(trees, _settings(sources))
    versions = _versions(sources)
    hapi = any(routes_hapi.WORTH.search(source) for source in sources.values())
    for path, (language, root) in trees.items():
        source = sources[path]
        if not hapi and _CREATED.search(source) and _VERB.search(source):
            for found in matches(language, _ROUTED, root):
                yield from _routed(path, found, mounts)
        if language != "javascript" and b"@nestjs" in source:
            yield from _nest(path, language, root, mounts.global_of(path), versions)
    if hapi:
        yield from routes_hapi.all_endpoints(sources)
    for path, source in sources.items():
        yield from _next(path, source)


def _versions(sources: Mapping[str, bytes]) -> _Versions:
    """Nest's, which are in addresses unless another kind is named."""
    given = [match[1] or b"" for source in sources.values() if (match := _VERSIONED.search(source))]
    told = [options for options in given if b"VersioningType.URI" in options or b"type" not in options]
    default = next((match[1].decode() for options in told if (match := _DEFAULT_VERSION.search(options))), "")
    return _Versions(bool(told), default)


def _settings(sources: Mapping[str, bytes]) -> dict[str, str]:
    """Names of prefixes that the whole repository gives one address."""
    found: dict[str, set[str]] = {}
    for source in sources.values():
        for match in _SETTING.finditer(source):
            found.setdefault(match[1].decode(), set()).add(match[3].decode(errors="replace"))
    return {name: texts.pop() for name, texts in found.items() if len(texts) == 1}


def _language(path: str) -> str:
    return "tsx" if path.endswith("x") else "typescript" if path.endswith(("ts", "mts", "cts")) else "javascript"


def _next(path: str, source: bytes) -> Iterator[Endpoint]:
    """Next.js' routes: a file's folder is its address."""
    app, page = _APP_ROUTE.search(path), _PAGE_ROUTE.search(path)
    if app:
        parts = [part for part in (app["folder"] or "").split("/") if not re.match(r"^\(.*\)$|^@", part)]
        for match in _EXPORTED.finditer(source):
            place = Place(path=path, line=source.count(b"\n", 0, match.start()) + 1)
            method = match[1].decode()
            yield Endpoint(method=method, path=joined(*parts), handler=method, place=place)
    elif page:
        handler = re.search(rb"^export default(?:\s+(?:async\s+)?function\s+(\w+))?|^module\.exports\s*=", source, re.MULTILINE)
        if handler:
            place = Place(path=path, line=source.count(b"\n", 0, handler.start()) + 1)
            address = joined("api", re.sub(r"(?:^|/)index$", "", page["name"]))
            yield Endpoint(method="ANY", path=address, handler=(handler[1] or b"").decode(), place=place)


def _routed(path: str, found: dict[str, list[Any]], mounts: Mounts) -> Iterator[Endpoint]:
    if text_of(found["verb"][0]) == "route":
        yield from _described(path, found, mounts)
        return
    verb = _VERBS.get(text_of(found["verb"][0]))
    arguments = [child for child in found["arguments"][0].named_children if child.type != "comment"]
    held = found["object"][0]
    holder = text_of(held)
    address = literal(arguments[0]) if arguments else None
    chained = re.search(r"\.route\(\s*+([\"'`])(.{0,500}?)\1\s*+\)", holder, re.DOTALL)
    if chained and verb and (not arguments or address is None):
        address, handlers = chained[2], arguments
    else:
        handlers = arguments[1:]
    # `app.get('setting')` reads a setting: a route has something that answers.
    if (
        verb is None
        or address is None
        or not handlers
        or not (
            mounts.is_router(path, holder_name(held)) or _ROUTER.match(holder.split("\n")[0].strip() if not chained else holder)
        )
    ):
        return
    last = handlers[-1]
    named = text_of(last) if last.type in ("identifier", "member_expression") else text_of(last.child_by_field_name("name"))
    prefix = mounts.of(path, re.sub(r"\.route\(.*$", "", holder, flags=re.DOTALL).strip() if chained else holder_name(held))
    place = Place(path=path, line=line_of(found["verb"][0]))
    yield Endpoint(method=verb, path=joined(prefix, address), handler=named, place=place)


def _described(path: str, found: dict[str, list[Any]], mounts: Mounts) -> Iterator[Endpoint]:
    """Fastify's `route({method, url, handler})`."""
    holder = text_of(found["object"][0])
    given = found["arguments"][0].named_children
    if not given or given[0].type != "object" or not _ROUTER.match(holder):
        return
    fields = {text_of(child.child_by_field_name("key")): child.child_by_field_name("value") for child in given[0].named_children}
    address = literal(fields.get("url") or fields.get("path"))
    methods = fields.get("method")
    rows = methods.named_children if methods is not None and methods.type == "array" else [methods]
    for row in rows if address is not None else []:
        verb = _VERBS.get((literal(row) or "").lower())
        if verb:
            place = Place(path=path, line=line_of(found["verb"][0]))
            handler = fields.get("handler")
            named = text_of(handler) if handler is not None and handler.type in ("identifier", "member_expression") else ""
            yield Endpoint(method=verb, path=joined(mounts.of(path, holder), address or ""), handler=named, place=place)


def _nest(path: str, language: str, root: Any, above: str, versions: _Versions) -> Iterator[Endpoint]:
    for found in matches(language, _NEST, root):
        prefix = version = ""
        for decorator in _decorators(found["class"][0]):
            match = re.match(r"@Controller\(\s*(?:\{[^}]*?\bpath\s*:\s*)?([\"'`])(.*?)\1", text_of(decorator), re.DOTALL)
            prefix = match[2] if match else prefix
            told = re.match(r"@Controller\(\s*\{[^}]*?\bversion\s*:\s*([\"'`])(\w+)\1", text_of(decorator), re.DOTALL)
            version = told[2] if told else version
        rows = list(_decorated(found["body"][0]))
        own = {name: told[1] for decorator, name in rows if (told := re.match(r"@Version\(\s*[\"'`](\w+)", text_of(decorator)))}
        for decorator, name in rows:
            chosen = own.get(name) or version or versions.default
            verb = _NEST_VERB.match(text_of(decorator))
            arguments = decorator.named_children[0].child_by_field_name("arguments") if verb else None
            given = arguments.named_children if arguments is not None else []
            address = literal(given[0]) if given else ""
            if verb and address is not None:
                yield Endpoint(
                    method=_VERBS[verb["verb"].lower()],
                    path=joined(above, f"v{chosen}" if chosen and versions.used else "", prefix, address),
                    handler=name,
                    place=Place(path=path, line=line_of(decorator)),
                )


def _decorated(body: Any) -> Iterator[tuple[Any, str]]:
    """Each decorator of a class's methods, with the method's name."""
    waiting: list[Any] = []
    for child in body.named_children:
        if child.type == "decorator":
            waiting.append(child)
        elif child.type != "comment":
            name = text_of(child.child_by_field_name("name")) if child.type == "method_definition" else ""
            yield from ((decorator, name) for decorator in waiting if name)
            waiting = []


def _decorators(declaration: Any) -> list[Any]:
    above = declaration.parent
    own = [child for child in declaration.children if child.type == "decorator"]
    return own + ([child for child in above.children if child.type == "decorator"] if above is not None else [])
