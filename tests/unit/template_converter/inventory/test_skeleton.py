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
            "podman run --rm -p 8081:8081 localhost/it:dev",
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
            "(cd api && uv run --with uvicorn uvicorn app.main:web)",
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
            "podman run --rm -p 8090:8090 localhost/it:dev",
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
        [
            "python3 -m venv .venv",
            ".venv/bin/python -m pip install -r requirements.txt",
            ".venv/bin/flask --app autoapp run",
            "curl -i http://localhost:5000/shop",
        ],
    ),
    "a command of Python, tested by an extra": (
        {
            "pyproject.toml": "[tool.black]\nline-length = 9\n",
            "setup.cfg": "[metadata]\nname = tool\n[options]\ninstall_requires =\n    requests>=2\n[options.entry_points]\n"
            "console_scripts =\n    tool = tool.main:main\n[options.extras_require]\ntest =\n    pytest\n",
            "setup.py": "from setuptools import setup\nsetup()\n",
            "Makefile": "all:\n",
            "tool/main.py": "def main(): ...\n",
            "tests/test_main.py": "def test(): ...\n",
        },
        [
            "python3 -m venv .venv",
            ".venv/bin/python -m pip install -e .",
            ".venv/bin/tool --help",
            ".venv/bin/python -m pip install -e '.[test]'",
            ".venv/bin/python -m pytest",
        ],
    ),
    "a library of Python with nothing to start": (
        {
            "pyproject.toml": "[project]\nname='lib'\n[dependency-groups]\ntests=['pytest']\n[build-system]\nbuild-backend='flit_core.buildapi'\n",
            "uv.lock": "",
            "src/lib/__init__.py": "",
            "tests/test_lib.py": "def test(): ...\n",
        },
        ["uv sync", "uv sync --group tests", "uv run pytest"],
    ),
    "a program with settings, a database and migrations": (
        {
            ".env.example": "DATABASE_URL=x\n",
            "requirements.txt": "fastapi\nalembic\n",
            "requirements-dev.txt": "pytest\n",
            "dev-requirements.txt": "pytest\n",
            "alembic.ini": "[alembic]\n",
            "main.py": "from fastapi import FastAPI\napp = FastAPI()\n@app.get('/carts/')\ndef carts(): ...\n",
            "tests/test_carts.py": "def test(): ...\n",
            "Dockerfile": "FROM python:3\nCOPY dist/built main.py ./\n",
            "docker/compose.yml": "services:\n  db: {image: 'docker.io/library/postgres:17', ports: ['5432:5432']}\n"
            "  cache: {image: 'redis'}\n  ui: {image: 'someone/ui', ports: ['1:1']}\n",
        },
        [
            "cp .env.example .env",
            "python3 -m venv .venv",
            ".venv/bin/python -m pip install -r requirements.txt uvicorn",
            "podman-compose -f docker/compose.yml up -d db",
            ".venv/bin/alembic upgrade head",
            ".venv/bin/uvicorn main:app",
            "curl -i http://localhost:8000/carts/",
            ".venv/bin/python -m pip install -r dev-requirements.txt",
            ".venv/bin/python -m pytest",
            "podman build -f Dockerfile -t localhost/it:dev .",
            "podman run --rm -p 8000:8000 localhost/it:dev",
            "podman-compose -f docker/compose.yml up -d",
        ],
    ),
    "a site of Django": (
        {
            "requirements.txt": "Django==5\n",
            "manage.py": "if __name__ == '__main__':\n    main()\n",
            "shop/urls.py": "from django.urls import path\nurlpatterns = [path('admin/', admin.site.urls), path('carts/', views.carts)]\n",
            "shop/views.py": "import x\n\n\ndef carts(request): ...\n",
            "shop/tests.py": "from django.test import TestCase\n",
            "docker-compose.yml": "services:\n  db: {image: 'mysql:8'}\n",
            "deploy/app.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: shop}\n",
        },
        [
            "python3 -m venv .venv",
            ".venv/bin/python -m pip install -r requirements.txt",
            ".venv/bin/python manage.py migrate",
            ".venv/bin/python manage.py runserver",
            "curl -i http://localhost:8000/carts/",
            ".venv/bin/python manage.py test",
            "kubectl apply -f deploy/app.yaml",
        ],
    ),
    "a program of Flask with its tests in one file": (
        {
            "requirements.txt": "Flask\nFlask-Migrate\n",
            "site.py": "from flask import Flask\napp = Flask(__name__)\n@app.route('/x')\ndef x(): ...\n",
            "migrations/alembic.ini": "[alembic]\n",
            "tests.py": "import unittest\n",
        },
        [
            "python3 -m venv .venv",
            ".venv/bin/python -m pip install -r requirements.txt",
            ".venv/bin/flask --app site db upgrade",
            ".venv/bin/flask --app site run",
            "curl -i http://localhost:5000/x",
            ".venv/bin/python -m unittest tests.py",
        ],
    ),
    "two programs of Go, of which one serves": (
        {
            "go.mod": "module example.org/x\n\ngo 1.25\n",
            "cmd/admin/main.go": "package main\n\nfunc main() {}\n",
            "cmd/shop/main.go": 'package main\nimport ("example.org/x/pkg/api"; "flag")\nfunc main() {\n  fs.Int("port", 9898, "the port")\n  api.Run()\n}\n',
            "pkg/api/api.go": 'package api\nimport "net/http"\nfunc Run() {\n  http.HandleFunc("GET /carts", carts)\n}\nfunc carts() {}\n',
            "Dockerfile": 'FROM scratch\nCOPY . .\nCMD ["./shop", "serve", "--quiet"]\n',
        },
        [
            "go build ./...",
            "go run ./cmd/shop serve --quiet",
            "curl -i http://localhost:9898/carts",
            "podman build -f Dockerfile -t localhost/it:dev .",
            "podman run --rm -p 9898:9898 localhost/it:dev",
        ],
    ),
    "a command of Go": (
        {
            "go.mod": "module example.org/x\n",
            "main.go": "package main\n\nfunc main() {}\n",
            "Dockerfile": 'FROM scratch\nCOPY tool /bin/\nENTRYPOINT ["/bin/tool"]\n',
        },
        ["go build ./...", "go run .", "podman build -f Dockerfile -t localhost/it:dev .", "podman run --rm localhost/it:dev"],
    ),
    "a server of Node without scripts": (
        {
            "package.json": '{"scripts": {"test": "echo \\"Error: no test specified\\" && exit 1"}, "dependencies": {"express": "4", "@prisma/client": "5"}}',
            "prisma/migrations/1_first/migration.sql": "",
            "server.js": "const express = require('express');\nconst app = express();\nconst port = process.env.PORT || 4000;\n"
            "app.get('/x', x);\napp.listen(port);\n",
            "x.test.js": "",
        },
        ["npm install", "npx prisma generate", "npx prisma migrate deploy", "node server.js", "curl -i http://localhost:4000/x"],
    ),
    "Gradle with modules": (
        {
            "settings.gradle": "include 'a'",
            "gradlew": "",
            "a/build.gradle": "plugins { id 'org.springframework.boot' version '3.0' }\n",
            "a/src/main/java/App.java": SPRING,
            "a/src/main/java/Owners.java": OWNERS,
        },
        ["./gradlew :a:assemble", "./gradlew :a:bootRun", "curl -i http://localhost:8080/owners"],
    ),
    "packages of pnpm": (
        {
            "package.json": '{"scripts": {"dev": "next dev", "build": "next build"}, "dependencies": {"next": "15"}}',
            "pnpm-lock.yaml": "",
            "app/api/x/route.ts": "export function GET() {}\n",
        },
        ["pnpm install", "pnpm run build", "pnpm run dev", "curl -i http://localhost:3000/api/x"],
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
    assert len(said) > 200
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
    rows = {(row.method, row.path, row.place.path, row.place.line) for row in inventory.endpoints}
    for method, address, place, line in re.findall(r"\| (\w+) \| `([^`]+)` \|[^|]*\| `([^:`]+):(\d+)` \|", said):
        assert (method, address, place, int(line)) in rows
        last = address.rstrip("/").rpartition("/")[2].split("<")[0].split("{")[0]
        assert last in tree.read_text(place) + place, address
    for address in re.findall(r"curl -i http://localhost:\d+(\S+)", said):
        assert address in {row[1] for row in rows}
    for excerpt in re.findall(r"~~~\w+\n(.*?)\n~~~", said, re.DOTALL):
        assert any(excerpt in tree.read_text(path) for path in tree.files)
    for command in commands(said):
        check_command(tree, inventory, folders, command)


def check_command(tree, inventory, folders, command):
    """Every file, folder, script, module and service that a command names is there, or is made by a command before."""
    folder, rest = re.fullmatch(r"(?:\(cd (\S+) && )?(.*?)\)?", command).groups()
    folder = folder or ""
    assert folder in folders
    words = rest.split()

    def there(name):
        target = posixpath.normpath(posixpath.join(folder, name))
        return target in tree or target.removeprefix(".") in folders

    for word in words:
        if word.startswith("./") and word != "./...":
            assert there(word)
    for option, value in re.findall(r"(?<!\S)(-f|-r|-pl|-k|-s) (\S+)", rest):
        assert there(value), option
    builds = {row.path: row for row in inventory.build_files if posixpath.dirname(row.path) == folder}
    scripts = {name for row in builds.values() for name in row.scripts}
    if words[0] in ("npm", "pnpm", "yarn", "bun") and words[1] not in ("ci", "install"):
        assert words[2 if words[1] == "run" else 1] in scripts
    if words[0] == "cp":
        assert words[1] in tree
        assert words[2] not in tree
    if words[0] in ("./mvnw", "./gradlew") or (words[0] in ("node", ".venv/bin/python") and words[1] != "-m"):
        assert there(words[0] if words[0].startswith("./") else words[1])
    check_modules(inventory, tree, folder, words)
    if rest.startswith("go run"):
        assert there(words[2])
    for extra in re.findall(r"'\.\[(\w+)\]'|--(?:extra|group) (\w+)", rest):
        scopes = {each.scope for row in builds.values() for each in row.dependencies}
        assert set(filter(None, extra)) <= scopes


def check_modules(inventory, tree, folder, words):
    """Services of compose files, modules of Python and commits that a command names."""
    if words[0].endswith("podman-compose"):
        services = {row.name for row in inventory.compose if row.path == words[2]}
        assert services
        assert set(words[5:]) <= services
    if words[0].endswith("uvicorn") or "--app" in words:
        module = words[words.index("--app") + 1] if "--app" in words else next(word for word in words if ":" in word)
        name, _, variable = module.partition(":")
        path = name.replace(".", "/")
        found = next(row for end in (".py", "/__init__.py") if (row := posixpath.join(folder, f"{path}{end}")) in tree)
        assert variable in tree.read_text(found)
    if words[0] == "git":
        assert words[1] == "clone" or words[2] == tree.commit


def test_the_check_fails_for_what_is_not_there(tmp_path):
    tree = make_tree(tmp_path, REPOSITORIES["a program with settings, a database and migrations"][0])
    inventory = read_inventory(tree)
    wrong = (
        "cp .env.sample .env",
        "podman-compose -f docker/compose.yml up -d nothing",
        "podman-compose -f compose.yml up -d",
        ".venv/bin/uvicorn main:other",
        ".venv/bin/uvicorn gone:app",
        "(cd gone && uv sync)",
        ".venv/bin/python -m pip install -r gone.txt",
        ".venv/bin/python gone.py",
        ".venv/bin/python -m pip install -e '.[gone]'",
        "npm run gone",
        "go run ./cmd/gone",
        "./mvnw test",
        "curl -i http://localhost:8000/carts",
    )
    for command in wrong:
        with pytest.raises((AssertionError, StopIteration)):
            check(tree, inventory, f"`x`\n```bash exec\n{command}\n```")


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
