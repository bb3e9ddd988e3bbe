"""AWS Workshop Studio: pages by their weights in one language, and directives of one, two and more colons."""

import pytest

from agents.template_converter.forms.hugo import HugoImporter
from agents.template_converter.recognise import classify
from shared_services.contracts.conversion import Form
from tests.unit.template_converter.trees import make_tree, places, read

IMPORTER = HugoImporter()


def page(title, body="Text.\n", weight=None):
    return f"---\ntitle: '{title}'\n" + (f"weight: {weight}\n" if weight else "") + f"---\n\n{body}"


FILES = {
    "contentspec.yaml": "version: 2.0\ndefaultLocaleCode: en-US\nlocaleCodes:\n  - en-US\n",
    "content/index.en.md": page("Build a lake"),
    "content/index.ja.md": page("湖"),
    "content/20-setup/index.en.md": page("Setup", "![A](/static/a.png)\n\nGo [on](/30-run/first/).\n", 10),
    "content/20-setup/own.md": page("Your own account", weight=10),
    "content/30-run/index.en.md": page("Run", weight=20),
    "content/30-run/first/index.en.md": page("First", weight=5),
    "content/10-intro/index.en.md": page("Introduction", weight=10),
    "content/30-run/secret.md": "---\ntitle: Secret\nhidden: true\n---\n\nx\n",
    "static/a.png": b"png",
    "infra/app.py": "print()\n",
    "requirements.txt": "x\n",
}


def first(tmp_path, body):
    files = {"contentspec.yaml": "version: 2.0\n", "content/index.en.md": page("T", body)}
    return read(IMPORTER, make_tree(tmp_path, files)).steps[0].content


def test_pages_go_by_weight_and_name_in_the_default_language(tmp_path):
    tree = make_tree(tmp_path, FILES)
    best = classify(tree)[0]
    assert (best.form, best.path) == (Form.HUGO, "")
    assert best.evidence == ["`contentspec.yaml` describes a workshop of AWS Workshop Studio with 6 pages in `content`."]
    workshop = read(IMPORTER, tree)
    assert workshop.title == "Build a lake"
    assert [step.title for step in workshop.steps] == [
        "Build a lake",
        "Introduction",
        "Setup",
        "Your own account",
        "Run",
        "First",
    ]
    assert list(workshop.assets.values()) == ["static/a.png"]
    assert "Go [on](../first/content.md)." in workshop.steps[2].content
    assert sorted((row.kind, row.source) for row in workshop.losses) == [
        ("page", "content/30-run/secret.md"),
        ("page", "contentspec.yaml"),
    ]
    assert workshop.broken == []


@pytest.mark.parametrize(
    ("written", "made"),
    [
        (":::code{language=bash showCopyAction=true}\n  ls [a]\n\n# b\n:::\n", "```bash exec\n  ls [a]\n\n# b\n```\n"),
        (":::code[]{language=bash showCopyAction=false}\nNAME\n:::\n", "```bash\nNAME\n```\n"),
        (':::code{showLineNumbers=true language="json"}\n{"a": [1]}\n:::\n', '```json\n{"a": [1]}\n```\n'),
        (':::code\na ``` b\n:::\n', "````\na ``` b\n````\n"),
        ("::code[kubectl get pods]{language=bash showCopyAction=true}\n", "```bash exec\nkubectl get pods\n```\n"),
        ('::code[{ "a": [1, 2] }]{language="js"}\n', '```js\n{ "a": [1, 2] }\n```\n'),
        ("::code[one \\\n  two]{language=sh}\n", "```sh exec\none \\\n  two\n```\n"),
        ('::alert[Mind **this**.]{header="Be careful" type="warning"}\n', "> **Be careful**\n>\n> Mind **this**.\n"),
        ("::::alert{type=info}\nOne.\n\n:::code{language=sql}\nselect\n:::\n::::\n", "> **Info**\n>\n> One.\n>\n> ```sql\n> select\n> ```\n"),
        ('::::expand{header="More of it"}\nText.\n::::\n', "> **More of it**\n>\n> Text.\n"),
        ("::video[See it]{id=abc_1}\n", "[See it](https://www.youtube.com/watch?v=abc_1)\n"),
        ("Go :button[there]{href=https://x.example/} now.\n", "Go [there](https://x.example/) now.\n"),
        (":odd{a=b} and :::strange{x}\n", ":odd{a=b} and :::strange{x}\n"),
        ("```md\n:::code{language=bash}\nls\n:::\n```\n", "```md\n:::code{language=bash}\nls\n:::\n```\n"),
    ],
)  # fmt: skip
def test_directives(tmp_path, written, made):
    assert first(tmp_path, written) == made


def test_code_in_a_list_item_keeps_its_place_and_its_lines(tmp_path):
    body = "1. Do:\n   :::code{language=bash}\n   if a; then\n     b\n   fi\n   :::\n2. Next.\n"
    files = {"contentspec.yaml": "version: 2.0\n", "content/index.en.md": page("T", body)}
    step = read(IMPORTER, make_tree(tmp_path, files)).steps[0]
    assert step.content == "1. Do:\n\n   ```bash exec\n   if a; then\n     b\n   fi\n   ```\n\n2. Next.\n"
    assert ("     b", "content/index.en.md", 8) in places(step)


def test_tabs_and_children(tmp_path):
    body = '## Choose\n\n::::tabs{variant="container"}\n:::tab{id="l" label="Linux"}\napt\n:::\n:::tab{label="Mac"}\nbrew\n:::\n::::\n\n::children\n'
    files = {"contentspec.yaml": "version: 2.0\n", "content/index.en.md": page("T", body), "content/a/index.en.md": page("Below")}
    content = read(IMPORTER, make_tree(tmp_path, files)).steps[0].content
    assert "### Linux\n\napt\n" in content
    assert "### Mac\n\nbrew\n" in content
    assert content.endswith("- [Below](../below/content.md)\n")


def test_what_is_never_closed_is_text_and_listed(tmp_path):
    files = {"contentspec.yaml": "version: 2.0\n", "content/index.en.md": page("T", ":::alert{type=info}\nopen\n")}
    workshop = read(IMPORTER, make_tree(tmp_path, files))
    assert workshop.steps[0].content == ":::alert{type=info}\nopen\n"
    assert [(row.kind, row.line) for row in workshop.losses] == [("macro", 5)]


def test_unknown_directives_are_told_once_for_each_kind(tmp_path):
    body = (
        "::toc\n\n::foo[x]{a=b}\n\nAnd :foo[y] and :foo[z]{c=d}, `:foo[code]`, std::sort{a}.\n\n"
        "```cpp\n::foo[x]\n```\n\n:link[on]{href=https://x.example/}\n"
    )
    files = {"contentspec.yaml": "version: 2.0\n", "content/index.en.md": page("T", body)}
    workshop = read(IMPORTER, make_tree(tmp_path, files))
    assert [(row.kind, row.line, row.detail) for row in workshop.losses] == [
        ("macro", 5, "directive `::toc` is not known and is shown as text (1 times)."),
        ("macro", 7, "directive `::foo` is not known and is shown as text (1 times)."),
        ("macro", 9, "directive `:foo` is not known and is shown as text (2 times)."),
    ]
    assert "::foo[x]{a=b}" in workshop.steps[0].content
