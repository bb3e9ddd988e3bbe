"""Identifiers are found as they are written, among such as differ by a character: the real model on the real engine."""

from collections.abc import AsyncIterator

import pytest

from agents.rag.reference_embedder import SentenceTransformerEmbedder
from shared_services.contracts.rag import SearchRequest
from tests.integration.rag.conftest import Room, open_room, scope_of
from tests.unit.rag.workshops import workshop

FORMS = ["{}", "What does {} mean?", "I do not understand `{}`."]

LOOKALIKES = [
    ("oc adm policy", ["oc adm police", "oc adn policy", "oc adm polity", "od adm policy"]),
    ("CrashLoopBackOff", ["CrashLoopBackOn", "CrashLoopsBackOff", "CrushLoopBackOff", "CrashLoopBackOf"]),
    ("--replicas=3", ["--replicas=2", "--replicas=30", "--replica=3", "-replicas=3"]),
    ("values.yaml", ["values.yml", "value.yaml", "values.yaml.gz", "values-yaml"]),
    ("1.29.3", ["1.29.2", "1.29.30", "1.28.3", "1.2.93"]),
    ("v4.15.0-rc1", ["v4.15.0-rc2", "v4.15.0", "v4.15.1-rc1", "v4.16.0-rc1"]),
    ("0x80070005", ["0x80070006", "0x80070057", "0x8007005", "0x80070015"]),
    ("ORA-00942", ["ORA-00943", "ORA-00924", "ORA-0942", "ORB-00942"]),
    (
        "@SpringBootApplication",
        ["@SpringBootApplications", "@SpringBootTest", "@SpringRootApplication", "SpringBoot-Application"],
    ),
    ("HTTP 503", ["HTTP 502", "HTTP 504", "HTTP 500", "HTTP 53"]),
    ("--dry-run=client", ["--dry-run=server", "--dry-run=none", "--dry-run", "--dryrun=client"]),
    ("-it", ["-i", "-t", "-d", "-iu"]),
    ("/etc/hosts", ["/etc/host", "/etc/hostname", "/etd/hosts", "/opt/hosts"]),
    ("spring.datasource.url", ["spring.datasource.uri", "spring.datasources.url", "spring.data.url", "spring.datasource.user"]),
    ("max_connections", ["max_connection", "min_connections", "max_collections", "max-connections"]),
    (
        "quay.io/acme/shop:1.4",
        ["quay.io/acme/shop:1.5", "quay.io/acme/ship:1.4", "quay.io/acne/shop:1.4", "quay.io/acme/shop:1.40"],
    ),
    ("System.out.println", ["System.err.println", "System.out.print", "System.out.printf", "System.in.println"]),
    ("kube-system", ["kube-systemd", "kube-public", "cube-system", "kube_system"]),
    ("8080", ["8081", "8000", "18080", "808"]),
    ("NullPointerException", ["NullPointersException", "NilPointerException", "NullPainterException", "NullPointerExceptions"]),
    ("C++", ["C#", "C", "C--", "G++"]),
    ("CVE-2021-44228", ["CVE-2021-44229", "CVE-2021-45228", "CVE-2022-44228", "CVE-2021-4428"]),
    ("10.0.0.12/24", ["10.0.0.12/25", "10.0.0.11/24", "10.0.1.12/24", "10.0.0.121/24"]),
    ("%USERPROFILE%", ["%USERPROFIL%", "%USERSPROFILE%", "%USERDOMAIN%", "%PROFILE%"]),
    ("TLS_RSA_WITH_AES_128_GCM", ["TLS_RSA_WITH_AES_256_GCM", "TLS_RSA_WITH_AES_128_CBC", "TLS_DSA_WITH_AES_128_GCM"]),
]


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def room(tmp_path_factory: pytest.TempPathFactory, model: SentenceTransformerEmbedder) -> AsyncIterator[Room]:
    """A workshop that explains every identifier of the table; the wanted one last of its kind, so that no tie favours it."""
    named = list(dict.fromkeys(name for wanted, others in LOOKALIKES for name in [*others, wanted]))
    steps = {f"page-{number}": f"# Page\n\nNote what `{name}` says, then go on.\n" for number, name in enumerate(named)}
    async with open_room(tmp_path_factory.mktemp("exact"), model) as opened:
        await opened.service.index(scope_of("exact"), "v1", workshop("exact", steps))
        await opened.service.activate(scope_of("exact"), "v1")
        yield opened


@pytest.mark.parametrize("wanted", [wanted for wanted, _ in LOOKALIKES])
async def test_an_identifier_is_found_first_among_lookalikes(room: Room, wanted: str) -> None:
    for form in FORMS:
        found = await room.service.search(scope_of("exact"), SearchRequest(query=form.format(wanted), limit=3))
        assert f"`{wanted}`" in found.passages[0].text, (form, [passage.text for passage in found.passages])
