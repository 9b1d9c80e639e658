"""Faults: what goes wrong, for which request, by script or by seeded chance. Pure.

A fault says two things that are independent of each other: whether the request has its effect
(not at all, now, later), and what the client gets to see. `FaultKind` is that table. A script is
data, can be written as JSON, and gives the same faults for the same sequence of requests.
"""

import random
from collections import Counter
from enum import Enum
from typing import Final, Self

import msgspec

from agcod_async.values import InvalidValueError


class Effect(Enum):
    """What becomes of the request."""

    NONE = "none"
    NOW = "now"
    LATE = "late"  # after the fault's seconds


class Seen(Enum):
    """What the client gets to see."""

    NOTHING = "nothing"  # no answer, ever
    ANSWER_LATE = "answer late"  # after the fault's seconds
    THROTTLE = "throttle"
    F100 = "F100"
    F400 = "F400"
    F500 = "F500"
    HTML_503 = "503 with an HTML page"
    GARBAGE = "garbage"
    TRUNCATED = "truncated"
    WRONG_CONTENT_TYPE = "wrong content type"
    OVERSIZED = "oversized"
    RESET = "reset"


class FaultKind(Enum):
    """Every kind of fault. A member's `value` is its name in a script."""

    LOSE_REQUEST = ("lose_request", Effect.NONE, Seen.NOTHING)
    LOSE_REPLY = ("lose_reply", Effect.NOW, Seen.NOTHING)
    LAND_LATE = ("land_late", Effect.LATE, Seen.NOTHING)
    F400_BEFORE = ("f400_before", Effect.NONE, Seen.F400)
    F400_AFTER = ("f400_after", Effect.NOW, Seen.F400)
    F400_LATE = ("f400_late", Effect.LATE, Seen.F400)
    THROTTLE = ("throttle", Effect.NONE, Seen.THROTTLE)
    F100 = ("f100", Effect.NONE, Seen.F100)
    F100_AFTER = ("f100_after", Effect.NOW, Seen.F100)
    F500 = ("f500", Effect.NONE, Seen.F500)
    F500_AFTER = ("f500_after", Effect.NOW, Seen.F500)
    HTTP_503 = ("http_503", Effect.NONE, Seen.HTML_503)
    HTTP_503_AFTER = ("http_503_after", Effect.NOW, Seen.HTML_503)
    SLOW = ("slow", Effect.NOW, Seen.ANSWER_LATE)
    GARBAGE = ("garbage", Effect.NOW, Seen.GARBAGE)
    TRUNCATED = ("truncated", Effect.NOW, Seen.TRUNCATED)
    WRONG_CONTENT_TYPE = ("wrong_content_type", Effect.NOW, Seen.WRONG_CONTENT_TYPE)
    OVERSIZED = ("oversized", Effect.NOW, Seen.OVERSIZED)
    RESET = ("reset", Effect.NONE, Seen.RESET)
    RESET_AFTER = ("reset_after", Effect.NOW, Seen.RESET)

    effect: Effect
    seen: Seen

    def __new__(cls, name: str, effect: Effect, seen: Seen) -> Self:
        """Make the name the value, and the rest attributes."""
        member = object.__new__(cls)
        member._value_ = name
        member.effect = effect
        member.seen = seen
        return member

    @property
    def is_timed(self) -> bool:
        """Whether this kind needs `seconds`."""
        return self.effect is Effect.LATE or self.seen is Seen.ANSWER_LATE


SECONDS_MAX: Final = 86_400.0
RULES_MAX: Final = 10_000


class Fault(msgspec.Struct, frozen=True):
    """One fault, applied. `seconds` is 0 for the kinds that are not timed."""

    kind: FaultKind
    seconds: float = 0.0


class FaultRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Apply `fault` to the `nth` to (`nth` + `times` - 1)-th request that matches.

    `operation` and `request_id` narrow down what matches; a rule without them counts every
    request. Each rule counts for itself, from 1.
    """

    fault: FaultKind
    seconds: float = 0.0
    operation: str | None = None
    request_id: str | None = None
    nth: int = 1
    times: int = 1

    def __post_init__(self) -> None:
        """Raise `ValueError` (msgspec reports it with the path) for what does not fit."""
        _check_seconds(self.fault, self.seconds)
        if self.nth < 1:
            raise ValueError("nth counts from 1")
        if self.times < 1:
            raise ValueError("times is at least 1")


class FaultMix(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Faults by seeded chance: a probability per kind, which add up to at most 1.

    The timed kinds take a number of seconds between `seconds_min` and `seconds_max`.
    `operations` narrows the mix down to some operations; empty means all of them.
    """

    probabilities: dict[FaultKind, float]
    seed: int = 0
    seconds_min: float = 1.0
    seconds_max: float = 30.0
    operations: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raise `ValueError` (msgspec reports it with the path) for what does not fit."""
        if any(not 0.0 <= chance <= 1.0 for chance in self.probabilities.values()):
            raise ValueError("a probability is between 0 and 1")
        if sum(self.probabilities.values()) > 1.0 + 1e-9:
            raise ValueError("the probabilities add up to more than 1")
        if not 0.0 < self.seconds_min <= self.seconds_max <= SECONDS_MAX:
            raise ValueError("0 < seconds_min <= seconds_max <= 86400 does not hold")


class FaultScript(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Rules in order of precedence, and a mix for the requests that no rule applies to."""

    rules: tuple[FaultRule, ...] = ()
    random: FaultMix | None = None

    def __post_init__(self) -> None:
        """Raise `ValueError` (msgspec reports it with the path) for what does not fit."""
        if len(self.rules) > RULES_MAX:
            raise ValueError(f"{len(self.rules)} rules are too many: at most {RULES_MAX}")

    @classmethod
    def from_json(cls, text: bytes | str) -> "FaultScript":
        """Read a script. Raises `InvalidValueError` that says what is wrong, and where."""
        try:
            return msgspec.json.decode(text, type=cls)
        except (msgspec.MsgspecError, ValueError) as error:
            kinds = ", ".join(kind.value for kind in FaultKind)
            raise InvalidValueError(
                "faults", str(error), f"rules and random; kinds: {kinds}"
            ) from error


class FaultPlan:
    """A script being played: it counts requests and draws from its seed."""

    def __init__(self, script: FaultScript) -> None:
        """Begin at the first request."""
        self._mix = script.random
        self._chance = random.Random(0 if self._mix is None else self._mix.seed)
        # Rules that ask for the same requests count together: a rule about another request ID
        # costs this request nothing.
        self._rules: dict[_Selector, list[tuple[int, FaultRule]]] = {}
        for order, rule in enumerate(script.rules):
            selector = (rule.operation, rule.request_id)
            self._rules.setdefault(selector, []).append((order, rule))
        self._seen: Counter[_Selector] = Counter()

    def next(self, operation: str, request_id: str | None) -> Fault | None:
        """Count one request, and return what goes wrong with it."""
        rule = self._scripted(operation, request_id)
        drawn = self._drawn(operation)  # always drawn: a rule must not shift the chances after it
        if rule is not None:
            return Fault(rule.fault, rule.seconds)
        return drawn

    def _scripted(self, operation: str, request_id: str | None) -> FaultRule | None:
        if not self._rules:
            return None
        first: tuple[int, FaultRule] | None = None
        for selector in {
            (None, None),
            (operation, None),
            (None, request_id),
            (operation, request_id),
        }:
            if selector not in self._rules:
                continue
            self._seen[selector] += 1
            count = self._seen[selector]
            for order, rule in self._rules[selector]:
                if rule.nth <= count < rule.nth + rule.times and (
                    first is None or order < first[0]
                ):
                    first = (order, rule)
        return None if first is None else first[1]

    def _drawn(self, operation: str) -> Fault | None:
        mix = self._mix
        if mix is None or (mix.operations and operation not in mix.operations):
            return None
        draw = self._chance.random()
        seconds = self._chance.uniform(mix.seconds_min, mix.seconds_max)
        for kind, probability in mix.probabilities.items():
            if draw < probability:
                return Fault(kind, seconds if kind.is_timed else 0.0)
            draw -= probability
        return None


_Selector = tuple[str | None, str | None]


def _check_seconds(kind: FaultKind, seconds: float) -> None:
    if kind.is_timed and not 0.0 < seconds <= SECONDS_MAX:
        raise ValueError(f"{kind.value} needs seconds, above 0 and at most {SECONDS_MAX:.0f}")
    if not kind.is_timed and seconds != 0.0:
        raise ValueError(f"{kind.value} takes no seconds")
