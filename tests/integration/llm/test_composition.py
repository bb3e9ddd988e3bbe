"""How an answer is made: stream, assemble, check; and the passages' own words when the model fails."""

from contextlib import aclosing

from shared_services.contracts.rag import Passage, PassageScores
from shared_services.contracts.workshop import SourcePlace
from shared_services.llm.blocks import BlockAssembler
from shared_services.llm.citations import CheckedBlock, check_block
from shared_services.llm.errors import ModelUnavailableError
from shared_services.llm.extractive import extract_answer
from shared_services.llm.gateway import Finish
from shared_services.llm.llama_stack import LlamaStackGateway, Patience
from shared_services.llm.prompt import NO_ANSWER, answer_prompt, fitting_passages, says_no_answer
from tests.upstream import Fail, Say, ScriptedUpstream

PATIENCE = Patience(connect=20, first_token=20, gap=20, total=60, retries=0)
PASSAGES = [
    Passage(
        workshop="demo",
        step="scale",
        step_title="Scale",
        file="steps/scale/content.md",
        first_line=1,
        last_line=5,
        heading=["Scale"],
        kind="command",
        text="Scale to three replicas:\n\n```bash exec\noc scale deployment/shop --replicas=3\n```\n",
        source=SourcePlace(file="README.md", line=1),
        scores=PassageScores(fused=1.0),
    )
]


async def write(gateway: LlamaStackGateway) -> tuple[list[CheckedBlock], Finish | None]:
    shown = fitting_passages(PASSAGES, 12_000)
    assembler, checked, finish = BlockAssembler(), list[CheckedBlock](), None
    cited: set[int] = set()

    async with aclosing(gateway.stream(answer_prompt("How?", shown, [], "Demo", "Scale"), max_tokens=100)) as parts:
        async for part in parts:
            if isinstance(part, Finish):
                finish, blocks = part, assembler.close()
            else:
                blocks = assembler.feed(part)
            for block in blocks:
                checked.append(check_block(block.markdown, shown, cited))
                cited.update(checked[-1].cites)
    return checked, finish


async def test_a_models_answer_comes_checked_block_by_block() -> None:
    text = "Scale it 【1】: see below. [7]\n\n```bash\noc scale deployment/shop --replicas=3\n```\n\n```bash\noc delete all --all\n```\n"
    with ScriptedUpstream() as upstream:
        upstream.script(Say(text, piece=5))
        blocks, finish = await write(LlamaStackGateway(upstream.url, patience=PATIENCE))
    assert finish == Finish("stop")
    assert [(block.markdown, block.own) for block in blocks] == [
        ("Scale it [1]: see below.", False),
        ("```bash\noc scale deployment/shop --replicas=3\n```", False),
        ("```bash\noc delete all --all\n```", True),
    ]


async def test_the_marker_means_abstaining() -> None:
    with ScriptedUpstream() as upstream:
        upstream.script(Say(NO_ANSWER + "."))
        blocks, _ = await write(LlamaStackGateway(upstream.url, patience=PATIENCE))
    assert says_no_answer(blocks[0].markdown)


async def test_without_the_model_the_passages_answer() -> None:
    with ScriptedUpstream() as upstream:
        upstream.script(Fail(503))
        try:
            await write(LlamaStackGateway(upstream.url, patience=PATIENCE))
        except ModelUnavailableError:
            (block,) = extract_answer("How do I scale?", PASSAGES)
    assert block.markdown == "Scale to three replicas: [1]\n\n```bash\noc scale deployment/shop --replicas=3\n```"
    assert not check_block(block.markdown, PASSAGES).own
