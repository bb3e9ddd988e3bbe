"""Healthy trees wrecked at random, each from one number: lines moved, values of manifests swapped for others, files gone or strange."""

import json
import posixpath
from collections.abc import Callable
from random import Random
from typing import Any

import yaml

from tests.unit.template_converter.fuzz.seeds import MARKDOWN, Seed

_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 3, 10**30, 1.5, float("inf"), "", " ", "x", "a.md", "../../../etc/passwd", "/etc/passwd", "..", ".", "/", "a\nb", "\x00", "\x1b[0m", "é", "日本",
    "\u202e", "💥", "x" * 1200, [], {}, [None], [[]], [{}], {"a": None}, {"title": {"a": 1}}, ["a", 1, None, {"b": []}], [["a"]], "2024-01-01", "{{x}}", "${x}", "http://[", "file:///etc/passwd",
    "https://e.example/x", "-x", "--help", "*", "a\\b", "%2e%2e/x", "0:61:99", "1h", "-5m", "9" * 400, "\ud800", "<b>", "](x", "`", "```", "#", "a: b", "- x", "true",
)  # fmt: skip
_NAMES = (
    "a b.md", "ä.md", "日本.md", "x'y\".md", "`x`.md", "[x](y).md", "<b>.md", "{{x}}.md", "a#b?.md", "%41.md", "-x.md", ".hidden.md", "README.md", "index.md", "\u202egpj.md", "CON.md", "x" * 200 + ".md",
    "a.ipynb", "_index.md", "a.adoc", "01.md", "99999999999999999999.md", "_toc.yml", "SUMMARY.md", "$x.md", "a&b.md", "a:b.md", "a.MD", "A.md", "index.json", "x.yaml",
)  # fmt: skip
_BYTES = (
    b"",
    b"\x00",
    b"\xff\xfe#\x00 \x00A\x00",
    b"\xef\xbb\xbf# A\n",
    b"\xc3\x28\xff",
    b"\r",
    b"\r\n\r\n",
    b"\n" * 50,
    b"\x80\x04K\x01.",
    b"# \xe4\n",
    b"---\n---\n",
    b"---\n",
    b"{",
    b"[]",
    b"null",
    b"[" * 3000,
    b"{a: " * 300,
)
_DATA = (".yaml", ".yml", ".json", ".ipynb")

Files = dict[str, bytes]


def wreck(seed: Seed, number: int, wounds: int) -> Files:
    """The seed's tree with `wounds` wounds; the same for the same numbers."""
    random = Random(number)
    files = {path: text.encode("latin-1" if text.startswith("\x89") else "utf-8") for path, text in seed.files.items()}
    for _ in range(wounds):
        if not files:
            break
        kind = random.choices(_KINDS, _WEIGHTS)[0]
        kind(files, seed, random)
    return files


def _pick(files: Files, random: Random) -> str:
    return random.choice(sorted(files))


def _insert(files: Files, seed: Seed, random: Random) -> None:
    path = _pick(files, random)
    rows = _text(files[path]).split("\n")
    for _ in range(random.randint(1, 6)):
        row = random.choice(seed.lines if random.random() < 0.5 else MARKDOWN)
        indent = random.choice(("", "", "", " ", "  ", "    ", "\t", "> ", "- ", "1. "))
        rows.insert(random.randint(0, len(rows)), indent + row)
    files[path] = "\n".join(rows).encode("utf-8", "surrogatepass")


def _delete(files: Files, _seed: Seed, random: Random) -> None:
    path = _pick(files, random)
    rows = _text(files[path]).split("\n")
    first = random.randint(0, len(rows))
    del rows[first : first + random.randint(1, 4)]
    files[path] = "\n".join(rows).encode("utf-8", "surrogatepass")


def _swap(files: Files, _seed: Seed, random: Random) -> None:
    path = _pick(files, random)
    rows = _text(files[path]).split("\n")
    one, other = random.randrange(len(rows)), random.randrange(len(rows))
    rows[one], rows[other] = rows[other], rows[one]
    files[path] = "\n".join(rows).encode("utf-8", "surrogatepass")


def _characters(files: Files, _seed: Seed, random: Random) -> None:
    path = _pick(files, random)
    text = _text(files[path])
    at = random.randint(0, len(text))
    junk = "".join(random.choice("ab01 \n\t:-#*_`~[](){}<>|!&%\"'\\/.,=+^$@;\x00é\u202e😀") for _ in range(random.randint(0, 8)))
    files[path] = (text[:at] + junk + text[at + random.randint(0, 5) :]).encode("utf-8", "surrogatepass")


def _cut(files: Files, _seed: Seed, random: Random) -> None:
    path = _pick(files, random)
    files[path] = files[path][: random.randint(0, len(files[path]))]


def _remove(files: Files, _seed: Seed, random: Random) -> None:
    del files[_pick(files, random)]


def _rename(files: Files, _seed: Seed, random: Random) -> None:
    path = _pick(files, random)
    data = files[path] if random.random() < 0.5 else files.pop(path)
    folder = random.choice((posixpath.dirname(path), "", posixpath.dirname(_pick(files, random)) if files else ""))
    put(files, posixpath.join(folder, random.choice(_NAMES)), data)


def _bytes(files: Files, _seed: Seed, random: Random) -> None:
    files[_pick(files, random)] = random.choice(_BYTES)


def _recode(files: Files, _seed: Seed, random: Random) -> None:
    path = _pick(files, random)
    text = _text(files[path])
    files[path] = random.choice(
        (
            lambda: text.replace("\n", "\r\n").encode("utf-8", "replace"),
            lambda: text.replace("\n", "\r").encode("utf-8", "replace"),
            lambda: b"\xef\xbb\xbf" + text.encode("utf-8", "replace"),
            lambda: text.encode("utf-16", "replace"),
            lambda: text.encode("latin-1", "replace") + b"\xe4",
        )
    )()


def _value(files: Files, _seed: Seed, random: Random) -> None:
    """Another value somewhere in a manifest, a notebook or a page's front matter."""
    paths = [path for path, data in sorted(files.items()) if path.endswith(_DATA) or data.startswith(b"---\n")]
    if not paths:
        return
    path = random.choice(paths)
    text = _text(files[path])
    head, rest = (
        (text[4:].partition("\n---\n")[0], text[4:].partition("\n---\n")[2]) if text.startswith("---\n") else (text, None)
    )
    try:
        value = json.loads(head) if path.endswith((".json", ".ipynb")) else yaml.safe_load(head)
    except (ValueError, RecursionError, yaml.YAMLError):
        return
    places: list[tuple[Any, Any]] = []
    _collect(value, places)
    new = random.choice(_VALUES)
    if not places or random.random() < 0.05:
        value = new
    else:
        parent, key = random.choice(places)
        if isinstance(parent, dict) and random.random() < 0.15:
            parent.pop(key)
        elif isinstance(parent, dict) and random.random() < 0.1 and not isinstance(new, list | dict):
            parent[new] = parent.pop(key)
        elif isinstance(parent, list) and random.random() < 0.2:
            parent.insert(0, parent[key])
        else:
            parent[key] = new
    try:
        dumped = json.dumps(value) if path.endswith((".json", ".ipynb")) else yaml.safe_dump(value, allow_unicode=True)
        files[path] = (dumped if rest is None else f"---\n{dumped}---\n{rest}").encode("utf-8", "surrogatepass")
    except (TypeError, ValueError, yaml.YAMLError):
        return


def _collect(value: Any, places: list[tuple[Any, Any]], depth: int = 0) -> None:
    if depth > 20:
        return
    if isinstance(value, dict | list):
        keys = list(value) if isinstance(value, dict) else list(range(len(value)))
        for key in keys:
            places.append((value, key))
            _collect(value[key], places, depth + 1)


def put(files: Files, path: str, data: bytes) -> None:
    """Add a file where no folder has its name and none of its folders is a file."""
    folders = {"/".join(path.split("/")[:depth]) for depth in range(1, path.count("/") + 1)}
    if not folders & set(files) and not any(other.startswith(f"{path}/") for other in files):
        files[path] = data


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


_KINDS: tuple[Callable[[Files, Seed, Random], None], ...] = (
    _insert, _delete, _swap, _characters, _cut, _remove, _rename, _bytes, _recode, _value,
)  # fmt: skip
_WEIGHTS = (30, 6, 5, 12, 3, 3, 5, 3, 3, 30)
