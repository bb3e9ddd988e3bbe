"""A small healthy tree of each form, and lines that mean something in it: what is wrecked at random must first be read whole."""

import json
from dataclasses import dataclass

from shared_services.contracts.conversion import Form

PNG = "\x89PNG\r\n\x1a\nno picture"
MARKDOWN = (
    "# Title", "## Section", "### Deeper", "Step 1: Go\n------", "# ", "#", "- item", "  - inner", "1. one", "10. ten", "> quote", "> > deeper", "* * *",
    "---", "+++", "...", "", "", "```bash", "```", "````", "~~~", "``` {.bash .copy}", "    indented", "\ttab", "`code`", "text `` a ` b ``",
    "[a](b.md)", "[a](b.md#x)", "[a](../x/../..//b.md)", "[a](<b c.md> 't')", "[a][x]", "[x]: b.md", "[x]: <>", "![i](img/p.png)", "![i](../gone.png)",
    "![i](https://e.example/x.png)", "![i](data:image/png;base64,AAAA)", "<img src='img/p.png'>", "<img src=\"x\" ", "<a href=\"b.md\">b</a>", "<details>",
    "<summary>Hint</summary>", "</details>", "<div class='x'>", "</div>", "<!-- c", "-->", "<script>alert(1)</script>", "<pre><code>x</code></pre>",
    "| a | b |", "|---|---|", "| 1 |", "$$x$$", "a\\", "a  ", "&amp; &#0; &#x110000;", "\x00", "\u202e", "\ufeff", "\u2028", "é", "日本", "😀", "{{name}}",
    "{{ name }}", "*a **b* c**", "___", "~~x~~", "[^1]: foot", "[^1]", "https://e.example", "<https://e.example>", "[", "](", "](x", "![](", "\\", "<", "<a",
    "{", "}", "{{", "}}", "include::b.md", "[a](\x7f)", "[a](%00)", "[a](%zz)", "[a](//e)", "[a](http://[)", "[a](http://e:x/)", "[a](#)", "[](b.md)",
)  # fmt: skip


@dataclass(frozen=True)
class Seed:
    """A tree's files, the lines that its form gives a meaning, and where the workshop is in it."""

    files: dict[str, str]
    lines: tuple[str, ...]
    path: str = ""


def _notebook(*cells: dict[str, object]) -> str:
    value = {
        "cells": cells,
        "metadata": {"kernelspec": {"language": "python"}, "language_info": {"name": "python"}},
        "nbformat": 4,
    }
    return json.dumps(value, indent=1)


_PAGE = "# {0}\n\nDo this tutorial step [next](b.md#go).\n\n1. One\n2. Two\n\n```bash\necho {0}\n```\n\n![p](img/p.png)\n"
_SHOWROOM = {
    "default-site.yml": "site:\n  title: Lab\n  start_page: lab::index.adoc\ncontent:\n  sources:\n  - url: .\n    start_path: content\nasciidoc:\n  attributes:\n    user: u1\n",
    "ui-config.yml": "type: showroom\nview_switcher:\n  enabled: true\ntabs:\n- name: Terminal\n  port: 443\n",
    "content/antora.yml": "name: lab\ntitle: The lab workshop\nversion: ~\nnav:\n- modules/ROOT/nav.adoc\nasciidoc:\n  attributes:\n    guid: abc\n    n: 1\n",
    "content/modules/ROOT/nav.adoc": "* xref:index.adoc[Home]\n* Part\n** xref:b.adoc[Go]\n* xref:module-01.adoc[]\n",
    "content/modules/ROOT/pages/index.adoc": "= Home\n:a: 1\n\nHello {guid}. See xref:b.adoc#go[go].\n\n[source,bash,role=execute]\n----\necho {guid}\n----\n\nimage::p.png[P]\n",
    "content/modules/ROOT/pages/b.adoc": "= Go\n\n[#go]\n== There\n\n. One\n. Two\n+\n[source,yaml]\n----\na: 1 # <1>\n----\n<1> it\n\ninclude::partial$p.adoc[tag=x]\n\nNOTE: n\n\n|===\n|a |b\n|===\n",
    "content/modules/ROOT/pages/module-01.adoc": "= Module\n\n[%collapsible]\n====\nhint\n====\n",
    "content/modules/ROOT/partials/p.adoc": "// tag::x[]\npart\n// end::x[]\n",
    "content/modules/ROOT/assets/images/p.png": PNG,
    "runtime-automation/module-01/validate.yml": "- hosts: localhost\n  tasks:\n  - name: x\n    shell: ls\n",
    "runtime-automation/module-01/solve.yml": "- hosts: localhost\n",
}  # fmt: skip
_EDUCATES = {
    "resources/workshop.yaml": (
        "apiVersion: training.educates.dev/v1beta1\nkind: Workshop\nmetadata:\n  name: w\nspec:\n  title: The lab\n  description: About\n  duration: 45m\n"
        "  author: Ann\n  tags: [k8s]\n  session:\n    applications:\n      terminal: {enabled: true}\n    env:\n    - {name: A, value: b}\n"
    ),
    "workshop/config.yaml": "pathways:\n  default: one\n  paths:\n    one:\n      title: P\n      steps: [01-a, 02-b]\nparams:\n- {name: x, value: y}\n",
    "workshop/modules.yaml": "modules:\n  01-a: {name: A, exit_sign: Go}\n  02-b: {name: B}\n",
    "workshop/workshop.yaml": "name: W\nmodules:\n  activate: [01-a, 02-b]\nvars:\n- {name: v, value: 1}\n",
    "workshop/content/01-a.md": "---\ntitle: A\n---\nText {{< param x >}} {{session_name}}.\n\n```terminal:execute\ncommand: ls\nsession: 1\n```\n\n```examiner:execute-test\nname: t\ntitle: T\nargs: [a]\n```\n",
    "workshop/content/02-b.md": "---\ntitle: B\n---\n```execute\nls\n```\n\n```section:begin\ntitle: S\n```\nin\n\n```section:end\n```\n\n![p](img/p.png)\n",
    "workshop/content/img/p.png": PNG,
    "workshop/examiner/tests/t": "#!/bin/sh\nexit 0\n",
    "exercises/a.txt": "x\n",
}  # fmt: skip
_KILLERCODA = {
    "index.json": json.dumps(
        {
            "title": "T", "description": "D",
            "details": {
                "intro": {"text": "intro.md", "foreground": "fg.sh"},
                "steps": [{"title": "One", "text": "step1.md", "verify": "verify.sh", "background": "bg.sh"}, {"title": "Two", "text": "b/text.md"}],
                "finish": {"text": "end.md"}, "assets": {"host01": [{"file": "a.sh", "target": "/root", "chmod": "+x"}]},
            },
            "backend": {"imageid": "ubuntu"},
        },
        indent=1,
    ),
    "intro.md": "Hi\n", "step1.md": "Run `ls`{{exec}}:\n\n```\nls\n```{{exec}}\n\n[x]({{TRAFFIC_HOST1_80}})\n\n![p](../assets/p.png)\n", "b/text.md": "# B\n\n```\nx\n```{{copy}}\n",
    "end.md": "Bye\n", "verify.sh": "exit 0\n", "bg.sh": "sleep 1\n", "fg.sh": "ls\n", "assets/a.sh": "x\n",
}  # fmt: skip
_INSTRUQT = {
    "track.yml": (
        "slug: t\nid: x\ntitle: The track\nteaser: About\ndescription: |-\n  Long.\ntags: [a]\ndevelopers: [a@e.example]\nchallenges:\n- slug: one\n  type: challenge\n"
        "  title: One\n  timelimit: 300\n  notes:\n  - type: text\n    contents: N\n  assignment: |-\n    Look.\n\n    ```bash,run\n    ls\n    ```\n  tabs:\n  - {title: Shell, type: terminal, hostname: h}\n"
    ),
    "config.yml": 'version: "3"\ncontainers:\n- name: h\n  image: x\n  environment:\n    A: b\n',
    "02-two/assignment.md": "---\nslug: two\ntype: quiz\ntitle: Two\nteaser: T\nanswers: [a, b]\nsolution: [1]\ntimelimit: 60\n---\nWhich [button](tab-1)?\n\nHead\n====\n",
    "02-two/check-h": "#!/bin/sh\nexit 0\n", "02-two/solve-h": "ls\n", "02-two/setup-h": "ls\n", "track_scripts/setup-h": "ls\n",
}  # fmt: skip
_LAB = {
    "main.hcl": (
        'resource "lab" "l" {\n  title = "L"\n  description = "D"\n  settings {\n    timelimit {\n      duration = "1h"\n    }\n  }\n  content {\n'
        '    chapter "c" {\n      title = "C"\n      page "p" {\n        reference = resource.page.p\n      }\n    }\n  }\n}\n'
        'resource "page" "p" {\n  title = "P"\n  file = "instructions/p.md"\n  activities = {\n    t = resource.task.t\n  }\n}\n'
        'resource "task" "t" {\n  description = "T"\n  condition "c" {\n    description = "there"\n    check {\n      script = "scripts/c.sh"\n    }\n  }\n}\n'
        'resource "quiz" "q" {\n  questions = [resource.single_choice_question.s]\n}\nresource "single_choice_question" "s" {\n  question = "Q"\n  answer = "A"\n  distractors = ["B"]\n}\n'
    ),
    "instructions/p.md": '# P\n\n<instruqt-code language="shell" run="true">\nls\n</instruqt-code>\n\n<instruqt-task id="t"></instruqt-task>\n\n<instruqt-quiz id="q"></instruqt-quiz>\n\n```bash,run\nls\n```\n',
    "scripts/c.sh": "exit 0\n",
}  # fmt: skip
_HUGO = {
    "config.toml": 'title = "A Workshop"\ntheme = "learn"\nbaseURL = "/"\ndefaultContentLanguage = "en"\n[params]\ndescription = "About"\n[languages.en]\ntitle = "E"\nweight = 1\n[menu]\n',
    "content/_index.md": "---\ntitle: Home\nweight: 1\n---\nHello {{< ref \"b\" >}}\n",
    "content/10_one/_index.md": "+++\ntitle = 'One'\nweight = 2\n+++\n{{% children %}}\n",
    "content/10_one/b.md": "---\ntitle: B\nweight: 3\n---\n{{% notice tip %}}\nx\n{{% /notice %}}\n\n{{< tabs >}}{{< tab \"A\" >}}\n```bash\nls\n```\n{{< /tab >}}{{< /tabs >}}\n\n{{%expand \"More\"%}}\ny\n{{%/expand%}}\n",
    "content/20_two/index.md": "---\ntitle: Two\n---\n![p](p.png)\n{{< figure src=\"p.png\" >}}\n",
    "content/20_two/p.png": PNG,
    "layouts/shortcodes/mine.html": "<b>{{ .Inner }}</b>{{< mine >}}",
}  # fmt: skip
SEEDS: dict[Form, tuple[Seed, ...]] = {
    Form.SHOWROOM: (
        Seed(
            _SHOWROOM,
            (
                "= T", "== S", "=== X", "* a", "** b", ". one", "a:: b", "+", "--", "----", "....", "====", "****", "|===", "|a |b", "2+|x", "[source,bash,role=execute]",
                "[NOTE]", "[%collapsible]", "[[id]]", "[#x.y]", ".Title", "image::p.png[]", "image:p.png[a]", "video::v[]", "include::partial$p.adoc[]",
                "include::example$x[lines=1..2]", "include::index.adoc[]", "include::../../x[]", "ifdef::a[]", "ifndef::a[b]", "ifeval::[{a} > 1]", "endif::[]",
                ":a: {a}{a}", ":!a:", ":leveloffset: +1", "// tag::x[]", "// end::x[]", "////", "xref:b.adoc#go[c]", "xref:x@y:z:b.adoc[]", "xref:[]", "<<x,y>>",
                "* xref:gone.adoc[]", "* xref:index.adoc[]", "{counter:x}", "[tabs]", "footnote:[y]", "kbd:[x]", "btn:[x]", "menu:a[b]", "stem:[x]", "<1> x", "'''",
                ":page-x: y", "[subs=+attributes]", "```bash", "```", "pass:[<b>]", "++++",
            ),
        ),
    ),
    Form.EDUCATES: (
        Seed(
            _EDUCATES,
            (
                "```execute", "```execute-2", "```terminal:execute", "command: ls", "```", "```editor:open-file", "file: ~/a", "```examiner:execute-test", "name: t",
                "```section:begin", "```section:end", "```workshop:copy", "text: |", "{{< param x >}}", "{{name}}", "{{% param", "$(x)", "```dashboard:open-url",
                "url: x", "prefix: T", "{{.metadata.name}}", "- [", "session: [1]", "{{< note >}}", "= T", "[source,execute]", "----",
            ),
        ),
        Seed(
            {
                "resources/workshop.yaml": "apiVersion: training.eduk8s.io/v1alpha2\nkind: Workshop\nmetadata: {name: w}\nspec: {title: T, content: {files: x}}\n",
                "workshop/content/b.adoc": "= A\n\n[source,bash,role=execute]\n----\nls\n----\n",
                "workshop/content/a.md": "+++\ntitle = 'B'\n+++\n```terminal:execute-all\ncommand: ls\n```\n",
            },
            ("[source,bash]", "----", "+++", "title = 3", "{{session_namespace}}"),
        ),
    ),
    Form.KILLERCODA: (
        Seed(_KILLERCODA, ("```{{exec}}", "```{{copy}}", "`a`{{execute T1}}", "{{TRAFFIC_HOST1_80}}", "[[HOST_SUBDOMAIN]]-80-[[KATACODA_HOST]]", "`x`{{", "{{exec interrupt}}", "```{{}}")),
    ),
    Form.INSTRUQT: (
        Seed(_INSTRUQT, ("```bash,run", "```yaml,nocopy", "[button](tab-1)", '[button label="x"](tab-0)', "[[ Instruqt-Var key=\"A\" hostname=\"h\" ]]", "Head", "====", "slug: one", "type: quiz")),
        Seed(_LAB, ('<instruqt-code language="x">', "</instruqt-code>", '<instruqt-task id="t">', "<instruqt-quiz", 'resource "page" "p" {', "}", "reference = resource.page.p", "file = \"../x\"", "x = [", "<<EOF", "EOF", "${x}", 'module "m" {', 'source = "./"', "a = 1e999", '"')),
    ),
    Form.CODELAB: (
        Seed(
            {
                "lab.md": "summary: About it\nid: a-lab\ncategories: Java\nauthors: Ann\nstatus: draft\n\n# My lab\n\n## One\nDuration: 0:03:00\n\nText.\n\nPositive\n: Do it.\n\n<<part.md>>\n\n## Two\nDuration: 2\n\n```bash\nls\n```\n<aside class=\"negative\">\nMind.\n</aside>\n",
                "part.md": "## Part\n\n<<part.md>>\n\nx\n", "img/p.png": PNG,
            },
            ("Duration: 5", "Duration: x", "Duration: 99999999999", "Duration: -1:2", "Positive", ": x", "negative", '<aside class="positive">', "</aside>", "<<part.md>>", "<<../x.md>>", "<<lab.md>>", "id: x", "<button>", "</button>", "> aside positive", "summary:"),
        ),
    ),
    Form.JUPYTER: (
        Seed(
            {
                "lab.ipynb": _notebook(
                    {"cell_type": "markdown", "metadata": {}, "source": ["# Workshop\n", "\n", "![p](attachment:p.png) [x](b.ipynb)\n"], "attachments": {"p.png": {"image/png": "AAAA"}}},
                    {"cell_type": "code", "metadata": {"tags": ["x"]}, "source": "%%bash\nls", "outputs": [{"output_type": "stream", "name": "stdout", "text": ["x"]}], "execution_count": 1},
                    {"cell_type": "raw", "metadata": {}, "source": "raw"}, {"cell_type": "markdown", "metadata": {}, "source": "## Exercise 1\n\nDo."},
                    {"cell_type": "code", "metadata": {}, "source": ["a = 1\n"], "outputs": []},
                ),
                "b.ipynb": json.dumps({"worksheets": [{"cells": [{"cell_type": "heading", "level": 1, "source": ["T"]}, {"cell_type": "code", "input": ["a"], "outputs": []}]}], "metadata": {}, "nbformat": 3}),
                "_toc.yml": "format: jb-book\nroot: lab\nparts:\n- caption: P\n  chapters:\n  - file: b\n    title: B\n  - glob: x*\n  - url: https://e.example\n",
            },
            ('"cells": [', "],", '"source": "x",', '"source": ["a", 1],', "{", "}", '"cell_type": "markdown"', '"nbformat": 3', "- file: lab", "chapters:"),
        ),
    ),
    Form.MKDOCS: (
        Seed(
            {
                "mkdocs.yml": "site_name: W workshop\ndocs_dir: docs\nsite_author: A\nnav:\n- Home: index.md\n- Labs:\n  - Lab 1: labs/b.md\n- c.md\nmarkdown_extensions:\n- pymdownx.snippets:\n    base_path: [docs]\n- admonition\n- attr_list\nextra:\n  x: !!python/name:os.system\nplugins:\n- search\n",
                "docs/index.md": _PAGE.format("Home"), "docs/labs/b.md": '# B\n\n!!! warning "Mind"\n    Text\n\n=== "A"\n\n    ```bash\n    ls\n    ```\n\n=== "B"\n    x\n\n--8<-- "c.md"\n\n??? tip\n    y\n', "docs/c.md": "# C\n\n--8<-- \"c.md\"\n{: .x }\n\n```py title=\"x\" hl_lines=\"1\"\na\n```\n", "docs/img/p.png": PNG,
            },
            ("!!! note", '!!! warning "x"', "??? tip", "???+ x", '=== "A"', "    x", '--8<-- "c.md"', "--8<--", ";--8<--", "{: .x }", "[^1]:", "*[A]: b", ":smile:", "++ctrl++", "{{ x }}", "{% raw %}", "nav:", "- [", "++x++", "==m==", ": def", "- [ ] t", "--8<-- \"c.md:1:2\"", "--8<-- \"../../x\""),
        ),
    ),
    Form.DOCUSAURUS: (
        Seed(
            {
                "site/docusaurus.config.js": "const t = 'A workshop';\nmodule.exports = {\n  title: t, baseUrl: '/b/',\n  presets: [['classic', {docs: {sidebarPath: require.resolve('./sidebars.js'), routeBasePath: 'docs'}}]],\n};\n",
                "site/sidebars.js": "module.exports = {main: ['a', {type: 'category', label: 'L', items: ['d/b', ...[]]}, {type: 'autogenerated', dirName: 'd'}]};\n",
                "site/docs/a.md": "---\nid: a\ntitle: A\nsidebar_position: 1\n---\nimport X from 'x';\n\n<Tabs>\n<TabItem value=\"x\">\n\n```bash\nls\n```\n\n</TabItem>\n</Tabs>\n\n:::note\nx\n:::\n\n<img src={useBaseUrl('img/p.png')} />\n\n<X a={b}>\n",
                "site/docs/d/b.mdx": "# Lab 1\n\nexport const a = {b: [1, 2]};\n\n{a}\n\n1. One\n2. Two\n\n```js title=\"x\"\na\n```\n", "site/docs/d/_category_.json": '{"label": "D", "position": 1, "link": {"type": "doc", "id": "b"}}',
                "site/static/img/p.png": PNG,
                "SUMMARY.md": "# Summary\n\n* [A](site/docs/a.md)\n",
            },
            (":::note", ":::tip[x]", "::::", ":::", "<Tabs>", "<TabItem value='x'>", "</TabItem>", "</Tabs>", "import A from 'b';", "export default () => {", "}", "{/* c", "*/}", "<X a={`", "<></>", "useBaseUrl('x')", "<img src={require('./p.png').default} />", "module.exports = {", "[[[", "/*", "'", "`${x}`", "...x", "//"),
            "site",
        ),
    ),
    Form.HUGO: (
        Seed(_HUGO, ('{{< tabs >}}', '{{< tab "x" >}}', "{{< /tab >}}", "{{% notice", "{{% /notice %}}", "{{< figure src=\"p.png\" >}}", "{{< ref \"x\" >}}", "{{< relref", "{{</* x */>}}", "{{% include \"x\" %}}", "{{<mermaid>}}", "+++", "weight = 1", "weight: x", "{{ .Site }}", "{{<", ">}}", "%}}", "{{< highlight bash >}}", "{{< /highlight >}}", "{{< a \"b", "{{% expand %}}", "draft: true")),
    ),
    Form.MARKDOWN: (
        Seed(
            {"README.md": "# A tutorial\n\n1. [A](docs/01-a.md)\n2. [B](docs/b.md)\n", "docs/01-a.md": _PAGE.format("A"), "docs/02-b.md": _PAGE.format("B"), "docs/b.md": _PAGE.format("Go"), "docs/img/p.png": PNG, "SUMMARY.md": "* [A](docs/01-a.md)\n  * [B](docs/b.md#x)\n"},
            ("- [A](docs/01-a.md)", "## Step 1", "## License", "## Contents", "include::b.md[]", "<br/>"),
        ),
        Seed(
            {"docs/workshop.md": "---\npublished: true\ntype: workshop\ntitle: T\nshort_title: S\nduration_minutes: 30\nsections_title:\n- Intro\n- Two\n---\n# Intro\n\nA workshop.\n\n---\n\n## Two\n\n<div class=\"task\" data-title=\"T\">\n\n> x\n\n</div>\n\n```bash\nls\n```\n", "docs/assets/p.png": PNG, "README.md": "# A tutorial\n\n- [The workshop](docs/workshop.md)\n- [More](docs/more.md)\n", "docs/more.md": "# More\n"},
            ("---", '<div class="info" data-title="x">', "<details>", "sections_title:", "type: workshop", "include::x.md[]"),
        ),
        Seed({"README.md": "# Tutorial\n\n## First\n\n```bash\nls\n```\n\n## Second\n\n1. a\n2. b\n\n[first](#first)\n"}, ("## Step", "[x](#second)", "# Part")),
    ),
    Form.RST: (
        Seed(
            {"docs/conf.py": "project = 'W'\nextensions = []\n", "docs/index.rst": "Workshop\n========\n\n.. toctree::\n   :maxdepth: 2\n\n   a\n   b\n", "docs/a.rst": ".. _x:\n\nA\n=\n\nDo :ref:`x` :doc:`b`::\n\n   ls\n\n.. code-block:: bash\n   :linenos:\n\n   ls\n\n.. image:: p.png\n", "docs/b.rst": "B\n=\n\n.. note:: x\n\n#. One\n#. Two\n\n.. literalinclude:: c.py\n   :lines: 1-2\n\n.. include:: a.rst\n\n|s|\n\n.. |s| replace:: y\n", "docs/c.py": "a\nb\n", "docs/p.png": PNG},
            (".. toctree::", "   :glob:", "   *", ".. code-block:: bash", ".. include:: b.rst", ".. literalinclude:: ../../x", ".. raw:: html", "   :file: /etc/passwd", ".. csv-table::", "   :url: http://e.example", ".. |a| replace:: |a|", "|a|", ":ref:`x`", "::", "====", "----", ".. image:: gone.png", ".. tabs::", "   .. tab:: A", ".. _x: y_", ".. _y: x_", "x_", "`a <b>`_", ".. math::", ".. only:: html", ".. role:: raw(x)", ".. contents::", "+--+", "| a", ".. list-table::", "   * - a"),
            "docs",
        ),
    ),
    Form.WORKSHOP_BUILDER: (
        Seed(
            {
                "workshop.yaml": "version: v1\nworkshop: {name: my-lab, image: x}\nbase: {image: b, files: [{source: a, target: /a}]}\nsteps: [one, two]\n",
                "steps/one/content.md": "# One\n\nSee [two](../two/content.md).\n\n```bash\nls\n```\n",
                "steps/one/step.yaml": "title: The first\ngroup: Basics\nfiles:\n- {source: a b.sh, target: /work/a.sh, mode: '0755'}\ncommands: ['touch x']\nenv: {A: b}\n",
                "steps/one/files/a b.sh": "x\n", "steps/one/hints.md": "H\n", "steps/two/content.md": "# Two\n", "steps/two/step.yaml": "title: Second\n", "steps/two/goss.yaml": "file: {}\n", "steps/two/solve.md": "S\n",
            },
            ("steps: [one]", "- one", "title: x", "group: [", "files:", "- {source: ../../x, target: y}", "mode: 8"),
        ),
    ),
    Form.WORKSHOP: (
        Seed(
            {
                "workshop.yaml": "apiVersion: workshop-assistant/v1\nslug: w\ntitle: W\nsteps: [a, b]\nchapters:\n- {title: C, steps: [a]}\nvariables:\n- {name: x, default: y}\n",
                "steps/a/step.yaml": "title: A\nduration: 5\ncheck: {script: check.sh, timeout: 30}\n", "steps/a/content.md": "# A\n\n```bash exec\nls {{x}}\n```\n\n![p](../../assets/p.png)\n", "steps/a/check.sh": "exit 0\n",
                "steps/b/step.yaml": "title: B\n", "steps/b/content.md": "# B\n", "steps/b/quiz.yaml": "questions:\n- {question: Q, answers: [{text: a, correct: true}]}\n", "assets/p.png": PNG,
            },
            ("steps: [a]", "title: [", "- a", "```bash exec=2 copy", "duration: -1", "timeout: x", "slug: '-'"),
        ),
    ),
}  # fmt: skip
