"""Order that stands in a file of its own: GitBook's and docsify's lists of contents, GitHub's exercises, and their own blocks."""

import pytest

from agents.template_converter.errors import NotAWorkshopError
from agents.template_converter.forms.markdown import MarkdownImporter
from agents.template_converter.recognise import choose, classify
from shared_services.contracts.conversion import Form
from tests.unit.template_converter.trees import make_tree, read

IMPORTER = MarkdownImporter()
LAB = "```bash\nls\n```\n"


def test_a_summary_gives_order_and_chapters(tmp_path):
    summary = (
        "# Summary\n\n* [Start](README.md)\n\n### Day one\n\n* Docker\n    * [Run](docker/run.md)\n    * [Build](docker/build.md)\n"
        "* [Kube](kube/README.md)\n    * [Pods](kube/pods.md)\n\n### Links\n\n* [Home](https://x.example)\n"
    )
    files = {
        "README.md": "# A lab day\n\nHello.\n",
        "SUMMARY.md": summary,
        "docker/run.md": "# Run\n",
        "docker/build.md": "# Build\n",
        "kube/README.md": "# Kube\n",
        "kube/pods.md": "# Pods\n",
        "kube/1-old.md": "# Old\n",
        "kube/2-old.md": "# Old\n",
    }
    workshop = read(IMPORTER, make_tree(tmp_path, files))
    assert workshop.title == "A lab day"
    assert [step.title for step in workshop.steps] == ["A lab day", "Run", "Build", "Kube", "Pods"]
    assert [(row.title, row.steps) for row in workshop.chapters] == [
        ("Day one / Docker", ["run", "build"]),
        ("Day one / Kube", ["kube", "pods"]),
    ]


def test_a_book_in_a_folder_of_its_own(tmp_path):
    files = {
        ".gitbook.yaml": "root: ./workshop/\n",
        "README.md": "# The repository\n",
        "workshop/README.md": "# The book\n",
        "workshop/SUMMARY.md": "* [B](b.md)\n* [A](a.md)\n",
        "workshop/a.md": "# A\n",
        "workshop/b.md": "# B\n",
    }
    workshop = read(IMPORTER, make_tree(tmp_path, files))
    assert (workshop.title, [step.title for step in workshop.steps]) == ("The book", ["The book", "B", "A"])


def test_a_sidebar_names_pages_from_its_own_root(tmp_path):
    files = {
        "docs/README.md": "# Camp\n\n!> Mind the [tool](1-first/tool).\n",
        "docs/_sidebar.md": "* [Home](/)\n* [First](/1-first/)\n  * [Tool](1-first/tool)\n",
        "docs/1-first/README.md": f"# First\n\n{LAB}\nSee [the tool](1-first/tool) and [home](/).\n",
        "docs/1-first/tool.md": "# Tool\n",
    }
    workshop = read(IMPORTER, make_tree(tmp_path, files))
    assert [step.title for step in workshop.steps] == ["Camp", "First", "Tool"]
    assert workshop.steps[0].content.endswith("> **Important**\n>\n> Mind the [tool](../tool/content.md).\n")
    assert "See [the tool](../tool/content.md) and [home](../camp/content.md)." in workshop.steps[1].content
    assert workshop.broken == []


def test_hints_and_tabs_of_gitbook(tmp_path):
    page = (
        '# T\n\n{% hint style="warning" %}\nMind *this*.\n\n```bash\nls\n```\n{% endhint %}\n\n## Choose\n\n{% tabs %}\n'
        '{% tab title="Linux" %}\napt\n{% endtab %}\n{% tab title="Mac" %}\nbrew\n{% endtab %}\n{% endtabs %}\n\n'
        '```jinja\n{% hint %}\n{% endhint %}\n```\n\n{% embed url="https://x.example/v" %}\n\n{% hint %}\nopen\n'
    )
    tree = make_tree(tmp_path, {"01-a.md": page, "02-b.md": "# B\n"})
    content = read(IMPORTER, tree).steps[0].content
    assert "> **Warning**\n>\n> Mind *this*.\n>\n> ```bash exec\n> ls\n> ```\n" in content
    assert "### Linux\n\napt\n" in content
    assert "### Mac\n\nbrew\n" in content
    assert "```jinja\n{% hint %}\n{% endhint %}\n```" in content
    assert "[https://x.example/v](<https://x.example/v>)" in content
    assert content.endswith("{% hint %}\nopen\n")


def test_the_steps_of_an_exercise_on_github(tmp_path):
    files = {
        "README.md": "# Hello actions\n\nWelcome.\n",
        ".github/steps/10-step.md": "## Step 10: End\n\nDone.\n",
        ".github/steps/2-step.md": "## Step 2: Push\n\nGo to {{ full_repo_name }}.\n\n```yaml\nx: ${{ secrets.A }}\n```\n",
        ".github/steps/1-step.md": "## Step 1: Branch\n\n![b](../images/b.png)\n\n# An example\n",
        ".github/steps/x-review.md": "## Review\n",
        ".github/steps/notes.txt": "no\n",
        ".github/images/b.png": b"png",
        ".github/workflows/1-step.yml": "on: push\n",
        ".github/workflows/ci.yml": "on: push\n",
        "app.py": "print()\n",
        "requirements.txt": "x\n",
    }
    tree = make_tree(tmp_path, files)
    best = classify(tree)[0]
    assert (best.form, best.evidence) == (Form.MARKDOWN, ["`.github/steps` holds the 4 steps of a GitHub exercise."])
    workshop = read(IMPORTER, tree)
    assert workshop.title == "Hello actions"
    assert [step.title for step in workshop.steps] == [
        "Hello actions",
        "Step 1: Branch",
        "Step 2: Push",
        "Step 10: End",
        "Review",
    ]
    assert list(workshop.assets.values()) == [".github/images/b.png"]
    assert [row.name for row in workshop.variables] == ["full_repo_name"]
    assert "```yaml\nx: ${{ secrets.A }}\n```" in workshop.steps[2].content
    assert [(row.kind, row.source) for row in workshop.losses] == [("check", ".github/workflows/1-step.yml")]


VUEPRESS = """const head = require('./head');
module.exports = {
  title: 'Camp',
  head,
  themeConfig: {
    sidebar: [
      '/',
      { title: 'Labs', collapsable: false, children: ['/labs/two', ['/labs/one', 'The first'], '/labs/gone'] },
      { text: 'Away', link: 'https://x.example' },
    ],
  },
};
"""
VITEPRESS = """import { defineConfig } from 'vitepress'
export default defineConfig({
  title: 'Camp',
  themeConfig: {
    sidebar: { '/': [
      { text: 'Home', link: '/' },
      { text: 'Labs', base: '/labs/', items: [{ text: 'Two', link: 'two' }, { text: 'One', link: 'one.md' }, { text: 'Gone', link: 'gone' }] },
    ] },
  },
})
"""


@pytest.mark.parametrize(("place", "config"), [(".vuepress/config.js", VUEPRESS), (".vitepress/config.mts", VITEPRESS)])
def test_the_sidebar_of_a_site_gives_order_and_chapters(tmp_path, place, config):
    files = {
        f"docs/{place}": config,
        "README.md": "# A workshop\n",
        "docs/index.md": "# Welcome\n\nSee [one](/labs/one.html).\n",
        "docs/labs/one.md": f"# One\n\n{LAB}\n![p](/p.png)\n",
        "docs/labs/two.md": f"# Two\n\n::: tip\nMind.\n:::\n\n{LAB}",
        f"docs/{'.vuepress/' if 'vuepress' in place else ''}public/p.png": b"\x89PNG\r\n\x1a\n",
    }
    tree = make_tree(tmp_path, files)
    best = choose(classify(tree), None)
    assert best.evidence[0].startswith(f"`docs/{place}` configures a Vu" if "vue" in place else f"`docs/{place}` configures a Vi")
    workshop = read(IMPORTER, tree)
    assert (workshop.title, [step.title for step in workshop.steps]) == ("Camp", ["Welcome", "Two", "One"])
    assert [(row.title, row.steps) for row in workshop.chapters] == [("Labs", ["two", "one"])]
    assert "See [one](../one/content.md)." in workshop.steps[0].content
    assert "> **Tip**\n>\n> Mind." in workshop.steps[1].content
    assert "public/p.png)" in workshop.steps[2].content
    assert [row.target for row in workshop.broken] == ["docs/labs/gone"]


def test_a_lesson_of_the_carpentries_has_the_order_of_its_configuration(tmp_path):
    config = "carpentry: 'incubator'\ntitle: 'A lesson'\nepisodes:\n- start.md\n- plots.Rmd\n- end.md\n- gone.md\n"
    files = {
        "config.yaml": config,
        "README.md": "# repo-name\n\nThis lesson teaches.\n",
        "episodes/end.md": f"---\ntitle: The end\n---\n\n{LAB}",
        "episodes/start.md": f"---\ntitle: The start\n---\n\n{LAB}",
        "episodes/plots.Rmd": "# Plots\n",
        "episodes/draft.md": "# Draft\n",
    }
    tree = make_tree(tmp_path, files)
    assert choose(classify(tree), None).evidence[0] == "`config.yaml` lists 2 pages in order."
    workshop = read(IMPORTER, tree)
    assert (workshop.title, [step.title for step in workshop.steps]) == ("A lesson", ["The start", "The end"])
    assert [row.target for row in workshop.broken] == ["episodes/gone.md"]
    assert "episodes/plots.Rmd" in [row.source for row in workshop.losses]


@pytest.mark.parametrize(
    "files",
    [
        {"config.yaml": "episodes: [a.md\n", "episodes/a.md": LAB},
        {"config.yaml": "episodes: a\n", "episodes/a.md": LAB},
        {"config.yaml": "- x\n", "episodes/a.md": LAB},
        {"docs/.vuepress/config.js": "module.exports = 3;\n"},
        {"docs/.vuepress/config.js": "module.exports = {themeConfig: {sidebar: 'auto'}};\n"},
        {"docs/.vitepress/config.ts": "export default {themeConfig: {sidebar: [{items: [{}, null, 3]}]}}\n"},
        {".vitepress/config.js": "export default (\n"},
    ],
)
def test_configurations_that_list_nothing(tmp_path, files):
    tree = make_tree(tmp_path, {"1-a.md": LAB, "2-b.md": LAB, **files})
    assert [step.source for step in read(IMPORTER, tree).steps] == ["1-a.md", "2-b.md"]


def test_pages_of_commands_in_lists_instruct(tmp_path):
    commands = "".join(f"* `docker run --rm image{number}`\n" for number in range(6))
    files = {
        "README.md": "# A workshop\n\n* [One](a.md)\n* [Two](b.md)\n",
        "a.md": f"# A\n\n{commands}",
        "b.md": f"# B\n\n{commands}",
    }
    assert choose(classify(make_tree(tmp_path / "one", files)), None).form is Form.MARKDOWN
    options = "".join(f"* `--option{number} value`\n" for number in range(6))
    files |= {"a.md": f"# A\n\n{options}", "b.md": f"# B\n\n{options}"}
    with pytest.raises(NotAWorkshopError):
        choose(classify(make_tree(tmp_path / "two", files)), None)
