import pickle

from agcod_async.cli.traffic import Traffic
from agcod_async.core.outcomes import AttemptRecord, Leg
from agcod_async.events import AttemptEnded, CallEnded, SuccessorChosen

CREATE = "CreateGiftCard"


def attempt(request_id: str, outcome: str = "Applied", leg: Leg = Leg.FORWARD) -> AttemptEnded:
    return AttemptEnded(CREATE, AttemptRecord(request_id, leg, outcome, None, 0.1))


def ended(request_id: str) -> CallEnded:
    return CallEnded(CREATE, request_id, "Issued", 1, 1.0)


def test_a_first_send_is_no_replay_and_every_further_one_is() -> None:
    traffic = Traffic()
    for event in (
        attempt("Emula1", "Lost"),
        attempt("Emula2"),
        ended("Emula2"),
        attempt("Emula1", "Throttled"),
        attempt("Emula1"),
        ended("Emula1"),
    ):
        traffic.observe(event)

    assert (traffic.requests, traffic.replays, traffic.throttles) == (4, 2, 1)


def test_an_undo_is_no_replay_and_a_successor_starts_afresh() -> None:
    traffic = Traffic()
    for event in (
        attempt("Emula1", "UndoFirst"),
        attempt("Emula1", "Undone", Leg.UNDO),
        attempt("Emula1", "AppliedDead"),
        SuccessorChosen("Emula1", "EmulaA"),
        attempt("EmulaA", "UndoFirst"),
        attempt("EmulaA", "Undone", Leg.UNDO),
        attempt("EmulaA", "AppliedDead"),
        SuccessorChosen("EmulaA", "EmulaB"),
        attempt("EmulaB"),
        ended("Emula1"),
    ):
        traffic.observe(event)

    assert (traffic.undos, traffic.successors, traffic.replays) == (2, 2, 2)


def test_nothing_is_kept_of_a_call_that_has_ended() -> None:
    traffic = Traffic()
    fresh = Traffic()
    for event in (
        attempt("Emula1"),
        SuccessorChosen("Emula1", "EmulaA"),
        attempt("EmulaA"),
        ended("Emula1"),
    ):
        traffic.observe(event)

    for kept in ("_sent", "_latest", "_order_of", "_successor_of"):
        assert getattr(traffic, kept) == getattr(fresh, kept), kept


def test_every_further_request_is_counted_by_what_came_before_it() -> None:
    traffic = Traffic()
    for event in (
        attempt("Emula1", "Lost"),
        attempt("Emula2", "Lost"),
        attempt("Emula1", "UndoFirst"),
        attempt("Emula1", "Undone", Leg.UNDO),
        attempt("Emula1", "AppliedDead"),
        SuccessorChosen("Emula1", "EmulaA"),
        attempt("EmulaA"),
        ended("Emula1"),
        attempt("Emula2"),
        ended("Emula2"),
        attempt("Emula1"),
        ended("Emula1"),
    ):
        traffic.observe(event)

    assert traffic.retries == {"Lost": 2, "UndoFirst": 1, "Undone": 1, "AppliedDead": 1}
    assert sum(traffic.retries.values()) == traffic.replays + traffic.undos + traffic.successors


def test_the_time_of_a_request_that_was_not_answered_is_no_reply_time() -> None:
    traffic = Traffic()
    for outcome in ("Lost", "Untouched", "Throttled", "Applied"):
        traffic.observe(attempt("Emula1", outcome))

    assert traffic.latency.latency().replies == 2


def test_a_million_orders_take_no_more_room_than_a_thousand() -> None:
    traffic = Traffic()

    def room(calls: int) -> int:
        for number in range(calls):
            traffic.observe(attempt(f"Emula{number}", "Lost"))
            traffic.observe(attempt(f"Emula{number}"))
            traffic.observe(ended(f"Emula{number}"))
        return len(pickle.dumps(traffic))

    assert room(10_000) - room(1000) < 100
