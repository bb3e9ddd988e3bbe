"""The skeleton of a workshop: all that it says stands in the repository, and a person can follow it from the top."""

import posixpath
import re

import pytest

from agents.template_converter.inventory.program import main_program
from agents.template_converter.inventory.read import read_inventory
from agents.template_converter.inventory.skeleton import skeleton
from tests.unit.template_converter.trees import make_tree

SPRING = "import org.springframework.boot.SpringApplication;\nclass App {\n  public static void main(String[] a) {}\n}\n"
OWNERS = '@RestController\nclass Owners {\n  @GetMapping("/owners")\n  String all() { return ""; }\n  @GetMapping("/o/{id}") String o() {}\n}\n'
POM = "<project><dependencies><dependency><groupId>org.springframework.boot</groupId><artifactId>spring-boot-starter</artifactId></dependency></dependencies></project>"

REPOSITORIES = {
    "modules of Maven": (
        {
            "pom.xml": "<project><modules><module>owners</module></modules></project>",
            "mvnw": "",
            "owners/pom.xml": POM,
            "owners/src/main/java/App.java": SPRING,
            "owners/src/main/java/Owners.java": OWNERS,
            "owners/src/main/resources/application.yml": "spring:\n  name: x\nserver:\n  shutdown: graceful\n  port: 8081\n",
            "owners/src/test/java/OwnersTest.java": "class OwnersTest {}",
            "vets/pom.xml": POM,
            "vets/src/main/java/Vets.java": '@RestController class Vets { @GetMapping("/vets") String v() { return ""; } }',
            "vets/src/test/java/VetsTest.java": "class VetsTest {}",
            "docker/Dockerfile": "FROM eclipse-temurin:21\n",
            "docker-compose.yml": "services:\n  owners: {image: owners}\n",
            "vets/Dockerfile": "FROM other\n",
            "vets/docker-compose.yml": "services:\n  other: {image: other}\n",
        },
        [
            "./mvnw package -DskipTests -pl owners -am",
            "./mvnw -pl owners spring-boot:run",
            "curl -i http://localhost:8081/owners",
            "./mvnw test -pl owners -am",
            "podman build -f docker/Dockerfile -t localhost/it:dev docker",
            "podman run --rm localhost/it:dev",
            "podman-compose -f docker-compose.yml up -d",
        ],
    ),
    "a service in a folder": (
        {
            "package.json": '{"private": true}',
            "api/pyproject.toml": "[project]\nname='api'\ndependencies=['fastapi']\n[dependency-groups]\ndev=['pytest>8', {include-group='x'}]\n",
            "uv.lock": "",
            "api/app/main.py": "from fastapi import FastAPI\nweb = FastAPI()\n@web.get('/items')\ndef items(): ...\n",
            "api/tests/test_items.py": "def test(): ...\n",
            "api/Dockerfile": "FROM python:3\nEXPOSE 8000\n",
            "compose.yml": "services:\n  api:\n    build: {context: ., dockerfile: api/Dockerfile}\n",
        },
        [
            "(cd api && uv sync)",
            "(cd api && uv run uvicorn app.main:web)",
            "curl -i http://localhost:8000/items",
            "(cd api && uv run pytest)",
            "podman build -f api/Dockerfile -t localhost/it:dev .",
            "podman run --rm -p 8000:8000 localhost/it:dev",
            "podman-compose -f compose.yml up -d",
        ],
    ),
    "a program of Go": (
        {
            "go.mod": "module x\n\nrequire github.com/gin-gonic/gin v1.0.0\n",
            "cmd/web/main.go": 'package main\nimport "github.com/gin-gonic/gin"\nfunc main() {\n  r := gin.New()\n'
            '  r.GET("/ping", ping)\n  r.Run(":8090")\n}\n',
            "cmd/web/ping.go": "package main\n\nfunc ping(c *gin.Context) {\n  c.String(200)\n}\n",
            "ping_test.go": "package x\n",
            "scripts/Dockerfile": "FROM golang AS build\nCOPY go.mod cmd ./\nFROM scratch\nCOPY --from=build /x /x\n",
            "deploy/app.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n",
            "deploy/service.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n",
            "charts/templates/app.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: chart}\n",
        },
        [
            "go build ./...",
            "go run ./cmd/web",
            "curl -i http://localhost:8090/ping",
            "go test ./...",
            "podman build -f scripts/Dockerfile -t localhost/it:dev .",
            "podman run --rm localhost/it:dev",
            "kubectl apply -f deploy",
        ],
    ),
    "an application of Flask": (
        {
            "requirements.txt": "-r requirements/prod.txt\n",
            "requirements/prod.txt": "Flask==2\n",
            "autoapp.py": "from shop import create_app\napp = create_app()\n",
            "shop.py": "from flask import Flask\nbp = Blueprint('b', __name__)\n@bp.route('/shop')\ndef shop(): ...\n",
        },
        ["python3 -m pip install -r requirements.txt", "flask --app autoapp run"],
    ),
    "Gradle with modules": (
        {
            "settings.gradle": "include 'a'",
            "gradlew": "",
            "a/build.gradle": "plugins { id 'org.springframework.boot' version '3.0' }\n",
            "a/src/main/java/App.java": SPRING,
            "a/src/main/java/Owners.java": OWNERS,
        },
        ["./gradlew :a:assemble", "./gradlew :a:bootRun"],
    ),
    "packages of pnpm": (
        {
            "package.json": '{"scripts": {"dev": "next dev", "build": "next build"}, "dependencies": {"next": "15"}}',
            "pnpm-lock.yaml": "",
            "app/api/x/route.ts": "export function GET() {}\n",
        },
        ["pnpm install", "pnpm run build", "pnpm run dev"],
    ),
}


def commands(content):
    return [row for block in re.findall(r"```bash exec\n(.*?)\n```", content, re.DOTALL) for row in block.split("\n")]


@pytest.mark.parametrize("name", REPOSITORIES)
def test_commands_are_those_of_the_tool_and_given_from_the_top(tmp_path, name):
    files, expected = REPOSITORIES[name]
    tree = make_tree(tmp_path, files)
    workshop = skeleton(tree, read_inventory(tree), "it", "https://git.example/it.git")
    assert [row for step in workshop.steps[1:] for row in commands(step.content)] == expected


@pytest.mark.parametrize("name", REPOSITORIES)
def test_every_file_line_command_and_endpoint_is_the_repository_s(tmp_path, name):
    tree = make_tree(tmp_path, REPOSITORIES[name][0])
    inventory = read_inventory(tree)
    said = "\n".join(step.content for step in skeleton(tree, inventory, "it", None).steps)
    assert len(said) > 500
    check(tree, inventory, said)


def check(tree, inventory, said):
    """Hold everything that a skeleton names against the tree."""
    folders = {posixpath.dirname(path) for path in tree.files} | {""}
    folders |= {posixpath.dirname(folder) for folder in folders}
    named = re.findall(r"`([\w.-][\w./-]*/[\w./-]+\.\w+)(?::(\d+))?`(?:, line (\d+))?", said)
    assert named or "`" in said
    for path, after, beside in named:
        assert path in tree or not re.search(r"\.(?:py|java|go|ts|js|ya?ml|json|xml|gradle)$", path), path
        line = int(after or beside or 0)
        assert line <= len(tree.read_text(path).split("\n")) if path in tree else not line
    for method, address, place, line in re.findall(r"\| (\w+) \| `([^`]+)` \|[^|]*\| `([^:`]+):(\d+)` \|", said):
        assert (method, address, place, int(line)) in {
            (row.method, row.path, row.place.path, row.place.line) for row in inventory.endpoints
        }
    for excerpt in re.findall(r"~~~\w+\n(.*?)\n~~~", said, re.DOTALL):
        assert any(excerpt in tree.read_text(path) for path in tree.files)
    for command in commands(said):
        folder, rest = re.fullmatch(r"(?:\(cd (\S+) && )?(.*?)\)?", command).groups()
        assert (folder or "") in folders
        for word in rest.split():
            if word.startswith("./") and word != "./...":
                target = posixpath.normpath(posixpath.join(folder or "", word))
                assert target in tree or target in folders
        for option, value in re.findall(r"(-f|-r|-pl|-k) (\S+)", rest):
            target = posixpath.join(folder or "", value)
            assert target in tree or target in folders, option


def test_the_function_that_answers_is_shown(tmp_path):
    tree = make_tree(tmp_path, REPOSITORIES["a program of Go"][0])
    text = next(
        step.content for step in skeleton(tree, read_inventory(tree), "it", None).steps if step.id == "change-an-endpoint"
    )
    assert "is routed in `cmd/web/main.go`, line 5, and answered in `cmd/web/ping.go`, line 3:" in text
    assert "~~~go\nfunc ping(c *gin.Context) {" in text


def test_other_programs_endpoints_are_counted_apart(tmp_path):
    tree = make_tree(tmp_path, REPOSITORIES["modules of Maven"][0])
    inventory = read_inventory(tree)
    program = main_program(inventory, tree.files)
    assert (program.root, program.module, program.folder, len(program.endpoints)) == ("", "owners", "owners", 2)
    assert program.tests == ["owners/src/test/java/OwnersTest.java"]
    text = next(step.content for step in skeleton(tree, inventory, "it", None).steps if step.id == "find-your-way")
    assert "The repository's other programs have 1 more." in text
