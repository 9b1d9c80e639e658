"""Figures of several runs of one job as one."""

from collections.abc import Mapping, Sequence
from functools import reduce

from agcod_async.figures.figures import (
    IN_DOUBT_LISTED_MAX,
    PACES_MAX,
    REFUSALS_MAX,
    VERDICT_NAMES,
    Figures,
    Refusal,
    Worth,
)


def merged(runs: Sequence[Figures]) -> Figures:
    """Return what the runs of one job came to together, in the order in which they were made.

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


def _joined(earlier: Figures, later: Figures) -> Figures:
    settled = set(later.settled_ids)
    in_doubt = {order.request_id: order for order in earlier.in_doubt} | {
        order.request_id: order for order in later.in_doubt
    }
    again = later.taken_again
    still = {order.request_id for order in later.in_doubt}
    return Figures(
        paces=(*earlier.paces, *later.paces)[-PACES_MAX:],
        runs=earlier.runs + later.runs,
        taken=reduce(Worth.minus, again.values(), earlier.taken).plus(later.taken),
        taken_again=earlier.taken_again,
        verdicts={
            name: earlier.ended(name).minus(again.get(name, Worth())).plus(later.ended(name))
            for name in VERDICT_NAMES
        },
        rows_refused=earlier.rows_refused + later.rows_refused,
        delivered=earlier.delivered + later.delivered,
        # An issued order is taken up again for its code alone, and counts as it ends then.
        undelivered=max(0, earlier.undelivered - again.get("issued", Worth()).orders)
        + later.undelivered,
        declined=_refusals(earlier.declined, later.declined),
        in_doubt=tuple(
            order
            for request_id, order in in_doubt.items()
            if request_id in still or request_id not in settled
        )[:IN_DOUBT_LISTED_MAX],
        settled_ids=(*earlier.settled_ids, *later.settled_ids)[:IN_DOUBT_LISTED_MAX],
        requests=earlier.requests + later.requests,
        throttles=earlier.throttles + later.throttles,
        undos=earlier.undos + later.undos,
        replays=earlier.replays + later.replays,
        successors=earlier.successors + later.successors,
        retries=_sums(earlier.retries, later.retries),
        latency=earlier.latency.plus(later.latency),
        stopped=later.stopped,
    )


def _sums(a: Mapping[str, int], b: Mapping[str, int]) -> dict[str, int]:
    return {key: a.get(key, 0) + b.get(key, 0) for key in {**a, **b}}


def _refusals(a: Sequence[Refusal], b: Sequence[Refusal]) -> tuple[Refusal, ...]:
    counts: dict[tuple[str | None, str | None], int] = {}
    for refusal in (*a, *b):
        key = (refusal.code, refusal.error_type)
        counts[key] = counts.get(key, 0) + refusal.orders
    return most_frequent(counts)
