"""What the pacer promises, and whether a history keeps it. Written anew, not from the pacer's code.

Each function returns what it found broken, in words that begin with the name of the promise.
"""

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from agcod_async.pacing.port import Lane
from tests.pacing.contract import PATIENT_SECONDS, Happening, History, Kind

EPSILON = 1e-3
"""Permits and sends are turns of the loop apart, and a turn takes a little of the virtual time."""

PASSED_OVER_MAX = 16
STAGE_SHARES = (0.25, 0.5)


def broken(history: History) -> list[str]:
    """Return every broken promise."""
    found = [
        *cap(history),
        *throttles(history),
        *lanes(history),
        *deadlines(history),
        *budget(history),
        *service(history),
    ]
    return list(dict.fromkeys(found))


def cap(history: History) -> Iterator[str]:
    """No sliding window at the provider holds more than the cap."""
    slots = max(1, int(history.scenario.cap))
    seconds = slots / history.scenario.cap
    window: deque[float] = deque()
    worst = 0
    for at in sorted(history.arrivals):
        while window and window[0] <= at - seconds:
            window.popleft()
        window.append(at)
        worst = max(worst, len(window))
    if worst > slots:
        yield f"cap: {worst} arrivals in one window of {slots}"


# --- throttles -----------------------------------------------------------------------------------


@dataclass(slots=True)
class _Gate:
    """What may be sent when, worked out from what the session has seen."""

    history: History
    phase: str = "open"
    row: int = 0
    closings: int = 0
    closed_until: float = -math.inf
    opened_at: float = -math.inf
    probe: int | None = None
    sent_before: dict[int, int] = field(default_factory=dict)
    """How often the gate had closed when each request left."""
    stage_sends: list[float] = field(default_factory=list)

    @property
    def stage_seconds(self) -> float:
        slots = max(1, int(self.history.scenario.cap))
        return max(1.0, slots / self.history.scenario.cap)

    def sent(self, one: Happening) -> Iterator[str]:
        self.sent_before[one.number] = self.closings
        self._turn(one.at)
        if self.phase == "closed":
            if one.at < self.closed_until:
                early = self.closed_until - one.at
                yield f"floor: a request left {early:.3f} s before the pause was over"
            if self.probe is not None:
                yield "probe: a second request left while the probe was on its way"
            self.probe = one.number
        elif self.phase == "slow":
            yield from self._slow(one.at)

    def ended(self, one: Happening) -> None:
        is_probe = one.number == self.probe
        if is_probe:
            self.probe = None
        match one.kind:
            case Kind.THROTTLED:
                self._turn(one.at)
                if is_probe or self.sent_before[one.number] == self.closings:
                    self.row += 1
                self.phase, self.closings = "closed", self.closings + 1
                self._close(one.at)
            case Kind.ANSWERED if is_probe:
                self.phase = "slow"
                self.opened_at = max(one.at, self.closed_until)
                self.stage_sends = []
            case Kind.LOST if is_probe:
                self._close(one.at)
            case _:
                pass

    def _close(self, at: float) -> None:
        policy = self.history.scenario.policy
        pause = min(
            policy.cooldown_max_seconds,
            policy.cooldown_floor_seconds * 2.0 ** (max(1, self.row) - 1),
        )
        self.closed_until = max(self.closed_until, at + pause)

    def _turn(self, at: float) -> None:
        if self.phase == "slow" and at >= self.opened_at + 3 * self.stage_seconds:
            self.phase, self.row = "open", 0

    def _slow(self, at: float) -> Iterator[str]:
        stage = int((at - self.opened_at) / self.stage_seconds)
        if at < self.opened_at - EPSILON:
            yield "floor: a request left between the probe's answer and the end of the pause"
        if stage >= len(STAGE_SHARES):
            return
        rate = self.history.scenario.cap * STAGE_SHARES[max(0, stage)]
        self.stage_sends.append(at)
        began_at = self.opened_at + stage * self.stage_seconds
        in_stage = sum(sent >= began_at for sent in self.stage_sends)
        # A permit may be used a little later than it is given.
        seconds = self.stage_seconds + self.history.scenario.record_seconds
        if in_stage > rate * seconds + 1:
            yield f"slow start: {in_stage} requests in stage {stage} at {rate:g} a second"


def throttles(history: History) -> Iterator[str]:
    """After a throttle: nobody before the floor, then one probe, then a slow start."""
    gate = _Gate(history)
    for one in history.happenings:
        if one.kind is Kind.SENT:
            yield from gate.sent(one)
        elif one.kind in (Kind.ANSWERED, Kind.THROTTLED, Kind.LOST):
            gate.ended(one)


# --- lanes ---------------------------------------------------------------------------------------


def lanes(history: History) -> Iterator[str]:
    """The better lane first, in a lane the earlier, and nobody is passed over for ever.

    A permit that is given to somebody who is just leaving is seen by nobody, but counts for those
    that it passed over: so many counts may be off.
    """
    waiting: dict[Lane, dict[int, float]] = {lane: {} for lane in Lane}
    passed_over = dict.fromkeys(Lane, 0)
    unseen = sum(guest.leaves_after_seconds is not None for guest in history.scenario.guests)
    for one in history.happenings:
        if one.kind is Kind.WAITS:
            waiting[one.lane][one.number] = one.at
            if one.operation == "TakeBack" and one.lane is not Lane.RECOVERY:
                yield "lanes: an undo waits in another lane than RECOVERY"
        elif one.kind is Kind.LEFT:
            del waiting[one.lane][one.number]
        elif one.kind is Kind.GRANTED:
            del waiting[one.lane][one.number]
            ahead = {
                lane: [number for number, since in waiters.items() if since < one.at - EPSILON]
                for lane, waiters in waiting.items()
            }
            if any(number < one.number for number in ahead[one.lane]):
                yield f"lanes: somebody who came later went first in {one.lane.name}"
            is_due = passed_over[one.lane] >= PASSED_OVER_MAX - unseen
            if not is_due and any(ahead[lane] for lane in Lane if lane < one.lane):
                yield f"lanes: {one.lane.name} went before a better lane"
            for lane in Lane:
                is_passed_over = lane is not one.lane and waiting[lane]
                passed_over[lane] = passed_over[lane] + 1 if is_passed_over else 0
                if passed_over[lane] > PASSED_OVER_MAX + len(Lane) + unseen:
                    yield f"lanes: {lane.name} is passed over for ever"


# --- deadlines -----------------------------------------------------------------------------------


def deadlines(history: History) -> Iterator[str]:
    """Who runs out of time in the queue leaves it, in time, and uses no permit."""
    for number, guest in enumerate(history.scenario.guests):
        late = history.ended_at[number] - guest.at - guest.deadline_seconds
        if late > EPSILON:
            yield f"deadlines: a caller was kept {late:.3f} s beyond his deadline"
    granted = {one.number for one in history.of(Kind.GRANTED)}
    if granted & {one.number for one in history.of(Kind.LEFT)}:
        yield "deadlines: somebody left the queue with a permit"
    if len(history.of(Kind.SENT)) > len(granted):
        yield "deadlines: more requests than permits"
    for left in history.left_open:
        yield f"deadlines: {left}"


# --- the retry budget ----------------------------------------------------------------------------

TOKENS, RETRY_TAKES = 500, 14
QUEUE_SECONDS_MAX = 1.0
"""So long an undo may wait for its permit where the cap is not what holds it up."""


def budget(history: History) -> Iterator[str]:
    """Retries cost tokens; once they are out, a retry waits the longest backoff. Undos never do.

    The bound on quick retries is loose by those that were decided on at one time.
    """
    policy = history.scenario.policy
    last: dict[str, Happening] = {}
    undos: dict[str, int] = {}
    quick = gained = 0
    for one in history.happenings:
        if one.kind is Kind.SENT:
            before = last.get(one.request_id)
            undone = one.operation == "TakeBack"
            undos[one.request_id] = undos.get(one.request_id, -1) + 1 if undone else -1
            if before is None or before.kind is Kind.THROTTLED:
                continue
            pause = one.at - before.at
            if undone:
                repeats = undos[one.request_id]
                usual = min(policy.backoff_max_seconds, policy.backoff_base_seconds * 2.0**repeats)
                if pause > usual + QUEUE_SECONDS_MAX and not _is_crowded(history):
                    yield f"budget: undo number {repeats + 1} was held back for {pause:.1f} s"
            else:
                quick += pause < policy.backoff_max_seconds - EPSILON
        elif one.kind in (Kind.ANSWERED, Kind.THROTTLED, Kind.LOST):
            last[one.request_id] = one
            gained += RETRY_TAKES if one.kind is Kind.ANSWERED else 0
    allowed = (TOKENS + gained) / RETRY_TAKES + len(history.scenario.guests)
    if quick > allowed:
        yield f"budget: {quick} quick retries, of at most {allowed:.0f}"


def _is_crowded(history: History) -> bool:
    """Whether an undo may have to wait for a slot, or for the gate."""
    return history.scenario.cap < len(history.scenario.guests) or bool(history.of(Kind.THROTTLED))


# --- service -------------------------------------------------------------------------------------


def service(history: History) -> Iterator[str]:
    """Once the provider is calm, everybody who is patient gets a card."""
    if history.scenario.calm_at == math.inf and history.scenario.allowed < 1.0:
        return
    for number, guest in enumerate(history.scenario.guests):
        is_patient = guest.deadline_seconds == PATIENT_SECONDS
        if is_patient and guest.leaves_after_seconds is None and history.ends[number] is not None:
            yield f"service: a patient caller was told {history.ends[number]!r}"
