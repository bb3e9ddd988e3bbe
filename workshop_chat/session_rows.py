"""The statements on sessions that run for each newcomer, made once: making one takes longer than running it."""

from typing import cast

from sqlalchemy import Table, and_, bindparam, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from workshop_chat.tables import SessionRow

_TABLE = cast("Table", SessionRow.__table__)
_ROW = _TABLE.c
_HERE = _ROW.workshop == bindparam("in_")
_LIVE = and_(_HERE, _ROW.state == "live")
_NAMED = _ROW.participant.in_(bindparam("named", expanding=True))

SOME = select(_TABLE).where(_HERE, _NAMED)
"""Those who are `named`."""

SOME_HELD = SOME.order_by(_ROW.participant).with_for_update()
"""The same, locked, in the order in which rows are locked everywhere."""

CONCERNED_HELD = (
    select(_TABLE)
    .where(_HERE, or_(_ROW.state == "waiting", and_(_ROW.state == "live", _ROW.active_at < bindparam("since")), _NAMED))
    .order_by(_ROW.participant)
    .with_for_update()
)
"""Those who are `named`, wait, or have been idle `since`; locked."""

OTHERS = select(func.count()).where(
    _LIVE, _ROW.active_at >= bindparam("since"), _ROW.participant.not_in(bindparam("named", expanding=True))
)
"""How many others are live and were active `since`."""

LIVE = select(func.count()).where(_LIVE)
"""How many are live."""

NOBODY = update(_TABLE).where(_HERE, _ROW.participant == "").values(state=_ROW.state)
"""Changes nothing, and makes SQLite's connection its writer."""


def keep_statement(*, on_postgres: bool) -> postgresql.Insert | sqlite.Insert:
    """Writes sessions down, new or changed; its parameters are the columns."""
    statement = postgresql.insert(_TABLE) if on_postgres else sqlite.insert(_TABLE)
    given = {column.name: statement.excluded[column.name] for column in _ROW if column.name not in {"workshop", "participant"}}
    return statement.on_conflict_do_update(index_elements=["workshop", "participant"], set_=given)
