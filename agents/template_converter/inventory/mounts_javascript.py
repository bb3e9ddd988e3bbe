"""Where routers of JavaScript sources are mounted: `use` and `register` over files, folders that are loaded, global prefixes."""

import posixpath
import re
from collections.abc import Mapping
from typing import Any

from agents.template_converter.inventory.syntax import joined, literal, matches, text_of

_CALLS = """
(call_expression function: (member_expression object: (_) @object property: (property_identifier) @name)
  arguments: (arguments) @arguments)
"""
_IMPORTS = "(import_statement source: (string) @source) @statement"
_REQUIRED = """
(variable_declarator name: (_) @name value: (call_expression function: (identifier) @function arguments: (arguments) @arguments))
"""
_HANDED = "(call_expression function: (identifier) @function arguments: (arguments) @arguments)"
_VARIABLES = "(variable_declarator name: (identifier) @name value: (_) @value)"
_MADE = re.compile(
    r"(?:await\s+)?(?:new\s+)?(?:[\w.]+\.)?(?:Hono|OpenAPIHono|Router|KoaRouter|Elysia|express|[fF]astify|polka|createServer)(?:<.*?>)?\s*\(",
    re.DOTALL,
)
_TABLES = "(variable_declarator name: (identifier) @name value: (array) @list)"
_AUTOLOAD = re.compile(r"@fastify/autoload|fastify-autoload")
_AUTO_PREFIX = re.compile(r"\bautoPrefix\s*=\s*([\"'`])([^\"'`$]*)\1")
_ENDINGS = ("", ".ts", ".js", ".mjs", ".cjs", ".tsx", ".jsx", "/index.ts", "/index.js", "/index.mjs")
_MAX_DEPTH = 10


class Mounts:
    """Prefixes of routers by the file and the name that they have there."""

    def __init__(self, trees: Mapping[str, tuple[str, Any]], settings: Mapping[str, str] | None = None) -> None:
        """Read every call that mounts something; `trees` are `(language, root)` by path, `settings` texts by their names."""
        self._trees = trees
        self._settings = settings or {}
        self._own: dict[tuple[str, str], str] = {}
        self._files: dict[str, tuple[str, str, str]] = {}
        self._names: dict[tuple[str, str], tuple[str, str]] = {}
        self._folders: dict[str, str] = {}
        self._global: dict[str, str] = {}
        for path, (language, root) in trees.items():
            names = self._imported(path, language, root)
            self._made(path, language, root)
            for row in matches(language, _HANDED, root):
                given = [child for child in row["arguments"][0].named_children if child.type == "identifier"]
                target = names.get(text_of(row["function"][0]))
                if target and len(given) == 1 and self.is_router(path, text_of(given[0])):
                    self._files.setdefault(target, (path, text_of(given[0]), ""))
            for row in matches(language, _CALLS, root):
                holder, name, arguments = holder_name(row["object"][0]), text_of(row["name"][0]), row["arguments"][0]
                self._read(path, holder, name, arguments, names)
                if name == "use":
                    for prefix, router in _from_table(row["object"][0], arguments, root, language):
                        self._mount(path, holder, prefix, router, names)

    def is_router(self, path: str, name: str) -> bool:
        """Whether a file makes a router of that name."""
        return (path, name) in self._own

    def _made(self, path: str, language: str, root: Any) -> None:
        """Routers that are made, with what they themselves put before addresses."""
        for row in matches(language, _VARIABLES, root):
            text = text_of(row["value"][0])[:500]
            if _MADE.match(text):
                own = re.search(r"\.basePath\(\s*([\"'`])([^\"'`$]*)\1|\bprefix\s*:\s*([\"'`])(/[^\"'`$]*)\3", text)
                self._own[path, text_of(row["name"][0])] = (own[2] or own[4] or "") if own else ""

    def of(self, path: str, name: str) -> str:
        """What goes before the addresses of a router."""
        parts: list[str] = []
        seen = set()
        for _ in range(_MAX_DEPTH):
            if (path, name) in seen:
                break
            seen.add((path, name))
            parts.insert(0, self._own.get((path, name), ""))
            inner = self._names.get((path, name))
            if inner is not None:
                name, prefix = inner
                parts.insert(0, prefix)
                continue
            outer = self._files.get(path)
            if outer is None:
                parts.insert(0, self._of_folder(path))
                break
            path, name, prefix = outer
            parts.insert(0, prefix)
        return joined(*parts) if any(parts) else ""

    def global_of(self, path: str) -> str:
        """Nest's global prefix for a file, from the main module above it."""
        return next((prefix for folder, prefix in self._global.items() if path.startswith(folder)), "")

    def _of_folder(self, path: str) -> str:
        folder = next((row for row in self._folders if path.startswith(f"{row}/")), None)
        if folder is None:
            return ""
        said = _AUTO_PREFIX.search(text_of(self._trees[path][1])) if path in self._trees else None
        return joined(self._folders[folder], posixpath.dirname(path[len(folder) + 1 :]), said[2] if said else "")

    def _read(self, path: str, holder: str, name: str, arguments: Any, names: Mapping[str, str]) -> None:
        rows = [child for child in arguments.named_children if child.type != "comment"]
        if name == "setGlobalPrefix" and rows:
            given = literal(rows[0])
            if given:
                self._global[posixpath.dirname(path) + "/" if "/" in path else ""] = given
        elif name in ("use", "route") and rows and (name == "use" or len(rows) == 2):
            prefix = self._said(rows[0])
            for row in rows[1:] if prefix is not None else rows:
                self._mount(path, holder, prefix or "", row, names)
        elif name == "register" and rows:
            options = text_of(rows[1]) if len(rows) > 1 else ""
            found = re.search(r"\bprefix\s*:\s*([\"'`])([^\"'`$]*)\1", options)
            if _AUTOLOAD.search(names.get(f"package {text_of(rows[0])}", "")):
                self._load(path, options, found[2] if found else "")
            else:
                self._mount(path, holder, found[2] if found else "", rows[0], names)

    def _said(self, node: Any) -> str | None:
        """What a prefix says: its own text, or that of the one setting of its name."""
        text = literal(node)
        if text is None and node.type == "member_expression":
            return self._settings.get(text_of(node.child_by_field_name("property")))
        return self._settings.get(text_of(node)) if text is None and node.type == "identifier" else text

    def _mount(self, path: str, holder: str, prefix: str, node: Any, names: Mapping[str, str]) -> None:
        required = _required(node)
        node = node if required else _unwrapped(node)
        target = self._find(path, required) if required else names.get(text_of(node))
        if target:
            self._files.setdefault(target, (path, holder, prefix))
        elif node.type == "identifier" and text_of(node) != holder:
            self._names.setdefault((path, text_of(node)), (holder, prefix))

    def _load(self, path: str, options: str, prefix: str) -> None:
        """A folder that is loaded: each file's own folder is its prefix."""
        given = re.search(r"\bdir\s*:\s*(?:[\w.]*join\((?P<parts>[^)]*)\)|(?P<text>[\"'`][^\"'`]*[\"'`]))", options)
        if given is None:
            return
        parts = re.findall(r"[\"'`]([^\"'`]*)[\"'`]", given["parts"] or given["text"])
        folder = posixpath.normpath(posixpath.join(posixpath.dirname(path), *(part.lstrip("/") for part in parts)))
        self._folders.setdefault(folder, prefix)

    def _imported(self, path: str, language: str, root: Any) -> dict[str, str]:
        """Names that stand for files of the repository, and (as `package NAME`) for packages."""
        found: dict[str, str] = {}
        rows = [(row["statement"][0], literal(row["source"][0])) for row in matches(language, _IMPORTS, root)]
        rows += [
            (row["name"][0], literal(given[0]))
            for row in matches(language, _REQUIRED, root)
            if text_of(row["function"][0]) == "require" and (given := row["arguments"][0].named_children)
        ]
        for node, source in rows:
            target = self._find(path, source or "")
            for name in _identifiers(node):
                if target:
                    found[name] = target
                elif source:
                    found[f"package {name}"] = source
        return found

    def _find(self, path: str, source: str) -> str | None:
        if source.startswith(("@/", "~/")):
            # The customary name of the folder of sources, from the nearest one above.
            folders = path.split("/")[:-1]
            above = ["/".join(folders[:count]) for count in range(len(folders), -1, -1)]
            bases = [posixpath.join(folder, inner, source[2:]) for folder in above for inner in ("src", "")]
        elif source.startswith("."):
            bases = [posixpath.normpath(posixpath.join(posixpath.dirname(path), source))]
        else:
            return None
        stems = [stem for base in bases for stem in (base, re.sub(r"\.[cm]?js$", "", base))]
        return next((row for each in stems for ending in _ENDINGS if (row := each + ending) in self._trees), None)


def _from_table(node: Any, arguments: Any, root: Any, language: str) -> list[tuple[str, Any]]:
    """Prefixes and routers of `app.use(row.path, row.router)` in a loop over a list of such rows."""
    parts = [child for child in arguments.named_children if child.type == "member_expression"]
    names = {text_of(part.child_by_field_name("object")) for part in parts}
    if len(parts) < 2 or len(names) != 1:
        return []
    table = _looped_over(node, names.pop())
    keys = [text_of(part.child_by_field_name("property")) for part in (parts[0], parts[-1])]
    found = []
    for row in matches(language, _TABLES, root):
        for given in row["list"][0].named_children if text_of(row["name"][0]) == table else []:
            fields = {
                text_of(child.child_by_field_name("key")): child.child_by_field_name("value") for child in given.named_children
            }
            prefix, router = literal(fields.get(keys[0])), fields.get(keys[1])
            if prefix is not None and router is not None:
                found.append((prefix, router))
    return found


def _looped_over(node: Any, name: str) -> str:
    """The list whose rows a loop around `node` calls `name`: of `rows.forEach((name) => …)` or `for (const name of rows)`."""
    while node is not None:
        if node.type == "for_in_statement" and text_of(node.child_by_field_name("left")) == name:
            return text_of(node.child_by_field_name("right"))
        if node.type == "call_expression":
            match = re.match(r"(\w+)\.(?:forEach|map)\(\s*(?:async\s*)?(?:function\s*)?\(?\s*(\w+)", text_of(node))
            if match and match[2] == name:
                return match[1]
        node = node.parent
    return ""


def holder_name(node: Any) -> str:
    """What a router is called on which something is done: the variable that a chain of calls ends in, else its own text."""
    top = node
    while top.type in ("call_expression", "member_expression"):
        inner = top.child_by_field_name("function") or top.child_by_field_name("object")
        if inner is None:
            break
        top = inner
    if node.type not in ("call_expression", "new_expression"):
        return text_of(node)
    above = node
    while above is not None and above.type in ("call_expression", "member_expression", "await_expression", "new_expression"):
        above = above.parent
    if above is not None and above.type == "variable_declarator":
        return text_of(above.child_by_field_name("name"))
    return text_of(top)


def _required(node: Any) -> str:
    found = re.match(r"^require\(\s*([\"'`])([^\"'`]+)\1\s*\)(?:\.default)?$", text_of(node))
    return found[2] if found else ""


def _unwrapped(node: Any) -> Any:
    """What is mounted: the router of `router.routes()`, the function of `routes()`."""
    function = node.child_by_field_name("function") if node.type == "call_expression" else None
    if function is not None and function.type == "identifier":
        return function
    if function is not None and function.type == "member_expression":
        return function.child_by_field_name("object")
    return node


def _identifiers(node: Any) -> list[str]:
    """Every name that a statement of import or a pattern binds."""
    if node.type in ("identifier", "shorthand_property_identifier_pattern"):
        return [text_of(node)]
    if node.type == "import_specifier":
        return [text_of(node.child_by_field_name("alias") or node.child_by_field_name("name"))]
    return [name for child in node.named_children if child.type != "string" for name in _identifiers(child)]
