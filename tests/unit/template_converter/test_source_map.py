"""The source map, held against pages made of every construction there is: each line is where it says it is."""

import re
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from agents.template_converter.forms.markdown import MarkdownImporter
from agents.template_converter.forms.mkdocs import MkDocsImporter
from agents.template_converter.report import count_text
from shared_services.contracts.workshop import SourceMap
from tests.unit.template_converter.trees import make_tree, places, read

PIECES = [
    "WORD WORD [WORD](02-b.md#WORD)\nWORD ![WORD](i.png) WORD",
    "```bash\nWORD\n\n  WORD `x` [a](b.md)\n```",
    "```python title=\"WORD\"\nWORD\n```",
    "- WORD\n\n  ```sh\n  WORD\n  ```\n- WORD",
    "1. WORD\n\n    !!! note \"WORD\"\n        WORD\n\n        ```bash\n        WORD\n        ```",
    "> WORD\n> [!NOTE]\n> WORD",
    "!!! warning\n    WORD\n\n    WORD",
    "=== \"WORD\"\n\n    WORD\n\n    ```bash\n    WORD\n    ```\n\n=== \"WORD\"\n    WORD",
    "<details>\n<summary>WORD</summary>\n\nWORD\n\n```bash\nWORD\n```\n</details>",
    "<details><summary>Solution</summary>\n\nWORD\n\n</details>",
    "<p align=\"center\">\n <img src=\"i.png\"\n  alt=\"WORD\">\n WORD\n</p>",
    "| WORD | WORD |\n| - | - |\n| WORD \\| x | [WORD](gone.md) |",
    "## WORD {#WORD}\n\nWORD",
    "### WORD\n\n[WORD][r] WORD\n\n[r]: 02-b.md",
    "    WORD\n    WORD",
    "--8<-- \"part.md\"\n\nWORD",
    "WORD <b>WORD</b> <x-y> <kbd>WORD</kbd>\n{{ WORD }} [gone\nWORD](gone.md)",
    "<!-- WORD -->\n\nWORD\n\n***",
]  # fmt: skip


def build(indices: list[int]) -> str:
    counter = iter(range(10_000))
    return "# Top\n\n" + re.sub("WORD", lambda _: f"w{next(counter)}w", "\n\n".join(PIECES[index] for index in indices)) + "\n"


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.integers(0, len(PIECES) - 1), max_size=12), st.booleans())
def test_every_line_of_the_content_is_where_the_map_says(indices, mkdocs):
    page = build(indices)
    with tempfile.TemporaryDirectory() as folder:
        files: dict[str, str | bytes] = {
            "docs/i.png": b"1",
            "docs/part.md": "p0p\n\n```bash\np1p\n```\n",
            "docs/01-a.md": page,
            "docs/02-b.md": "# B\n",
        }
        files["mkdocs.yml"] = (
            "site_name: W\nnav: [01-a.md, 02-b.md]\nmarkdown_extensions: [{pymdownx.snippets: {base_path: docs}}]\n"
        )
        tree = make_tree(Path(folder), files)
        workshop = read(MkDocsImporter(), tree) if mkdocs else read(MarkdownImporter(), tree, "docs")
        step = workshop.steps[0]
        sources = {path: tree.read_text(path).split("\n") for path in ("docs/01-a.md", "docs/part.md", "docs/02-b.md")}
        for line, file, number in places(step):
            if number == 0:
                assert not re.search(r"w\d+w", line) or line.strip(" >").startswith("**"), line
                continue
            original = sources[file][number - 1]
            own = set(re.findall(r"[wp]\d+[wp]", line))
            assert own <= set(re.findall(r"[wp]\d+[wp]", "\n".join(sources[file][number - 1 : number + 4]))), (line, original)
            if own and "<img" not in "\n".join(sources[file][number - 1 : number + 4]) and "gone" not in line + original:
                assert own & set(re.findall(r"[wp]\d+[wp]", original)), (line, original)
        if mkdocs:
            words = set(re.findall(r"w\d+w", page))
            kept = step.content + (step.solve or "") + "".join(row.detail for row in workshop.losses)
            hidden = set(re.findall(r"w\d+w", "".join(re.findall(r"<!--.*?-->|\{#.*?\}|\]\(02-b\.md#\w+\)", page))))
            assert words - hidden <= set(re.findall(r"w\d+w", kept))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.one_of(
            st.text(alphabet=st.sampled_from(list("`~#>-*+|[]()<>!=?\"'\\{}: \t\nab1./_&;")), max_size=60),
            st.text(max_size=20),
            st.sampled_from(PIECES),
            st.sampled_from(
                [
                    "<details>",
                    "</details>",
                    "<summary>",
                    "```",
                    "!!! note",
                    '=== "x"',
                    "---",
                    "> ",
                    "    ",
                    '--8<-- "part.md"',
                    "<table>",
                ]
            ),
        ),
        max_size=14,
    ),
    st.booleans(),
)
def test_nothing_crashes_and_the_map_stays_inside_its_files(parts, mkdocs):
    page = "\n".join(parts)
    with tempfile.TemporaryDirectory() as folder:
        files: dict[str, str | bytes] = {
            "docs/part.md": "part\n",
            "docs/01-a.md": page.encode("utf-8", "replace"),
            "docs/02-b.md": "# B\n",
        }
        files["mkdocs.yml"] = (
            "site_name: W\nnav: [01-a.md, 02-b.md]\nmarkdown_extensions: [{pymdownx.snippets: {base_path: docs}}]\n"
        )
        tree = make_tree(Path(folder), files)
        workshop = read(MkDocsImporter(), tree) if mkdocs else read(MarkdownImporter(), tree, "docs")
        for step in workshop.steps:
            source_map = SourceMap(file=step.source, runs=step.runs)
            for number in range(1, step.content.count("\n") + 1):
                place = source_map.locate(number)
                assert 1 <= place.line <= max(1, tree.read_text(place.file).count("\n") + 1)
            count_text(step.content)


@settings(max_examples=100, deadline=None)
@given(
    st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\r\x00\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"), max_size=200),
    st.sampled_from(["", "- ", "> ", "1. ", "   "]),
)
def test_any_code_comes_through_byte_for_byte(body, prefix):
    fence = "`" * (max((len(run) for run in re.findall("`+", body)), default=0) + 3)
    indent = prefix if prefix == "> " else " " * len(prefix)
    page = f"# A\n\n{prefix}{fence}text\n" + "".join(f"{indent}{row}\n" for row in [*body.split("\n"), fence])
    with tempfile.TemporaryDirectory() as folder:
        workshop = read(MarkdownImporter(), make_tree(Path(folder), {"01-a.md": page, "02-b.md": "# B\n"}))
    parser = MarkdownIt("commonmark")
    before, after = ([t.content for t in parser.parse(text) if t.type == "fence"] for text in (page, workshop.steps[0].content))
    assert after[: len(before)] == before
