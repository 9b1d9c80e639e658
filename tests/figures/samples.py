"""Figures of a run in which a little of everything happened."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from agcod_async.figures import Figures, Latency, OrderInDoubt, Pace, Refusal, Worth

STARTED_AT = datetime(2026, 3, 4, 9, 15, 2, tzinfo=UTC)
RESUMED_AT = STARTED_AT + timedelta(hours=1)


def dollars(orders: int, amount: str) -> Worth:
    return Worth(orders, {"USD": Decimal(amount)})


def pace(
    requests: tuple[int, ...] = (18, 20, 3, 9),
    seconds: float = 3.5,
    started_at: datetime = STARTED_AT,
) -> Pace:
    return Pace(
        started_at=started_at,
        seconds=seconds,
        requests_per_second=20.0,
        interval_seconds=1.0,
        requests=requests,
    )


FULL = Figures(
    paces=(pace(),),
    taken=dollars(50, "1250.00").plus(Worth(1, {"EUR": Decimal("25.00")})),
    verdicts={
        "issued": dollars(46, "1150.00"),
        "declined": dollars(2, "50.00").plus(Worth(1, {"EUR": Decimal("25.00")})),
        "unavailable": dollars(1, "25.00"),
        "in_doubt": dollars(1, "25.00"),
    },
    rows_refused=3,
    delivered=45,
    undelivered=1,
    declined=(
        Refusal("F300", "InsufficientFunds", 2),
        Refusal("F200", "CurrencyCodeMismatch", 1),
    ),
    in_doubt=(
        OrderInDoubt("Emula7", "wait_until", STARTED_AT + timedelta(minutes=6), at=STARTED_AT),
    ),
    requests=60,
    throttles=1,
    undos=2,
    replays=6,
    successors=1,
    retries={"Lost": 5, "UndoFirst": 2, "AppliedDead": 1, "Throttled": 1},
    latency=Latency((0,) * 30 + (4, 9, 20, 11, 5) + (0,) * 20 + (1,)),
)

EMPTY = Figures(paces=(pace((), 0.0),), taken=Worth(), verdicts={})

RESUMED = replace(
    EMPTY,
    paces=(pace((2,), 0.4, RESUMED_AT),),
    taken=dollars(2, "50.00"),
    taken_again={"in_doubt": dollars(1, "25.00"), "unavailable": dollars(1, "25.00")},
    settled={"Emula7": RESUMED_AT},
    verdicts={"issued": dollars(2, "50.00")},
    has_sink=True,
    delivered=2,
    requests=2,
)
"""What a second run of the job made of the two orders that `FULL` had left unsettled."""
