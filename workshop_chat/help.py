"""The three ways of helping, and when the third is open: the participant chooses, the author bounds."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared_services.contracts.chat import HelpMode
from shared_services.contracts.rag import ChunkKind
from shared_services.contracts.workshop import SolvePolicy, StepManifest, WorkshopManifest


@dataclass(frozen=True)
class StepRecord:
    """What is known of a participant on a step.

    Attributes:
        since: When they first opened it; None when they have not.
        failed_checks: How many checks of it failed since the last one that passed.
        passed: A check of it has passed: there is nothing left to give away, unless the author gives solutions to nobody.
    """

    since: datetime | None = None
    failed_checks: int = 0
    passed: bool = False


@dataclass(frozen=True)
class SolveLock:
    """Why the exact commands are not given now, and when they will be.

    Attributes:
        opens_at: None where time alone does not open it.
        failed_checks_left: None where failed checks do not open it.
    """

    opens_at: datetime | None = None
    failed_checks_left: int | None = None

    @property
    def for_good(self) -> bool:
        """The author has switched it off."""
        return self.opens_at is None and self.failed_checks_left is None

    def sentence(self, now: datetime) -> str:
        """For the participant."""
        if self.for_good:
            return "The author of this workshop has switched solutions off. Hints and explanations are open."
        ways = []
        if self.opens_at is not None:
            minutes = max(1, -int((now - self.opens_at) // timedelta(minutes=1)))
            ways.append(f"in {minutes} minute{'s' if minutes != 1 else ''}")
        if self.failed_checks_left is not None:
            left = self.failed_checks_left
            ways.append(f"after {left} more failed check{'s' if left != 1 else ''}")
        return f"The solution of this step opens {' or '.join(ways)}. Until then there are hints and explanations."


def policy_of(manifest: WorkshopManifest, step: StepManifest | None) -> SolvePolicy:
    """The step's own policy, else the workshop's."""
    return step.solve if step is not None and step.solve is not None else manifest.help.solve


def solve_lock(policy: SolvePolicy, record: StepRecord, now: datetime) -> SolveLock | None:
    """What keeps the solution shut; None where it is open."""
    if not policy.allowed:
        return SolveLock()
    if record.passed or (policy.after_minutes is None and policy.after_failed_checks is None):
        return None
    opens_at, left = None, None
    if policy.after_minutes is not None:
        opens_at = (record.since or now) + timedelta(minutes=policy.after_minutes)
        if opens_at <= now:
            return None
    if policy.after_failed_checks is not None:
        left = policy.after_failed_checks - record.failed_checks
        if left <= 0:
            return None
    return SolveLock(opens_at, left)


def readable_kinds(mode: HelpMode, *, solve_open: bool) -> list[ChunkKind]:
    """The kinds of passages that an answer may rest on.

    A check's script is never read to a participant: it judges them. A solution is read in solve mode alone, and there where
    it is open. A hint reads no code of the step; see `workshop_chat.stages.reveal` for what prose and models still say.
    """
    told: list[ChunkKind] = ["prose", "output", "hint", "explain"]
    if mode == "hint":
        return told
    commands: list[ChunkKind] = ["command", "code"]
    solutions: list[ChunkKind] = ["solve"] if mode == "solve" and solve_open else []
    return told + commands + solutions
