"""Every code block of a page that the navigation reaches is in the result, in the losses or in what was broken before."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.template_converter.forms.parsing import PARSER
from agents.template_converter.service import ConverterService
from agents.template_converter.settings import ConverterSettings
from shared_services.contracts.conversion import ConvertRequest, Form
from tests.unit.template_converter.fuzz.seeds import MARKDOWN, SEEDS

SERVICE = ConverterService(ConverterSettings())
HEADS = {
    Form.HUGO: "---\ntitle: {0}\nweight: {1}\n---\n", Form.EDUCATES: "---\ntitle: {0}\n---\n", Form.INSTRUQT: "---\nslug: s{1}\ntitle: {0}\n---\n",
    Form.CODELAB: "id: x\nsummary: y\nstatus: z\n\n# Lab\n\n## One\n\n",
}  # fmt: skip
LAYOUTS: dict[Form, tuple[dict[str, str], tuple[str, ...]]] = {
    Form.MARKDOWN: ({}, ("docs/01-a.md", "docs/02-b.md", "docs/03-c.md")),
    Form.MKDOCS: ({"mkdocs.yml": "site_name: W\nnav: [a.md, b.md, c.md]\n"}, ("docs/a.md", "docs/b.md", "docs/c.md")),
    Form.HUGO: ({"hugo.toml": "title = 'W'\n"}, ("content/a.md", "content/b.md", "content/c.md")),
    Form.DOCUSAURUS: ({"docusaurus.config.js": "module.exports = {title: 'W'};"}, ("docs/a.md", "docs/b.mdx", "docs/c.md")),
    Form.EDUCATES: ({"resources/workshop.yaml": "apiVersion: training.educates.dev/v1beta1\nkind: Workshop\n"}, ("workshop/content/a.md", "workshop/content/b.md")),
    Form.KILLERCODA: ({"index.json": '{"details": {"intro": {"text": "a.md"}, "steps": [{"text": "b.md"}], "finish": {"text": "c.md"}}}'}, ("a.md", "b.md", "c.md")),
    Form.INSTRUQT: ({"track.yml": "slug: t\ntitle: T\n"}, ("01-a/assignment.md", "02-b/assignment.md")),
    Form.CODELAB: ({}, ("lab.md",)),
    Form.WORKSHOP_BUILDER: ({"workshop.yaml": "version: v1\nworkshop: {name: w}\nsteps: [a, b]\n", "steps/a/step.yaml": "title: A\n", "steps/b/step.yaml": "title: B\n"}, ("steps/a/content.md", "steps/b/content.md")),
}  # fmt: skip
INFOS = (
    "",
    "bash",
    "yaml",
    'python title="x"',
    "{.bash .copy}",
    "execute",
    "bash,run",
    "text output",
    "sh",
    "mermaid",
    "jsx live",
    "Bash",
)
AROUND = {Form.MKDOCS: ("!!! note", '=== "A"', "??? tip"), Form.CODELAB: ("> aside positive",)}
BETWEEN = ("", "Words.", "## Head", "### Head", "- item", "1. item", "> quote", "<details>", "</details>", "<summary>Hint</summary>", "| a |", "***", "[a](x.md)", "![p](p.png)", "<br>", "    indented")  # fmt: skip


@dataclass(frozen=True)
class Block:
    """A fenced block of a page, by what stands in it and the lines that it takes."""

    token: str
    page: str
    first: int
    last: int


def page_of(random: Random, path: str, number: int, form: Form, wild: bool) -> tuple[str, list[Block]]:
    """A page with closed fences among other things, and where they are."""
    rows = [f"# Page {number}", "", "Do it.", ""]
    blocks = []
    head = HEADS.get(form, "").format(f"Page {number}", number).count("\n")
    for count in range(random.randint(1, 6)):
        for _ in range(random.randint(0, 3)):
            rows.append(random.choice((*SEEDS[form][0].lines, *MARKDOWN) if wild else BETWEEN))
            if random.random() < 0.5:
                rows.append("")
        if any(
            row.strip().startswith(("```", "~~~")) or row in ("<!-- c", "<script>alert(1)</script>", "<pre><code>x</code></pre>")
            for row in rows[-8:]
            if wild
        ):
            rows += ["", "-->", ""]
        token = f"token-{number}-{count}-x"
        indent = random.choice(("", "", "", "   ", "> ", "    "))
        if indent == "   ":
            rows += ["", "1. do", ""]
        elif indent == "    ":
            rows += ["", random.choice(AROUND.get(form, ("10. do",))), ""]
        else:
            rows.append("")
        mark = random.choice(("```", "````", "~~~"))
        first = len(rows) + 1 + head
        rows += [indent + mark + random.choice(INFOS), f"{indent}echo {token}", indent + mark, ""]
        blocks.append(Block(token, path, first, first + 2))
    return "\n".join(rows) + "\n", blocks


def lost_in_silence(form: Form, seed: int, wild: bool) -> list[Block]:
    """Blocks that neither the result nor the report of a made workshop knows."""
    random = Random(seed)
    manifest, paths = LAYOUTS[form]
    files, blocks = dict(manifest), []
    for number, path in enumerate(paths, 1):
        text, found = page_of(random, path, number, form, wild)
        files[path] = HEADS.get(form, "").format(f"Page {number}", number) + text
        blocks += found
    with tempfile.TemporaryDirectory() as folder:
        for path, text in files.items():
            Path(folder, "in", path).parent.mkdir(parents=True, exist_ok=True)
            Path(folder, "in", path).write_bytes(text.encode("utf-8", "surrogatepass"))
        out = Path(folder, "out")
        report = SERVICE.convert(ConvertRequest(source=f"{folder}/in", as_form=form), out)
        texts = [path.read_text() for path in out.glob("steps/*/*.md")]
    tokens = [token for text in texts for token in PARSER.parse(text)]
    code = "\n".join(token.content for token in tokens if token.type in ("fence", "code_block", "html_block"))
    told = [*report.losses, *report.broken]
    return [
        block
        for block in blocks
        if block.token not in code
        and not any(row.source == block.page and (row.line == 0 or block.first - 3 <= row.line <= block.last + 1) for row in told)
    ]


@pytest.mark.parametrize("form", LAYOUTS)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32))
def test_no_code_block_is_lost_in_silence(form: Form, seed: int) -> None:
    assert lost_in_silence(form, seed, wild=False) == []
