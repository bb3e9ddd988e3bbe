from agents.rag.store import StoredChunk
from benchmarks.step_favour import asked_of


def _chunk(ordinal: int, step: str, text: str) -> StoredChunk:
    return StoredChunk(ordinal, "w", step, step, f"steps/{step}/content.md", 1, 1, (step,), "prose", text, "", None, "f", 1)


def test_questions_are_made_of_a_steps_own_text_and_asked_from_three_places() -> None:
    texts = {
        "one": "Build the image of the shop and push it to the registry first.",
        "two": "Deploy the image of the shop with the manifest from the registry page.",
        "three": "Scale the shop when the queue grows and watch the image pull again.",
        "four": "Delete everything.",
    }
    asked = list(asked_of([_chunk(number, step, text) for number, (step, text) in enumerate(texts.items())]))
    clear = [each for each in asked if each.kind == "clear" and each.right == "one"]
    assert [(each.place, each.step) for each in clear] == [("own", "one"), ("beside", "two"), ("far", "four")]
    assert all(texts["one"].startswith(each.text) for each in clear)
    vague = [each for each in asked if each.kind == "vague"]
    assert vague
    assert all(set(each.text.split()) <= set(texts[each.right].lower().replace(".", "").split()) for each in vague)
    assert not any(each.right == "four" for each in asked)


def test_a_workshop_of_two_steps_has_no_far_one() -> None:
    assert list(asked_of([_chunk(0, "one", "text of one"), _chunk(1, "two", "text of two")])) == []
