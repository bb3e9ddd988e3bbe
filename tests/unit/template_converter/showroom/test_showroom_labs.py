"""What belongs to a Showroom lab beside its pages: automation, the lab's page with its modules and tabs."""

import subprocess
from pathlib import Path

import pytest

from agents.template_converter.forms.showroom import ShowroomImporter
from agents.template_converter.model import ImportedStep
from tests.unit.template_converter.showroom.antora_site import DESCRIPTOR, PAGES, PLAYBOOK, site, workshop

NAV = "content/modules/ROOT/nav.adoc"
BOOK = "- hosts: all\n"


def run(step: ImportedStep, script: str, folder: Path) -> list[str]:
    """What a script of the step prints, run beside the step's files with an `ansible-playbook` that prints its argument."""
    for path, data in step.files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    program = folder / "bin/ansible-playbook"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\necho "played $1"\n')
    program.chmod(0o755)
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env={"PATH": f"{program.parent}:/usr/bin:/bin"},
        capture_output=True,
        check=True,
        text=True,
    )
    return done.stdout.splitlines()


def test_automation_becomes_checks_setup_and_solutions(tmp_path: Path) -> None:
    found = workshop(
        {
            "site.yml": PLAYBOOK,
            NAV: "* xref:index.adoc[]\n* xref:knead.adoc[]\n",
            f"{PAGES}/index.adoc": "= Start\n",
            f"{PAGES}/knead.adoc": '= Knead\n\n++++\n<div class="validate-button-placeholder" data-module="stage-a"></div>\n++++\n',
            "runtime-automation/index/validate.sh": "#!/bin/sh\ntest -f dough\n",
            "runtime-automation/index/solve.sh": "touch dough\n",
            "runtime-automation/stage-a/validate.yml": BOOK,
            "runtime-automation/stage-a/solve.yml": BOOK,
            "runtime-automation/stage-a/README.txt": "Notes",
            "runtime-automation/nobody/solve.yml": BOOK,
            "runtime-automation/main.yml": BOOK,
        }
    )
    first, second = found.steps
    assert first.check == "#!/bin/sh\ntest -f dough\n"
    assert first.solve == "```bash\ntouch dough\n```\n"
    assert second.check is not None
    assert run(second, second.check, tmp_path) == ["played files/runtime-automation/stage-a/validate.yml"]
    assert second.solve == f"```yaml\n{BOOK}```\n"
    assert sorted(second.files) == [
        "files/runtime-automation/stage-a/README.txt",
        "files/runtime-automation/stage-a/validate.yml",
    ]
    assert sorted((loss.kind, loss.source) for loss in found.losses) == [
        ("check", "runtime-automation/main.yml"),
        ("check", "runtime-automation/nobody/solve.yml"),
        ("check", "runtime-automation/stage-a/README.txt"),
        ("check", "runtime-automation/stage-a/validate.yml"),
        ("html", f"{PAGES}/knead.adoc"),
    ]
    assert "<div" not in second.content


def test_scripts_for_several_hosts_run_one_after_the_other(tmp_path: Path) -> None:
    found = workshop(
        {
            NAV: "* xref:warm it.adoc[]\n",
            f"{PAGES}/warm it.adoc": "= Start\n",
            "runtime-automation/warm it/validate-oven10.sh": "echo ten\n",
            "runtime-automation/warm it/validate-oven2.sh": "echo two\nexit 0\n",
            "setup-automation/setup-oven.sh": "echo warm\n",
            "setup-automation/ansible.cfg": "[defaults]\n",
        }
    )
    (step,) = found.steps
    assert step.check is not None
    assert run(step, step.check, tmp_path) == ["two", "ten"]
    assert step.setup == "echo warm\n"
    assert ("check", "setup-automation/ansible.cfg") in {(loss.kind, loss.source) for loss in found.losses}


def test_automation_for_several_pages_checks_at_the_last_of_them() -> None:
    found = workshop(
        {
            NAV: "* xref:part-1-mix.adoc[]\n* xref:part-1-rest.adoc[]\n* xref:part-2.adoc[]\n",
            f"{PAGES}/part-1-mix.adoc": "= Mix\n",
            f"{PAGES}/part-1-rest.adoc": "= Rest\n",
            f"{PAGES}/part-2.adoc": "= Bake\n",
            "runtime-automation/part-1/setup.sh": "one\n",
            "runtime-automation/part-1/validate.sh": "two\n",
        }
    )
    assert [(step.setup, step.check) for step in found.steps] == [("one\n", None), (None, "two\n"), (None, None)]
    assert any(loss.kind == "check" and "for 2 steps together" in loss.detail for loss in found.losses)


MODULES = (
    'antora:\n  modules:\n  - name: 02-oven\n    label: "Hot oven"\n  - name: 10-eat\n  - name: gone\ntabs:\n- name: Kitchen\n'
)


def test_a_lab_without_navigation_lists_its_modules_in_its_page() -> None:
    tree = site(
        {
            "site.yml": PLAYBOOK,
            "ui-config.yml": MODULES,
            "content/antora.yml": "name: lab\ntitle: Bread Lab\nversion: ~\n",
            f"{PAGES}/02-oven.adoc": "Hello.\n\n== Warm it\n",
            f"{PAGES}/10-eat.adoc": "== Eat it\n\nNow.\n",
            f"{PAGES}/old.adoc": "= Old\n",
        }
    )
    importer = ShowroomImporter()
    candidate = importer.recognise(tree)[0]
    assert "`content/antora.yml` without a nav, and `ui-config.yml` with 2 pages" in candidate.evidence
    found = importer.read(tree, candidate)
    assert [(step.id, step.title) for step in found.steps] == [("02-oven", "Hot oven"), ("10-eat", "Eat it")]
    assert found.steps[0].content.startswith("# Hot oven\n\nHello.")
    assert found.steps[1].content == "# Eat it\n\nNow.\n"
    assert [(broken.kind, broken.source, broken.target) for broken in found.broken] == [("nav", "ui-config.yml", "gone")]
    assert [(loss.kind, loss.source) for loss in found.losses] == [("page", f"{PAGES}/old.adoc"), ("tab", "ui-config.yml")]
    assert "“Kitchen”" in found.losses[1].detail


def test_without_any_list_pages_are_in_natural_order() -> None:
    found = workshop(
        {
            "content/antora.yml": "name: lab\ntitle: Bread Lab\nversion: ~\n",
            f"{PAGES}/10-eat.adoc": "= Eat\n",
            f"{PAGES}/2-bake.adoc": "= Bake\n",
        }
    )
    assert [step.title for step in found.steps] == ["Bake", "Eat"]


@pytest.mark.parametrize("text", ["tabs: [unclosed\n", "- a\n- b\n", "antora: 3\ntabs: {a: b}\n"])
def test_a_lab_page_that_makes_no_sense_is_passed_over(text: str) -> None:
    found = workshop(
        {"ui-config.yml": text, "content/antora.yml": DESCRIPTOR, NAV: "* xref:a.adoc[]\n", f"{PAGES}/a.adoc": "= A\n"}
    )
    assert [step.title for step in found.steps] == ["A"]
    assert [broken.kind for broken in found.broken] == (["config"] if "unclosed" in text else [])


def test_labels_that_a_tool_made_of_names_give_way_to_headings() -> None:
    names = ("01-warmoven", "02-mix-it", "03-eat")
    modules = "".join(f"  - name: {name}\n    label: {name[3:].replace('-', ' ').title()}\n" for name in names)
    found = workshop(
        {
            "ui-config.yml": f"antora:\n  modules:\n{modules}",
            "content/antora.yml": "name: lab\ntitle: Bread Lab\nversion: ~\n",
            f"{PAGES}/01-warmoven.adoc": ":a: b\n\n== Warm the oven\n",
            f"{PAGES}/02-mix-it.adoc": "Words first.\n\n== A section\n",
            f"{PAGES}/03-eat.adoc": "Words.\n",
        }
    )
    assert [step.title for step in found.steps] == ["Warm the oven", "Mix It", "Eat"]


def test_folders_of_the_labs_set_up_are_told() -> None:
    found = workshop(
        {
            NAV: "* xref:a.adoc[]\n",
            f"{PAGES}/a.adoc": "= A\n",
            "setup-automation/setup.sh": "echo warm\n",
            "setup-automation/roles/oven/tasks/main.yml": "- debug:\n",
            "setup-automation/roles/oven/vars/main.yml": "a: 1\n",
        }
    )
    assert [(loss.kind, loss.source) for loss in found.losses] == [("check", "setup-automation/roles")]
    assert "2 files" in found.losses[0].detail
