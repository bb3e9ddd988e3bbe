"""A workshop's steps as exporters read them, and the rewriting of their CommonMark that they share."""

import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote

from agents.template_converter.exports.model import Exported
from agents.template_converter.forms.lines import lines_of, text_of
from agents.template_converter.forms.parsing import Edits, Span, parse, places_of
from shared_services.contracts.workshop import FenceInfo, StepCheck, StepManifest, parse_fence_info
from shared_services.library.form import WorkshopFiles

QUIZ = "quiz.yaml"
_STEP = re.compile(r"^\.\./(?P<id>[^/]+)/(?:content\.md)?(?:#(?P<fragment>.*))?$")
_ASSET = re.compile(r"^\.\./\.\./assets/(?P<path>[^#?]+)(?P<fragment>#.*)?$")


@dataclass(frozen=True)
class Step:
    """A step with its texts; `files` are those that no other field holds."""

    id: str
    number: int
    manifest: StepManifest
    content: str
    hints: str | None
    explain: str | None
    solve: str | None
    check: str | None
    setup: str | None
    chapter: str
    quiz: bytes | None
    files: dict[str, bytes]

    @property
    def title(self) -> str:
        """As the manifest has it."""
        return self.manifest.title

    @property
    def path(self) -> str:
        """Of its content, inside the workshop."""
        return f"steps/{self.id}/content.md"


def steps_of(workshop: WorkshopFiles) -> list[Step]:
    """The steps in order."""
    chapters = {step: chapter.title for chapter in workshop.manifest.chapters for step in chapter.steps}
    found = []
    for number, name in enumerate(workshop.manifest.steps, 1):
        folder = f"steps/{name}/"
        manifest = workshop.steps[name]
        script = manifest.check.script if manifest.check else "check.sh"
        known = {"content.md", "hints.md", "explain.md", "solve.md", "step.yaml", "source-map.json", "setup.sh", script}
        own = {path[len(folder) :]: data for path, data in workshop.files.items() if path.startswith(folder)}
        files = {path: data for path, data in own.items() if path not in known | {QUIZ}}
        found.append(
            Step(
                name,
                number,
                manifest,
                workshop.text(f"{folder}content.md") or "",
                hints=workshop.text(f"{folder}hints.md"),
                explain=workshop.text(f"{folder}explain.md"),
                solve=workshop.text(f"{folder}solve.md"),
                check=workshop.text(f"{folder}{script}"),
                setup=workshop.text(f"{folder}setup.sh"),
                chapter=chapters.get(name, ""),
                quiz=own.get(QUIZ),
                files=files,
            )
        )
    return found


@dataclass(frozen=True)
class Targets:
    """Where links and images of a form lead: to a step, to a file of the workshop's assets, to a file of the step."""

    step: Callable[[str, str], str]
    asset: Callable[[str], str]
    own: Callable[[str], str]

    def of(self, target: str) -> str:
        """The target in the form; unchanged where it leads away."""
        step, asset = _STEP.match(target), _ASSET.match(target)
        if step:
            return self.step(step["id"], unquote(step["fragment"] or ""))
        if asset:
            return self.asset(unquote(asset["path"])) + (asset["fragment"] or "")
        return self.own(unquote(target)) if target.startswith("files/") else target


def rewritten(text: str, targets: Targets, fence: Callable[[FenceInfo, str], str]) -> str:
    """CommonMark with its targets and info strings in another form; all else stays byte for byte.

    Args:
        text: Of a step.
        targets: Where links lead.
        fence: The info string of a block, given what the neutral form says of it and its text.
    """
    lines = lines_of(text, "")
    parsed = parse(lines)
    edits = Edits()
    cursors: dict[int, int] = {}
    for token in parsed.tokens:
        if token.type == "fence" and token.map:
            line = lines[token.map[0]].text
            column = line.find(token.markup) + len(token.markup)
            edits.set(token.map[0], column, len(line), fence(parse_fence_info(token.info), token.content))
        elif token.type == "inline" and token.map:
            places = places_of(token, lines, cursors)
            for child in token.children or []:
                span = child.meta.get("span")
                key = {"link_open": "href", "image": "src"}.get(child.type)
                if key is None or not isinstance(span, Span):
                    continue
                before = str(child.attrGet(key) or "")
                after = targets.of(before)
                if after != before:
                    title = str(child.attrGet("title") or "").replace('"', "&quot;")
                    wrapped = f"<{after}>" if re.search(r"[\s()]", after) else after
                    edits.replace(places, span.label_end, span.end, f"]({wrapped}" + (f' "{title}")' if title else ")"))
    return text_of(edits.apply(lines))


def body_and_title(content: str) -> tuple[str, str]:
    """A step's content without its first heading where it begins with one of the first level, and that heading's text."""
    match = re.match(r"\s*+# (?P<title>[^\n]*[^\n \t#]|[^\n])[ \t#]*+(?:\n|\Z)", content)
    return (content[match.end() :].lstrip("\n"), match["title"].strip()) if match else (content, "")


def copy_assets(workshop: WorkshopFiles, exported: Exported, folder: str) -> None:
    """The workshop's assets, as they are, below a folder of the result."""
    for path, data in workshop.files.items():
        if path.startswith("assets/"):
            exported.files[posixpath.join(folder, path.removeprefix("assets/"))] = data


def lose_settings(workshop: WorkshopFiles, exported: Exported) -> None:
    """Tell of what only this platform reads: the assistant's settings, when solutions may be seen, and actions."""
    manifest = workshop.manifest
    if manifest.context.tags or manifest.context.content_focus or manifest.context.name or manifest.help != type(manifest.help)():
        exported.lose("setting", "workshop.yaml", "What the assistant may read and tell (`context`, `help`) has no place there.")
    for name, step in workshop.steps.items():
        if step.solve is not None:
            exported.lose("setting", f"steps/{name}/step.yaml", "When the solution may be seen (`solve`) has no place there.")
        if step.actions:
            exported.lose("setting", f"steps/{name}/step.yaml", "The step's `actions` have no place there.")


def add_quiz(step: Step, exported: Exported, path: str) -> None:
    """Keep a step's quiz where our importer of the form finds it again, and say that nobody is asked there."""
    if step.quiz is not None:
        exported.files[path] = step.quiz
        exported.lose("quiz", f"steps/{step.id}/{QUIZ}", f"Nobody is asked its questions there; it is kept as `{path}`.")


def lose_limits(steps: list[Step], exported: Exported) -> None:
    """Tell of checks with a limit of their own, where a form has no place for one."""
    for step in steps:
        limit = step.manifest.check.timeout if step.manifest.check else StepCheck().timeout
        if limit != StepCheck().timeout:
            detail = f"The check's limit of {limit} seconds (`check.timeout`) has no place there."
            exported.lose("setting", f"steps/{step.id}/step.yaml", detail)


def lose_trailing_blanks(step: Step, exported: Exported) -> None:
    """Tell of blocks that hold blanks at the ends of lines, or blank lines at their own ends, which AsciiDoc drops."""
    _lose_of_blocks(step, exported, "blanks at the ends of lines", lambda text: bool(re.search(r"[ \t]$", text, re.MULTILINE)))
    _lose_of_blocks(step, exported, "blank lines at its beginning or end", lambda text: text.strip("\n") + "\n" != text)


def lose_blank_lines(step: Step, exported: Exported) -> None:
    """Tell of blocks to run or to copy that end with blank lines, which a clickable action drops."""
    _lose_of_blocks(step, exported, "blank lines at its end", lambda text: text.endswith("\n\n"))


def _lose_of_blocks(step: Step, exported: Exported, what: str, is_so: Callable[[str], bool]) -> None:
    for name, text in (("content", step.content), ("hints", step.hints), ("explain", step.explain), ("solve", step.solve)):
        tokens = [token for token in parse(lines_of(text or "", "")).tokens if token.type in ("fence", "code_block")]
        count = sum(bool(token.content) and is_so(token.content) for token in tokens)
        if count:
            said = "1 block loses" if count == 1 else f"{count} blocks lose"
            exported.lose("code", f"steps/{step.id}/{name}.md", f"{said} {what} there.")
