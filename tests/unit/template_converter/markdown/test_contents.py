"""Order that stands in a file of its own: GitBook's and docsify's lists of contents, GitHub's exercises, and their own blocks."""

from agents.template_converter.forms.markdown import MarkdownImporter
from agents.template_converter.recognise import classify
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
