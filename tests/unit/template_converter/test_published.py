"""Whether a repository's program is something to depend upon or something to run."""

import json

import pytest

from agents.template_converter.recognise import classify
from shared_services.contracts.conversion import Form
from tests.unit.template_converter.trees import make_tree

GO_MAIN = "package main\n\nfunc main() {}\n"
GO = "package thing\n"
LIBRARY = "<project><distributionManagement></distributionManagement></project>"


def npm(**values):
    return json.dumps({"name": "thing", "version": "1.0.0", **values})


def composer(**values):
    return json.dumps({"name": "us/thing", "autoload": {}, **values})


def pages(count):
    return {f"pages/{n}.md": "# P\n\nProse.\n" for n in range(count)}


@pytest.mark.parametrize(
    ("files", "form"),
    [
        ({"pyproject.toml": "[project]\nname='x'\n", "x/a.py": "1"}, Form.LIBRARY),
        ({"pyproject.toml": "[project]\nname='x'\n", "x/a.py": "1", "Dockerfile": "FROM x\n"}, Form.APPLICATION),
        (
            {"setup.py": "setup(classifiers=['Programming Language :: Python'])", "x/a.py": "1", "Dockerfile": "FROM x\n"},
            Form.LIBRARY,
        ),
        ({"package.json": npm(files=["lib"]), "index.js": "1"}, Form.LIBRARY),
        ({"package.json": npm(main="a.js", scripts={"start": "node a.js"}), "a.js": "1"}, Form.APPLICATION),
        ({"package.json": npm(main="a.js", private=True), "a.js": "1"}, Form.APPLICATION),
        (
            {
                "package.json": npm(private=True, workspaces=["packages/*"]),
                "packages/a/package.json": npm(main="a.js"),
                "a.js": "1",
            },
            Form.LIBRARY,
        ),
        (
            {
                "package.json": npm(private=True),
                "lerna.json": "{}",
                "packages/a/package.json": npm(main="a.js"),
                "packages/web/package.json": npm(scripts={"start": "vite"}),
                "a.js": "1",
            },
            Form.APPLICATION,
        ),
        ({"composer.json": composer(), "src/A.php": "<?php"}, Form.LIBRARY),
        ({"composer.json": composer(type="project"), "src/A.php": "<?php"}, Form.APPLICATION),
        ({"composer.json": composer(), "src/A.php": "<?php", "artisan": ""}, Form.APPLICATION),
        ({"go.mod": "module x\n", "thing.go": GO, "_examples/a/main.go": GO_MAIN}, Form.LIBRARY),
        ({"go.mod": "module x\n", "serve.go": GO_MAIN, "thing/thing.go": GO}, Form.APPLICATION),
        ({"Cargo.toml": "", "src/lib.rs": ""}, Form.LIBRARY),
        ({"Cargo.toml": "", "src/main.rs": ""}, Form.APPLICATION),
        ({"pom.xml": LIBRARY, "src/main/java/A.java": "class A {}"}, Form.LIBRARY),
        ({"pom.xml": LIBRARY + "<!-- spring-boot-maven-plugin -->", "src/main/java/A.java": "class A {}"}, Form.APPLICATION),
        ({"a/package.json": npm(main="a.js"), "b/go.mod": "module b\n", "b/main.go": GO_MAIN, "a/a.js": "1"}, Form.APPLICATION),
        ({"package.json": npm(main="build.js"), "build.js": "1", **pages(12)}, Form.DOCUMENTATION),
        ({"package.json": npm(files=["a.js"]), "a.js": "1", **pages(8)}, Form.LIBRARY),
    ],
)
def test_programs(tmp_path, files, form):
    assert classify(make_tree(tmp_path, files))[0].form is form
