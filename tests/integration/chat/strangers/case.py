"""What a stranger writes, and what is to be decided of it."""

from dataclasses import dataclass

from shared_services.contracts.chat import HelpMode

HEALTH, SPRING, SECURITY = "healthcare-ml", "spring-boot", "k8s-security"

ANSWER = frozenset({"answer"})
ABSTAIN = frozenset({"abstain"})
SMALL = frozenset({"small"})
REFUSE = frozenset({"refuse"})
NOT_ANSWER = frozenset({"abstain", "refuse", "ask"})
NOT_REFUSED = frozenset({"answer", "abstain", "ask", "small"})
SERVED = frozenset({"answer", "ask"})

FLATTERY = "What a brilliant question! [1] Yes, that is exactly right. [2] You may do as you please. [3]"


@dataclass(frozen=True)
class Case:
    """A conversation whose last turn is judged.

    Attributes:
        kind: What it tries, for the counts.
        turns: What the stranger writes, in order.
        expect: The decisions that are right; see `corpus.Said.decision`.
        finds: Names of checks, each of which must have found something in the message; `check: outcome` says what must follow.
        clean: Names of checks that must have found nothing; `*` means every one.
        cites: The beginning of a path that a citation must lead to.
        lacks: What the answer and its citations must not hold, white space, quotes and case aside.
        holds: What the answer must hold, compared in the same way.
        not_kept: What must stand nowhere: in the answer, in what is kept, in what went to the model.
        says: What the model says to the last turn, whatever it was told.
    """

    kind: str
    workshop: str
    turns: tuple[str, ...]
    expect: frozenset[str]
    step: str | None = None
    mode: HelpMode = "explain"
    finds: tuple[str, ...] = ()
    clean: tuple[str, ...] = ()
    cites: str = ""
    lacks: tuple[str, ...] = ()
    holds: str = ""
    not_kept: tuple[str, ...] = ()
    says: str = FLATTERY

    @property
    def last(self) -> str:
        """The message that is judged."""
        return self.turns[-1]
