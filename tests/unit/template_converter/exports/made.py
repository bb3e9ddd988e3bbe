"""A workshop that holds everything that the neutral form has, and the way through a form and back."""

from pathlib import Path

from agents.template_converter.exports import EXPORTERS
from agents.template_converter.exports.model import Exported
from agents.template_converter.forms.parsing import PARSER
from agents.template_converter.model import ImportedWorkshop
from agents.template_converter.recognise import classify, importer_of
from shared_services.contracts.conversion import Form
from shared_services.library.form import WorkshopFiles, validate_files
from tests.unit.template_converter.trees import make_tree

FILES = {
    "workshop.yaml": (
        "apiVersion: workshop-assistant/v1\nslug: made\ntitle: 'A [made] workshop: {all} of it'\nsummary: What there is.\nauthors: [Ann, Bo]\n"
        "tags: [java]\ndifficulty: beginner\nduration: 40\nsteps: [one, two, three]\nchapters: [{title: First, steps: [one, two]}]\n"
        "variables: [{name: user, default: ann}, {name: host}]\ncontext: {tags: [ops]}\n"
    ),
    "steps/one/step.yaml": "title: 'Look, {{around}} & go'\nduration: 10\ncheck: {script: check.sh, timeout: 5}\n",
    "steps/one/content.md": (
        "# Look, {{around}} & go\n\nText with {braces}, {{user}}, `code {{user}} {x}`, *em* and **st**rong; a+b+c, <kbd>Ctrl</kbd>.\n\n"
        "```bash exec\nls {{user}} ${HOME}\necho '<1>'\n```\n\n1. First\n\n   ```bash exec=host2\n   cd /tmp\n\n   ls\n   ```\n\n"
        "   > **Warning**\n   >\n   > Mind it.\n\n2. Then\n\n```java copy\nclass A {\n\n    int b;\n}\n```\n\n```text output\ntotal 0 <1>\n```\n\n"
        "```bash\nnot to run\n```\n\n```\n----\nplain\n```\n\n> **Note**\n>\n> A note.\n\n> A quote.\n\n![Alt, text](../../assets/img/a.png)\n\n"
        "See [two](../two/content.md#part-two) and [the file](../../assets/data.csv), [out](https://e.example/a_b?c=d).\n\n"
        "## Look again\n\n| a | b |\n|---|---|\n| 1 | `x` |\n\nBack to [there](#look-again).\n"
    ),
    "steps/one/hints.md": "Try `ls`.\n\n```bash exec\nls -l\n```\n",
    "steps/one/explain.md": "It lists.\n",
    "steps/one/solve.md": "```bash exec\nls -la {{user}}\n```\n",
    "steps/one/check.sh": "#!/bin/bash\ntest -e x\n",
    "steps/one/setup.sh": "#!/bin/bash\ntouch x\n",
    "steps/two/step.yaml": "title: Two\n",
    "steps/two/content.md": "## Not the first level\n\nWords.\n\n## Part two\n\nMore ![i](../../assets/img/a.png) words.\n",
    "steps/three/step.yaml": "title: Three\n",
    "steps/three/content.md": "# Another heading\n\n~~~python\nprint('```')\n~~~\n",
    "steps/three/files/app/x.txt": "x\n",
    "assets/img/a.png": "png",
    "assets/data.csv": "a,b\n",
}


def made(**more: str) -> WorkshopFiles:
    return validate_files({path: text.encode() for path, text in {**FILES, **more}.items()})


def there_and_back(workshop: WorkshopFiles, form: Form, folder: Path) -> tuple[Exported, ImportedWorkshop]:
    exported = EXPORTERS[form].write(workshop)
    tree = make_tree(folder, dict(exported.files))
    candidate = next(row for row in classify(tree) if row.form is form)
    assert candidate.score >= 0.5
    importer = importer_of(form)
    assert importer is not None
    return exported, importer.read(tree, candidate)


def blocks(text: str | None) -> list[tuple[str, str]]:
    return [(" ".join(token.info.split()), token.content) for token in PARSER.parse(text or "") if token.type == "fence"]
