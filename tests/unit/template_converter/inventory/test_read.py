"""The inventory of a tree, and the workshop's skeleton that is made of it."""

import pytest

from agents.template_converter.inventory.build_files import UnreadableBuildFileError, read_build_file
from agents.template_converter.inventory.deployment import container_file
from agents.template_converter.inventory.read import read_inventory
from agents.template_converter.inventory.skeleton import skeleton
from tests.unit.template_converter.trees import make_tree

FILES = {
    "package.json": '{"scripts": {"start": "node app.js", "test": "jest"}, "dependencies": {"express": "^4"}, "devDependencies": {"jest": "29"}}',
    "package-lock.json": "{}",
    "app.js": "const app = require('express')();\napp.get('/hello', hello);\n\napp.listen(3000);\n",
    "app.test.js": "app.get('/in-a-test', x => x);\n",
    "public/vendor.js": "router.get('/vendored', x => x); // express\n",
    "tool": "#!/usr/bin/env python3\nprint(1)\n",
    "Dockerfile": 'FROM node:20 AS build\nRUN \\\n  npm ci\nFROM node:20-slim\nEXPOSE 3000\nENTRYPOINT ["node"]\nCMD ["app.js"]\n',
    "compose.yaml": "services:\n  db: {image: 'postgres:17', ports: ['5432:5432']}\n  web: {build: .}\n",
    "k8s/app.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n",
    ".github/workflows/ci.yml": "on: push\n",
    "README.md": "# It\n",
    "docs/guide.md": "# Guide\n",
    "broken/pom.xml": "<project>",
    "bomb/pom.xml": '<!DOCTYPE x [<!ENTITY a "a">]><project>&a;</project>',
}


def test_every_part_is_found_and_nothing_that_is_a_test_or_vendored(tmp_path):
    found = read_inventory(make_tree(tmp_path, FILES))
    assert [(row.name, row.files) for row in found.languages] == [("JavaScript", 3), ("Python", 1)]
    assert [(row.path, row.tool, sorted(row.scripts)) for row in found.build_files] == [
        ("package.json", "npm", ["start", "test"])
    ]
    assert [(row.method, row.path, row.handler, row.place.line) for row in found.endpoints] == [("GET", "/hello", "hello", 2)]
    assert [row.name for row in found.frameworks] == ["Express", "Jest"]
    assert [(row.kind, row.place.path, row.place.line) for row in found.entry_points] == [
        ("listening server", "app.js", 4),
        ("start script", "package.json", 0),
    ]
    assert [(row.base_images, row.ports, row.command) for row in found.containers] == [
        (["node:20", "node:20-slim"], [3000], "node app.js")
    ]
    assert [(row.name, row.image) for row in found.compose] == [("db", "postgres:17"), ("web", "")]
    assert [(row.kind, row.name) for row in found.kubernetes] == [("Service", "web"), ("Deployment", "web")]
    assert (found.tests, found.ci) == (["app.test.js"], [".github/workflows/ci.yml"])
    assert found.documentation == ["README.md", "docs/guide.md"]
    assert [row.split("`")[1] for row in found.unread] == ["bomb/pom.xml", "broken/pom.xml"]


@pytest.mark.parametrize(
    ("path", "text", "tool", "dependencies"),
    [
        ("requirements.txt", "# x\nfastapi[all]>=0.1,<1 # y\n-r other.txt\nuvicorn\n", "pip", [("fastapi", ">=0.1,<1", ""), ("uvicorn", "", "")]),
        ("pyproject.toml", "[project]\ndependencies=['a>=1']\n[project.optional-dependencies]\ndev=['b']\n", "pip", [("a", ">=1", ""), ("b", "", "dev")]),
        ("pyproject.toml", "[tool.poetry.dependencies]\npython='^3'\na='^1'\nb={version='2'}\n", "poetry", [("a", "^1", ""), ("b", "2", "")]),
        ("go.mod", "module x\nrequire (\n\tgithub.com/a/b v1.2.3\n\tgithub.com/c/d v0.1.0 // indirect\n)\n", "go", [("github.com/a/b", "v1.2.3", ""), ("github.com/c/d", "v0.1.0", "indirect")]),
        ("build.gradle", "plugins { id 'java' }\ndependencies {\n  implementation 'g:a:1'\n  testImplementation(\"g:b\")\n}\n", "gradle", [("g:a", "1", "implementation"), ("g:b", "", "testImplementation"), ("java", "", "plugin")]),
        ("pom.xml", "<project xmlns='x'><properties><v>3</v></properties><dependencies><dependency><groupId>g</groupId><artifactId>a</artifactId><version>${v}</version></dependency></dependencies></project>", "maven", [("g:a", "3", "")]),
        ("setup.cfg", "[metadata]\nname = x\n[options]\ninstall_requires =\n  a>=1\n  b[c]; python_version<'3'\n[options.extras_require]\ntest =\n  pytest\n", "setuptools", [("a", ">=1", ""), ("b", "", ""), ("pytest", "", "test")]),
        ("setup.py", "import setuptools\nsetuptools.setup(install_requires=['a>=1', name], extras_require={'dev': ['b']})\n", "setuptools", [("b", "", "dev")]),
        ("setup.py", "from setuptools import setup\nsetup(install_requires=['a>=1'], tests_require=['c'])\n", "setuptools", [("a", ">=1", ""), ("c", "", "tests")]),
        ("Cargo.toml", "[dependencies]\naxum='0.7'\n[dev-dependencies]\nx={version='1'}\n", "cargo", [("axum", "0.7", ""), ("x", "1", "dev")]),
        ("x.csproj", "<Project><ItemGroup><PackageReference Include='A' Version='1'/></ItemGroup></Project>", "dotnet", [("A", "1", "")]),
    ],
)  # fmt: skip
def test_build_files_are_read_as_what_they_are(path, text, tool, dependencies):
    build = read_build_file(path, text)
    assert build.tool == tool
    assert [(row.name, row.version, row.scope) for row in build.dependencies] == dependencies


def test_what_is_no_build_file_or_cannot_be_read():
    assert read_build_file("notes.txt", "x") is None
    assert read_build_file("setup.cfg", "[flake8]\nignore = E501\n") is None
    assert read_build_file("setup.py", "print('no package')\n") is None
    for path, text in (
        ("package.json", "{"),
        ("package.json", "[]"),
        ("pyproject.toml", "="),
        ("pom.xml", "<a>"),
        ("setup.py", "setup("),
    ):
        with pytest.raises(UnreadableBuildFileError, match=path.replace(".", r"\.")):
            read_build_file(path, text)


def test_a_containerfile_in_the_form_of_the_shell():
    found = container_file("Containerfile", "from --platform=x a:1 as b\nFROM b\nexpose 80/tcp 99999\nCMD run \\\n  it\n")
    assert (found.base_images, found.ports, found.command) == (["a:1"], [80], "run    it")


def test_the_skeleton_holds_what_the_repository_gives_and_tells_the_rest(tmp_path):
    tree = make_tree(tmp_path, FILES)
    workshop = skeleton(tree, read_inventory(tree), "it", "https://git.example/it.git")
    assert [step.id for step in workshop.steps] == [
        "get-it",
        "run-it",
        "find-your-way",
        "change-an-endpoint",
        "test-it",
        "pack-it",
        "deploy-it",
    ]
    text = {step.id: step.content for step in workshop.steps}
    assert "git clone https://git.example/it.git it\ncd it\n" in text["get-it"]
    assert "npm ci\n" in text["run-it"]
    assert "npm start\n" in text["run-it"]
    assert "| GET | `/hello` | `hello` | `app.js:2` |" in text["find-your-way"]
    assert "~~~javascript\napp.get('/hello', hello);\n" in text["change-an-endpoint"]
    assert "npm test\n" in text["test-it"]
    assert "podman run --rm -p 3000:3000 localhost/it:dev" in text["pack-it"]
    assert "podman-compose -f compose.yaml up -d" in text["deploy-it"]
    assert workshop.losses == []


def test_a_skeleton_without_ground_leaves_steps_out(tmp_path):
    tree = make_tree(tmp_path, {"go.mod": "module x\n", "main.go": "package main\n\nfunc main() {}\n"})
    workshop = skeleton(tree, read_inventory(tree), "x", None)
    assert [step.id for step in workshop.steps] == ["get-it", "run-it", "find-your-way"]
    assert "go run .\n" in workshop.steps[1].content.replace("go run ./\n", "go run .\n")
    assert len(workshop.losses) == 4


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "It listens on port 8080, which is what Spring Boot uses where nothing sets another."),
        ({"src/main/resources/application.yml": "server:\n  port: ${PORT:8081}\n"}, "It listens on port 8081, as `src/main/resources/application.yml`, line 2, says."),
        ({"src/test/resources/application.properties": "server.port=1234\n"}, "It listens on port 8080, which"),
        ({"pom.xml": "spring-cloud-starter-config"}, ""),
    ],
)  # fmt: skip
def test_the_port_is_what_is_set_else_the_framework_s_own(tmp_path, files, said):
    artifact = files.pop("pom.xml", "spring-boot-starter-web")
    dependency = "<dependency><groupId>org.springframework.boot</groupId><artifactId>{}</artifactId></dependency>"
    pom = (
        f"<project><dependencies>{dependency.format('spring-boot-starter')}{dependency.format(artifact)}</dependencies></project>"
    )
    main = '@RestController class A { @GetMapping("/a") String a() { return ""; } }'
    tree = make_tree(tmp_path, {"pom.xml": pom, "src/main/java/A.java": main, **files})
    text = next(step.content for step in skeleton(tree, read_inventory(tree), "x", None).steps if step.id == "run-it")
    assert "mvn spring-boot:run" in text
    assert said in text
    assert ("listens" in text) == bool(said)


def test_routes_of_languages_that_are_not_read_are_told(tmp_path):
    files = {"Cargo.toml": "[package]\nname='x'\n", "src/main.rs": "fn main() {}\n", "x.sql": "select 1;\n"}
    tree = make_tree(
        tmp_path,
        {**files, "a/api.proto": "service A {}\n", "charts/Chart.yaml": "a: 1\n", "charts/templates/a.yaml": "{{ x }}\n"},
    )
    inventory = read_inventory(tree)
    told = [loss.detail for loss in skeleton(tree, inventory, "x", None).losses]
    assert any(row.endswith("no HTTP endpoint was found; those of Rust are not looked for.") for row in told)
    assert inventory.not_looked_for == [
        "HTTP endpoints in Rust (one file) are not looked for.",
        "What is called by gRPC (one file of Protocol Buffers) is not listed.",
        "Templates of Helm (one file) are not filled in; objects are listed of those that are YAML before.",
    ]


def test_an_image_of_what_is_built_before_says_so(tmp_path):
    tree = make_tree(
        tmp_path,
        {"go.mod": "module x\n", "main.go": "package main\n\nfunc main() {}\n", "Dockerfile": "FROM a\nCOPY tool main.go /\n"},
    )
    text = next(step.content for step in skeleton(tree, read_inventory(tree), "x", None).steps if step.id == "pack-it")
    assert "It copies tool, which the repository does not hold: that has to be made before." in text


def test_a_package_that_is_called_public_is_source_and_a_script_there_is_not(tmp_path):
    server = 'package public\nimport "net/http"\nfunc routes() { http.HandleFunc("/img", img) }\n'
    script = "const express = require('express')\nconst app = express()\napp.get('/no', x)\n"
    tree = make_tree(tmp_path, {"server/public/public.go": server, "public/app.js": script, "vendor/a/public.go": server})
    assert [(row.path, row.place.path) for row in read_inventory(tree).endpoints] == [("/img", "server/public/public.go")]
