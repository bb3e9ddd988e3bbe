"""`workshop ask` with a language model: a real OGX server in front of a scripted one, and what is left when it goes."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.integration.cli.program import run
from tests.ogx import OGX, model_server
from tests.upstream import Fail, Say, ScriptedUpstream, closed_port, model_row

pytestmark = [pytest.mark.ogx, pytest.mark.timeout(600)]

ANSWER = "Sow the tomato seeds one centimetre deep [1]. Then fly to the moon [7]."


@dataclass(frozen=True)
class Stack:
    upstream: ScriptedUpstream
    address: str


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    rows = [model_row("nomic-embed-text"), model_row("talker")]
    with ScriptedUpstream(models=rows) as upstream, model_server(OGX, upstream.url, tmp_path_factory.mktemp("ogx")) as address:
        yield Stack(upstream, address)


def ask(data: Path, address: str, variable: str = "LLAMA_STACK_ENDPOINT") -> dict:
    done = run("ask", "garden", "How deep do I sow the tomato seeds?", "--json", "--data", data, env={variable: address})
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_model_writes_from_numbered_passages_and_is_checked(data: Path, stack: Stack):
    stack.upstream.script(Say(ANSWER))
    answer = ask(data, stack.address)
    assert answer["written_by"] == "model"
    assert "one centimetre deep [1]" in answer["answer"]
    assert "[7]" not in answer["answer"], "the model was given no such passage"
    assert [row["step"] for row in answer["citations"]] == ["sow"]
    prompt = json.dumps(stack.upstream.requests[-1].body["messages"])
    assert "Sow the tomato seeds one centimetre deep." in prompt
    assert "Knead the dough" not in prompt, "that is another workshop's"


def test_a_model_that_fails_leaves_the_extractive_answer_with_a_note(data: Path, stack: Stack):
    stack.upstream.script(*[Fail(500)] * 10)
    answer = ask(data, stack.address)
    assert answer["written_by"] == "extractive"
    assert answer["note"]
    assert "one centimetre deep" in answer["answer"]


def test_any_other_address_of_an_openai_kind_will_do(data: Path, stack: Stack):
    stack.upstream.script(Say(ANSWER))
    assert ask(data, f"{stack.upstream.url}/v1", "LLM_URL")["written_by"] == "model"


def test_nobody_at_the_address_is_no_reason_to_give_no_answer(data: Path):
    with closed_port() as address:
        answer = ask(data, address)
    assert answer["written_by"] == "extractive"
    assert answer["note"]
