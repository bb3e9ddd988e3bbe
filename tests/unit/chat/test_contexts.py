from pathlib import Path

import pytest

from shared_services.contracts.workshop import ContextSettings, WorkshopManifest
from workshop_chat.contexts import ContextError, ContextLayer, of_manifest, read_contexts, resolve_context

NOTHING = ContextLayer()


def test_the_three_contexts_that_ship():
    contexts = read_contexts()
    said = {name: (layer.safety_level, layer.participant_limit, layer.session_timeout) for name, layer in contexts.items()}
    assert said == {
        "healthcare-ml": ("healthcare_compliant", 50, 3600),
        "spring-boot": ("educational_standard", 100, 2400),
        "k8s-security": ("security_focused", 30, 4800),
    }
    assert all(layer.rag_context_filter and layer.content_focus for layer in contexts.values())


def test_the_nearer_place_counts_part_by_part():
    contexts = {"one": ContextLayer(participant_limit=3, session_timeout=300, safety_level="security_focused")}
    context = resolve_context(
        "one",
        contexts,
        environment=ContextLayer(participant_limit=1),
        template=ContextLayer(participant_limit=2, session_timeout=200),
        manifest=ContextLayer(participant_limit=4, session_timeout=400, content_focus="ops", rag_context_filter=["java"]),
    )
    assert (context.participant_limit, context.session_timeout, context.safety_level) == (1, 200, "security_focused")
    assert (context.content_focus, context.rag_context_filter) == ("ops", ("java",))


def test_an_empty_filter_in_the_environment_takes_the_documents_away():
    manifest = ContextLayer(rag_context_filter=["java"])
    context = resolve_context(None, {}, environment=ContextLayer(rag_context_filter=[]), template=NOTHING, manifest=manifest)
    assert context.rag_context_filter == ()


def test_an_unknown_context_is_an_error_and_no_default():
    with pytest.raises(ContextError, match=r"no context 'sprng-boot'.*healthcare-ml, k8s-security, spring-boot"):
        resolve_context("sprng-boot", read_contexts(), environment=NOTHING, template=NOTHING, manifest=NOTHING)


def test_a_workshop_without_a_named_context_has_the_defaults():
    manifest = WorkshopManifest(slug="tiny", title="Tiny", steps=["one"], context=ContextSettings(tags=["java"]))
    context = resolve_context(None, read_contexts(), environment=NOTHING, template=NOTHING, manifest=of_manifest(manifest))
    assert (context.name, context.safety_level, context.rag_context_filter) == (None, "educational_standard", ("java",))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("one: {safety_level: lax}", "one.safety_level"),
        ("one: {participant_limit: 0}", "one.participant_limit"),
        ("one: {colour: red}", "one.colour"),
        ("One Context: {}", "One Context"),
        ("one: [", "not YAML"),
        ("- one", "the file"),
    ],
)
def test_a_bad_contexts_file_says_where(tmp_path: Path, text: str, says: str):
    path = tmp_path / "contexts.yaml"
    path.write_text(text)
    with pytest.raises(ContextError, match=says):
        read_contexts(path)


def test_a_contexts_file_that_is_not_there(tmp_path: Path):
    with pytest.raises(ContextError, match="cannot be read"):
        read_contexts(tmp_path / "none.yaml")
