"""Who is let in, who waits, and who has had their time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from workshop_chat.admission import (
    CLAIM,
    FORGOTTEN,
    PRESENT,
    Arrival,
    Place,
    Rules,
    State,
    admit,
    line,
    seconds_spent,
    settle,
    signs,
    stay,
    view,
)

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
TIMEOUT = timedelta(minutes=40)
TWO = Rules(2, TIMEOUT)


def ago(**time: float) -> datetime:
    return NOW - timedelta(**time)


def place(name: str, state: State = "live", *, since: float = 5, active: float = 0, seen: float = 0) -> Place:
    """`since`, `active` and `seen` in minutes before now."""
    return Place(name, name.title(), state, ago(minutes=since), ago(minutes=active), ago(minutes=seen))


def states(places: dict[str, Place]) -> dict[str, State]:
    return {name: held.state for name, held in places.items()}


def test_newcomers_are_let_in_until_the_workshop_is_full():
    after = settle(NOW, [], [Arrival(name, name, NOW) for name in ("ada", "bob", "cleo")], TWO)
    assert states(after) == {"ada": "live", "bob": "live", "cleo": "waiting"}
    assert after["cleo"].since == NOW


def test_a_free_place_goes_to_whoever_waited_longest_and_is_still_there():
    places = [
        place("ada"),
        place("gone", "waiting", since=9, seen=1),
        place("bob", "waiting", since=7),
        place("cleo", "waiting", since=8),
    ]
    changed = admit(NOW, places, 2, TIMEOUT)
    assert states(changed) == {"cleo": "live"}
    assert [one.participant for one in line(NOW, places)] == ["cleo", "bob"]


def test_a_newcomer_does_not_overtake_those_who_wait():
    places = [place("ada"), place("bob", "waiting", since=1)]
    after = settle(NOW, places, [Arrival("cleo", "", NOW)], TWO)
    assert states(after) == {"ada": "live", "bob": "live", "cleo": "waiting"}


def test_idle_sessions_end_and_lower_their_hand():
    idle = replace(place("ada", active=41), hand_raised_at=ago(minutes=50))
    changed = admit(NOW, [idle, place("bob", active=39)], 2, TIMEOUT)
    assert states(changed) == {"ada": "over"}
    assert changed["ada"].hand_raised_at is None
    assert changed["ada"].since == NOW


def test_whoever_was_idle_too_long_comes_in_again_where_there_is_a_place():
    idle = place("ada", active=41)
    assert states(settle(NOW, [idle], [Arrival("ada", "Ada", NOW)], TWO)) == {"ada": "live"}
    full = [idle, place("bob"), place("cleo", "waiting", since=1)]
    assert states(settle(NOW, full, [Arrival("ada", "Ada", NOW)], TWO)) == {"ada": "waiting", "bob": "live", "cleo": "live"}


def test_whoever_is_let_in_while_they_wait_has_a_while_to_come():
    admitted = admit(NOW, [place("ada", "waiting")], 1, TIMEOUT)["ada"]
    assert admitted.active_at + TIMEOUT == NOW + CLAIM
    assert admit(NOW + CLAIM + timedelta(seconds=1), [admitted], 1, TIMEOUT)["ada"].state == "over"
    acts = settle(NOW + CLAIM / 2, [admitted], [Arrival("ada", "", NOW + CLAIM / 2)], Rules(1, TIMEOUT))["ada"]
    assert acts.active_at == NOW + CLAIM / 2


def test_a_stranger_holds_a_place_for_a_while_only_until_they_come_again():
    stranger = settle(NOW, [], [Arrival("x", "", NOW, fleeting=True)], TWO)["x"]
    assert (stranger.state, stranger.active_at + TIMEOUT) == ("live", NOW + CLAIM)


def test_a_lowered_limit_ends_nobody_and_lets_nobody_in():
    places = [place("ada"), place("bob"), place("cleo"), place("dan", "waiting")]
    assert admit(NOW, places, 2, TIMEOUT) == {}


def test_a_waiting_page_that_is_gone_for_long_loses_its_turn():
    places = [place("ada"), place("bob"), place("cleo", "waiting", since=30, seen=11)]
    assert states(admit(NOW, places, 2, TIMEOUT)) == {"cleo": "over"}
    back = place("cleo", "waiting", since=30, seen=FORGOTTEN.total_seconds() / 60 + 1)
    assert settle(NOW, [*places[:2], back], [Arrival("cleo", "", NOW)], TWO)["cleo"].since == NOW


def test_being_seen_is_no_activity():
    seen = settle(NOW, [place("ada", active=10, seen=10)], [Arrival("ada")], TWO)["ada"]
    assert (seen.seen_at, seen.active_at) == (NOW, ago(minutes=10))
    assert settle(NOW, [], [Arrival("nobody")], TWO) == {}


def test_what_is_told_late_begins_no_session():
    told = Arrival("ada", active_at=ago(seconds=20), late=True)
    assert settle(NOW, [place("ada", "over", since=0)], [told], TWO)["ada"].state == "over"
    assert settle(NOW, [], [told], TWO) == {}
    live = settle(NOW, [place("ada", active=1)], [told], TWO)["ada"]
    assert (live.state, live.active_at) == ("live", ago(seconds=20))


def test_leaving_frees_the_place_and_the_turn():
    places = [place("ada"), place("bob"), place("cleo", "waiting")]
    assert states(settle(NOW, places, [Arrival("ada", leaves=True)], TWO)) == {"ada": "over", "bob": "live", "cleo": "live"}
    assert states(settle(NOW, places, [Arrival("cleo", leaves=True)], TWO))["cleo"] == "over"
    assert settle(NOW, [], [Arrival("nobody", leaves=True)], TWO) == {}


def test_hands_and_steps_are_of_those_who_are_in():
    places = [place("ada"), place("bob"), place("cleo", "waiting")]
    arrivals = [Arrival(name, "", NOW, step="water", hand=True) for name in ("ada", "cleo")]
    after = settle(NOW, places, arrivals, TWO)
    assert (after["ada"].step, after["ada"].step_since, after["ada"].hand_raised_at) == ("water", NOW, NOW)
    assert (after["cleo"].step, after["cleo"].hand_raised_at) == (None, None)
    again = settle(NOW + TIMEOUT / 9, after.values(), [Arrival("ada", "", NOW + TIMEOUT / 9, step="water", hand=True)], TWO)
    assert (again["ada"].step_since, again["ada"].hand_raised_at) == (NOW, NOW)
    assert settle(NOW, after.values(), [Arrival("ada", "", NOW, hand=False)], TWO)["ada"].hand_raised_at is None


def test_going_on_concerns_nobody_else():
    went_on = stay(NOW, [place("ada", active=1)], [Arrival("ada", "Ada", NOW, step="water")], TWO)
    assert went_on is not None
    assert (went_on["ada"].active_at, went_on["ada"].step) == (NOW, "water")
    for held, arrival in (
        ([], Arrival("ada", "", NOW)),
        ([place("ada", active=41)], Arrival("ada", "", NOW)),
        ([place("ada", "waiting")], Arrival("ada", "", NOW)),
        ([place("ada", "over")], Arrival("ada", "", NOW)),
        ([place("ada")], Arrival("ada", leaves=True)),
    ):
        assert stay(NOW, held, [arrival], TWO) is None


def test_a_view_says_where_one_is():
    ada, bob, cleo = place("ada"), place("bob", "waiting", since=2, seen=5), place("cleo", "waiting", since=1)
    waiting = [bob, cleo]
    assert view(NOW, None, waiting, 1, TWO).state == "over"
    live = view(NOW, ada, waiting, 1, TWO)
    assert (live.state, live.ends_at, live.limit, live.live) == ("live", NOW + TIMEOUT, 2, 1)
    assert view(NOW, bob, waiting, 1, TWO).position == 1
    # Bob's page is not there, as far as is known, so nobody waits for it.
    assert NOW - bob.seen_at > PRESENT
    assert view(NOW, cleo, waiting, 1, TWO).position == 1
    assert view(NOW, place("ada", active=41), [], 1, TWO).state == "over"


def test_time_on_a_step_leaves_idle_time_out():
    assert seconds_spent(ago(seconds=30), NOW) == 30
    assert seconds_spent(ago(minutes=6), NOW) == 0
    assert seconds_spent(NOW, ago(seconds=30)) == 0
    before = {"ada": replace(place("ada"), step="plan")}
    after = {"ada": replace(place("ada"), step="water"), "bob": place("bob", "waiting")}
    arrivals = [Arrival("ada", "", NOW, step="water"), Arrival("bob", "", NOW, step="water")]
    assert signs(before, after, arrivals) == {("ada", "plan"): NOW, ("ada", "water"): NOW}


def test_two_arrivals_of_one_participant_are_one():
    first = Arrival("ada", "Ada", ago(seconds=9), step="plan", fleeting=True)
    merged = Arrival("ada", active_at=NOW, hand=True).after(first)
    assert merged == Arrival("ada", "Ada", NOW, "plan", hand=True)
    assert Arrival("ada").after(first).active_at == ago(seconds=9)
