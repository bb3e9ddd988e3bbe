"""What an Educates workshop brings beside its pages: tests, set-up, files, and the session that its definition asks for.

Tests become checks and set-up scripts the first step's. Kubernetes objects of a session are made by Educates: they come along as
manifests, with a sentence that says what to do with them. Packages and applications are named.
"""

import posixpath
import re
import shlex
from collections.abc import Iterator
from typing import Any

import yaml

from agents.template_converter.forms.clickable import Test
from agents.template_converter.forms.educates_place import Place
from agents.template_converter.forms.numbering import natural
from agents.template_converter.forms.step_files import home_of, with_files
from agents.template_converter.model import ImportedStep, Tree
from shared_services.contracts.conversion import Broken, Loss

MAX_EXERCISE_BYTES = 5 * 1024 * 1024
_SHELL = re.compile(r"^#!.*\b(?:ba|da|k|z)?sh\b")
_READ = frozenset(
    {"content", "static", *(f"{name}.{end}" for name in ("config", "modules", "workshop") for end in ("yaml", "yml"))}
)


def check_of(tree: Tree, place: Place, step: ImportedStep, tests: list[Test], broken: list[Broken]) -> str | None:
    """The step's tests as its check, one after the other; those that are named and not there are broken."""
    found: list[Test] = []
    known: set[tuple[str, tuple[str, ...], str]] = set()
    for test in tests:
        path = posixpath.join(place.tests, test.name)
        if path not in tree:
            detail = f"The page runs this test, and there is no `{path}`."
            broken.append(Broken(kind="check", source=test.line.file, line=test.line.number, target=test.name, detail=detail))
        elif test.asks and not test.answers:
            # Without its values it would fail for everybody; its author makes something else of it.
            text, files = with_files(tree, path)
            step.files |= files | {f"files/tests/{test.name}": text.encode()}
        elif (test.name, test.arguments, test.answers) not in known:
            known.add((test.name, test.arguments, test.answers))
            found.append(test)
    if not found:
        return None
    texts: dict[str, str] = {}
    for test in found:
        texts[test.name], files = with_files(tree, posixpath.join(place.tests, test.name))
        step.files |= files
    if len(found) == 1 and not found[0].arguments and not found[0].answers and _interpreter(texts[found[0].name]) == ["bash"]:
        return texts[found[0].name]
    for name, text in texts.items():
        step.files[f"files/tests/{name}"] = text.encode()
    calls = [_call(test, texts[test.name]) for test in found]
    return "#!/bin/bash\nset -e\n" + "".join(f"{call}\n" for call in calls)


def _call(test: Test, text: str) -> str:
    call = shlex.join([*_interpreter(text), f"files/tests/{test.name}", *test.arguments])
    return f"printf '%s\\n' {shlex.quote(test.answers)} | {call}" if test.answers else call


def _interpreter(text: str) -> list[str]:
    """The program that runs a script, by its first line; shells are one to another."""
    first = text.partition("\n")[0]
    if not first.startswith("#!") or _SHELL.match(first):
        return ["bash"]
    words = first[2:].split()
    words = words[1:] if words and posixpath.basename(words[0]) == "env" else words
    return [word for word in words if word != "-S"] or ["bash"]


def take_bundle(tree: Tree, step: ImportedStep) -> None:
    """The quiz and the files that an export has put beside a step's page."""
    folder, _, name = step.source.rpartition("/")
    if name != "index.md":
        return
    if f"{folder}/quiz.yaml" in tree:
        step.files["quiz.yaml"] = tree.read_bytes(f"{folder}/quiz.yaml")
    for path in tree.under(f"{folder}/files"):
        step.files.setdefault(path[len(folder) + 1 :], tree.read_bytes(path))


def unused_tests(tree: Tree, place: Place, tests: list[Test]) -> Iterator[Loss]:
    """Tests that no page runs."""
    home = place.tests
    used = {posixpath.join(home, test.name) for test in tests}
    for path in tree.under(home):
        if path not in used:
            yield Loss(kind="check", source=path, line=0, detail="No page that is a step runs this test, so it was left out.")


def take_setup(tree: Tree, place: Place, first: ImportedStep) -> Iterator[Loss]:
    """Give the first step the workshop's set-up, and say which other files of the workshop have no place."""
    home = place.home
    prefix = posixpath.join(home, "setup.d") + "/"
    scripts = sorted((path for path in tree.under(prefix) if path.endswith(".sh")), key=natural)
    if scripts:
        read = {path: with_files(tree, path) for path in scripts}
        texts = [f"# {posixpath.basename(path)}\n{text.rstrip()}\n" for path, (text, _) in read.items()]
        first.setup = read[scripts[0]][0] if len(scripts) == 1 else "\n".join(texts)
        for path, (_, files) in read.items():
            for name, data in files.items():
                if first.files.setdefault(name, data) != data:
                    detail = f"The first step has another file `{name}` already, so the one that this script names was left out."
                    yield Loss(kind="file", source=path, line=0, detail=detail)
    homes = {home_of(tree, path) for path in [*scripts, *tree.under(place.tests)]} - {None}
    left: dict[str, int] = {}
    for path in tree.under(home):
        top = path[len(home) + 1 :].split("/")[0]
        taken = path in scripts or any(path.startswith(f"{each}/") for each in (place.tests, *homes))
        if top not in _READ and not taken:
            left[top] = left.get(top, 0) + 1
    for top, count in left.items():
        detail = f"{count} file{'s' if count > 1 else ''} that a step has no place for."
        yield Loss(kind="file", source=posixpath.join(home, top), line=0, detail=detail)


def take_exercises(tree: Tree, folder: str, first: ImportedStep) -> Iterator[Loss]:
    """The folder that participants work in comes along with the first step, where it is not too large."""
    home = posixpath.join(folder, "exercises")
    paths = list(tree.under(home))
    total = sum(tree.files[path] for path in paths)
    if total > MAX_EXERCISE_BYTES:
        detail = f"{len(paths)} files of {total} bytes that participants work in are more than a step brings along."
        yield Loss(kind="file", source=home, line=0, detail=detail)
        return
    for path in paths:
        first.files[f"files/exercises/{path[len(home) + 1 :]}"] = tree.read_bytes(path)


def session_losses(tree: Tree, source: str, spec: dict[str, Any], first: ImportedStep) -> Iterator[Loss]:
    """What the definition asks of a session beside a terminal: the environment must have it, for nothing here makes it."""
    workshop, session, environment = (_object(spec.get(key)) for key in ("workshop", "session", "environment"))
    said = [
        ("applications", _applications(_object(session.get("applications")))),
        ("image", _word(workshop.get("image")) or _word(_object(spec.get("content")).get("image"))),
        ("packages", ", ".join(filter(None, (_word(row.get("name")) for row in _rows(workshop.get("packages")))))),
        ("files", _files(_rows(workshop.get("files")))),
        ("variables", ", ".join(filter(None, (_word(row.get("name")) for row in _rows(session.get("env")))))),
        ("tabs", ", ".join(filter(None, (_word(row.get("name")) for row in _rows(session.get("dashboards")))))),
        ("ingresses", ", ".join(filter(None, (_word(row.get("name")) for row in _rows(session.get("ingresses")))))),
    ]
    lists = {
        "environment": _rows(environment.get("objects")),
        "session": _rows(session.get("objects")),
        "vcluster": _rows(_object(_object(session.get("applications")).get("vcluster")).get("objects")),
        "request": _rows(_object(spec.get("request")).get("objects")),
    }
    for what, names in said:
        if names:
            detail = _SAID[what].format(names)
            yield Loss(kind="session", source=source, line=0, detail=detail)
    for place, objects in lists.items():
        if objects:
            file = f"files/resources/{place}-objects.yaml"
            manifests = yaml.safe_dump_all(objects, sort_keys=False, allow_unicode=True, explicit_start=True)
            first.files[file] = manifests.encode()
            yield Loss(kind="session", source=source, line=0, detail=_made_by_hand(place, objects, file, manifests))
    if source in tree and (any(lists.values()) or any(names for what, names in said if what in ("packages", "files"))):
        first.files["files/resources/workshop.yaml"] = tree.read_bytes(source)


_SAID = {
    "applications": "The session has these applications, which the environment must bring: {}.",
    "image": "The session runs in the image `{}`; here the template says in which.",
    "packages": "These packages are put into the session before it begins, and are not here: {}.",
    "files": "These files are put into the session before it begins, and are not here: {}.",
    "variables": "The session sets these variables, and nothing here does: {}.",
    "tabs": "The tabs beside the text are not carried over: {}.",
    "ingresses": "The session has these addresses, which nothing here makes: {}.",
}
_WHOSE = {
    "environment": "once for all participants of a workshop",
    "session": "for each participant",
    "vcluster": "in each participant's virtual cluster",
    "request": "for each participant, when a session is requested",
}
_PARAMETER = re.compile(r"\$\(([A-Za-z_][A-Za-z0-9_]*)\)")


def _made_by_hand(place: str, objects: list[dict[str, Any]], file: str, manifests: str) -> str:
    """What an author must do so that the objects of one list are there."""
    kinds = ", ".join(list(dict.fromkeys(_word(row.get("kind")) for row in objects if _word(row.get("kind"))))[:8])
    who = "in the cluster, before the workshop is offered" if place == "environment" else "in the first step's `setup.sh`"
    names = list(dict.fromkeys(_PARAMETER.findall(manifests)))
    filled = ", ".join(f"`$({name})`" for name in names[:6]) + (" and others" if len(names) > 6 else "")
    first = f"Put values for {filled} into it, and then apply" if names else "Apply"
    return (
        f"Educates makes {len(objects)} Kubernetes object{'s' if len(objects) > 1 else ''}{f' ({kinds})' if kinds else ''} "
        f"{_WHOSE[place]}, and nothing here does. They are kept as `{file}` of the first step. {first} it {who}: "
        f"`kubectl apply -f {file}`."
    )


def _applications(listed: dict[str, Any]) -> str:
    enabled = [name for name, about in listed.items() if isinstance(about, dict) and about.get("enabled") is True]
    return ", ".join(name for name in enabled if name not in ("terminal", "workshop", "examiner"))


def _files(rows: list[dict[str, Any]]) -> str:
    """Files from elsewhere: what the workshop itself is published as is here already."""
    found = []
    for row in rows:
        url = next((_word(about.get("url")) for about in row.values() if isinstance(about, dict) and about.get("url")), "")
        if url and (row.get("path") or not url.startswith("$(image_repository)")) and row.get("path") != ".":
            found.append(f"{url} in `{_word(row.get('path')) or '.'}`")
    return ", ".join(found)


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _rows(value: object) -> list[dict[str, Any]]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def _word(value: object) -> str:
    return " ".join(str(value).split()) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
