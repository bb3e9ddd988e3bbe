"""What the board's page shows. Pure."""

from dataclasses import dataclass
from datetime import datetime

from shared_services.contracts.board import Board, BoardPerson
from workshop_chat.board.stuck import minutes


@dataclass(frozen=True)
class Cell:
    """A person on a step: `state` is `here`, `passed`, `visited` or empty; `words` says it to who does not see it."""

    state: str
    stuck: bool
    words: str


@dataclass(frozen=True)
class Row:
    """A person."""

    person: BoardPerson
    cells: list[Cell]
    place: str
    on_step: str
    seen: str
    hand: str
    asked: str


@dataclass(frozen=True)
class BoardView:
    """The board, with its times in words and what calls for somebody first."""

    board: Board
    rows: list[Row]
    hands: list[Row]
    stuck: list[Row]
    live: int


def ago(moment: datetime, now: datetime) -> str:
    """How long ago, for people."""
    seconds = max(0.0, (now - moment).total_seconds())
    return "now" if seconds < 60 else f"{minutes(seconds)} ago"


def board_view(board: Board) -> BoardView:
    """What the page shows of a board. Hands stand in the order in which they were raised, the stuck with most reasons first."""
    rows = [_row(person, board) for person in board.people]
    hands = [row for row in rows if row.person.hand_raised_at is not None]
    return BoardView(
        board=board,
        rows=rows,
        hands=sorted(hands, key=lambda row: row.person.hand_raised_at or board.at),
        stuck=sorted((row for row in rows if row.person.stuck), key=lambda row: -len(row.person.stuck)),
        live=sum(row.person.state != "over" for row in rows),
    )


def _row(person: BoardPerson, board: Board) -> Row:
    order = [step.id for step in board.steps]
    number = order.index(person.step) + 1 if person.step in order else 0
    return Row(
        person=person,
        cells=[_cell(person, step) for step in order],
        place=f"Step {number}" if number else "No step yet",
        on_step=minutes(person.seconds_on_step) if number else "",
        seen=ago(person.seen_at, board.at),
        hand=ago(person.hand_raised_at, board.at) if person.hand_raised_at else "",
        asked=ago(person.question_at, board.at) if person.question_at else "",
    )


def _cell(person: BoardPerson, step: str) -> Cell:
    if step == person.step:
        return Cell("here", bool(person.stuck), "here, stuck" if person.stuck else "here")
    if step in person.passed:
        return Cell("passed", False, "passed")
    return Cell("visited", False, "seen") if step in person.visited else Cell("", False, "")
