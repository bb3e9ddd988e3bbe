"""Addresses, the choice of a model, thinking left out, and what settings make of the environment."""

import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llama_stack_client.types.model import Model
from pydantic import ValidationError

from shared_services.llm.errors import ModelUnavailableError
from shared_services.llm.gateway import ChatMessage, NullGateway
from shared_services.llm.llama_stack import LlamaStackGateway
from shared_services.llm.model_choice import choose_model, is_language_model
from shared_services.llm.settings import LlmSettings, build_gateway, server_address
from shared_services.llm.thinking import ThinkingFilter


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("http://localhost:8321", "http://localhost:8321"),
        (" http://localhost:8321/v1/ ", "http://localhost:8321"),
        ("https://api.example.com/openai/v1", "https://api.example.com/openai"),
        ("http://old/v1/openai/v1", "http://old/v1/openai"),
        ("http://x/v1/chat/completions", "http://x"),
    ],
)
def test_addresses(written: str, address: str) -> None:
    assert server_address(written) == address


@pytest.mark.parametrize(
    "written",
    ["localhost:8321", "ftp://x", "http://", "http://x/v1?k=1", "http://user:secret@x", "http://x:99999", "http://x:port", ""],
)
def test_addresses_that_are_none(written: str) -> None:
    with pytest.raises(ValueError):
        server_address(written)


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LLAMA_STACK_ENDPOINT", raising=False)
    monkeypatch.setenv("LLM_URL", "http://other:1/v1")
    monkeypatch.setenv("LLM_API_KEY", "k")
    settings = LlmSettings()
    assert settings.address == "http://other:1"
    assert "'k'" not in repr(settings)
    monkeypatch.setenv("LLAMA_STACK_ENDPOINT", "http://stack:8321")
    assert LlmSettings().address == "http://stack:8321"
    gateway = build_gateway(LlmSettings())
    assert isinstance(gateway, LlamaStackGateway)
    assert gateway.configured
    monkeypatch.setenv("LLAMA_STACK_ENDPOINT", "nonsense")
    with pytest.raises(ValidationError):
        LlmSettings()
    assert all(LlmSettings.variables().values())


async def test_without_an_address_there_is_no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LLAMA_STACK_ENDPOINT", raising=False)
    monkeypatch.delenv("LLM_URL", raising=False)
    gateway = build_gateway(LlmSettings())
    assert isinstance(gateway, NullGateway)
    assert not gateway.configured
    assert await gateway.ready() is None
    with pytest.raises(ModelUnavailableError) as caught:
        await anext(gateway.stream([ChatMessage("user", "?")], max_tokens=1))
    assert caught.value.reason == "no_model"


def row(name: str, **metadata: object) -> Model:
    return Model(id=name, created=1, owned_by="x", custom_metadata=metadata or None)


@pytest.mark.parametrize(
    ("name", "language"),
    [
        ("llama3.2:3b", True),
        ("meta-llama/Llama-3.1-8B-Instruct", True),
        ("qwen2.5-coder", True),
        ("gpt-4o-mini", True),
        ("mistral-e5-mix", False),
        ("nomic-embed-text:latest", False),
        ("text-embedding-3-small", False),
        ("BAAI/bge-m3", False),
        ("all-minilm", False),
        ("meta-llama/Llama-Guard-3-8B", False),
        ("whisper-1", False),
        ("Qwen3-Reranker-0.6B", False),
    ],
)
def test_names_tell_where_no_type_is_stated(name: str, language: bool) -> None:
    assert is_language_model(row(name)) is language


def test_a_stated_type_counts_more_than_the_name() -> None:
    assert choose_model([row("plain", model_type="embedding"), row("embed-chat", model_type="llm")]) == "embed-chat"
    with pytest.raises(ModelUnavailableError) as caught:
        choose_model([row("plain", model_type="embedding")])
    assert caught.value.reason == "no_model"


def think(*pieces: str) -> str:
    thinking = ThinkingFilter()
    return "".join(map(thinking.feed, pieces)) + thinking.close()


@given(
    st.sampled_from(["<think>a [1] </thin b</think>\n\nYes <think> no", "Yes", "<thi", " <b>x", "<think>never ends", ""]),
    st.integers(1, 5),
)
def test_thinking_is_left_out_however_it_is_cut(text: str, size: int) -> None:
    expected = {"<thi": "<thi", " <b>x": " <b>x", "Yes": "Yes", "<think>never ends": "", "": ""}.get(text, "Yes <think> no")
    assert think(*[text[at : at + size] for at in range(0, len(text), size)]) == expected


def test_the_client_library_is_not_imported_before_a_call() -> None:
    code = (
        "import sys; import shared_services.llm.settings as s; s.build_gateway(s.LlmSettings(address='http://x'));"
        "print('llama_stack_client' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PATH": os.environ["PATH"]}
    )
    assert done.stdout.strip() == "False"
