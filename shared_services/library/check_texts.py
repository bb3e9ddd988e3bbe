"""What is wrong with a step's text: marks of a conflict, blocks that never end, links that lead nowhere, unknown placeholders."""

import re
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.token import Token

from shared_services.contracts.checking import Finding, Severity
from shared_services.contracts.workshop import CODE_FENCE_FLAGS
from shared_services.pages.addresses import WorkshopLinks, classify
from shared_services.pages.markdown import render_step

_PARSER = MarkdownIt("commonmark").enable("table")
_PARSER.validateLink = lambda url: True  # type: ignore[method-assign]
_MARK = re.compile(r"^(?:<{7}|>{7}|\|{7})(?: |$)")
_VARIABLE = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_.-]*)\s*\}\}")


def check_text(
    path: str, text: str, steps: Sequence[str], files: Mapping[str, bytes], variables: set[str] | None
) -> Iterator[Finding]:
    """Findings in one text.

    Args:
        path: Of the text inside the workshop.
        text: Its content.
        steps: Ids of the workshop's steps.
        files: Every file of the workshop.
        variables: Names that workshop.yaml declares; None where that is not known.
    """
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        if _MARK.match(line):
            detail = "A conflict is not resolved here. Keep the lines that are right, and take the marks away."
            yield Finding(severity=Severity.ERROR, kind="conflict-mark", file=path, line=number, detail=detail)
    if not text.strip():
        yield _warning("empty-text", path, 1, "There is nothing in this text.")
    tokens = _PARSER.parse(text)
    for token in tokens:
        if token.type == "fence":
            yield from _fence(path, token, lines)
    yield from _links(path, tokens, lines, steps, files)
    if variables is not None:
        code = {row for token in tokens if token.type in ("fence", "code_block") and token.map for row in range(*token.map)}
        yield from _variables(path, lines, code, variables)


def _warning(kind: str, path: str, line: int, detail: str) -> Finding:
    return Finding(severity=Severity.WARNING, kind=kind, file=path, line=line, detail=detail)


def _fence(path: str, token: Token, lines: Sequence[str]) -> Iterator[Finding]:
    first, end = token.map or (0, 0)
    closing = lines[end - 1].lstrip("> \t") if end - 1 > first else ""
    if token.level == 0 and not (closing.startswith(token.markup[:3]) and not closing.strip(token.markup[0] + " \t")):
        yield _warning("open-block", path, first + 1, "This code block never ends, so all that follows is code.")
    words = token.info.split()
    flags = [word for word in words[1:] if word.partition("=")[0] not in CODE_FENCE_FLAGS]
    if flags:
        yield _warning(
            "unknown-flag", path, first + 1,
            f"`{' '.join(flags)}` means nothing beside a block's language. Known: {', '.join(CODE_FENCE_FLAGS)}.",
        )  # fmt: skip


def _links(
    path: str, tokens: Sequence[Token], lines: Sequence[str], steps: Sequence[str], files: Mapping[str, bytes]
) -> Iterator[Finding]:
    folder = path.rpartition("/")[0]
    known = WorkshopLinks(
        folder=folder,
        steps=steps,
        files=files,
        step_address=lambda step: f"step:{step}",
        file_address=lambda file: f"file:{file}",
    )
    own = folder.removeprefix("steps/")
    for token in tokens:
        if token.type != "inline" or not token.map:
            continue
        for child in token.children or []:
            raw = str(child.attrGet("href") or "") if child.type == "link_open" else str(child.attrGet("src") or "")
            if child.type not in ("link_open", "image") or not raw:
                continue
            line = _line_of(raw, lines, *token.map)
            yield from _target(path, raw, line, "image" if child.type == "image" else "link", known, own, files)


def _line_of(raw: str, lines: Sequence[str], first: int, end: int) -> int:
    return next((number + 1 for number in range(first, min(end, len(lines))) if raw in lines[number]), first + 1)


def _target(
    path: str, raw: str, line: int, what: str, known: WorkshopLinks, own: str, files: Mapping[str, bytes]
) -> Iterator[Finding]:
    if _VARIABLE.match(unquote(raw)):
        return  # where it leads is filled in at run time
    address = classify(raw)
    if address is None:
        yield _warning(
            "refused-link", path, line, f"The {what} to `{raw}` leads nowhere on the page: its kind of address is refused."
        )
        return
    if address.kind == "external":
        return
    found = f"step:{own}{raw}" if address.kind == "fragment" else known(raw)
    if found is None:
        kind = "missing-image" if what == "image" else "broken-link"
        yield _warning(kind, path, line, f"The {what} leads to `{raw}`, which the workshop does not have.")
        return
    step, _, fragment = found.removeprefix("step:").partition("#")
    if found.startswith("step:") and fragment and fragment not in _anchors(files.get(f"steps/{step}/content.md", b"")):
        yield _warning("broken-link", path, line, f"The link leads to `{raw}`, and the step has no such heading.")


def _anchors(content: bytes) -> set[str]:
    return {entry.anchor for entry in render_step(content.decode("utf-8", "replace"), link=lambda _raw: None).toc}


def _variables(path: str, lines: Sequence[str], code: set[int], known: set[str]) -> Iterator[Finding]:
    """Placeholders outside code blocks: in them the same signs belong to many a template's language."""
    for number, line in enumerate(lines, 1):
        if number - 1 in code:
            continue
        for name in dict.fromkeys(_VARIABLE.findall(line)):
            if name not in known:
                detail = f"workshop.yaml declares no variable `{name}`, so it is shown as it stands."
                yield _warning("unknown-variable", path, number, detail)
