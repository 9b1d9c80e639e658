"""Figures of several runs of one job as one: in any order, and in any grouping.

Rules of this file:

1. What can be added up is added up. What an order was counted as by an earlier run, and is no more
   because a later one took it up again, is taken off; only what the first of the runs took up was
   counted by runs that are not among these.
2. What cannot be added up comes from the latest run that has said anything of it. Runs are told
   apart by when they began.
3. What is derived from sums is derived anew each time: a number that was cut off at 0 on the way
   could not be put right by the next run.

Lists have limits. Where one is reached, what is left out may depend on the grouping; no sum does.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import reduce
from typing import Final

from agcod_async.figures.figures import (
    IN_DOUBT_LISTED_MAX,
    PACES_MAX,
    REFUSALS_MAX,
    VERDICT_NAMES,
    Figures,
    OrderInDoubt,
    Refusal,
    VerdictName,
    Worth,
)
from agcod_async.figures.pace import Pace

_LONG_AGO: Final = datetime.fromtimestamp(0, UTC)


def merged(runs: Sequence[Figures]) -> Figures:
    """Return what the runs of one job came to together, each of which is given once.

    Each order must have been taken by one of them, or counted in `taken_again` by the later ones.
    Raises `ValueError` where there is none.
    """
    if not runs:
        raise ValueError("runs: at least one is needed")
    return reduce(_joined, runs)


def most_frequent(refusals: Mapping[tuple[str | None, str | None], int]) -> tuple[Refusal, ...]:
    """Return the counts by error, the most frequent first; what is too many counts as any other."""
    named = {key: count for key, count in refusals.items() if key != (None, None)}
    ranked = sorted(named.items(), key=lambda item: (-item[1], item[0][0] or "", item[0][1] or ""))
    listed = tuple(Refusal(*key, count) for key, count in ranked[:REFUSALS_MAX])
    others = sum(refusals.values()) - sum(refusal.orders for refusal in listed)
    return (*listed, Refusal(None, None, others)) if others else listed


def _joined(a: Figures, b: Figures) -> Figures:
    first, other = sorted((a, b), key=lambda one: _age(one.paces[0]))
    again = other.taken_again
    paces = sorted((*a.paces, *b.paces), key=_age)
    verdicts: dict[VerdictName, Worth] = {
        name: first.ended(name).minus(again.get(name, Worth())).plus(other.ended(name))
        for name in VERDICT_NAMES
    }
    delivered, has_sink = a.delivered + b.delivered, _had_sink(a) or _had_sink(b)
    settled = _settled(a, b)
    return Figures(
        paces=tuple(paces[:1] + paces[1:][1 - PACES_MAX :]),
        runs=a.runs + b.runs,
        taken=reduce(Worth.minus, again.values(), first.taken).plus(other.taken),
        taken_again=first.taken_again,
        verdicts=verdicts,
        rows_refused=a.rows_refused + b.rows_refused,
        has_sink=has_sink,
        delivered=delivered,
        undelivered=max(0, verdicts["issued"].orders - delivered) if has_sink else 0,
        declined=_refusals(a.declined, b.declined),
        in_doubt=_in_doubt(a, b, settled),
        settled=settled,
        requests=a.requests + b.requests,
        throttles=a.throttles + b.throttles,
        undos=a.undos + b.undos,
        replays=a.replays + b.replays,
        successors=a.successors + b.successors,
        retries=_sums(a.retries, b.retries),
        latency=a.latency.plus(b.latency),
        stopped=max((a, b), key=lambda one: _age(one.paces[-1])).stopped,
    )


def _age(pace: Pace) -> tuple[object, ...]:
    """Return what runs are ordered by: their beginning, and then whatever tells them apart."""
    rest = pace.requests_per_second, pace.interval_seconds, pace.requests
    return pace.started_at, pace.seconds, *rest


def _had_sink(figures: Figures) -> bool:
    return figures.has_sink or figures.delivered > 0 or figures.undelivered > 0


def _in_doubt(a: Figures, b: Figures, settled: Mapping[str, datetime]) -> tuple[OrderInDoubt, ...]:
    """Return what is in doubt by the latest run that had the order."""
    latest: dict[str, OrderInDoubt] = {}
    for order in (*a.in_doubt, *b.in_doubt):
        known = latest.get(order.request_id, order)
        latest[order.request_id] = max(known, order, key=_last_said)
    left = (one for one in latest.values() if one.at >= settled.get(one.request_id, one.at))
    return tuple(sorted(left, key=lambda one: (one.at, one.request_id))[:IN_DOUBT_LISTED_MAX])


def _last_said(order: OrderInDoubt) -> tuple[datetime, str, datetime]:
    return order.at, order.next_safe_action, order.not_before or _LONG_AGO


def _settled(a: Figures, b: Figures) -> dict[str, datetime]:
    # Kept even where none of these had the order in doubt: an earlier run may be added yet.
    latest = {**a.settled}
    for request_id, at in b.settled.items():
        latest[request_id] = max(at, latest.get(request_id, at))
    ranked = sorted(latest.items(), key=lambda item: (item[1], item[0]))
    return dict(ranked[-IN_DOUBT_LISTED_MAX:])


def _sums(a: Mapping[str, int], b: Mapping[str, int]) -> dict[str, int]:
    return {key: a.get(key, 0) + b.get(key, 0) for key in {**a, **b}}


def _refusals(a: Sequence[Refusal], b: Sequence[Refusal]) -> tuple[Refusal, ...]:
    counts: dict[tuple[str | None, str | None], int] = {}
    for refusal in (*a, *b):
        key = (refusal.code, refusal.error_type)
        counts[key] = counts.get(key, 0) + refusal.orders
    return most_frequent(counts)
