"""What the environment says of a chat agent, and what it may not say."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from shared_services.contracts.workshop import ContextSettings, WorkshopManifest
from workshop_chat.contexts import ContextError
from workshop_chat.settings import ChatSettings, contexts_of

PATTERN = "http://{agent}-agent.workshop-core-system.svc.cluster.local:8080"
MANIFEST = WorkshopManifest(slug="tiny", title="Tiny", steps=["one"], context=ContextSettings(tags=["tea"], content_focus="tea"))


def settings(monkeypatch: pytest.MonkeyPatch, **variables: str) -> ChatSettings:
    for name, value in {"WORKSHOP_NAME": "tiny", **variables}.items():
        monkeypatch.setenv(name, value)
    return ChatSettings.model_validate({})


def test_the_environment_overrides_every_part_of_a_context(monkeypatch: pytest.MonkeyPatch):
    said = settings(
        monkeypatch,
        WORKSHOP_CONTEXT="k8s-security",
        RAG_CONTEXT_FILTER="java, spring-boot",
        CONTENT_FOCUS="beans",
        PARTICIPANT_LIMIT="7",
        SESSION_TIMEOUT="120",
        SAFETY_LEVEL="healthcare_compliant",
    )
    context = contexts_of(said).of(MANIFEST)
    assert (context.name, context.rag_context_filter, context.content_focus) == ("k8s-security", ("java", "spring-boot"), "beans")
    assert (context.participant_limit, context.session_timeout, context.safety_level) == (7, 120, "healthcare_compliant")


def test_environment_before_template_before_contexts_file_before_workshop(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    contexts, template = tmp_path / "contexts.yaml", tmp_path / "template.yaml"
    contexts.write_text("lab: {participant_limit: 3, session_timeout: 300, content_focus: file}")
    template.write_text("participant_limit: 2\nsession_timeout: 200\n")
    said = settings(
        monkeypatch,
        WORKSHOP_CONTEXT="lab",
        WORKSHOP_CONTEXTS_FILE=str(contexts),
        WORKSHOP_TEMPLATE_FILE=str(template),
        PARTICIPANT_LIMIT="1",
    )
    context = contexts_of(said).of(MANIFEST)
    assert (context.participant_limit, context.session_timeout, context.content_focus) == (1, 200, "file")
    assert context.rag_context_filter == ("tea",)


def test_nothing_said_leaves_the_workshops_own(monkeypatch: pytest.MonkeyPatch):
    said = settings(monkeypatch, RAG_CONTEXT_FILTER="", PARTICIPANT_LIMIT="")
    context = contexts_of(said).of(MANIFEST)
    assert (context.rag_context_filter, context.participant_limit) == (("tea",), 100)


def test_a_lone_comma_takes_the_shared_documents_away(monkeypatch: pytest.MonkeyPatch):
    assert contexts_of(settings(monkeypatch, RAG_CONTEXT_FILTER=",")).of(MANIFEST).rag_context_filter == ()


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("RAG_CONTEXT_FILTER", "Java EE"),
        ("RAG_CONTEXT_FILTER", 'a"] or 1==1'),
        ("CONTENT_FOCUS", "a/b"),
        ("PARTICIPANT_LIMIT", "0"),
        ("PARTICIPANT_LIMIT", "many"),
        ("SESSION_TIMEOUT", "5"),
        ("SAFETY_LEVEL", "lax"),
        ("WORKSHOP_NAMESPACE", "Not A Namespace"),
        ("SHARED_AGENTS_ENDPOINT", "http://rag-agent:8080"),
        ("SHARED_AGENTS_ENDPOINT", "{agent}:8080"),
        ("SHARED_AGENTS_ENDPOINT", "http://{agent}.{namespace}:8080"),
    ],
)
def test_what_cannot_be_used_is_an_error_at_start(monkeypatch: pytest.MonkeyPatch, variable: str, value: str):
    with pytest.raises(ValidationError) as caught:
        settings(monkeypatch, **{variable: value})
    assert variable in str(caught.value)


def test_an_unknown_context_is_an_error_at_start(monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(ContextError, match="sprng"):
        contexts_of(settings(monkeypatch, WORKSHOP_CONTEXT="sprng"))


@pytest.mark.parametrize(
    ("text", "says"),
    [("colour: red", "colour"), ("- one", "the file"), ("a: [", "not YAML"), ("safety_level: lax", "safety_level")],
)
def test_a_bad_template_file_says_where(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, says: str):
    file = tmp_path / "template.yaml"
    file.write_text(text)
    with pytest.raises(ContextError, match=says):
        contexts_of(settings(monkeypatch, WORKSHOP_TEMPLATE_FILE=str(file)))


def test_a_template_file_that_is_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    with pytest.raises(ContextError, match="WORKSHOP_TEMPLATE_FILE"):
        contexts_of(settings(monkeypatch, WORKSHOP_TEMPLATE_FILE=str(tmp_path / "none.yaml")))


def test_the_pattern_names_the_shared_services(monkeypatch: pytest.MonkeyPatch):
    said = settings(monkeypatch, SHARED_AGENTS_ENDPOINT=f"{PATTERN}/")
    assert said.rag_address == "http://rag-agent.workshop-core-system.svc.cluster.local:8080"
    assert said.library_address == "http://library-agent.workshop-core-system.svc.cluster.local:8080"


def test_an_address_of_its_own_goes_before_the_pattern(monkeypatch: pytest.MonkeyPatch):
    said = settings(monkeypatch, SHARED_AGENTS_ENDPOINT=PATTERN, RAG_ENDPOINT="http://rag:1", LIBRARY_ENDPOINT="http://library:2")
    assert (said.rag_address, said.library_address) == ("http://rag:1", "http://library:2")


def test_without_a_pattern_the_laptops_addresses_count(monkeypatch: pytest.MonkeyPatch):
    said = settings(monkeypatch)
    assert (said.rag_address, said.library_address) == ("http://127.0.0.1:8080/agents/rag", "http://127.0.0.1:8080")
