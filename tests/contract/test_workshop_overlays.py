"""A workshop's overlay, the three that ship, and what the deploy script lets a workshop set, held against the code."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared_services.llm.settings import LlmSettings
from tests.contract.manifests.rendering import NEEDS_KUBECTL, have_kubectl, rendered
from workshop_chat.contexts import read_contexts
from workshop_chat.settings import ChatSettings

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(path.name for path in (ROOT / "overlays/examples").iterdir() if (path / "context.env").exists())


rendering = pytest.mark.skipif(not have_kubectl(), reason=NEEDS_KUBECTL)


def variables(file: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in file.read_text().splitlines() if line and not line.startswith("#"))


def strings(found: Any) -> list[str]:
    if isinstance(found, dict):
        return [text for key, value in found.items() for text in (str(key), *strings(value))]
    if isinstance(found, list):
        return [text for value in found for text in strings(value)]
    return [str(found)]


def test_the_examples_are_the_contexts_that_ship():
    contexts = read_contexts()
    assert sorted(contexts) == EXAMPLES
    for name, context in contexts.items():
        assert variables(ROOT / "overlays/examples" / name / "context.env") == {
            "WORKSHOP_CONTEXT": name,
            "RAG_CONTEXT_FILTER": ",".join(context.rag_context_filter or ()),
            "CONTENT_FOCUS": context.content_focus,
            "SAFETY_LEVEL": context.safety_level,
            "PARTICIPANT_LIMIT": str(context.participant_limit),
            "SESSION_TIMEOUT": str(context.session_timeout),
        }


@rendering
@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_named_throughout(name: str):
    objects = rendered(ROOT / "overlays/examples" / name)
    homes = {item["metadata"].get("namespace") for item in objects if item["kind"] != "Namespace"}
    assert homes == {f"{name}-workshop", "workshop-core-system"}
    for item in objects:
        labels = item["metadata"]["labels"]
        assert (labels["workshop-name"], labels["workshop-type"]) == (name, name)
    left = [
        text for text in strings(objects) if re.search(r"(^|-)name(-workshop)?$", text) and text not in ("name", "workshop-name")
    ]
    assert left == []
    values = [value for item in objects for value in item["metadata"]["labels"].values()]
    assert "name" not in values


@rendering
@pytest.mark.parametrize("name", EXAMPLES)
def test_the_registration_knows_what_the_chat_agent_knows(name: str):
    maps = {
        item["metadata"]["name"]: item["data"]
        for item in rendered(ROOT / "overlays/examples" / name)
        if item["kind"] == "ConfigMap"
    }
    assert maps["chat-agent"] == maps[f"workshop-{name}"]
    assert maps["chat-agent"]["WORKSHOP_NAME"] == name


def test_what_values_may_say_are_settings_and_no_keys():
    text = (ROOT / "scripts/lib/arguments.sh").read_text()
    allowed = re.search(r"readonly SETTINGS=\(([^)]*)\)", text)[1].split()
    fields = [*ChatSettings.model_fields.values(), *LlmSettings.model_fields.values()]
    known = {str(name) for field in fields for name in names(field.validation_alias)}
    assert set(allowed) <= known
    decided = {"WORKSHOP_NAME", "DATABASE_URL", "CHAT_HOST", "CHAT_PORT", "WORKSHOP_NAMESPACE", "PARTICIPANT_LIMIT"}
    # What all workshops may take together is the server's and the roles' limit.
    decided |= {"DATABASE_POOL_SIZE", "DATABASE_IDLE_SECONDS"}
    timed = {"CHAT_DRAIN_SECONDS", "LLM_TOTAL_SECONDS"}
    withheld = {name for name in known - set(allowed) if not name.endswith(("_KEY", "_FILE"))}
    assert withheld - decided - timed == set(), "a setting that is neither allowed nor decided by the platform"


def names(alias: Any) -> list[str]:
    return [alias] if isinstance(alias, str) else [str(choice) for choice in getattr(alias, "choices", [])]


def test_the_defaults_of_the_script_are_an_example():
    usage = (ROOT / "scripts/lib/arguments.sh").read_text()
    assert "positional[0]-healthcare-ml" in usage
    assert "positional[1]-healthcare-ml" in usage
    assert yaml.safe_load((ROOT / "examples/healthcare-ml/workshop.yaml").read_text())["slug"] == "healthcare-ml"
