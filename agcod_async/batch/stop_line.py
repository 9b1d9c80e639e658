"""Stop the line: what is wrong with the account must cost a pause, not a million refused orders.

Rules of this file:

1. What any order would be refused for stops the line: funds, contract, keys, access. The order
   that met it goes back into the plan, or waits in doubt for another attempt. What only this order
   would be refused for is its verdict.
2. While the line stands, one order at a time goes first, after a pause that grows. A card for it
   sets the line going again; so does a command.
3. Only what was sent since the line last changed says anything about it now.
4. The same refusal many times in a row stops the line too: then it is not about single orders,
   whatever Amazon calls it.

No clock and no tasks in here: the time, in seconds of any clock that does not go back, is given.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from agcod_async.core.outcomes import Reason
from agcod_async.errors import AgcodError, DeclinedError, InDoubtError, UnavailableError
from agcod_async.providers.agcod import catalogue, contacts, framework
from agcod_async.providers.agcod.advice import Advice

PROBE_SECONDS_MIN: Final = 30.0
"""The pause before the first order that is sent to see if the line can go on; then it doubles."""
PROBE_SECONDS_MAX: Final = 900.0
ALIKE_MAX: Final = 20
"""So many refusals in a row for one and the same reason stop the line."""


class Cause(Enum):
    """What stops a line. A member's `value` is its name on record."""

    ACCOUNT = "account"
    """Amazon finds the account, its contract, its keys or its funds at fault."""
    ALIKE = "alike"
    """Orders are refused one after the other, all for the same reason."""
    FUNDS = "funds"
    """The funds have fallen below the mark that was set for this run."""
    KEY = "key"
    """No access key is accepted, and calls wait until one is supplied or accepted again."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Why the line stands: the error's class and documented name, where there are any."""

    cause: Cause
    code: str | None = None
    error_type: str | None = None

    def words(self, countries: tuple[str, ...] = ()) -> str:
        """Return why, what to do and whom to ask. `countries` are those of the endpoint."""
        named = " ".join(part for part in (self.code, self.error_type) if part)
        if self.cause is Cause.FUNDS:
            return "the funds have fallen below the mark that was set for this job. Pay in."
        if self.cause is Cause.KEY and not named:
            return (
                "there is no access key to sign with. Have the provider of credentials supply one."
            )
        row = _advice(self.code, self.error_type)
        text = f"{named}: {row.meaning} {row.remedy}" if named else f"{row.meaning} {row.remedy}"
        address = contacts.operations_address(countries)
        if row.team is contacts.Team.OPERATIONS and address is not None:
            text = f"{text} Their address: {address}."
        if self.cause is Cause.KEY:
            return f"no access key is accepted: {text}"
        if self.cause is Cause.ALIKE:
            return f"{ALIKE_MAX} orders in a row were refused alike: {text}"
        return text


@dataclass(frozen=True, slots=True)
class Ticket:
    """Leave to send one order: when in the line's history it was given."""

    epoch: int
    is_probe: bool


class StopLine:
    """Whether orders may be sent, and when the next one that finds out is due."""

    def __init__(self) -> None:
        """Begin with a line that runs."""
        self.stop: Stop | None = None
        self._epoch = 0
        self._probe_at = 0.0
        self._pause_seconds = PROBE_SECONDS_MIN
        self._probe_is_out = False
        self._alike: tuple[str | None, str | None] | None = None
        self._alike_count = 0

    def wait_seconds(self, now: float) -> float | None:
        """Return how long no order may be sent; None if that is not a matter of time alone."""
        if self.stop is None:
            return 0.0
        if self._probe_is_out or self.stop.cause is Cause.FUNDS:
            return None
        return max(0.0, self._probe_at - now)

    def take(self) -> Ticket:
        """Send one order. To be called only when `wait_seconds` is 0."""
        self._probe_is_out = self.stop is not None
        return Ticket(self._epoch, self._probe_is_out)

    def issued(self, ticket: Ticket) -> None:
        """Say that the order has become a card: if it was sent to find out, the line goes on."""
        self._alike_count = 0
        if self._is_probe_of_now(ticket):
            self.resume()

    def refused(self, ticket: Ticket, error: AgcodError, now: float) -> None:
        """Say that the order has been refused: this may stop the line, or keep it stopped."""
        stop = stop_of(error)
        if stop is None and ticket.epoch == self._epoch:
            stop = self._counted(error)
        if stop is not None and self.stop is None and ticket.epoch == self._epoch:
            self._halt(stop, now)
        else:
            self.inconclusive(ticket, now)

    def inconclusive(self, ticket: Ticket, now: float) -> None:
        """Say that the order has ended in a way that tells nothing about the account."""
        if self._is_probe_of_now(ticket):
            self._probe_is_out = False
            self._pause_seconds = min(2 * self._pause_seconds, PROBE_SECONDS_MAX)
            self._probe_at = now + self._pause_seconds

    def run_low(self, now: float) -> None:
        """Stop because the funds are below their mark."""
        if self.stop is None:
            self._halt(Stop(Cause.FUNDS), now)

    def lack_key(self, reason: Reason, now: float) -> None:
        """Stop because no access key may sign; `reason` is what was said of the last one."""
        if self.stop is None:
            self._halt(_stop(Cause.KEY, reason), now)

    def resume(self) -> None:
        """Go on, because a card has come of it or because somebody says so."""
        if self.stop is not None:
            self.stop = None
            self._epoch += 1
            self._probe_is_out = False
            self._alike_count = 0

    def _halt(self, stop: Stop, now: float) -> None:
        self.stop = stop
        self._epoch += 1
        self._probe_is_out = False
        self._pause_seconds = PROBE_SECONDS_MIN
        self._probe_at = now + self._pause_seconds

    def _is_probe_of_now(self, ticket: Ticket) -> bool:
        return ticket.is_probe and ticket.epoch == self._epoch

    def _counted(self, error: AgcodError) -> Stop | None:
        kind = error.code, error.error_type
        self._alike_count = self._alike_count + 1 if kind == self._alike else 1
        self._alike = kind
        if self._alike_count < ALIKE_MAX:
            return None
        return _stop(Cause.ALIKE, error.reason)


def stop_of(error: AgcodError) -> Stop | None:
    """Return why the line must stop for this refusal; None if it is about this order alone.

    Only what is conclusive stops it. But who may not even enter is told so whatever became of
    earlier attempts, and by a session that has waited for another key in vain.
    """
    name = catalogue.documented_name(error.error_type or "")
    if isinstance(error, InDoubtError | UnavailableError):
        is_of_access = name in _OF_ACCESS or _door(error.reason) is not None
        return _stop(Cause.ACCOUNT, error.reason) if is_of_access else None
    if not isinstance(error, DeclinedError):
        return None
    # What carries no class was refused at Amazon's front door: the key, the signature, the clock.
    if error.code is None or (error.code == "F300" and name not in _OF_THE_ORDER):
        return _stop(Cause.ACCOUNT, error.reason)
    return None


def documented_class(error: AgcodError) -> str | None:
    """Return the error's class if it is one of Amazon's."""
    return error.code if error.code in catalogue.CLASSES else None


def documented(error: AgcodError) -> str | None:
    """Return the error's name if Amazon documents it: nothing else is to be kept on record."""
    row = catalogue.find(error.code, error.error_type)
    if row is not None:
        return row.name
    return error.error_type if error.error_type in _DOOR_NAMES else None


def _stop(cause: Cause, reason: Reason) -> Stop:
    """Return a stop that names the error as it is documented, or as the door's table calls it."""
    error, door = AgcodError(reason), _door(reason)
    title = None if door is None else door.title
    return Stop(cause, documented_class(error), documented(error) or title)


def _door(reason: Reason) -> framework.FrameworkError | None:
    """Return which refusal at Amazon's front door this is, if it is one.

    Most of them carry neither a class nor a name. They are recognised by their text, which is not
    repeated: the reason says in our words what it was taken for.
    """
    for row in framework.REFUSED:
        taken_for_it = reason.code is None and f"{row.meaning} {row.remedy}" in reason.message
        if taken_for_it or reason.error_type in row.names:
            return row
    return None


_OF_THE_ORDER: Final = frozenset(
    {
        "APIGetGiftCardActivityPageIsDisabled",
        "BadInput",
        "CustomerAccountBlocked",
        "CustomerSurpassedDailyVelocityLimit",
        "InvalidProgramId",
        "OrderNotFound",
        "ProductTypeNotEnabledInTheContract",
        "ProgramIsNotApproved",
    }
)
"""F300 for what the order itself says, or whom it is for: another order may well be issued."""

_OF_ACCESS: Final = frozenset({"AccessDenied", "InvalidAccessKey"})
"""F300 for the key or the account's access, whatever was ordered."""

_DOOR_NAMES: Final = frozenset(
    name for row in (framework.THROTTLED, *framework.REFUSED) for name in row.names
)


def _advice(code: str | None, error_type: str | None) -> Advice:
    if code is not None:
        return catalogue.find(code, error_type) or catalogue.CLASSES[code]
    for row in framework.REFUSED:
        if error_type in (*row.names, row.title):
            return row
    return _REFUSED_AT_THE_DOOR


_REFUSED_AT_THE_DOOR: Final = framework.FrameworkError(
    title="refused at the door",
    meaning="Amazon's front door refused the account's key, signature or endpoint.",
    action="Check that key, endpoint and this machine's clock are right.",
    team=contacts.Team.INTEGRATION,
    forward=framework.REFUSED[0].forward,
    undo=framework.REFUSED[0].undo,
)
