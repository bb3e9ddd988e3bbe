"""Code in pages: blocks, sessions, files that are shown, and what only running would give."""

import posixpath
import re
import textwrap

from docutils import nodes

from agents.template_converter.forms.lines import Line, lines_of
from agents.template_converter.forms.sphinx.directives import Call, Handler
from agents.template_converter.forms.sphinx.elements import Code, exact
from agents.template_converter.forms.sphinx.selecting import SelectionError, select
from agents.template_converter.shells import SHELLS

_ENDINGS = {
    ".py": "python", ".sh": "bash", ".js": "javascript", ".ts": "typescript", ".yml": "yaml", ".yaml": "yaml", ".json": "json",
    ".c": "c", ".h": "c", ".cpp": "cpp", ".java": "java", ".go": "go", ".rs": "rust", ".rb": "ruby", ".sql": "sql", ".xml": "xml",
    ".html": "html", ".css": "css", ".toml": "toml", ".ini": "ini", ".f90": "fortran", ".jl": "julia", ".r": "r", ".tf": "hcl",
}  # fmt: skip
_PLAIN = frozenset({"none", "text", "default", "guess", "plain", "plaintext"})
_DIAGRAMS = {
    "mermaid": "mermaid", "graphviz": "dot", "digraph": "dot", "graph": "dot", "uml": "plantuml", "plantuml": "plantuml",
    "blockdiag": "blockdiag", "nwdiag": "nwdiag", "seqdiag": "seqdiag", "actdiag": "actdiag", "packetdiag": "packetdiag",
}  # fmt: skip
_PYTHON = frozenset(
    {
        "testcode",
        "doctest",
        "ipython",
        "jupyter-execute",
        "plot",
        "code-cell",
        "exec",
        "pyplot",
        "activecode",
        "ipython3",
        "pycon",
        "try_examples",
    }
)


def code_of(lines: list[Line], language: str, caption: str, *, output: bool = False, runs: bool | None = None) -> Code:
    """A code block of `lines`; `runs` overrules what the language says."""
    first = next((row for row, line in enumerate(lines) if not line.blank), len(lines))
    last = next((row for row in range(len(lines), first, -1) if not lines[row - 1].blank), first)
    return Code(lines=lines[first:last], language=language, caption=caption, output=output, runs=runs)


def content_lines(call: Call) -> list[Line]:
    """The content of a directive as its file has it."""
    return [exact(call.reading, str(text), file, row) for text, (file, row) in zip(call.content, call.places, strict=False)]


def _named(call: Call) -> list[nodes.Node]:
    name = call.options.get("name", "")
    return [call.placed(nodes.target("", "", ids=[nodes.make_id(name)], names=[name.lower()]))] if name else []


def code_block(call: Call) -> list[nodes.Node]:
    """`code-block` and its other names."""
    language = call.argument.split()[0] if call.argument.split() else ""
    lines = content_lines(call)
    if "dedent" in call.options:
        lines = select(lines, {"dedent": call.options["dedent"]})
    return [*_named(call), call.placed(code_of(lines, language, call.options.get("caption", "")))]


def _prompt(call: Call) -> list[nodes.Node]:
    """`.. prompt:: bash $`: commands whose prompt is added when the page is shown."""
    words = call.argument.split()
    language = words[0] if words else "bash"
    prompts = (call.options.get("prompts") or " ".join(words[1:])).replace(",", " ").split()
    auto = call.options.get("modifiers", "") == "auto" or "auto" in words
    lines = content_lines(call)
    if auto:
        marks = [prompt for prompt in prompts if prompt != "auto"] or ["$", "#"]
        return [call.placed(code_of(lines, language if not _prompted(lines, marks) else "console", ""))]
    return [call.placed(code_of(lines, language, "", runs=language in SHELLS or None))]


def _prompted(lines: list[Line], marks: list[str]) -> bool:
    return any(line.text.startswith(tuple(marks)) for line in lines)


def literalinclude(call: Call) -> list[nodes.Node]:
    """A file of the tree, or the lines of it that are asked for."""
    site, target = call.reading.site, call.argument.strip()
    path = site.file(target, call.reading.page)
    if path not in site.tree:
        why = site.tree.absent.get(
            path, "There is no such file." if not path.startswith("..") else "It points outside of the source."
        )
        call.reading.findings.miss("include", call.file, call.line, target, why if why.endswith(".") else f"{why}.")
        return []
    if "diff" in call.options:
        said = f"What differs between `{call.options['diff']}` and `{target}` is not told; the newer file is shown."
        call.reading.findings.lose("code", call.file, call.line, said)
    try:
        lines = select(lines_of(site.tree.read_text(path), path), call.options)
    except SelectionError as error:
        said = f"`{path}` cannot be shown as asked: {error} The whole file is shown."
        call.reading.findings.miss("include", call.file, call.line, target, said)
        lines = lines_of(site.tree.read_text(path), path)
    language = call.options.get("language") or _ENDINGS.get(posixpath.splitext(path)[1].lower(), "")
    caption = call.options["caption"] or posixpath.basename(path) if "caption" in call.options else ""
    # What a file holds is for reading; a page tells apart what is to be run.
    return [*_named(call), call.placed(code_of(lines, language, caption, runs=False))]


def _parsed_literal(call: Call) -> list[nodes.Node]:
    """Code with markup in it: the markup goes, its words stay."""
    lines = content_lines(call)
    made = call.placed(code_of(lines, "", ""))
    text = "\n".join(str(row) for row in call.content)
    holder = nodes.inline("", "", *call.inline(text))
    made["parsed"] = True
    made += holder
    return [made]


def _diagram(call: Call) -> list[nodes.Node]:
    lines = content_lines(call)
    if not lines and call.argument:
        return literalinclude(call)
    return [call.placed(code_of(lines, _DIAGRAMS[call.name], call.options.get("caption", "")))]


def _python(call: Call) -> list[nodes.Node]:
    lines = content_lines(call)
    language = "pycon" if any(line.text.lstrip().startswith(">>>") for line in lines) else "python"
    if call.name in ("code-cell", "jupyter-execute") and call.argument:
        language = call.argument.split()[0]
    return [call.placed(code_of(lines, language, ""))] if lines else []


def _output(call: Call) -> list[nodes.Node]:
    return [call.placed(code_of(content_lines(call), "text", "", output=True))]


def _command_output(call: Call) -> list[nodes.Node]:
    """What a command prints is made when the site is built; here nothing is run."""
    detail = f"What `{call.argument}` prints is made when the site is built, which is never done here; the command is shown."
    call.reading.findings.lose("code", call.file, call.line, detail)
    return [call.placed(code_of([Line(call.argument, call.file, call.line)], "text", ""))]


def _math(call: Call) -> list[nodes.Node]:
    body, _ = call.with_argument()
    lines = [Line(textwrap.dedent(str(row)), call.file, call.line) for row in body]
    return [*_named(call), call.placed(code_of(lines, "math", ""))]


def language_of(language: str, otherwise: str) -> str:
    """A block's language as a fence names it; empty for none."""
    name = (language or otherwise).strip().lower()
    return "" if name in _PLAIN or not re.fullmatch(r"[\w+#.*/-]+", name) else name


HANDLERS: dict[str, Handler] = {
    **dict.fromkeys(["code-block", "code", "sourcecode", "highlight-block"], code_block),
    "prompt": _prompt,
    "literalinclude": literalinclude,
    "rli": literalinclude,
    "parsed-literal": _parsed_literal,
    **dict.fromkeys(_DIAGRAMS, _diagram),
    **dict.fromkeys(_PYTHON, _python),
    "testoutput": _output,
    **dict.fromkeys(["command-output", "program-output", "runcmd"], _command_output),
    "math": _math,
}
