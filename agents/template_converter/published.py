"""Whether build files speak of something to be depended upon rather than run: what registries ask of what is published."""

import posixpath
import re
from enum import IntEnum

from agents.template_converter.model import Tree

_JVM_PROGRAM = re.compile(
    r"spring-boot-maven-plugin|org\.springframework\.boot|quarkus-maven-plugin|io\.quarkus\b|micronaut|<mainClass>|mainClass\b|\bapplication\b"
)
_JVM_PUBLISHED = re.compile(
    r"<distributionManagement>|nexus-staging|central-publishing|maven-publish|java-library|maven-gpg-plugin|<packaging>maven-plugin"
    r"|extension-(?:maven-)?plugin|maven-release-plugin"
)
_GO_MAIN = re.compile(r"^package main\b", re.MULTILINE)
_ASIDE = frozenset({"docs", "doc", "site", "website", "tools", "hack", "scripts", "internal", "ci", "benchmark", "benchmarks"})
_MOST_MEMBERS = 200


class Published(IntEnum):
    """How surely a build file makes a library."""

    NO = 0
    PERHAPS = 1
    SURELY = 2


def published(tree: Tree, build_files: list[str], shows: frozenset[str]) -> Published:
    """How surely the tree is a library, by its topmost build files; of several side by side each has to be one.

    Args:
        tree: The checkout.
        build_files: The build files that count.
        shows: Names of folders that show something off (examples, tests), whose programs say nothing about the repository.
    """
    own = [path for path in build_files if not _lies_in(path, shows | _ASIDE)]
    top = min((path.count("/") for path in own), default=0)
    folders: dict[str, Published] = {}
    for path in own:
        if path.count("/") == top:
            folder = posixpath.dirname(path)
            folders[folder] = max(folders.get(folder, Published.NO), _judge(tree, path, shows))
    return min(folders.values(), default=Published.NO)


def _lies_in(path: str, names: frozenset[str]) -> bool:
    return any(part.casefold() in names or part.startswith("_") for part in path.split("/")[:-1])


def _judge(tree: Tree, path: str, shows: frozenset[str]) -> Published:
    name = posixpath.basename(path)
    text = tree.read_text(path)[:200_000]
    if name in ("pyproject.toml", "setup.py", "setup.cfg"):
        return _python(text)
    if name == "package.json":
        return _npm(tree, path, text)
    if name == "composer.json":
        return _composer(tree, path, text)
    if name == "Cargo.toml":
        return _cargo(tree, path)
    if name == "go.mod":
        return _go(tree, path, shows)
    if name in ("pom.xml", "build.gradle", "build.gradle.kts"):
        return Published.SURELY if _JVM_PUBLISHED.search(text) and not _JVM_PROGRAM.search(text) else Published.NO
    return Published.NO


def _python(text: str) -> Published:
    if re.search(r"Programming Language :: |Topic :: |Intended Audience :: ", text):
        return Published.SURELY
    return Published.PERHAPS if re.search(r"\[project\]|setup\(|\[metadata\]|\[tool\.poetry\]", text) else Published.NO


def _npm(tree: Tree, path: str, text: str) -> Published:
    if re.search(r'"private"\s*:\s*true', text):
        return _members(tree, path) if _is_workspace(tree, path, text) else Published.NO
    if re.search(r'"start"\s*:', text) or not re.search(r'"version"\s*:', text):
        return Published.NO
    if re.search(r'"(?:exports|types|typings|files|publishConfig)"\s*:', text):
        return Published.SURELY
    return Published.PERHAPS if re.search(r'"(?:main|module|bin)"\s*:', text) else Published.NO


def _is_workspace(tree: Tree, path: str, text: str) -> bool:
    beside = posixpath.dirname(path)
    return '"workspaces"' in text or any(posixpath.join(beside, name) in tree for name in ("lerna.json", "pnpm-workspace.yaml"))


def _members(tree: Tree, path: str) -> Published:
    """A workspace is a library where its packages are published and none of them is started."""
    folder = posixpath.join(posixpath.dirname(path), "packages")
    members = [
        tree.read_text(row)[:200_000]
        for row in tree.under(folder)
        if row.endswith("/package.json") and "/node_modules/" not in row and row.count("/") <= folder.count("/") + 3
    ][:_MOST_MEMBERS]
    open_ones = [text for text in members if not re.search(r'"private"\s*:\s*true', text)]
    started = any(re.search(r'"start"\s*:', text) for text in members)
    return Published.SURELY if len(open_ones) > len(members) / 2 and not started else Published.NO


def _composer(tree: Tree, path: str, text: str) -> Published:
    said = re.search(r'"type"\s*:\s*"([\w-]+)"', text)
    beside = posixpath.dirname(path)
    runs = any(posixpath.join(beside, name) in tree for name in ("artisan", "public/index.php", "index.php", "bin/console"))
    if runs or (said and said[1] == "project"):
        return Published.NO
    return Published.SURELY if re.search(r'"autoload"\s*:', text) and re.search(r'"name"\s*:', text) else Published.PERHAPS


def _cargo(tree: Tree, path: str) -> Published:
    beside = posixpath.dirname(path)
    return (
        Published.SURELY
        if posixpath.join(beside, "src/lib.rs") in tree and posixpath.join(beside, "src/main.rs") not in tree
        else Published.NO
    )


def _go(tree: Tree, path: str, shows: frozenset[str]) -> Published:
    """A module without a main package outside of examples; one with commands below a package of its own perhaps."""
    folder = posixpath.dirname(path)
    sources = [
        row
        for row in tree.under(folder)
        if row.endswith(".go") and not row.endswith("_test.go") and not _lies_in(row[len(folder) :], shows | _ASIDE | {"vendor"})
    ]
    mains = (row for row in sources[:2000] if _GO_MAIN.search(tree.read_text(row)[:20_000]))
    return Published.NO if next(mains, None) else Published.SURELY if sources else Published.NO
