"""Repositories built to harm their reader, the whole way through the service: a workshop or a sentence, and nothing from outside."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from agents.template_converter.errors import (
    HostileSourceError,
    NotAWorkshopError,
    SourceError,
    SourceTooLargeError,
    UnreadableSourceError,
)
from agents.template_converter.forms import IMPORTERS
from agents.template_converter.service import ConverterService
from agents.template_converter.settings import ConverterSettings
from shared_services.contracts.conversion import ConversionReport, ConvertRequest, Form
from shared_services.library.form import read_folder
from tests.unit.template_converter.fuzz.seeds import SEEDS
from tests.unit.template_converter.fuzz.wrecks import wreck

SECRET = "b7d1-out-of-the-tree"
STEP = "# One\n\n1. Do it.\n2. Then this.\n\n```bash\nls\n```\n"
WATCHED: list[list[tuple[str, tuple[Any, ...]]]] = []
RUNS = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.spawn", "pty.spawn")
REACHES = (
    "socket.connect",
    "socket.getaddrinfo",
    "socket.bind",
    "socket.sendto",
    "urllib.Request",
    "http.client.connect",
    "ftplib.connect",
)


def _hook(event: str, args: tuple[Any, ...]) -> None:
    if WATCHED and (event in RUNS or event in REACHES or event == "open"):
        WATCHED[-1].append((event, args))


sys.addaudithook(_hook)  # stays for the process, and does nothing while nobody watches


@contextmanager
def watched() -> Iterator[list[tuple[str, tuple[Any, ...]]]]:
    """Every process, connection and opened file of this process, from Python or from a library in C that asks Python."""
    WATCHED.append([])
    try:
        yield WATCHED[-1]
    finally:
        WATCHED.pop()


def lay_out(folder: Path, files: dict[str, str | bytes]) -> Path:
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data if isinstance(data, bytes) else data.encode())
    return folder


def convert(source: Path, out: Path, form: Form | None = None, path: str = "", **limits: int) -> ConversionReport:
    return ConverterService(ConverterSettings(**limits)).convert(ConvertRequest(source=str(source), as_form=form, path=path), out)


def written(out: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file())


@pytest.mark.parametrize("form", [importer.form for importer in IMPORTERS])
def test_no_importer_runs_reaches_or_opens_anything_beyond_the_repository(form, tmp_path, monkeypatch):
    # The hook tells a name without the folder that it was opened in, as rmtree does; it is looked for here then.
    monkeypatch.chdir(tmp_path)
    for number, seed in enumerate(SEEDS[form]):
        source = lay_out(tmp_path / f"source-{number}", dict(wreck(seed, 0, 0)))
        convert(source, tmp_path / f"warm-{number}", form, seed.path)
        with watched() as events:
            convert(source, tmp_path / f"out-{number}", form, seed.path)
        assert [args for event, args in events if event in REACHES] == []
        started = [Path(str(args[0])).name for event, args in events if event in RUNS]
        assert set(started) <= ({"pandoc"} if form is Form.RST else set())
        opened = {
            os.path.realpath(str(args[0]))
            for event, args in events
            if event == "open" and isinstance(args[0], str | bytes | Path)
        }
        outside = {
            name for name in opened if not name.startswith((str(tmp_path.resolve()), sys.prefix, sys.base_prefix, "/dev/", "/tmp/", "/usr/", "/etc/ld", "/proc/self"))
        }  # fmt: skip
        assert {name for name in outside if not name.endswith((".py", ".pyc", ".so"))} == set()


ESCAPES = [
    (Form.MARKDOWN, {"README.md": f"{STEP}\n![p](../secret.png) [f](../secret.txt) <img src='../../secret.png'>\n![a](/secret.txt)\n[u](file://ROOT/secret.txt)\n"}),
    (Form.MKDOCS, {"mkdocs.yml": "site_name: W\ndocs_dir: ../outside\nnav: [a.md]\nmarkdown_extensions: [{pymdownx.snippets: {base_path: [/, ..]}}]\n", "docs/a.md": STEP}),
    (Form.MKDOCS, {"mkdocs.yml": "site_name: W\nnav: [a.md, ../../secret.md]\nmarkdown_extensions: [{pymdownx.snippets: {base_path: [/, .., docs]}}]\n", "docs/a.md": f'{STEP}\n--8<-- "../secret.txt"\n--8<-- "ROOT/secret.txt"\n--8<-- "../../secret.txt:1:2"\n'}),
    (Form.SHOWROOM, {
        "content/antora.yml": "name: a\ntitle: A\nversion: ~\nnav: [modules/ROOT/nav.adoc, ../../secret.txt]\n", "content/modules/ROOT/nav.adoc": "* xref:a.adoc[]\n* xref:../../../../secret.txt[]\n",
        "content/modules/ROOT/pages/a.adoc": "= A\n\ninclude::../../../../../secret.txt[]\n\ninclude::ROOT/secret.txt[]\n\ninclude::partial$../../../../../secret.txt[]\n\nimage::../../../../../../secret.png[]\n\n:imagesdir: ../../../..\n\nimage::secret.png[]\n",
    }),
    (Form.CODELAB, {"lab.md": "id: x\nsummary: y\nstatus: z\n\n# T\n\n## One\n\n<<../secret.txt>>\n\n<<ROOT/secret.txt>>\n\n![p](../secret.png)\n"}),
    (Form.KILLERCODA, {"index.json": json.dumps({"title": "T", "details": {"intro": {"text": "../secret.txt"}, "steps": [{"title": "A", "text": "a.md", "verify": "../../secret.txt", "background": "ROOT/secret.txt"}], "assets": {"host01": [{"file": "../../secret.txt", "target": "/"}, {"file": "*", "target": "/"}]}}}), "a.md": STEP}),
    (Form.INSTRUQT, {"track.yml": "slug: t\ntitle: T\n", "01-a/assignment.md": f"---\nslug: ../../secret\n---\n{STEP}![p](../../secret.png)\n"}),
    (Form.INSTRUQT, {"main.hcl": 'resource "lab" "l" {\n  title = "L"\n  content {\n    chapter "c" {\n      page "p" {\n        reference = resource.page.p\n      }\n      page "q" {\n        reference = resource.page.q\n      }\n    }\n  }\n}\nresource "page" "p" {\n  file = "a.md"\n}\nresource "page" "q" {\n  file = "../secret.txt"\n}\nmodule "m" {\n  source = "../outside"\n}\n', "a.md": STEP}),
    (Form.HUGO, {"hugo.toml": 'title = "W"\ncontentDir = "content"\n', "content/_index.md": f'{STEP}\n{{{{% include "../../secret.txt" %}}}}\n{{{{< readfile "/secret.txt" >}}}}\n{{{{< code file="../secret.txt" >}}}}\n![p](../../secret.png)\n'}),
    (Form.DOCUSAURUS, {"docusaurus.config.js": "module.exports = {title: 'W', presets: [['classic', {docs: {path: '../outside', sidebarPath: '../secret.txt'}}]]};", "docs/a.md": f"import X from '../../secret.txt';\nimport Y from '!!raw-loader!../../secret.txt';\n\n{STEP}\n<X />\n\n<Y />\n"}),
    (Form.DOCUSAURUS, {"docusaurus.config.js": "module.exports = {title: 'W'};", "docs/a.md": f"import X from '../../secret.txt';\nimport Y from '!!raw-loader!../../secret.txt';\n\n{STEP}\n<X />\n\n<Y />\n"}),
    (Form.WORKSHOP_BUILDER, {"workshop.yaml": "version: v1\nworkshop: {name: w}\nsteps: [a, ../../outside]\n", "steps/a/content.md": STEP, "steps/a/step.yaml": "title: A\nfiles: [{source: ../../../../secret.txt, target: /x}, {source: ROOT/secret.txt, target: /y}]\n"}),
    (Form.EDUCATES, {"resources/workshop.yaml": "apiVersion: training.educates.dev/v1beta1\nkind: Workshop\nspec: {title: T}\n", "workshop/config.yaml": "modules: {activate: [a, ../../secret]}\npathways: {default: p, paths: {p: {steps: [a, ../../../secret]}}}\n", "workshop/content/a.md": f"{STEP}\n![p](../../../secret.png)\n"}),
    (Form.JUPYTER, {"a.ipynb": json.dumps({"cells": [{"cell_type": "markdown", "source": "# A\n\n![p](../secret.png) ![q](attachment:../../secret.png)"}], "nbformat": 4}), "_toc.yml": "format: jb-book\nroot: a\nchapters:\n- file: ../secret\n- glob: ../*\n"}),
    (Form.RST, {"docs/conf.py": "project = 'W workshop'\n", "docs/index.rst": "W\n=\n\n.. include:: ../../secret.txt\n\n.. include:: ROOT/secret.txt\n\n.. literalinclude:: ../../secret.txt\n\n.. raw:: html\n   :file: ../../secret.txt\n\n.. csv-table:: T\n   :file: ROOT/secret.txt\n\n.. image:: ../../secret.png\n\n.. code-block:: bash\n\n   ls\n"}),
]  # fmt: skip


@pytest.mark.parametrize(("form", "files"), ESCAPES, ids=[f"{number}-{form}" for number, (form, _) in enumerate(ESCAPES)])
def test_nothing_from_outside_gets_in(form, files, tmp_path):
    lay_out(
        tmp_path,
        {
            "secret.txt": SECRET,
            "secret.png": SECRET,
            "secret.md": f"# {SECRET}\n",
            "outside/a.md": f"# {SECRET}\n",
            "outside/content.md": SECRET,
        },
    )
    source = lay_out(tmp_path / "source", {path: text.replace("ROOT", str(tmp_path)) for path, text in files.items()})
    folder = source / Path(next(path for path in files if path.endswith((".md", ".adoc", ".ipynb", ".rst")))).parent
    for name in ("secret.txt", "secret.png", "linked.md", "outside"):
        (folder / name).symlink_to(tmp_path / ("secret.md" if name == "linked.md" else name))
    try:
        convert(source, tmp_path / "out", form)
    except SourceError as error:
        assert SECRET not in error.detail  # noqa: PT017 - either outcome is right, and neither tells the secret
    assert SECRET.encode() not in written(tmp_path / "out")


def test_links_are_named_and_a_page_behind_one_is_a_loss(tmp_path):
    source = lay_out(tmp_path / "source", {"01-a.md": STEP, "02-b.md": STEP.replace("One", "Two")})
    lay_out(tmp_path, {"secret.txt": SECRET})
    (source / "03-c.md").symlink_to(tmp_path / "secret.txt")
    report = convert(source, tmp_path / "out", Form.MARKDOWN)
    assert [(row.kind, row.source, "symbolic link" in row.detail) for row in report.losses] == [("page", "03-c.md", True)]


def test_what_is_too_large_to_be_read_is_said_where_nothing_else_is_found(tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    for name in ("a.ipynb", "huge.bin"):
        with (source / name).open("wb") as file:
            file.truncate(1 << 30)  # a gigabyte that takes no place
    with pytest.raises(NotAWorkshopError, match=r"`a\.ipynb` \(it is larger than 50 MiB\)"):
        convert(source, tmp_path / "out")
    with pytest.raises(UnreadableSourceError, match=r"`a\.ipynb` \(it is larger than 50 MiB\)"):
        convert(source, tmp_path / "out", Form.JUPYTER)
    lay_out(source, {"README.md": STEP})
    assert convert(source, tmp_path / "out", Form.MARKDOWN).counts.code_blocks == 1


def test_outputs_of_any_size_are_dropped_with_the_rest_kept(tmp_path):
    outputs = [{"output_type": "display_data", "data": {"image/png": "A" * 1_000_000}}] * 20
    cells = [{"cell_type": "markdown", "source": "# Lab workshop"}, {"cell_type": "code", "source": "1 + 1", "outputs": outputs}]
    source = lay_out(tmp_path / "source", {"a.ipynb": json.dumps({"cells": cells, "nbformat": 4})})
    report = convert(source, tmp_path / "out", Form.JUPYTER)
    assert report.counts.code_blocks == 1
    assert any("output" in row.kind for row in report.losses)
    assert len(written(tmp_path / "out")) < 10_000


def test_a_page_of_a_megabyte_and_more_is_a_loss(tmp_path):
    source = lay_out(tmp_path / "source", {"01-a.md": STEP, "02-b.md": STEP, "03-c.md": "[" * 2_000_000})
    report = convert(source, tmp_path / "out", Form.MARKDOWN)
    assert [(row.source, "1024 KiB" in row.detail) for row in report.losses] == [("03-c.md", True)]


@pytest.mark.parametrize(
    "raw",
    [
        STEP.encode("utf-8-sig"), STEP.encode("utf-16"), STEP.encode("utf-16-le"), STEP.replace("\n", "\r\n").encode(), STEP.replace("\n", "\r").encode(),
        STEP.replace("Do", "Dö").encode("latin-1"), STEP.encode().replace(b"Do", b"D\x00o"), STEP.replace("\n", "\r\n").encode("utf-8-sig"),
    ],
    ids=["bom", "utf-16", "utf-16 without a mark", "crlf", "cr", "latin-1", "null", "bom and crlf"],
)  # fmt: skip
def test_texts_in_every_encoding_are_read(raw, tmp_path):
    source = lay_out(tmp_path / "source", {"01-a.md": raw, "02-b.md": STEP})
    if raw == STEP.encode("utf-16-le"):
        assert convert(source, tmp_path / "out", Form.MARKDOWN).counts.steps == 2
        return
    report = convert(source, tmp_path / "out", Form.MARKDOWN)
    assert [step.title for step in report.workshop.steps] == ["One", "One"]
    assert report.counts.code_blocks == 2
    assert b"\r" not in written(tmp_path / "out")


NAMES = ["a\nb.md", "q'uo\"te.md", "`x`.md", "\u202egpj.md", "\x1b[31m.md", "<script>.md", "[x](y).md", "%2e%2e.md", "-rf.md", "{{x}}.md", "ü 日本 😀.md", "$(ls).md", "a&b;c.md", "x" * 251 + ".md"]  # fmt: skip


def test_names_of_every_kind_are_kept_or_named(tmp_path):
    source = lay_out(
        tmp_path / "source",
        {f"docs/{number:02}-{name}"[:240].removesuffix(".md") + ".md": STEP for number, name in enumerate(NAMES)},
    )
    raw = os.fsencode(source / "docs") + b"/99-\xff\xfe.md"
    Path(os.fsdecode(raw)).write_bytes(STEP.encode())
    (source / "docs" / "98-Case.md").write_text(STEP)
    (source / "docs" / "98-case.md").write_text(STEP)
    report = convert(source, tmp_path / "out", Form.MARKDOWN)
    refused = [row.source for row in report.losses if "control characters" in row.detail]
    assert refused == ["docs/00-a?b.md", "docs/04-?[31m.md", "docs/99-??.md"]
    assert report.counts.steps == len(NAMES) - 2 + 2
    names = set(read_folder(tmp_path / "out").files)
    assert all(ord(char) >= 32 for name in names for char in name)
    assert report.model_dump_json()


def test_pictures_and_html_with_scripts_are_files_and_never_markup_of_ours(tmp_path):
    laughs = (
        "<!DOCTYPE x [<!ENTITY a 'ha'>"
        + "".join(f"<!ENTITY {chr(98 + n)} '{f'&{chr(97 + n)};' * 10}'>" for n in range(9))
        + "]><svg><script>alert(1)</script>&j;</svg>"
    )
    page = f"{STEP}\n![p](p.svg)\n\n<script>alert(1)</script>\n\n<iframe src='https://e.example'></iframe>\n\n<img src=x onerror=alert(1)>\n\n<a href='javascript:alert(1)'>x</a>\n"
    source = lay_out(tmp_path / "source", {"01-a.md": page, "02-b.md": STEP, "p.svg": laughs, "page.html": "<script>x</script>"})
    report = convert(source, tmp_path / "out", Form.MARKDOWN)
    files = read_folder(tmp_path / "out").files
    assert files["assets/p.svg"] == laughs.encode()
    content = files[f"steps/{report.workshop.steps[0].id}/content.md"].decode()
    assert "<script" not in content
    assert "<iframe" not in content
    assert [row.kind for row in report.losses]


DEEP = {
    "quotes": "> " * 3000 + "x",
    "lists": "\n".join("  " * depth + "- x" for depth in range(400)),
    "inline lists": "- " * 3000 + "x",
    "html": "<div>" * 5000 + "x" + "</div>" * 5000,
    "html lines": "<div>\n\n" * 1500 + "x\n" + "</div>\n\n" * 1500,
    "details": "<details>\n<summary>x</summary>\n\n" * 400 + "x\n" + "</details>\n\n" * 400,
    "emphasis": "*a **b " * 4000,
    "links": "[" * 4000 + "x" + "](y)" * 4000,
    "images": "![" * 3000 + "](x)" * 3000,
    "ticks": " ".join("`" * number for number in range(1, 400)),
    "tables": "|" * 3000 + "\n" + "|-" * 3000 + "|\n" + "|x" * 3000,
    "references": "".join(f"[{number}]: x\n" for number in range(5000)),
    "comments": "<!--" * 8000,
    "tags": "<a href='" * 8000,
    "entities": "&" * 20_000,
    "fences": "```a\n" * 4001,
    "spaces": (" " * 3000 + "x\n") * 10,
    "shortcodes": "{{< x >}}" * 3000 + "{{%" * 3000,
    "braces": "{" * 10_000 + "}" * 10_000,
    "imports": "import " + " " * 10_000 + "\nimport {" + "a, " * 5_000,
    "buttons": '[button label="' * 3000 + "{{" + " " * 10_000,
    "admonitions": "\n".join("    " * depth + "!!! note" for depth in range(150)),
    "tabs": "\n".join("    " * depth + '=== "x"' for depth in range(150)),
    "containers": ":" * 5000 + "note\n" + ":::note\n" * 1000,
}


@pytest.mark.parametrize(
    "form", [Form.MARKDOWN, Form.MKDOCS, Form.HUGO, Form.DOCUSAURUS, Form.EDUCATES, Form.KILLERCODA, Form.INSTRUQT, Form.CODELAB]
)
@pytest.mark.parametrize("name", DEEP)
def test_deep_and_long_pages_end(form, name, tmp_path):
    pages: dict[Form, dict[str, str | bytes]] = {
        Form.MARKDOWN: {"README.md": STEP + DEEP[name]},
        Form.MKDOCS: {"mkdocs.yml": "site_name: W\nnav: [a.md]\n", "docs/a.md": STEP + DEEP[name]},
        Form.HUGO: {"hugo.toml": "title = 'W'\n", "content/_index.md": STEP + DEEP[name]},
        Form.DOCUSAURUS: {"docusaurus.config.js": "module.exports = {title: 'W'};", "docs/a.md": STEP + DEEP[name]},
        Form.EDUCATES: {
            "resources/workshop.yaml": "kind: Workshop\napiVersion: training.educates.dev/v1beta1\n",
            "workshop/content/a.md": STEP + DEEP[name],
        },
        Form.KILLERCODA: {"index.json": '{"details": {"steps": [{"text": "a.md"}]}}', "a.md": STEP + DEEP[name]},
        Form.INSTRUQT: {"track.yml": "slug: t\ntitle: T\n", "01-a/assignment.md": f"---\nslug: a\n---\n{STEP}{DEEP[name]}"},
        Form.CODELAB: {"lab.md": f"id: x\nsummary: y\nstatus: z\n\n# T\n\n## One\n\n{STEP}{DEEP[name]}"},
    }
    report = convert(lay_out(tmp_path / "source", pages[form]), tmp_path / "out", form)
    assert report.counts.code_blocks >= 1


def test_what_comes_from_git_stays_out_of_a_folder(tmp_path):
    source = lay_out(
        tmp_path / "source",
        {
            "01-a.md": STEP,
            "02-b.md": STEP,
            ".git/config": "[core]\n\tfsmonitor = touch marker\n",
            ".git/HEAD": "ref: refs/heads/main\n",
            ".gitattributes": "*.md filter=evil export-subst\n",
            ".gitmodules": '[submodule "x"]\n\tpath = x\n\turl = ext::sh -c touch% marker\n',
            "x/.git": "gitdir: ../../elsewhere\n",
        },
    )
    (source / ".git" / "objects").mkdir()
    (source / ".git" / "refs").mkdir()
    report = convert(source, tmp_path / "out", Form.MARKDOWN)
    assert report.counts.steps == 2
    assert b"fsmonitor" not in written(tmp_path / "out")
    assert not list(tmp_path.rglob("marker"))


def test_time_for_a_source_covers_its_reading(tmp_path):
    source = lay_out(tmp_path / "source", {f"{number:02}-a.md": STEP for number in range(5)})
    with pytest.raises(SourceTooLargeError, match="CONVERTER_MAX_SECONDS"):
        ConverterService(ConverterSettings(max_seconds=1e-9)).classify(ConvertRequest(source=str(source)))


@pytest.mark.parametrize("address", ["ext::sh -c touch% marker", "--upload-pack=touch marker", "-oProxyCommand=x", "fd::17/x"])
def test_addresses_that_are_commands_are_refused(address, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with watched() as events, pytest.raises(HostileSourceError):
        ConverterService(ConverterSettings()).classify(ConvertRequest(source=address))
    assert [event for event, _ in events if event in RUNS] == []
