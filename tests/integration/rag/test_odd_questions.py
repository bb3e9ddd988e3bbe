"""Questions that are none, or are like none: each gets a sensible answer from the real model on the real engine."""

import pytest

from agents.rag.reference_embedder import SentenceTransformerEmbedder
from shared_services.contracts.rag import SearchRequest, SearchResponse, Turn
from tests.integration.rag.conftest import open_room, scope_of
from tests.unit.rag.workshops import workshop

ANSWERS_FROM = 0.4
"""The chat agent answers from this confidence on (its `confidence_threshold`)."""

STEPS = {
    "build": """# Build the image

The Containerfile copies the jar into a small base image. Build it and push it to the registry of the class:

```bash exec
podman build -t registry.example/shop:1.0 .
podman push registry.example/shop:1.0
```

If the push is denied, log in to the registry first.
""",
    "database": """# Connect the database

The shop keeps its orders in PostgreSQL. It reads the address from the variable `SPRING_DATASOURCE_URL`:

```yaml
env:
  - name: SPRING_DATASOURCE_URL
    value: jdbc:postgresql://postgres:5432/orders
```

A `java.net.UnknownHostException: postgres` in the log means that the service of the database does not exist yet. Create the
service, then restart the shop.
""",
    "scale": """# Handle the evening peak

When many customers come at the same time, one pod is too slow. Add pods:

```bash exec
kubectl scale deployment/shop --replicas=3
```

The service spreads the requests over all pods.
""",
    "certificate": """# Encrypt the traffic

Browsers warn about a page without a certificate. A route with edge termination encrypts the traffic between browser and
router; the certificate is the one of the cluster.
""",
    "clean": """# Clean up

Delete the namespace at the end of the day. Everything in it goes with it, which takes about a minute.
""",
}

TRACE = """\
2026-03-01T10:15:02.113Z ERROR 1 --- [main] o.s.boot.SpringApplication : Application run failed

org.springframework.beans.factory.BeanCreationException: Error creating bean with name 'entityManagerFactory'
\tat org.springframework.beans.factory.support.AbstractAutowireCapableBeanFactory.initializeBean(AbstractAutowireCapableBeanFactory.java:1804)
\tat org.springframework.beans.factory.support.AbstractBeanFactory.getBean(AbstractBeanFactory.java:333)
Caused by: java.net.UnknownHostException: postgres
\tat java.base/java.net.InetAddress$CachedAddresses.get(InetAddress.java:797)
\t... 42 common frames omitted
"""

FILLER = " ".join(f"gibberish{number % 97} lorem ipsum dolor" for number in range(1_250))


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def ask(tmp_path_factory: pytest.TempPathFactory, model: SentenceTransformerEmbedder):
    async with open_room(tmp_path_factory.mktemp("odd"), model) as room:
        await room.service.index(scope_of("shop"), "v1", workshop("shop", STEPS, title="Run the shop"))
        await room.service.activate(scope_of("shop"), "v1")

        async def asked(query: str, *history: str) -> SearchResponse:
            turns = [Turn(speaker="user", text=text) for text in history]
            request = SearchRequest.model_construct(query=query, limit=8, step=None, kinds=None, history=turns, version=None)
            return await room.service.search(scope_of("shop"), request)

        yield asked


@pytest.mark.parametrize("query", ["", "   ", "\n\t\r\n", "\u3000\u2003"], ids=["nothing", "blanks", "line ends", "wide blanks"])
async def test_a_blank_question_finds_nothing(ask, query: str) -> None:
    found = await ask(query, "How do I scale the shop?")
    assert found.passages == []
    assert found.confidence == 0


@pytest.mark.parametrize(
    "query",
    [
        "the of and is to with",
        "what is it?",
        "how do I do that",
        "???!!! ... ---",
        ";;;;",
        "😀🎉🚀",
        "🍕",
        "\ud800\udfff\ud83d",
        "\x00\x01",
    ],
    ids=["stop words", "what is it", "do that", "signs", "semicolons", "emoji", "one emoji", "surrogates", "controls"],
)
async def test_a_question_that_says_nothing_is_not_trusted(ask, query: str) -> None:
    found = await ask(query)
    assert found.confidence < ANSWERS_FROM, found.confidence
    assert {passage.workshop for passage in found.passages} <= {"shop"}


async def test_stop_words_after_a_question_are_read_with_it(ask) -> None:
    found = await ask("and why is that so?", "How do I add pods for the evening peak?")
    assert found.passages[0].step == "scale"
    assert found.confidence >= ANSWERS_FROM


@pytest.mark.parametrize(
    ("query", "step"),
    [
        ("replicas", "scale"),
        ("PostgreSQL", "database"),
        ("certificate", "certificate"),
        ("namespace", "clean"),
        ("podman", "build"),
    ],
)
async def test_one_word_finds_its_step(ask, query: str, step: str) -> None:
    found = await ask(query)
    assert found.passages[0].step == step
    assert found.confidence >= ANSWERS_FROM


async def test_one_foreign_word_is_not_trusted(ask) -> None:
    assert (await ask("Paganini")).confidence < ANSWERS_FROM


@pytest.mark.parametrize(
    ("query", "step"),
    [
        ("Wie verschlüssele ich den Traffic mit einem Zertifikat?", "certificate"),
        ("Comment connecter la base de données PostgreSQL ?", "database"),
        ("¿Cómo elimino el namespace al final?", "clean"),
    ],
    ids=["German", "French", "Spanish"],
)
async def test_a_question_in_another_language_finds_its_step_with_an_honest_confidence(ask, query: str, step: str) -> None:
    found = await ask(query)
    english = await ask(
        {
            "certificate": "How do I encrypt the traffic with a certificate?",
            "database": "How do I connect the PostgreSQL database?",
            "clean": "How do I delete the namespace at the end?",
        }[step]
    )
    assert step in [passage.step for passage in found.passages[:2]]
    assert english.passages[0].step == step
    assert found.confidence < english.confidence


async def test_a_foreign_subject_in_another_language_is_not_trusted(ask) -> None:
    assert (await ask("Wie backe ich einen Apfelkuchen mit Streuseln?")).confidence < ANSWERS_FROM


@pytest.mark.parametrize("place", ["first", "last"])
async def test_five_thousand_words_are_found_by_their_ends(ask, place: str) -> None:
    question = "How do I scale the shop to three replicas for the evening peak with kubectl?"
    words = f"{question} {FILLER}" if place == "first" else f"{FILLER} {question}"
    assert len(words.split()) > 5_000
    found = await ask(words)
    assert found.passages[0].step == "scale"


async def test_five_thousand_words_of_nothing_are_not_trusted(ask) -> None:
    assert (await ask(FILLER)).confidence < ANSWERS_FROM


@pytest.mark.parametrize(
    ("query", "step"),
    [
        ("kubectl scale deployment/shop --replicas=3", "scale"),
        ("```\nkubectl scale deployment/shop --replicas=3\n```", "scale"),
        ("env:\n  - name: SPRING_DATASOURCE_URL\n    value: jdbc:postgresql://postgres:5432/orders\n", "database"),
        ("podman push registry.example/shop:1.0", "build"),
    ],
    ids=["a command", "a fenced command", "yaml", "another command"],
)
async def test_code_alone_finds_where_it_stands(ask, query: str, step: str) -> None:
    found = await ask(query)
    assert found.passages[0].step == step
    assert found.confidence >= ANSWERS_FROM


async def test_code_of_something_else_is_not_trusted(ask) -> None:
    query = "def fibonacci(n):\n    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)\n"
    assert (await ask(query)).confidence < ANSWERS_FROM


async def test_a_pasted_stack_trace_finds_its_cause(ask) -> None:
    found = await ask(TRACE)
    assert found.passages[0].step == "database"
    assert "UnknownHostException: postgres" in found.passages[0].text
