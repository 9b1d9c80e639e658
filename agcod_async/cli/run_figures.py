"""The figures of one batch, from everything that has counted it."""

from datetime import datetime
from typing import Final

from agcod_async.batch import Declined, InDoubt, Issued, Reversed, Unavailable, Verdict
from agcod_async.cli.tally import Tally, Total
from agcod_async.cli.traffic import Traffic
from agcod_async.figures import Figures, OrderInDoubt, Pace, Worth
from agcod_async.figures.checks import NAME_LENGTH_MAX
from agcod_async.figures.figures import IN_DOUBT_LISTED_MAX, VerdictName
from agcod_async.figures.merging import most_frequent

_NAMES: Final[dict[VerdictName, type[Verdict]]] = {
    "issued": Issued,
    "declined": Declined,
    "reversed": Reversed,
    "unavailable": Unavailable,
    "in_doubt": InDoubt,
}


def figures_of(tally: Tally, traffic: Traffic, pace: Pace, *, has_sink: bool) -> Figures:
    """Return the figures of a batch that has ended or been stopped.

    `has_sink` tells that codes were to be handed to somebody.
    """
    verdicts: dict[VerdictName, Worth] = {
        name: tally.totals.get(kind, Total()).worth() for name, kind in _NAMES.items()
    }
    return Figures(
        paces=(pace,),
        taken=tally.taken.worth(),
        taken_again={left: total.worth() for left, total in tally.taken_again.items()},
        verdicts=verdicts,
        rows_refused=tally.rows_refused,
        has_sink=has_sink,
        delivered=tally.delivered,
        undelivered=tally.undelivered,
        declined=most_frequent(tally.refusals),
        in_doubt=_in_doubt(tally, pace.started_at),
        settled=dict.fromkeys(tally.settled_ids, pace.started_at),
        requests=traffic.requests,
        throttles=traffic.throttles,
        undos=traffic.undos,
        replays=traffic.replays,
        successors=traffic.successors,
        retries=dict(traffic.retries),
        latency=traffic.latency.latency(),
        stopped=tally.stopped and tally.stopped[:NAME_LENGTH_MAX],
    )


def _in_doubt(tally: Tally, at: datetime) -> tuple[OrderInDoubt, ...]:
    # A plain string: the JSON writer takes no subclass of it, and a RequestId is one.
    told = [
        OrderInDoubt(str(error.request_id or ""), error.next_safe_action, error.not_before, at=at)
        for error in tally.in_doubt[:IN_DOUBT_LISTED_MAX]
    ]
    left = IN_DOUBT_LISTED_MAX - len(told)
    open_ids = list(tally.open_ids)[:left]
    still = (OrderInDoubt(str(request_id), "replay_same_id", at=at) for request_id in open_ids)
    return (*told, *still)
