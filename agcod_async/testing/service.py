"""The service: one request in, one decision out. Pure: the time is an argument.

Rules of this file:

1. In this order: is it an operation, may it enter, does it fit under the cap, what goes wrong
   with it, what does it do. So only requests with a good signature use the cap up, and only
   admitted requests count for a fault script.
2. An effect happens at once inside `handle`, or is put off and happens in `advance`; whether the
   client ever sees an answer is a separate matter.
3. What is put off happens in the order of its time, and never before `advance` is told that the
   time has come: the fronts may set timers, but need not.
"""

import heapq
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count
from typing import assert_never

from agcod_async.core.outcomes import Reply
from agcod_async.testing.accounts import carried_out, opened
from agcod_async.testing.answers import Executed, Failure, Success, Unusable
from agcod_async.testing.arrivals import Arrivals
from agcod_async.testing.authentication import Authenticator, Incoming
from agcod_async.testing.cards import Moment
from agcod_async.testing.config import EmulatorConfig
from agcod_async.testing.distortions import distorted
from agcod_async.testing.faults import Effect, Fault, FaultPlan, FaultScript, Seen
from agcod_async.testing.ledger import Ledger
from agcod_async.testing.limits import Throttle, limit_of
from agcod_async.testing.members import Parsed
from agcod_async.testing.operations import OPERATIONS
from agcod_async.testing.protocol import (
    UNSUPPORTED_PROTOCOL,
    WireFormat,
    format_of_answer,
    format_of_request,
    throttled,
)
from agcod_async.values import InvalidValueError


@dataclass(frozen=True, slots=True)
class Answer:
    """Send this reply, after so many seconds."""

    reply: Reply
    after_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Silence:
    """Never answer."""


@dataclass(frozen=True, slots=True)
class ConnectionReset:
    """Break the connection off."""


Decision = Answer | Silence | ConnectionReset


@dataclass(frozen=True, slots=True)
class _Admitted:
    """A request that has come through the gate."""

    operation: str
    answer_format: WireFormat
    parsed: Parsed
    arrived_at: float

    @property
    def request_id(self) -> str | None:
        """The ID in it, if it could be read."""
        return None if isinstance(self.parsed, Failure | Unusable) else self.parsed.request_id


class Service:
    """The emulated service of one partner account. `now` must never go backwards."""

    def __init__(self, config: EmulatorConfig) -> None:
        """Open the account."""
        _check_names("operation_caps", config.operation_caps)
        _check_names("disabled_operations", config.disabled_operations)
        self._config = config
        self._account = opened(config)
        self.arrivals = Arrivals(config.arrivals_max)
        self.authenticator = Authenticator(
            config.credentials,
            region=config.region,
            age_max_seconds=config.signature_age_max_seconds,
        )
        self._throttle = _throttle(config)
        self._plan = FaultPlan(config.faults)
        self._order = count()
        self._put_off: list[tuple[float, int, _Admitted]] = []

    @property
    def ledger(self) -> Ledger:
        """The cards, the loads and the funds."""
        return self._account.ledger

    def play(self, script: FaultScript) -> None:
        """Begin this script, in place of the one that was playing."""
        self._plan = FaultPlan(script)

    @property
    def next_landing_at(self) -> float | None:
        """When the next put-off effect is due."""
        return self._put_off[0][0] if self._put_off else None

    @property
    def in_flight(self) -> int:
        """How many effects are put off and not yet due."""
        return len(self._put_off)

    def advance(self, now: float, wall: float) -> None:
        """Let everything happen that is due at `now`."""
        while self._put_off and self._put_off[0][0] <= now:
            due_at, _, admitted = heapq.heappop(self._put_off)
            self._execute(admitted, due_at, wall - (now - due_at))

    def handle(self, request: Incoming, now: float, wall: float) -> Decision:
        """Take one request in and decide what its sender gets to see."""
        self.advance(now, wall)
        operation = request.path.removeprefix("/")
        answer_format = format_of_answer(request.headers)
        if operation not in OPERATIONS:
            self.arrivals.add(now, None, None, "unusable")
            refused = answer_format.refuse(400, "UnknownOperationException", UNSUPPORTED_PROTOCOL)
            return Answer(refused)
        if self._config.verify_signatures:
            denial = self.authenticator.denial(request, wall)
            if denial is not None:
                self.arrivals.add(now, operation, None, "unauthenticated")
                return Answer(answer_format.refuse(403, denial.exception, denial.message))
        request_format = format_of_request(request.headers, request.body)
        parsed = request_format.read(operation, request.body)
        admitted = _Admitted(operation, answer_format, parsed, now)
        self.arrivals.pass_gate(now)
        if not self._throttle.admits(operation, now):
            self.arrivals.add(now, operation, admitted.request_id, "throttled")
            return Answer(self._throttled())
        return self._carry_out(admitted, now, wall)

    def _carry_out(self, admitted: _Admitted, now: float, wall: float) -> Decision:
        fault = self._plan.next(admitted.operation, admitted.request_id)
        effect = Effect.NOW if fault is None else fault.kind.effect
        executed: Executed | None = None
        match effect:
            case Effect.NONE:
                pass
            case Effect.NOW:
                executed = self._execute(admitted, now, wall)
            case Effect.LATE:
                self._put_off_by(0.0 if fault is None else fault.seconds, admitted)
            case _ as never:
                assert_never(never)
        self.arrivals.add(
            now,
            admitted.operation,
            admitted.request_id,
            None if executed is None else _result(executed),
            None if fault is None else fault.kind.value,
        )
        # Every kind that shows an answer also makes one; if one did not, that is an F500.
        answer = self._written(admitted, executed or _failure(admitted, "F5000"))
        return Answer(answer) if fault is None else self._seen(fault, admitted, answer)

    def _put_off_by(self, seconds: float, admitted: _Admitted) -> None:
        landing = (admitted.arrived_at + seconds, next(self._order), admitted)
        heapq.heappush(self._put_off, landing)

    def _execute(self, admitted: _Admitted, now: float, wall: float) -> Executed:
        parsed = admitted.parsed
        if isinstance(parsed, Failure | Unusable):
            return parsed
        moment = Moment(admitted.arrived_at, now, wall)
        return carried_out(admitted.operation, parsed, self._account, moment)

    def _seen(self, fault: Fault, admitted: _Admitted, answer: Reply) -> Decision:
        match fault.kind.seen:
            case Seen.NOTHING:
                return Silence()
            case Seen.RESET:
                return ConnectionReset()
            case Seen.ANSWER_LATE:
                return Answer(answer, fault.seconds)
            case Seen.THROTTLE:
                return Answer(self._throttled())
            case Seen.F100 | Seen.F400 | Seen.F500:
                failure = _failure(admitted, f"{fault.kind.seen.value[:2]}000")
                return Answer(self._written(admitted, failure))
            case _ as distortion:
                return Answer(distorted(distortion, answer))

    def _written(self, admitted: _Admitted, executed: Executed) -> Reply:
        return admitted.answer_format.write(admitted.operation, executed, self._config.error_status)

    def _throttled(self) -> Reply:
        return throttled(
            self._config.throttle_status, as_json=self._config.throttle_format == "json"
        )


def _failure(admitted: _Admitted, mock_code: str) -> Failure:
    return Failure(OPERATIONS[admitted.operation].refusals[mock_code], admitted.request_id)


def _check_names(knob: str, names: Iterable[str]) -> None:
    unknown = ", ".join(sorted(set(names) - set(OPERATIONS)))
    if unknown:
        raise InvalidValueError(knob, f"{unknown} is unknown", ", ".join(OPERATIONS))


def _throttle(config: EmulatorConfig) -> Throttle:
    account = config.requests_per_second
    return Throttle(
        None if account is None else limit_of(config.throttle_model, account, config.burst),
        {
            operation: limit_of(config.throttle_model, rate, config.burst)
            for operation, rate in config.operation_caps.items()
        },
        throttled_requests_count=config.throttled_requests_count,
    )


def _result(executed: Executed) -> str:
    match executed:
        case Success():
            return "SUCCESS"
        case Failure(refusal):
            return f"{refusal.code} {refusal.error_type}"
        case Unusable():
            return "unusable"
        case _ as never:
            assert_never(never)
