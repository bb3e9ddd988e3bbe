"""The inventory of a checkout: every part's reader over the files that count, none of them run."""

import posixpath
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from agents.template_converter import signals
from agents.template_converter.forms.yaml_safely import UnsafeYamlError
from agents.template_converter.inventory import routes_go, routes_javascript, routes_jvm, routes_python
from agents.template_converter.inventory.build_files import UnreadableBuildFileError, read_build_file
from agents.template_converter.inventory.deployment import (
    compose_services,
    container_file,
    is_compose_file,
    is_container_file,
    kubernetes_objects,
)
from agents.template_converter.inventory.frameworks import entry_points, frameworks
from agents.template_converter.inventory.not_looked_for import not_looked_for
from agents.template_converter.inventory.syntax import MAX_SOURCE_BYTES
from agents.template_converter.model import Tree
from shared_services.contracts.inventory import (
    BuildFile,
    ComposeService,
    ContainerFile,
    Endpoint,
    Inventory,
    KubernetesObject,
    LanguageShare,
)

_ENDINGS = {
    "Python": "py",
    "Java": "java",
    "Kotlin": "kt kts",
    "Scala": "scala",
    "Go": "go",
    "Rust": "rs",
    "JavaScript": "js mjs cjs jsx",
    "TypeScript": "ts tsx",
    "Ruby": "rb",
    "PHP": "php",
    "C#": "cs",
    "C": "c h",
    "C++": "cc cpp hpp",
    "Swift": "swift",
    "Elixir": "ex exs",
    "Clojure": "clj",
    "Dart": "dart",
    "Vue": "vue",
    "Svelte": "svelte",
    "SQL": "sql",
    "Shell": "sh bash",
    "HTML": "html",
    "CSS": "css scss",
}
_LANGUAGES = {ending: name for name, endings in _ENDINGS.items() for ending in endings.split()}
_SHEBANGS = {
    "python": "Python",
    "bash": "Shell",
    "sh": "Shell",
    "node": "JavaScript",
    "ruby": "Ruby",
    "perl": "Perl",
    "php": "PHP",
}
_ROUTES: dict[str, Callable[[Mapping[str, bytes]], Iterable[Endpoint]]] = {
    "JVM": routes_jvm.all_endpoints,
    "JavaScript": routes_javascript.all_endpoints,
    "Go": routes_go.all_endpoints,
    "Python": routes_python.all_endpoints,
}
_ROUTED_AS = {
    "Java": "JVM",
    "Kotlin": "JVM",
    "JavaScript": "JavaScript",
    "TypeScript": "JavaScript",
    "Go": "Go",
    "Python": "Python",
}
_TEST = re.compile(
    r"(?:^|/)(?:tests?|__tests__|spec|src/test|e2e|it)/"
    r"|(?:^|/)(?:test_[^/]+\.py|tests?\.py|[^/]+_test\.(?:py|go|rb)|[^/]+\.(?:test|spec)\.[jt]sx?|[^/]*Tests?\.(?:java|kt|cs))$"
)
_CI = re.compile(
    r"^\.github/workflows/[^/]+\.ya?ml$|^\.gitlab-ci\.yml$|(?:^|/)Jenkinsfile$|^\.circleci/config\.yml$"
    r"|^azure-pipelines\.yml$|^\.travis\.yml$|^\.tekton/[^/]+\.ya?ml$"
)
_DOCUMENTATION = (".md", ".adoc", ".rst")
_BUILT = re.compile(
    r"^(?:package\.json|pyproject\.toml|setup\.(?:py|cfg)|.*requirements\.txt|pom\.xml|build\.gradle(?:\.kts)?|go\.mod|Cargo\.toml|Makefile|Gemfile"
    r"|composer\.json)$|\.csproj$"
)
_REQUIREMENTS = re.compile(r"(?:^|/)requirements/[^/]+\.txt$")
_VENDORED = re.compile(r"(?:^|/)(?:vendor|webjars|dist|META-INF/resources)/")
_SENT = frozenset({"JavaScript", "TypeScript", "CSS", "HTML", "SQL", "Shell"})
"""What lies in folders that are sent to browsers as they are; a package of Go may well be called `public`."""
_PUBLIC = re.compile(r"(?:^|/)(?:static|public|assets|META-INF/resources|vendor|webjars|dist)/")


def read_inventory(tree: Tree, progress: Callable[[int, int], None] = lambda done, total: None) -> Inventory:
    """What the tree holds.

    Args:
        tree: The checkout.
        progress: Called with files read and files in all, now and then.
    """
    visible = list(signals.visible(tree))
    # What begins with a dot is no source of the program, but its pipelines are.
    hidden = [path for path in tree.files if _CI.search(path) and path not in visible]
    parts = _Parts()
    sources: dict[str, bytes] = {}
    lines: Counter[str] = Counter()
    files: Counter[str] = Counter()
    by_language: dict[str, dict[str, bytes]] = {}
    for number, path in enumerate([*visible, *hidden]):
        if number % 200 == 0:
            progress(number, len(visible))
        _classify(tree, path, parts)
        if routes_jvm.SETTINGS.search(path) and tree.files[path] <= MAX_SOURCE_BYTES:
            by_language.setdefault("JVM", {})[path] = tree.read_bytes(path)
        language = _language(tree, path)
        if language is None or tree.files[path] > MAX_SOURCE_BYTES or _minified(path):
            continue
        source = tree.read_bytes(path)
        files[language] += 1
        lines[language] += sum(1 for line in source.split(b"\n") if line.strip())
        if _TEST.search(path) or _VENDORED.search(path) or (language in _SENT and _PUBLIC.search(path)):
            continue
        sources[path] = source
        by_language.setdefault(_ROUTED_AS.get(language, ""), {})[path] = source
    for language, routes in _ROUTES.items():
        parts.endpoints += routes(by_language.get(language, {}))
    progress(len(visible), len(visible))
    return Inventory(
        commit=tree.commit,
        files=len(tree.files),
        languages=[LanguageShare(name=name, files=files[name], lines=count) for name, count in lines.most_common()],
        frameworks=frameworks(parts.build_files, sources),
        entry_points=entry_points(parts.build_files, sources),
        not_looked_for=not_looked_for(files, visible),
        **vars(parts),
    )


@dataclass
class _Parts:
    """What is found as files are met."""

    build_files: list[BuildFile] = field(default_factory=list)
    endpoints: list[Endpoint] = field(default_factory=list)
    containers: list[ContainerFile] = field(default_factory=list)
    compose: list[ComposeService] = field(default_factory=list)
    kubernetes: list[KubernetesObject] = field(default_factory=list)
    tests: list[str] = field(default_factory=list)
    ci: list[str] = field(default_factory=list)
    documentation: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)


def _classify(tree: Tree, path: str, parts: _Parts) -> None:
    """What the file is besides source: a build file, a packing list, a test, a pipeline, a page."""
    if _CI.search(path):
        parts.ci.append(path)
    elif path.lower().endswith(_DOCUMENTATION) and "/" not in path.removeprefix("docs/"):
        parts.documentation.append(path)
    if _TEST.search(path) and _language_of(path):
        parts.tests.append(path)
    try:
        built = _build_file(tree, path)
        if built is not None:
            parts.build_files.append(built)
        elif is_container_file(path):
            parts.containers.append(container_file(path, tree.read_text(path)))
        elif is_compose_file(path):
            parts.compose += compose_services(path, tree.read_text(path))
        elif path.endswith((".yaml", ".yml")) and not _CI.search(path):
            parts.kubernetes += kubernetes_objects(path, tree.read_text(path))
    except UnreadableBuildFileError as error:
        parts.unread.append(f"{error}.")
    except UnsafeYamlError as error:
        parts.unread.append(f"`{path}` cannot be read: {error}.")


def _build_file(tree: Tree, path: str) -> BuildFile | None:
    if (
        tree.files[path] > MAX_SOURCE_BYTES
        or _PUBLIC.search(path)
        or not (_BUILT.search(posixpath.basename(path)) or _REQUIREMENTS.search(path))
    ):
        return None
    return read_build_file(path, tree.read_text(path))


def _language(tree: Tree, path: str) -> str | None:
    found = _language_of(path)
    if found is None and "." not in posixpath.basename(path) and 0 < tree.files[path] < 200_000:
        first = tree.read_bytes(path)[:100].split(b"\n")[0]
        match = re.match(rb"#!\s*\S*?(?:/env\s+(?:-S\s+)?)?/?([a-z]+)[\d.]*\s*$|#!\S*/env\s+([a-z]+)", first)
        name = (match[2] or match[1]).decode() if match else ""
        return _SHEBANGS.get(name)
    return found


def _language_of(path: str) -> str | None:
    name = posixpath.basename(path)
    return _LANGUAGES.get(name.rpartition(".")[2].lower()) if "." in name else None


def _minified(path: str) -> bool:
    return bool(re.search(r"\.min\.(?:js|css)$|\.bundle\.js$|-lock\.|(?:^|/)package-lock\.json$", path))
