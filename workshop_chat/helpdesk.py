"""What is known of a step and of a participant on it, as the ways of helping need it: hints, commands, the solution, its lock.

Texts are read once for each version and step and kept for the steps that were asked about last; of people, only where those who
asked last were a moment ago, so that a question does not cost a write.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from anyio import to_thread

from shared_services.contracts.chat import HelpMode, HelpWay
from shared_services.contracts.library import WorkshopVersion
from shared_services.contracts.workshop import SourceMap
from workshop_chat.content import WorkshopContent
from workshop_chat.errors import StepNotFoundError
from workshop_chat.help import SolveLock, policy_of, solve_lock
from workshop_chat.ports import Progress
from workshop_chat.stages.excerpts import StepFile
from workshop_chat.stages.texts import StepTexts, read_texts

STEPS_KEPT = 16
MOST_SEEN = 2_000
SEEN_AGAIN_SECONDS = 15.0


class HelpDesk:
    """Knows the steps of one workshop, and what stands open to whom.

    Args:
        content: The workshop.
        progress: What is known of participants.
        now: The time; UTC.
    """

    def __init__(
        self, content: WorkshopContent, progress: Progress, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._content = content
        self._progress = progress
        self._now = now
        self._kept: OrderedDict[tuple[str, str], StepTexts] = OrderedDict()
        self._seen: OrderedDict[str, tuple[str, float]] = OrderedDict()

    async def texts(self, published: WorkshopVersion, step: str) -> StepTexts:
        """What a step says.

        Raises:
            UnavailableError: A file of it is not held and the library does not answer.
        """
        key = (published.version, step)
        kept = self._kept.get(key)
        if kept is None:
            content = await self.file(published, step, "content.md")
            hints = await self.file(published, step, "hints.md")
            solve = await self.file(published, step, "solve.md")
            # Hundreds of milliseconds for the longest of texts, so not on the event loop.
            kept = await to_thread.run_sync(read_texts, content, hints, solve)
            self._kept[key] = kept
            while len(self._kept) > STEPS_KEPT:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(key)
        return kept

    async def file(self, published: WorkshopVersion, step: str, name: str) -> StepFile | None:
        """A text of a step; None where it has none such."""
        folder = f"steps/{step}"
        paths = {file.path for file in published.files}
        if step not in published.steps or f"{folder}/{name}" not in paths:
            return None
        raw = await self._content.file(f"{folder}/{name}", published.version)
        places = None
        if name == "content.md" and f"{folder}/source-map.json" in paths:
            places = SourceMap.model_validate_json(await self._content.file(f"{folder}/source-map.json", published.version))
        title = published.steps[step].title
        return StepFile(published.workshop, step, title, f"{folder}/{name}", raw.decode("utf-8", "replace"), places)

    async def lock(self, published: WorkshopVersion, step: str, participant: str) -> SolveLock | None:
        """What keeps a step's solution shut for a participant; None where it is open."""
        policy = policy_of(published.manifest, published.steps.get(step))
        if policy.allowed and policy.after_minutes is None and policy.after_failed_checks is None:
            return None
        return solve_lock(policy, await self._progress.record(participant, step), self._now())

    def sentence(self, lock: SolveLock) -> str:
        """What a participant is told of a lock."""
        return lock.sentence(self._now())

    async def seen(self, participant: str, step: str) -> None:
        """A participant is on a step; one who was there a moment ago is not written down again."""
        if not participant:
            return
        now = time.monotonic()
        before = self._seen.pop(participant, None)
        self._seen[participant] = (step, now)
        if len(self._seen) > MOST_SEEN:
            self._seen.popitem(last=False)
        if before is None or before[0] != step or now - before[1] >= SEEN_AGAIN_SECONDS:
            await self._progress.seen(participant, step)
        else:
            self._seen[participant] = before

    async def hints_shown(self, conversation: str, participant: str, step: str) -> Sequence[str]:
        """The texts of a step's hints that a conversation has been given."""
        return await self._progress.hints_shown(conversation, participant, step) if conversation and participant else []

    async def ways(self, step: str, participant: str) -> list[HelpWay]:
        """The three ways of helping on a step of the current version, for a participant.

        Raises:
            StepNotFoundError: There is no such step.
            UnavailableError: The workshop cannot be read.
        """
        published = await self._content.current()
        await self.require(step)
        lock = await self.lock(published, step, participant)
        free: list[HelpMode] = ["hint", "explain"]
        solve = HelpWay(mode="solve", open=True)
        if lock is not None:
            solve = HelpWay(
                mode="solve",
                open=False,
                message=self.sentence(lock),
                opens_at=lock.opens_at,
                failed_checks_left=lock.failed_checks_left,
            )
        return [*(HelpWay(mode=mode, open=True) for mode in free), solve]

    async def require(self, step: str) -> None:
        """Check that the current version has a step.

        Raises:
            StepNotFoundError: It has not.
        """
        order = (await self._content.current()).manifest.steps
        if step not in order:
            raise StepNotFoundError(f"There is no step '{step[:80]}'. The steps: {', '.join(order)}.")
