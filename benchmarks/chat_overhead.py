"""What the chat agent's own pipeline takes of an answer: `python -m benchmarks.chat_overhead [--questions N] [--json]`.

The agent runs as a process (`python -m workshop_chat`) in front of a scripted library, RAG agent and model that answer at once
(`benchmarks.chat_world`); one participant asks one question after the other. Milliseconds, p50 and p95:

- `first_block_ms`: from the message's arrival to the first block of its answer, less what the agent itself notes for retrieval
  and less the time the model took; this is the figure with a goal. The model's part is taken where the model stands.
- `whole_ms`: from sending the message to the answer's end at the participant, less the same: with HTTP, store and all blocks.
- `agent_cpu_ms`: processor time that the agent used for a question, all in all; other programs on the machine stretch it less.
"""

import argparse
import asyncio
import json
import os
import time
from collections.abc import Sequence
from typing import Any

import httpx

from benchmarks.chat_streams import part
from benchmarks.chat_world import STEP, ScriptedWorld, chat_agent, made_folder
from shared_services.kit.sse import decode

GOAL_P95_MS = 15.0
TOKENS = 66
WARM = 20


async def asked(http: httpx.AsyncClient, conversation: str, world: ScriptedWorld, number: int) -> tuple[float, float]:
    """Milliseconds of the pipeline's own until the first block, and in all.

    Raises:
        RuntimeError: It was not the model's whole answer, so that its time says nothing.
    """
    marker = f"m{number:06}"
    question = {"text": f"Which port does the application listen on? {marker}", "step": STEP}
    began = time.perf_counter()
    first = None
    answer: dict[str, Any] = {}
    headers = {"accept": "text/event-stream"}
    async with http.stream("POST", f"/api/v1/conversations/{conversation}/messages", json=question, headers=headers) as response:
        async for event in decode(response.aiter_bytes()):
            if event.event == "block" and first is None:
                first = time.perf_counter()
            elif event.event == "done":
                answer = event.json()
    ended = time.perf_counter()
    told = world.told[marker]
    if first is None or told.ended_at is None or answer.get("written_by") != "model" or answer.get("note"):
        raise RuntimeError(f"not the model's answer: {answer}")
    retrieve = answer["timings"]["retrieve"]
    # Everything that the model says comes at once, so its first block is ready when all of it has been sent.
    model = (told.ended_at - told.asked_at) * 1000
    return (first - began) * 1000 - retrieve - model, (ended - began) * 1000 - retrieve - model


async def measure(questions: int, agent_core: Sequence[int]) -> dict[str, Any]:
    """All figures."""
    world = ScriptedWorld(TOKENS)
    async with world.serving():
        with made_folder() as (folder, issuer), chat_agent(world.url, folder, issuer, cores=agent_core) as agent:
            await asyncio.to_thread(agent.until, "/readyz")
            async with httpx.AsyncClient(base_url=agent.url, timeout=60, trust_env=False) as http:
                taken, used = [], 0.0
                for number in range(WARM + questions):
                    if number == WARM:
                        used = agent.processor_seconds()
                    if number % 10 == 0:
                        conversation = (await http.post("/api/v1/conversations")).raise_for_status().json()["id"]
                    taken.append(await asked(http, conversation, world, number))
                used = agent.processor_seconds() - used
    firsts, wholes = zip(*taken[WARM:], strict=True)
    return {
        "questions": questions,
        "first_block_p50_ms": round(part(firsts, 0.5), 1),
        "first_block_p95_ms": round(part(firsts, 0.95), 1),
        "whole_p50_ms": round(part(wholes, 0.5), 1),
        "whole_p95_ms": round(part(wholes, 0.95), 1),
        "agent_cpu_ms": round(used / questions * 1000, 1),
        "goal_p95_ms": GOAL_P95_MS,
        "load_before": os.getloadavg()[2],
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chat_overhead", description=__doc__)
    parser.add_argument("--questions", type=int, default=500)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) > 1:
        os.sched_setaffinity(0, cores[1:])
    found = asyncio.run(measure(given.questions, cores[:1]))
    if given.json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        print(f"{name:20}", value)


if __name__ == "__main__":
    main()
