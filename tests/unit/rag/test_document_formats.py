"""Documents of each format read into Markdown; and what is refused, each with a sentence."""

import io
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.rag.documents import formats, pandoc, pdf
from agents.rag.documents.chunks import chunk_document
from agents.rag.documents.errors import UnreadableError
from agents.rag.documents.formats import Reading, read_document
from tests.unit.rag.pdfs import make_pdf


def read(path: str, text: str | bytes) -> Reading:
    return read_document(path, text.encode() if isinstance(text, str) else text)


def said_or_read(path: str, text: str) -> str:
    """The text of a document, cut into chunks, or why it was refused."""
    try:
        return "".join(chunk.text for chunk in chunk_document(path, read(path, text)))
    except UnreadableError as error:
        return str(error)


def lines(reading: Reading) -> list[str]:
    return [line for line in reading.text.splitlines() if line.strip()]


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("# One\n\n# Two\n", "One"),
        ("## Below\n\n# Top\n", "Top"),
        ("## Only below\n", "Only below"),
        ("Setext\n======\n", "Setext"),
        ("---\ntitle: 'In front'\n---\n# One\n", "In front"),
        ('+++\ntitle = "In TOML"\n+++\n# One\n', "In TOML"),
        ("---\ntitle: [a, b]\n---\n# One\n", "One"),
        ("---\ntitle: *x\n---\n# One\n", "One"),
        ("no heading", "file name"),
        ("#\n\n text", "file name"),
        (f"# {'long ' * 100}\n", ("long " * 40)),
    ],
)
def test_titles(text: str, title: str) -> None:
    assert read("docs/file name.md", text).title == title


def test_markdown_stays_as_it_is() -> None:
    text = "\r\n# A\r\n\r\ntext  \r\n\ttab\n<script>alert(1)</script>\n\f\u2028 end"
    assert read("a.md", text).text == text
    assert read("a.md", b"\xef\xbb\xbf# A\n").text == "# A\n"
    assert read("a.MD", "# A\n".encode("utf-16")).text == "# A\n"


def test_front_matter_is_not_indexed() -> None:
    reading = read("a.md", "---\ntitle: Secret title\nauthor: Eve\n---\n\n# A\n\nText.\n")
    [chunk] = chunk_document("a.md", reading)
    assert (chunk.first_line, chunk.last_line, chunk.text) == (6, 8, "# A\n\nText.\n")
    assert "Eve" not in chunk.indexed


def test_asciidoc() -> None:
    text = (
        "= The title\n:product: Garden\n\nWelcome to {product}.\n\ninclude::/etc/passwd[]\n\n== Part\n\n. one\n+\n"
        "[source,bash,role=execute]\n----\noc get pods\n----\n\n[WARNING]\n====\nDo not:\n\n----\nrm -rf /\n----\n====\n"
    )
    reading = read("a.adoc", text)
    assert reading.title == "The title"
    assert "Welcome to Garden." in reading.text
    assert "## Part" in reading.text
    assert "```bash exec" in reading.text
    assert "rm -rf /" in reading.text
    assert "root:" not in reading.text
    assert {chunk.kind for chunk in chunk_document("a.adoc", reading) if "oc get" in chunk.text} == {"command"}


def test_rst() -> None:
    text = (
        "=====\nTitle\n=====\n\nText with ``code`` and :ref:`a place <there>`.\n\n.. note::\n\n   Mind the gap.\n\n"
        "   .. code-block:: bash\n\n      oc get pods\n\n.. include:: /etc/passwd\n   :start-line: 1\n\n.. toctree::\n\n   hidden-page\n\n"
        ".. csv-table:: Sizes\n   :file: /etc/hosts\n\n.. raw:: html\n\n   <script>alert(1)</script>\n\nPart\n----\n\n"
        "=====  =====\na      b\n=====  =====\n1      2\n=====  =====\n"
    )
    reading = read("a.rst", text)
    assert reading.title == "Title"
    for part in ("Mind the gap.", "``` bash\noc get pods\n```", "## Part", "`code`", "| 1"):
        assert part in reading.text
    for part in ("root:", "hidden-page", "alert", "localhost", "<div"):
        assert part not in reading.text


def test_html() -> None:
    page = (
        "<!DOCTYPE html><html><head><title>Head &amp; title</title><style>p{color:red}</style><script>var hidden</script></head>"
        "<body><nav>Menu</nav><main><h2 onclick='evil()'>Part <a class=headerlink href='#p'>¶</a></h2><p>Hello <span>world</span></p>"
        "<pre><code class='language-bash'>oc get pods\n</code></pre><table><tr><th>a</th></tr><tr><td><p>x</p><ul><li>y</li></ul></td></tr></table>"
        "<script>alert(2)</script><img src='data:image/png;base64,AAAA' alt='Picture'></main><footer>Imprint</footer></body></html>"
    )
    reading = read("a.html", page)
    assert reading.title == "Head & title"
    assert lines(reading)[:3] == ["# Head & title", "## Part", "Hello world"]
    assert "``` bash\noc get pods\n```" in reading.text
    assert "| x y |" in reading.text
    for part in ("color", "hidden", "Menu", "alert", "evil", "base64", "Imprint", "¶", "<"):
        assert part not in reading.text


def test_html_says_its_charset() -> None:
    assert "café" in read("a.html", b"<meta charset=iso-8859-1><p>caf\xe9</p>").text
    assert "café" in read("a.xhtml", b"<?xml version='1.0' encoding='latin-1'?><html><body><p>caf\xe9</p></body></html>").text
    for raw in (b"<p>caf\xe9</p>", b"<meta charset=utf-8><p>caf\xe9</p>", b"<meta charset=nonsense><p>caf\xe9</p>"):
        with pytest.raises(UnreadableError, match="Save it as UTF-8"):
            read("a.html", raw)


def test_nothing_is_read_from_this_machine(tmp_path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("the secret word")
    for path, text in (
        ("a.rst", f"T\n=\n\n.. csv-table::\n   :header-rows: 1\n   :file:  {secret}\n\n.. figure:: {secret}\n\nText.\n"),
        ("a.rst", f"Text.\n\n.. INCLUDE:: {secret}\n\n.. |x| include:: {secret}\n"),
        ("a.html", f"<p>Text</p><img src='{secret}'><iframe src='file://{secret}'></iframe><link rel=import href='{secret}'>"),
        ("a.adoc", f"Text.\n\ninclude::{secret}[]\n\nimage::{secret}[opts=inline]\n"),
    ):
        assert "secret word" not in said_or_read(path, text)


def test_notebook() -> None:
    cells = [
        {"cell_type": "markdown", "source": ["# Notebook\n", "Some *text*."]},
        {
            "cell_type": "code",
            "source": "print('```')\nx",
            "outputs": [
                {"output_type": "stream", "text": ["hi\x1b[31m\n"]},
                {"output_type": "execute_result", "data": {"text/plain": "42", "image/png": "AAAA", "text/html": "<b>42</b>"}},
                {"output_type": "error", "ename": "KeyError", "evalue": "'x'", "traceback": ["long"]},
            ],
        },
        {"cell_type": "code", "source": "%%bash\noc get pods", "outputs": []},
        {"cell_type": "raw", "source": "raw"},
        "junk",
        {"cell_type": "code", "source": 7, "outputs": 7},
    ]
    reading = read("a.ipynb", json.dumps({"cells": cells, "metadata": {"language_info": {"name": "Julia"}}, "nbformat": 4}))
    assert reading.title == "Notebook"
    assert reading.text.startswith("# Notebook\nSome *text*.\n\n````julia\nprint('```')\nx\n````\n\n```text output\nhi\n```\n")
    assert "42\n```" in reading.text
    assert "KeyError: 'x'" in reading.text
    assert "```bash\n%%bash\noc get pods\n```" in reading.text
    assert "AAAA" not in reading.text
    kinds = {chunk.kind for chunk in chunk_document("a.ipynb", reading)}
    assert "command" in kinds or "code" in kinds


def test_pdf() -> None:
    reading = read("a.pdf", make_pdf(["First page.\n# not a heading\n-----\n", "", "The (third) page."], "The title"))
    assert reading.title == "The title"
    assert lines(reading) == [
        "# The title",
        "## Page 1",
        "First page.",
        "\\# not a heading",
        "\\-----",
        "## Page 3",
        "The (third) page.",
    ]
    assert read("docs/handbook.pdf", make_pdf(["Text."])).title == "handbook"


def test_pdfs_that_cannot_be_read() -> None:
    from pypdf import PdfReader, PdfWriter

    whole = make_pdf(["Text."] * 3)
    locked = PdfWriter(clone_from=PdfReader(io.BytesIO(whole)))
    locked.encrypt("secret", algorithm="AES-256")
    out = io.BytesIO()
    locked.write(out)
    with pytest.raises(UnreadableError, match="encrypted"):
        read("a.pdf", out.getvalue())
    with pytest.raises(UnreadableError, match="may be a scan"):
        read("a.pdf", make_pdf(["", ""]))
    for raw in (b"", b"%PDF-1.4\n", b"junk", whole[:200], whole.replace(b"/Kids", b"/Dogs")):
        with pytest.raises(UnreadableError, match=r"damaged|no text|memory"):
            read("a.pdf", raw)


def test_a_reader_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pandoc, "SECONDS", 0.001)
    monkeypatch.setattr(pdf, "SECONDS", 0.001)
    for path, raw in (("a.rst", b"Text.\n"), ("a.pdf", make_pdf(["Text."]))):
        with pytest.raises(UnreadableError, match="within 0 seconds"):
            read(path, raw)


def test_a_reader_that_takes_too_much_memory_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pandoc, "HEAP", "-M2m")
    with pytest.raises(UnreadableError, match="memory"):
        read("a.rst", "word " * 200_000)


@pytest.mark.parametrize("path", ["a.md", "a.adoc", "a.rst", "a.html", "a.ipynb", "a.pdf"])
@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b" \n\t\n",
        b"a\x00b",
        b"\xff\xfe\x00",
        b"\xc3\x28",
        b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
        b"\x1f\x8b\x08" + b"\xff" * 50,
    ],
)
def test_junk_is_refused_with_a_sentence(path: str, raw: bytes) -> None:
    with pytest.raises(UnreadableError) as refused:
        read(path, raw)
    assert str(refused.value).endswith(".")


@pytest.mark.parametrize("path", ["a.docx", "a", "a.md.exe", ".md", "a.txt", "a.asc", "Makefile"])
def test_other_formats_are_refused(path: str) -> None:
    with pytest.raises(UnreadableError, match="none of the formats"):
        read(path, "# Text\n")


def test_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnreadableError, match="5 MiB"):
        read("a.md", "word " * 1_100_000)
    with pytest.raises(UnreadableError, match="5 MiB"):
        read("a.rst", "word " * 1_100_000)
    monkeypatch.setattr(formats, "MAX_DOCUMENT_BYTES", 10)
    with pytest.raises(UnreadableError, match="larger than"):
        read("a.md", "# A longer text\n")


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.adoc", "====\n" * 400 + "text\n"),
        ("a.adoc", "* x\n" + "\n".join("*" * n + " x" for n in range(300))),
        ("a.html", "<div>" * 20_000 + "text"),
        ("a.html", "<b>" * 3_000 + "text"),
        ("a.html", "<ul><li>" * 300 + "text"),
        ("a.rst", "\n".join("  " * n + "* x\n" for n in range(200))),
        ("a.md", ">" * 5_000 + " text"),
        ("a.md", "[" * 20_000 + "text"),
        ("a.md", "- " * 5_000 + "text"),
        ("a.ipynb", "[" * 100_000),
        ("a.ipynb", '{"cells": ' * 2_000),
    ],
)
def test_deep_nesting_ends(path: str, text: str) -> None:
    assert said_or_read(path, text)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(), st.sampled_from(["a.md", "a.adoc", "a.ipynb"]))
def test_any_text_is_read_or_refused(text: str, path: str) -> None:
    try:
        reading = read(path, text.encode("utf-8", "surrogatepass"))
    except UnreadableError:
        return
    reading.text.encode()
    numbered = reading.text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for chunk in chunk_document(path, reading):
        assert 1 <= chunk.first_line <= chunk.last_line <= len(numbered)
