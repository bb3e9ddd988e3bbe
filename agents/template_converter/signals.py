"""Facts about a tree that recognition rests on: does a page instruct, is there an application, which folders do not count."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from agents.template_converter.listing import VENDORED
from agents.template_converter.model import Tree
from agents.template_converter.published import Published, published
from agents.template_converter.shells import SHELLS

MARKDOWN = (".md", ".markdown")
_DECOYS = frozenset(
    {
        "vendor",
        "vendored",
        "third_party",
        "third-party",
        "examplesite",
        "archetypes",
        "fixtures",
        "testdata",
        "dist",
        "build",
        "target",
        "site-packages",
    }
)
_SHOWCASES = frozenset(
    {"examples", "example", "templates", "template", "samples", "sample", "test", "tests", "spec", "skeleton", "cookiecutter"}
)
_SAMPLES = re.compile(r"[-_](?:examples|samples|fixtures)$", re.IGNORECASE)
_WORDS = re.compile(
    r"\b(?:workshops?|tutorials?|labs?|hands[- ]on|exercises?|walkthrough|codelabs?|training|lessons?|katas?|bootcamp"
    r"|course(?:s|work)?|learning path|step[- ]by[- ]step)\b",
    re.IGNORECASE,
)
_FENCE = re.compile(r"^[ \t>]*(?:[-*+][ \t]+|\d+[.)][ \t]+)?(?:```+|~~~+)[ \t]*\{?[ \t]*\.?([\w+#.-]*)", re.MULTILINE)
_DATED = re.compile(r"(?:19|20)\d{2}-[01]\d-[0-3]\d[-_.]")
_FEW_POSTS = 5
_NUMBERED = re.compile(r"^[ \t]*\d+[.)][ \t]+\S", re.MULTILINE)
_LISTED_COMMAND = re.compile(r"^[ \t]*[-*+][ \t]+`[a-z][\w./-]*[ \t]+[^`\n]*`[ \t]*$", re.MULTILINE)
_MANY_LISTED = 5
_STEP_HEADING = re.compile(
    r"^#{1,4}[ \t][^\w\n]*+(?:(?:step|exercise|task|lab|part|module|lesson|challenge|chapter|activity|section)\b[ \t]*#?[ \t]*"
    r"(?:\d+|[ivx]+\b|one|two|three|four|five|six)|\d+[.):\- ][ \t]*\w)",
    re.IGNORECASE | re.MULTILINE,
)
_SOURCES = frozenset({
        "py", "java", "kt", "scala", "go", "rs", "js", "jsx", "ts", "tsx", "rb", "php", "cs", "c", "cc", "cpp", "h",
        "hpp", "swift", "ex", "exs", "clj", "dart", "vue", "svelte", "sql",
    }
)  # fmt: skip
_BUILD_FILES = frozenset(
    {
        "pom.xml", "build.gradle", "build.gradle.kts", "package.json", "pyproject.toml", "setup.py", "setup.cfg",
        "requirements.txt", "go.mod", "Cargo.toml", "Gemfile", "composer.json", "mix.exs", "CMakeLists.txt",
        "Makefile.am", "build.sbt", "project.clj", "pubspec.yaml", "Package.swift", "meson.build",
    }
)  # fmt: skip
_RUNS = frozenset(
    {
        "Dockerfile", "docker-compose.yml", "docker-compose.yaml", "compose.yaml", "compose.yml", "Procfile",
        "manage.py", "app.py", "main.py", "server.js", "app.js", "index.html", "main.go",
    }
)  # fmt: skip


_CONTAINERS = frozenset({"Dockerfile", "docker-compose.yml", "docker-compose.yaml", "compose.yaml", "compose.yml", "manage.py"})


@dataclass(frozen=True)
class Instructing:
    """How a page instructs: shell blocks, all code blocks, numbered items, headings that count steps, commands in lists."""

    commands: int
    blocks: int
    numbered: int
    step_headings: int
    listed: int = 0

    @property
    def instructs(self) -> bool:
        """Whether a reader is told to do things."""
        return (
            self.commands > 0
            or (self.blocks > 0 and (self.numbered > 1 or self.step_headings > 0))
            or self.numbered >= 3
            or self.blocks >= 3
            or self.listed >= _MANY_LISTED
        )


@dataclass(frozen=True)
class Code:
    """Source code in a tree: build files, files by ending, and files that say that something runs."""

    build_files: list[str]
    sources: int
    runs: list[str]
    is_library: bool

    @property
    def present(self) -> bool:
        """Whether there is a program."""
        return bool(self.build_files and self.sources) or self.sources >= 5


def amount(count: int, what: str) -> str:
    """A count with its noun: `1 page`, `2 pages`."""
    return f"{count} {what}{'' if count == 1 else 's'}"


def instructing(text: str) -> Instructing:
    """Count what instructs in a Markdown page; quick, without parsing it."""
    fences = [match[1].lower() for match in _FENCE.finditer(text)]
    languages = fences[::2]
    return Instructing(
        commands=sum(language in SHELLS for language in fences),
        blocks=len(languages),
        numbered=len(_NUMBERED.findall(text)),
        step_headings=len(_STEP_HEADING.findall(text)),
        listed=len(_LISTED_COMMAND.findall(text)),
    )


def workshop_words(text: str) -> list[str]:
    """Words that name a workshop, as words (`lab` is not in `collaborate`), lower case and each once."""
    plain = re.sub(r"https?://\S+|\]\([^)\s]{0,500}\)", " ", text)
    return list(dict.fromkeys(match[0].lower() for match in _WORDS.finditer(plain.replace("_", " "))))


def opening(text: str, characters: int = 700) -> str:
    """The first prose of a page: its title and first paragraphs, without code, tags and front matter."""
    text = re.sub(r"\A---\n.*?\n---\n", "", text[:20_000], count=1, flags=re.DOTALL)
    text = re.sub(r"```.*?(?:```|\Z)|<[^<>]*>", " ", text, flags=re.DOTALL)
    return text[:characters]


def counts(path: str) -> bool:
    """Whether a path counts for recognition: nothing hidden, vendored, generated or made for tests."""
    return _folder_counts(path.rpartition("/")[0])


@lru_cache(maxsize=65_536)
def _folder_counts(folder: str) -> bool:
    """A repository has far fewer folders than files, and every form asks."""
    return not any(part.startswith(".") or part in VENDORED or part.casefold() in _DECOYS for part in folder.split("/"))


def is_showcase(path: str) -> bool:
    """Whether a folder shows something off (examples, templates, tests) rather than being what the repository is for."""
    return any(part.casefold() in _SHOWCASES or _SAMPLES.search(part) for part in path.split("/"))


def visible(tree: Tree) -> Iterator[str]:
    """The paths that count, in order."""
    for path in tree.files:
        folder, _, name = path.rpartition("/")
        if not name.startswith(".") and _folder_counts(folder):
            yield path


def pages(tree: Tree) -> list[str]:
    """Markdown pages that count."""
    return [path for path in visible(tree) if path.lower().endswith(MARKDOWN)]


def dated_posts(tree: Tree) -> int:
    """How many pages are named by the day of their writing, as a blog's are; 0 where these are not most of the pages."""
    names = [path.rpartition("/")[2] for path in pages(tree)]
    dated = sum(_DATED.match(name) is not None for name in names)
    return dated if dated >= _FEW_POSTS and dated * 2 > len(names) else 0


def code(tree: Tree) -> Code:
    """What program the tree holds."""
    build: list[str] = []
    runs: list[str] = []
    sources = 0
    for path in visible(tree):
        name = path.rpartition("/")[2]
        if name in _BUILD_FILES or name.endswith((".csproj", ".sln", ".slnx")):
            build.append(path)
        if name in _RUNS and (path == name or (name in _CONTAINERS and path.count("/") == 1)):
            runs.append(path)
        sources += name.rpartition(".")[2].lower() in _SOURCES and "." in name
    known = published(tree, build, _SHOWCASES)
    return Code(build, sources, runs, known is Published.SURELY or (known is Published.PERHAPS and not runs))
