"""What docs/kubernetes.md tells ops to do, done as it is written: upgrade, rotation of secrets, back up, and restore of a lost core."""

import base64
import os
import re
import subprocess
import textwrap
from pathlib import Path

import httpx
import pytest

from tests.cluster.deployment import CORE, ROOT, Platform, Workshop
from tests.cluster.kubectl import wait_until
from tests.cluster.participant import participant

DOCUMENT = ROOT / "docs" / "kubernetes.md"
QUESTION = "What does it mean that a column has an AUC of 1.000?"
SERVICES = ("console", "rag-agent", "template-converter-agent")
MINUTES = 60


def section(title: str) -> str:
    """The text of a section of the document."""
    found = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", DOCUMENT.read_text("utf-8"), re.M | re.S)
    assert found, f"docs/kubernetes.md has no section {title}"
    return found[1]


def block(text: str) -> str:
    """The first block of commands: a fence, or lines that are indented under a list's entry."""
    fence = re.search(r"^```bash\n(.*?)^```", text, re.M | re.S)
    indented = re.search(r"(?:^ {7}\S.*\n)(?:^ {7}.*\n)*", text, re.M)
    found = fence[1] if fence else textwrap.dedent(indented[0]) if indented else ""
    assert "kubectl" in found
    return found


class Ops:
    """Somebody at a shell in the repository's folder, with an overlay of the test's in the place of `overlays/mine`."""

    def __init__(self, platform: Platform, folder: Path) -> None:
        self.platform = platform
        self.folder = folder
        self.overlay = os.path.relpath(platform.core, ROOT)

    def __call__(self, commands: str, seconds: float = 20 * MINUTES) -> str:
        """Run commands, the first failure ends them; gives what they said."""
        commands = commands.replace("overlays/mine", self.overlay).replace("--replicas=2", "--replicas=1")
        for file in ("globals.sql", "workshops.dump", "secrets.yaml"):
            commands = re.sub(rf"(?<![\w/]){re.escape(file)}", str(self.folder / file), commands)
        done = subprocess.run(
            ["bash", "-c", f"set -eo pipefail\n{commands}"],
            cwd=ROOT,
            env=self.platform.kubectl.environment,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        said = f"{done.stdout}{done.stderr}"
        assert done.returncode == 0, f"{said[-4000:]}\n{self.platform.troubles()}"
        return said

    def migrated(self) -> None:
        """`core-migrate` made anew, as in *Upgrade*, 1."""
        lines = block(section("Upgrade")).splitlines()
        self("\n".join(line for line in lines if "core-migrate" in line or line.startswith("kubectl apply")))

    def secret(self, name: str, key: str) -> str:
        data = self.platform.kubectl.get("secret", name, "-n", CORE)["data"]
        return base64.b64decode(data[key]).decode()

    def change(self, name: str, **values: str) -> None:
        encoded = {key.replace("_", "-"): base64.b64encode(value.encode()).decode() for key, value in values.items()}
        pairs = ",".join(f'"{key}":"{value}"' for key, value in encoded.items())
        self.platform.kubectl("patch", "secret", name, "-n", CORE, "--type=merge", "-p", f'{{"data":{{{pairs}}}}}')

    def rolled(self) -> None:
        for name in SERVICES:
            self.platform.kubectl("rollout", "restart", "-n", CORE, f"statefulset/{name}")
        for name in SERVICES:
            self.platform.kubectl("rollout", "status", "-n", CORE, f"statefulset/{name}", "--timeout=300s", timeout=320)


def key_pair() -> tuple[str, str]:
    made = subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519"], capture_output=True, text=True, check=True).stdout
    public = subprocess.run(["openssl", "pkey", "-pubout"], input=made, capture_output=True, text=True, check=True).stdout
    return made, public


@pytest.fixture
def ops(platform: Platform, tmp_path: Path) -> Ops:
    return Ops(platform, tmp_path)


async def answered(workshop: Workshop) -> None:
    """A newcomer asks, and is shown where the answer stands."""
    async with workshop.participant() as kim:
        reading = await kim.ask(QUESTION)
    assert reading.error is None, f"{reading.error}\n{workshop.platform.troubles()}"
    assert reading.done is not None
    assert reading.citations, reading.done


async def test_an_upgrade_as_it_is_written(first_workshop: Workshop, ops: Ops) -> None:
    # `kubectl diff` tells by its status whether there is a difference.
    said = ops(re.sub(r"^(kubectl diff .*)$", r"\1 || test $? = 1", block(section("Upgrade")), flags=re.M))
    assert "job.batch/core-migrate condition met" in said
    await answered(first_workshop)


async def test_another_credential_of_an_agent(first_workshop: Workshop, ops: Ops) -> None:
    door = first_workshop.platform.stage.door.address(f"console.{CORE}.svc", 8080)

    def exchanged(credential: str) -> int:
        return httpx.post(
            f"{door}/api/v1/tokens", json={"audience": "library"}, headers={"Authorization": f"Bearer {credential}"}, timeout=30
        ).status_code

    former = ops.secret("rag-credential", "credential")
    assert exchanged(former) == 200
    ops.change("rag-credential", credential="another-credential-of-the-agent-0123456789abcdef")
    ops.migrated()
    assert exchanged(former) == 401
    assert exchanged(ops.secret("rag-credential", "credential")) == 200
    # The file in the pod follows within a minute or two, and nothing is restarted for it.
    shown = ("sh", "-c", 'cat "$WORKSHOP_CREDENTIAL_FILE"')
    wait_until(
        lambda: ops.platform.kubectl.exec(CORE, "rag-agent-0", *shown).stdout.startswith("another-"), "the pod has it", 240
    )
    await answered(first_workshop)


async def test_other_passwords_of_the_core_and_of_the_administrator(first_workshop: Workshop, ops: Ops) -> None:
    for name in ("core-database", "rag-database"):
        keys = list(ops.platform.kubectl.get("secret", name, "-n", CORE)["data"])
        former = {key: ops.secret(name, key) for key in keys}
        ops.change(
            name, **{key.replace("-", "_"): re.sub(r":[^:@/]+@", ":another-password@", url) for key, url in former.items()}
        )
    ops.migrated()
    ops.rolled()
    await answered(first_workshop)
    ops.platform.sql("ALTER ROLE postgres PASSWORD 'another-admin'")
    url = re.sub(r":[^:@/]+@", ":another-admin@", ops.secret("postgres-admin", "url"))
    ops.change("postgres-admin", password="another-admin", url=url)
    ops.migrated()
    assert first_workshop.platform.script(first_workshop.name, first_workshop.kind, "20", "false", "--skip", "content")


async def test_other_secrets_of_a_workshop(first_workshop: Workshop, ops: Ops) -> None:
    former = {key: first_workshop.secret(key) for key in ("join-code", "credential", "database-url")}
    ops.platform.kubectl("delete", "secret", "chat-agent", "-n", first_workshop.namespace)
    ops.platform.kubectl("delete", "secret", f"workshop-{first_workshop.name}", "-n", CORE)
    ops.platform.script(first_workshop.name, first_workshop.kind, "20", "false")
    assert {key for key, value in former.items() if first_workshop.secret(key) == value} == set()
    with pytest.raises(httpx.HTTPStatusError):
        async with participant(first_workshop.address, former["join-code"], "Kim"):
            pass
    await answered(first_workshop)


async def test_another_key_that_signs(first_workshop: Workshop, ops: Ops) -> None:
    private, public = key_pair()
    ops.change("core-keys", **{"private.pem": private, "public.pem": public})
    lines = block(section("3, without the script")).splitlines()
    make = next(line for line in lines if line.startswith("kubectl create configmap core-public-key -n $core"))
    read = next(line for line in lines if line.startswith("public()"))
    ops(f"core={CORE}\n{read}\n{make} --dry-run=client -o yaml | kubectl apply --server-side --force-conflicts -f -")
    assert ops.platform.kubectl.get("configmap", "core-public-key", "-n", CORE)["data"]["public.pem"].strip() == public.strip()
    ops.rolled()
    ops.platform.script(first_workshop.name, first_workshop.kind, "20", "false", "--skip", "smoke")
    ops.platform.kubectl("rollout", "restart", "-n", first_workshop.namespace, "deployment/chat-agent")
    ops.platform.kubectl(
        "rollout", "status", "-n", first_workshop.namespace, "deployment/chat-agent", "--timeout=300s", timeout=320
    )
    await answered(first_workshop)


async def test_a_core_that_is_lost_comes_back_from_its_backup(
    first_workshop: Workshop, workshops: list[Workshop], ops: Ops
) -> None:
    async with first_workshop.participant() as kim:
        conversation = await kim.conversation()
        assert (await kim.ask(QUESTION, conversation)).error is None
        before = await kim.turns(conversation)
        ops(block(section("Back up")))
        for file in ("globals.sql", "workshops.dump", "secrets.yaml"):
            assert (ops.folder / file).stat().st_size > 1000
        ops.platform.kubectl("delete", "namespace", CORE, "--wait=true", timeout=10 * MINUTES)
        commands, last, rest = block(section("Restore")).partition(
            "\nkubectl apply --server-side --force-conflicts -k overlays/mine  "
        )
        forget = re.search(r"^    (kubectl exec .*DROP SCHEMA rag CASCADE'?)$", section("Restore"), re.M)
        assert last, "the second apply"
        assert forget, "what to do where Milvus' volume is lost"
        ops(f"{commands}\n{forget[1]}\n{last}{rest}")
        for name in SERVICES:
            ops.platform.kubectl("rollout", "status", "-n", CORE, f"statefulset/{name}", "--timeout=300s", timeout=320)
        for each in workshops:
            ops.platform.script(each.name, each.kind, "20", "false")
        assert await kim.turns(conversation) == before
    for each in workshops:
        async with each.participant() as lee:
            assert (await lee.ask(QUESTION)).error is None
    await answered(first_workshop)
