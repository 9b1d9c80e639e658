"""What can go wrong with one request, as data: what becomes of it, and what its sender sees."""

from dataclasses import dataclass
from enum import Enum


class Travel(Enum):
    """What becomes of the request itself."""

    ARRIVES = "arrives"
    LOST = "is lost"
    LATE = "arrives late"
    TWICE = "arrives, and once more later"


class Seen(Enum):
    """What its sender gets to see."""

    ANSWER = "the answer"
    NOTHING = "nothing, ever"
    RESET = "the connection breaks"
    UNTOUCHED = "there is no connection"
    SLOW = "the answer, late"
    THROTTLE = "throttled"
    F100 = "F100"
    F300 = "F300"
    F400 = "F400"
    F500 = "F500"
    HTML_503 = "a page of a proxy"
    GARBAGE = "garbage"
    TRUNCATED = "half of the answer"
    WRONG_CONTENT_TYPE = "the answer, as a page"
    ANOTHERS = "the answer to somebody else's request"
    CODELESS = "the answer without its claim code"


class Process(Enum):
    """What happens to the process that sends."""

    RUNS = "runs"
    DIES_BEFORE = "dies before the request leaves"
    DIES_AFTER = "dies once the request has left"
    DIES_FOR_LONG = "dies once the request has left, and is down for half a day"
    FREEZES = "stands still before the request leaves"
    FREEZES_LONG = "stands still for so long that the signature is stale"
    IS_TOLD_TO_END = "has all its tasks cancelled, as at the end of asyncio.run()"
    CALLER_LEAVES = "the caller leaves once the request has left"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong, or the calm."""

    name: str
    travel: Travel = Travel.ARRIVES
    seen: Seen = Seen.ANSWER
    process: Process = Process.RUNS


CALM = Fault("calm")

FAULTS = {
    fault.name: fault
    for fault in (
        CALM,
        Fault("request lost", Travel.LOST, Seen.NOTHING),
        Fault("reply lost", Travel.ARRIVES, Seen.NOTHING),
        Fault("lands late", Travel.LATE, Seen.NOTHING),
        Fault("F400 without effect", Travel.LOST, Seen.F400),
        Fault("F400 with effect", Travel.ARRIVES, Seen.F400),
        Fault("F400, effect late", Travel.LATE, Seen.F400),
        Fault("throttled", Travel.LOST, Seen.THROTTLE),
        Fault("refused", Travel.LOST, Seen.F300),
        Fault("killed after sending", process=Process.DIES_AFTER),
        # Random worlds draw from all of them; schedules take some in the place of others.
        Fault("killed before sending", process=Process.DIES_BEFORE),
        Fault("killed, lands late", Travel.LATE, process=Process.DIES_AFTER),
        Fault("killed, half a day down", process=Process.DIES_FOR_LONG),
        Fault("told to end", process=Process.IS_TOLD_TO_END),
        Fault("frozen", process=Process.FREEZES),
        Fault("frozen until stale", process=Process.FREEZES_LONG),
        Fault("caller leaves", process=Process.CALLER_LEAVES),
        Fault("twice", Travel.TWICE),
        Fault("slow", seen=Seen.SLOW),
        Fault("reset before", Travel.LOST, Seen.RESET),
        Fault("reset after", seen=Seen.RESET),
        Fault("no connection", Travel.LOST, Seen.UNTOUCHED),
        Fault("F100 without effect", Travel.LOST, Seen.F100),
        Fault("F100 with effect", seen=Seen.F100),
        Fault("F500 without effect", Travel.LOST, Seen.F500),
        Fault("F500 with effect", seen=Seen.F500),
        Fault("503 without effect", Travel.LOST, Seen.HTML_503),
        Fault("503 with effect", seen=Seen.HTML_503),
        Fault("garbage", seen=Seen.GARBAGE),
        Fault("truncated", seen=Seen.TRUNCATED),
        Fault("wrong content type", seen=Seen.WRONG_CONTENT_TYPE),
        Fault("another's answer", seen=Seen.ANOTHERS),
        Fault("no code", seen=Seen.CODELESS),
    )
}
"""Every fault by its name."""

SYSTEMATIC = tuple(FAULTS.values())[:10]
"""What a schedule chooses from for each request: the calm, and nine faults."""
