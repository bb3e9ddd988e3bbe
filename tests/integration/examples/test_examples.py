"""The example workshops are whole: they validate, refer to nothing that is missing, and their scripts are sound."""

import py_compile
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from markdown_it import MarkdownIt

from shared_services.library.form import WorkshopFiles, read_folder
from tests.integration.examples.walkthrough import Fence, fences, matches, walk
from workshop_chat.contexts import read_contexts

EXAMPLES = Path(__file__).parents[3] / "examples"
NAMES = ("healthcare-ml", "k8s-security", "spring-boot")
SHELLS = {"bash", "sh"}
QUESTIONS = yaml.safe_load((Path(__file__).parent / "questions.yaml").read_text(encoding="utf-8"))
TEXTS = ("content.md", "hints.md", "solve.md", "explain.md")

workshops = pytest.mark.parametrize("name", NAMES)


def read(name: str) -> WorkshopFiles:
    return read_folder(EXAMPLES / name)


def texts(workshop: WorkshopFiles) -> dict[str, str]:
    paths = [f"steps/{step}/{text}" for step in workshop.manifest.steps for text in TEXTS]
    return {path: text for path in paths if (text := workshop.text(path)) is not None}


def slug(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def headings(text: str) -> set[str]:
    tokens = MarkdownIt("commonmark").parse(text)
    return {slug(tokens[at + 1].content.replace("`", "")) for at, token in enumerate(tokens) if token.type == "heading_open"}


def targets(text: str) -> list[str]:
    found = []
    for token in MarkdownIt("commonmark").parse(text):
        for child in token.children or []:
            if child.type == "link_open":
                found.append(str(child.attrGet("href")))
            elif child.type == "image":
                found.append(str(child.attrGet("src")))
    return found


def resolve(path: str, target: str) -> str:
    folder = Path("/w") / Path(path).parent
    joined = (folder / target.partition("#")[0]).resolve()
    return joined.relative_to("/w").as_posix()


@workshops
def test_is_a_valid_workshop_whose_folders_are_its_steps(name: str) -> None:
    workshop = read(name)
    assert workshop.manifest.slug == name
    assert sorted(path.name for path in (EXAMPLES / name / "steps").iterdir()) == sorted(workshop.manifest.steps)
    assert [step for chapter in workshop.manifest.chapters for step in chapter.steps] == workshop.manifest.steps
    assert workshop.manifest.context.name == name
    assert read_contexts()[name].rag_context_filter
    assert read_contexts()[name].content_focus


@workshops
def test_every_step_can_be_checked_and_helps(name: str) -> None:
    workshop = read(name)
    for step, manifest in workshop.steps.items():
        assert manifest.check is not None, step
        assert {f"steps/{step}/{text}" for text in ("hints.md", "solve.md", "check.sh")} <= workshop.files.keys()
        assert manifest.duration, step


@workshops
def test_executable_blocks_are_for_a_shell_and_outputs_say_so(name: str) -> None:
    blocks: list[Fence] = [block for path, text in texts(read(name)).items() for block in fences(text, path)]
    assert [b for b in blocks if b.info.executable and b.info.language not in SHELLS] == []
    assert [b for b in blocks if not (b.info.executable or b.info.copyable or b.info.output)] == []
    assert sum(b.info.executable for b in blocks) >= 10
    for block in blocks:
        if block.info.executable:
            done = subprocess.run(["bash", "-n"], input=block.text, text=True, capture_output=True)
            assert done.returncode == 0, f"{block.file}:{block.line} {done.stderr}"


@workshops
def test_every_link_and_image_leads_somewhere_inside(name: str) -> None:
    workshop = read(name)
    images = 0
    for path, text in texts(workshop).items():
        for target in targets(text):
            assert "://" not in target, f"{path}: {target}"
            place = resolve(path, target) if target.partition("#")[0] else path
            assert place in workshop.files, f"{path}: {target}"
            images += place.startswith("assets/")
            if "#" in target:
                assert target.partition("#")[2] in headings(workshop.text(place) or ""), f"{path}: {target}"
    assert images >= 1


@workshops
def test_images_run_nothing_and_load_nothing(name: str) -> None:
    workshop = read(name)
    for path in (path for path in workshop.files if path.endswith(".svg")):
        image = workshop.text(path) or ""
        assert not re.search(r"<script|<foreignObject|\bon\w+=|href=|url\(", image), path
        assert "<title" in image


@workshops
def test_scripts_are_sound(name: str) -> None:
    scripts = sorted((EXAMPLES / name).rglob("*.sh"))
    assert len(scripts) >= len(read(name).manifest.steps)
    for script in scripts:
        done = subprocess.run(["bash", "-n", script], text=True, capture_output=True)
        assert done.returncode == 0, done.stderr
    shellcheck = shutil.which("shellcheck")
    if shellcheck:
        done = subprocess.run([shellcheck, *scripts], text=True, capture_output=True)
        assert done.returncode == 0, done.stdout


def test_kubernetes_files_belong_to_the_namespace() -> None:
    files = sorted((EXAMPLES / "k8s-security").rglob("*.yaml"))
    manifests = [m for file in files if "files" in file.parts for m in yaml.safe_load_all(file.read_text(encoding="utf-8"))]
    assert len(manifests) >= 10
    for manifest in manifests:
        assert manifest["metadata"]["name" if manifest["kind"] == "Namespace" else "namespace"] == "shop"


def test_python_files_compile_and_their_tests_pass(tmp_path: Path) -> None:
    files = sorted((EXAMPLES / "healthcare-ml").rglob("*.py"))
    for file in files:
        shutil.copy(file, tmp_path)
        py_compile.compile(str(tmp_path / file.name), doraise=True)
    done = subprocess.run(
        ["python3", "-m", "unittest", "test_risk", "test_deidentify"], cwd=tmp_path, text=True, capture_output=True
    )
    assert done.returncode == 0, done.stderr
    assert "Ran 8 tests" in done.stderr


def test_the_healthcare_workshop_does_what_it_shows(tmp_path: Path) -> None:
    python = shutil.which("python3.12") or shutil.which("python3")
    assert python is not None
    results = walk(EXAMPLES / "healthcare-ml", tmp_path, {"PATH": f"{Path(python).parent}:/usr/bin:/bin", "LC_ALL": "C.UTF-8"})
    assert [finding for result in results if (finding := result.finding())] == []
    assert len([result for result in results if result.command.expected]) >= 10


@pytest.mark.parametrize(
    ("expected", "actual", "same"),
    [
        ("a\nb\n", "a\nb\n", True),
        ("a\nb\n", "a\nc\n", False),
        ("a\n...\nd\n", "a\nb\nc\nd\n", True),
        ("a\n...\nd\n", "a\nb\nc\n", False),
        ("pod api-7d49cfb997-pcw2l 5s", "pod  api-5bf4bb8f86-6w6tk  2m40s", True),
        ("accuracy 0.887", "accuracy 0.888", False),
    ],
)
def test_shown_and_printed_outputs_are_compared(expected: str, actual: str, same: bool) -> None:
    assert matches(expected, actual) is same


@workshops
def test_questions_have_their_ground(name: str) -> None:
    workshop = read(name)
    asked = QUESTIONS[name]
    assert len(asked["answerable"]) == 10
    assert sorted(row["distance"] for row in asked["unanswerable"]) == ["far", "far", "near", "near"]
    for row in asked["answerable"]:
        assert row["step"] in workshop.manifest.steps
        assert row["phrase"] in (workshop.text(f"steps/{row['step']}/content.md") or ""), row
