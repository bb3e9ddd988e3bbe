"""Answers made of the passages' own words: the right ones, whole, and never a word more."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared_services.contracts.rag import Passage
from shared_services.llm.extractive import MOST_BLOCKS, MOST_CODE, MOST_PROSE, AnswerBlock, extract_answer
from shared_services.llm.folding import code_blocks, folded, without_citations
from shared_services.llm.sentences import split_sentences
from shared_services.llm.words import asked_for
from tests.unit.llm.passages import passage, shared_passage

PROJECT = passage(
    """Log in with your user, then create a project for the web shop. A project is a namespace with a few extra annotations. \
It keeps your resources apart from the ones of the other participants.

```bash exec=terminal-1
oc new-project shop-{{user}}
```

You should see:

```text output
Now using project "shop-user1".
```
""",
    heading=("Deploy the shop", "Create a project"),
)
DEPLOY = passage(
    """Deploy the application from its image. See [the image list](../images/content.md) for others, e.g. version 1.2.3.

1. Open `deploy/app.yaml` and set `replicas` to 2.
2. Apply it:

   ```bash exec
   oc apply -f deploy/app.yaml
   ```

3. Wait until the rollout has finished:

   ```bash exec
   oc rollout status deployment/shop
   ```

![the rollout](rollout.png) The rollout replaces one pod after the other, because the shop must stay reachable while it is updated.
""",
    heading=("Deploy the shop", "Deploy"),
    first_line=30,
)
SCALE = passage(
    """Scale the deployment to three replicas:

```bash exec
oc scale deployment/shop --replicas=3
```

This adds pods at once. If a pod stays in `Pending`, look at its events with `oc describe pod`.
""",
    heading=("Operate", "Scale"),
    step="operate",
)
TROUBLE = passage(
    """## Troubleshooting

- **ImagePullBackOff** means that the node cannot fetch the image.
- **CrashLoopBackOff** means that the process ends again and again.
""",
    heading=("Operate", "Troubleshooting"),
    step="operate",
)


def answer(question: str, *passages: Passage) -> str:
    return "\n\n".join(block.markdown for block in extract_answer(question, passages))


def test_a_command_comes_with_the_sentence_that_introduces_it() -> None:
    expected = "Scale the deployment to three replicas: [1]\n\n```bash\noc scale deployment/shop --replicas=3\n```"
    assert answer("Which command scales the deployment?", SCALE, DEPLOY, PROJECT) == expected


def test_a_shared_document_answers_as_a_step_does() -> None:
    rules = shared_passage("Shoes stay at the door. Slippers are given out by the janitor.", title="Floors")
    assert answer("Who gives out slippers?", DEPLOY, rules) == "Slippers are given out by the janitor. [2]"


def test_how_leads_to_the_command_and_what_to_the_sentence() -> None:
    how = answer("How do I create a project?", PROJECT, DEPLOY)
    assert "```bash\noc new-project shop-{{user}}\n```" in how
    assert "exec" not in how
    what = answer("What is a project?", PROJECT, DEPLOY)
    assert what == (
        "A project is a namespace with a few extra annotations. It keeps your resources apart from the ones of the other participants. [1]"
    )


def test_steps_stay_whole_and_in_order() -> None:
    how = answer("How do I deploy the application?", DEPLOY, SCALE)
    assert (
        how.index("1. Open")
        < how.index("2. Apply")
        < how.index("oc apply -f")
        < how.index("3. Wait")
        < how.index("oc rollout status")
    )


def test_why_is_answered_with_the_reason_alone() -> None:
    why = answer("Why does the rollout replace pods one by one?", SCALE, DEPLOY, PROJECT)
    assert why == "The rollout replaces one pod after the other, because the shop must stay reachable while it is updated. [2]"


def test_where_is_answered_with_the_place() -> None:
    assert answer("Where do I set the number of replicas?", SCALE, DEPLOY).startswith(
        "1. Open `deploy/app.yaml` and set `replicas` to 2. [2]"
    )


def test_output_is_shown_when_asked_for_only() -> None:
    assert "Now using project" in answer("What output should I see after creating the project?", PROJECT)
    assert "Now using project" not in answer("How do I create a project?", PROJECT)


def test_one_item_of_a_list_can_be_the_answer() -> None:
    assert "CrashLoopBackOff** means that the process ends again and again. [1]" in answer(
        "What does CrashLoopBackOff mean?", TROUBLE
    )


def test_links_into_the_workshop_become_text_and_images_go() -> None:
    text = "Read [the guide](../guide/content.md#top) and [the docs](https://docs.example.com/a) before ![x](y.png) you deploy <b>it</b>."
    assert (
        answer("deploy", passage(text)) == "Read the guide and [the docs](https://docs.example.com/a) before you deploy it. [1]"
    )


def test_an_authors_own_number_is_no_citation() -> None:
    assert (
        answer("What is the limit?", passage("The limit is five, as the paper says [3]."))
        == "The limit is five, as the paper says \\[3\\]. [1]"
    )


def test_a_sentence_that_points_back_brings_what_it_points_to() -> None:
    text = "The operator watches the routes. It restarts the proxy after a certificate was renewed. Lunch is at noon."
    assert answer("When is the proxy restarted for a certificate?", passage(text)) == (
        "The operator watches the routes. It restarts the proxy after a certificate was renewed. [1]"
    )


def test_near_duplicates_are_shown_once() -> None:
    first = passage("Set the quota of the namespace in the file `quota.yaml`.")
    second = passage("Set the quota of the namespace in the file `quota.yaml`!", step="other")
    third = passage("Set the quota of the namespace in the file `limits.yaml`.", step="third")
    text = answer("Where do I set the quota of the namespace?", first, second, third)
    assert text.count("quota.yaml") == 1
    assert "limits.yaml" in text


def test_without_a_common_word_the_best_passage_speaks() -> None:
    blocks = extract_answer("Je ne comprends rien", [SCALE, DEPLOY])
    assert {n for block in blocks for n in block.cites} == {1}
    assert extract_answer("anything", []) == []
    assert extract_answer("anything", [passage("# Only a heading")]) == []


def test_an_answer_stays_short() -> None:
    names = "alpha beta gamma delta omega kappa sigma theta lambda epsilon".split()  # noqa: SIM905
    prose = [
        passage(f"The {name} quota is counted for each of the {name} rooms and {name} doors{' ' + name * 9} of it.")
        for name in names
    ]
    blocks = extract_answer("Tell me about the quota", prose)
    assert 1 < len(blocks) <= MOST_BLOCKS
    assert sum(len(without_citations(_prose(block))) for block in blocks) <= MOST_PROSE
    long = [passage("\n\n".join(f"The {name} quota {name} {f'counts {name} ' * 25}." for name in names))]
    assert sum(len(block.markdown) for block in extract_answer("Tell me about the quota", long)) <= MOST_PROSE + 5 * MOST_BLOCKS
    one = passage("\n\n".join(f"Set the quota {name}:\n\n```bash\noc set quota {name}\n```" for name in names))
    shown = extract_answer("How do I set the quota?", [one])
    assert sum(len(code_blocks(block.markdown)) for block in shown) == MOST_CODE


def test_a_passage_that_begins_inside_a_list_item_is_no_code() -> None:
    text = "    Build the image:\n\n    ```bash\n    podman build .\n    ```\n\n1. Push it."
    assert answer("How do I build the image?", passage(text)) == "Build the image: [1]\n\n```bash\npodman build .\n```"


def test_a_step_longer_than_the_limit_is_not_cut() -> None:
    long = "The quota " + "is checked very thoroughly " * 80 + "by the server."
    assert answer("quota", passage(long)) == f"{long} [1]"


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("How do I deploy?", "command"),
        ("Which command lists the pods?", "command"),
        ("What is the command to log in?", "command"),
        ("What is a pod?", "reason"),
        ("Why is it pending?", "reason"),
        ("Where is the config?", "place"),
        ("Which file holds the quota?", "place"),
        ("What should I see?", "output"),
        ("pods pending", "any"),
    ],
)
def test_what_is_asked_for(question: str, kind: str) -> None:
    assert asked_for(question) == kind


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Use e.g. Helm. Then go.", ["Use e.g. Helm.", "Then go."]),
        ("It is 1.2.3. Next one.", ["It is 1.2.3.", "Next one."]),
        ("Open app.py. Run `a. B`! Why? So.", ["Open app.py.", "Run `a. B`!", "Why?", "So."]),
        ("See Fig. 3 and No. 4. The answer is no. Go.", ["See Fig. 3 and No. 4.", "The answer is no.", "Go."]),
        ("The .env file. It counts.", ["The .env file.", "It counts."]),
        ("Fine [1]. Well. [2] Good.", ["Fine [1].", "Well. [2]", "Good."]),
        ("**Note. Read this.** Then that.", ["**Note. Read this.**", "Then that."]),
        ("これは例。次です。", ["これは例。", "次です。"]),
        ("See [a. B](x. Y) here... And there", ["See [a. B](x. Y) here...", "And there"]),
    ],
)
def test_sentences(text: str, sentences: list[str]) -> None:
    assert split_sentences(text) == sentences


NOUN = st.sampled_from(["cluster", "quota", "route", "secret", "pod", "image", "volume", "token", "proxy", "login"])
WORDS = st.lists(
    NOUN | st.sampled_from(["the", "a", "is", "runs", "`oc", "get`", "checks", "1.2.3", "e.g.", "quickly", "*soon*", "app.yaml"]),
    min_size=2,
    max_size=12,
)
SENTENCE = st.builds(lambda start, words, end: f"{start} {' '.join(words)}{end}", st.sampled_from(["The", "It", "Then", "This", "A", "If"]), WORDS, st.sampled_from(".!?"))  # fmt: skip
PARAGRAPH = st.lists(SENTENCE, min_size=1, max_size=4).map(" ".join)
COMMAND = st.builds(lambda verb, noun: f"oc {verb} {noun}", st.sampled_from(["get", "delete", "create"]), NOUN)
FENCE = st.lists(COMMAND, min_size=1, max_size=3).map(lambda lines: "```bash exec\n" + "\n".join(lines) + "\n```")
INTRODUCED = st.builds(lambda words, code: f"Run {' '.join(words)}:\n\n{code}", WORDS, FENCE)
STEPS = st.lists(SENTENCE, min_size=1, max_size=6).map(lambda items: "\n".join(f"{n}. {item}" for n, item in enumerate(items, 1)))
BULLETS = st.lists(SENTENCE, min_size=1, max_size=6).map(lambda items: "\n".join(f"- {item}" for item in items))
PASSAGE = st.lists(PARAGRAPH | FENCE | INTRODUCED | STEPS | BULLETS | st.just("# Title"), min_size=1, max_size=6).map("\n\n".join)
QUESTION = st.builds(lambda start, words: f"{start} {' '.join(words)}?", st.sampled_from(["How do I", "Why", "Where is", "What is", ""]), st.lists(NOUN, max_size=4))  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(QUESTION, st.lists(PASSAGE, min_size=1, max_size=5))
def test_every_sentence_and_command_stands_in_a_cited_passage(question: str, found: list[str]) -> None:
    passages = [passage(text) for text in found]
    blocks = extract_answer(question, passages)
    assert len(blocks) <= MOST_BLOCKS
    for block in blocks:
        assert block.cites
        assert re.findall(r"\[(\d+)\]", _prose(block)) == [str(n) for n in block.cites]
        cited = folded(" ".join(passages[n - 1].text for n in block.cites))
        for code in code_blocks(block.markdown):
            assert folded(code["body"]) in cited
        for line in _prose(block).splitlines():
            for sentence in split_sentences(without_citations(line)):
                assert folded(sentence) in cited
        if blocks[0] is block and not _prose(block).startswith(("1.", "-")):
            assert not _prose(block).rstrip().endswith(": [1]") or "```" in block.markdown
    if len(blocks) > 1:
        assert sum(len(without_citations(_prose(block))) for block in blocks) <= MOST_PROSE + 20 * len(blocks)
        assert sum(len(code_blocks(block.markdown)) for block in blocks) <= MOST_CODE


def _prose(block: AnswerBlock) -> str:
    text = block.markdown
    for code in code_blocks(text):
        text = text.replace(code.group(), "")
    return text
