"""What the manifests ask of a cluster stays within what was set for it."""

import pytest

from benchmarks.footprint import CORE, GOAL, WORKSHOP, compare, of_objects, rendered


@pytest.fixture(scope="module")
def parts():
    return of_objects(rendered(CORE)), of_objects(rendered(WORKSHOP))


def test_three_workshops_and_the_core_keep_within_the_goal(parts):
    asked = compare(*parts, 3)["shared"]
    assert asked["cores"] <= GOAL["cores"]
    assert asked["gib"] <= GOAL["gib"]


def test_a_replica_of_a_chat_agent_asks_for_a_tenth_of_a_core_and_128_mib(parts):
    _, workshop = parts
    asked = workshop["chat-agent"].told()
    assert asked["cores"] / asked["pods"] <= 0.1
    assert asked["gib"] / asked["pods"] <= 0.125


def test_the_core_is_all_there(parts):
    core, workshop = parts
    assert set(core) == {"console", "rag-agent", "template-converter-agent", "postgres", "milvus", "ogx"}
    assert set(workshop) == {"chat-agent"}
