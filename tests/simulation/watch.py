"""What is held against every single request and every single word to a caller, as it happens.

Each check costs the same however long the run is. What it finds goes on a list: raised in the
middle of the SDK it would be taken for a failure of the transport.
"""

import re
from collections import Counter
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from agcod_async.core.outcomes import AttemptRecord, Leg
from agcod_async.errors import AgcodError, DeclinedError, NothingIssuedError
from agcod_async.journal.records import Entry
from agcod_async.providers.agcod.messages import GiftCard
from agcod_async.testing.authentication import SIGNATURE_AGE_MAX_SECONDS
from agcod_async.values import ClaimCode
from tests.simulation.clocks import DATE_ERROR_SECONDS, amz_date, second_of
from tests.simulation.history import ViolationError
from tests.simulation.orders import Issued, Order
from tests.simulation.retries import Retries
from tests.simulation.throttles import Departure, Gate

if TYPE_CHECKING:
    from tests.simulation.world import World

ROUNDING_SECONDS = 1e-3
_CLAIM_CODE = re.compile(r"\b[A-Z2-7]{4}-[A-Z2-7]{6}-[A-Z2-7]{4}\b")
_KEY = re.compile(r"Credential=(\w+)/")
_SHOWN_BY_NOTHING = frozenset(("ActivateGiftCard", "LoadAmazonBalance"))
"""What is waited for itself, once it has been undone: its replay does not tell."""
LOOKUP = "ActivationStatusCheck"
SECRET = "emulator-secret-access-key"  # the secret halves of all keys of a world begin with it
UNKNOWN_KEY = "UnrecognizedClientException"
WRITE_SECONDS_MAX = 2.0
"""So long a write to the journal may take, between the signature and the request."""


class Watch:
    """Watches one run."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.violations: list[ViolationError] = []
        self.issued: dict[int, Issued] = {}
        """What the caller of an order has in hand."""
        self.failed: set[int] = set()
        """The orders whose callers were last told that nothing was issued."""
        self.revoked: set[int] = set()
        """The orders that their owner has cancelled, or asked to."""
        self.sends = 0
        self._waiting: Counter[int] = Counter()
        self._sent_for_nobody: dict[int, int] = {}
        """How much was sent for an order since its last caller has gone."""
        self._resent: set[str] = set()
        self._sends_under: Counter[str] = Counter()
        self._first_sent_at: dict[str, float] = {}
        self._not_let_in: Counter[int] = Counter()
        """How many attempts of an order were refused for their key, or for their date."""
        self._refused_now: set[int] = set()
        self.restarted()

    def violated(self, invariant: str, seen: str) -> None:
        self._world.history.add(self._world.now, "VIOLATION", invariant, seen)
        self.violations.append(ViolationError(invariant, seen))

    # --- requests ------------------------------------------------------------------------------

    def sending(
        self, operation: str, request_id: str, headers: Mapping[str, str], fault: str
    ) -> Departure:
        """Hold a request that leaves now to what must be true of it."""
        world, now = self._world, self._world.now
        self.sends += 1
        world.history.add(now, "send", operation, request_id, fault)
        is_even = not world.writes_are_slow and world.frozen_at < self._gate.left_at
        departure = self._gate.sending(now, operation, is_even=is_even)
        if world.vault is not None:
            self._is_signed_with_a_key_at_hand(operation, headers["authorization"])
        if operation != LOOKUP and request_id:
            self._is_rightful(operation, request_id, headers)
        return departure

    def _is_rightful(self, operation: str, request_id: str, headers: Mapping[str, str]) -> None:
        order = self._world.order_of(request_id)
        if order is None:
            self.violated("I1", f"{operation} under an ID of no order: {request_id}")
            return
        if order.number not in self.revoked:
            now, is_undo = self._world.now, operation == order.family.undo
            self._retries.sending(order.number, now, is_undo=is_undo)
        self._is_for_somebody(order, operation)
        self._is_on_record(order, operation, request_id, headers["x-amz-date"])
        self._is_a_rightful_undo(order, operation, request_id)
        self._is_not_too_old(order, operation, request_id)

    def _is_on_record(self, order: Order, operation: str, request_id: str, date: str) -> None:
        entries, ahead = self._world.record.entries_under(request_id), self._ahead_seconds()
        lied = self._world.sea.has_lied
        if not any(_covers(entry, order, operation, date, ahead, lied=lied) for entry in entries):
            self.violated("I5", f"{operation} {request_id} left before it was on record")

    def _ahead_seconds(self) -> float:
        return self._world.skew.ahead(self._world.now)

    def _is_signed_with_a_key_at_hand(self, operation: str, authorization: str) -> None:
        world, (key,) = self._world, _KEY.findall(authorization)
        assert world.vault is not None
        taken_at = world.now - WRITE_SECONDS_MAX
        if taken_at < world.thawed_at:  # it was taken before the process stood still
            taken_at = world.frozen_at - WRITE_SECONDS_MAX
        if not world.vault.supplied(key, taken_at):
            self.violated("KEY", f"{operation} is signed with {key}, which is supplied no more")

    def _is_for_somebody(self, order: Order, operation: str) -> None:
        sent = self._sent_for_nobody.get(order.number)
        if sent is None or order.number in self.revoked:
            return
        # The one whose permit was there already when the last caller left.
        self._sent_for_nobody[order.number] = sent + 1
        if sent:
            self.violated("R11", f"{operation} for order {order.number}, and nobody waits for it")

    def _is_a_rightful_undo(self, order: Order, operation: str, request_id: str) -> None:
        if operation != order.family.undo or order.number in self.revoked:
            return
        if order.number in self.issued:
            self.violated("R3", f"order {order.number} was handed out, and then {operation}")
        if request_id not in self._resent:
            self.violated("R3", f"{operation} {request_id}, and Amazon had not asked for it")

    def _is_not_too_old(self, order: Order, operation: str, request_id: str) -> None:
        now = self._world.now
        self._sends_under[request_id] += 1
        first_sent_at = self._first_sent_at.setdefault(request_id, now)
        age = now - first_sent_at
        if operation == order.family.forward and age > self._world.policy.replay_horizon_seconds:
            self.violated("R12", f"{request_id} was sent again after {age:.0f} s")

    def cut_off(self, operation: str, request_id: str, after_seconds: float) -> None:
        """Note that an exchange was stopped: only its own time limit may do that."""
        world = self._world
        allowed = world.settings.attempt_timeout_seconds - ROUNDING_SECONDS
        if after_seconds < allowed and not (world.is_dying or world.is_ending):
            self.violated("I12", f"{operation} {request_id} was cut off after {after_seconds} s")

    def had_no_effect(self, request_id: str) -> None:
        """Note that a request is known to have done nothing: the first is then no beginning."""
        if self._sends_under[request_id] == 1:
            self._first_sent_at.pop(request_id, None)
            self._sends_under[request_id] = 0

    def resent(self, request_id: str) -> None:
        """Note that Amazon has asked to undo what was sent under an ID, and to send it again."""
        self._resent.add(request_id)

    def throttled(self, departure: Departure) -> None:
        """Note that a process has been told that it is too fast."""
        self._world.history.add(self._world.now, "throttled")
        self._gate.throttled(departure, self._world.now)

    def answered(self, departure: Departure) -> None:
        """Note that a process has been answered otherwise."""
        self._gate.answered(departure, self._world.now)

    def lost(self, departure: Departure) -> None:
        """Note that a process will have no answer."""
        self._gate.lost(departure, self._world.now)

    def not_let_in(self, request_id: str) -> None:
        """Note that a request was refused at the door, for its key or its date."""
        order = self._world.order_of(request_id)
        if order is not None:
            self._not_let_in[order.number] += 1
            self._refused_now.add(order.number)

    def attempted(self, attempt: AttemptRecord) -> None:
        """Note the end of an attempt, as the session tells of it."""
        order = self._world.order_of(attempt.request_id)
        if order is None or order.number in self.revoked:
            return
        if order.number in self._refused_now:  # for its key: it is made again, and does not count
            self._refused_now.discard(order.number)
            return
        is_undo = attempt.leg is Leg.UNDO
        self._retries.attempted(order.number, attempt.outcome, self._world.now, is_undo=is_undo)

    def ended(self, request_id: str, verdict: str) -> None:
        """Note the end of a call, as the session tells of it."""
        order = self._world.order_of(request_id)
        if order is not None:
            self._retries.ended(order.number, verdict, self._world.now)

    def restarted(self) -> None:
        """Forget what only the process before has known."""
        world = self._world
        policy, rate = world.policy, world.settings.requests_per_second
        self._gate = Gate(policy, rate, partial(self.violated, "I7"))
        self._retries = Retries(policy.backoff_max_seconds, partial(self.violated, "I8"))
        self._refused_now.clear()
        self._waiting.clear()
        self._sent_for_nobody.clear()

    # --- words to callers ----------------------------------------------------------------------

    def invoked(self, order: Order) -> None:
        self._world.history.add(self._world.now, "invoke", order.number)
        self._waiting[order.number] += 1
        self._sent_for_nobody.pop(order.number, None)
        self.failed.discard(order.number)

    def gone(self, order: Order) -> None:
        """Note that a caller of an order waits no more, with an answer or without one."""
        self._waiting[order.number] -= 1
        if not self._waiting[order.number]:
            self._sent_for_nobody[order.number] = 0
            self._retries.gone(order.number)

    def bounded(self, order: Order, word: Issued | AgcodError | None, late_seconds: float) -> None:
        """Hold a call to its deadline, and to as many attempts as its policy allows at most."""
        if late_seconds > ROUNDING_SECONDS:
            seen = f"the call for order {order.number} was {late_seconds:.3f} s over its deadline"
            self.violated("I8", seen)
        if word is None:
            return
        policy = self._world.policy
        turn = policy.forward_attempts_max + 2 * policy.undo_attempts_max
        under_one_id = (policy.turns_max + 1) * turn + 2 * policy.forward_attempts_max
        attempts = len(word.attempts) if isinstance(word, AgcodError) else word.attempts
        attempts -= self._not_let_in[order.number]
        if attempts > under_one_id * (policy.successors_max + 1):
            self.violated("I8", f"order {order.number} took {attempts} attempts")

    def told(self, order: Order, card: Issued) -> None:
        """Hold a card to the ledger at the moment in which its caller gets it."""
        world = self._world
        world.history.add(world.now, "ok", order.number, card.request_id, card.attempts)
        world.sea.pump(world.now)
        live = order.family.live_under(world.ledger, card.request_id)
        if world.order_of(card.request_id) is not order:
            self.violated("I1", f"order {order.number} was given {card.request_id}")
        elif live is None and order.number not in self.revoked:
            self.violated("I2", f"order {order.number} was given what is dead: {card.request_id}")
        elif live is not None and (live.value != card.amount or card.amount != order.amount):
            self.violated("I2", f"order {order.number} was given {card.amount}, not {live.value}")
        elif live is not None and live.gc_id != getattr(card, "gc_id", None):
            self.violated("I2", f"order {order.number} was given another gcId than it has")
        if isinstance(card, GiftCard):
            self._has_its_code(order, card)
        if not any(
            entry.facts.confirmed and entry.verdict == "Issued"
            for entry in world.record.entries_under(card.request_id)
        ):
            self.violated("R6", f"order {order.number} was handed out before it was on record")
        before = self.issued.setdefault(order.number, card)
        if before.request_id != card.request_id:
            self.violated("I2", f"order {order.number} was given a second card")
        self.failed.discard(order.number)

    def _has_its_code(self, order: Order, card: GiftCard) -> None:
        code = card.claim_code
        known = self._world.ledger.card(card.request_id)
        has_one = isinstance(code, ClaimCode) and known is not None
        if not has_one or known is None or code.reveal() != known.claim_code.reveal():
            self.violated("I2", f"order {order.number} was given another code than it has")

    def refused(self, order: Order, error: AgcodError) -> None:
        """Hold an error to the ledger at the moment in which the caller gets it."""
        world = self._world
        is_certain = isinstance(error, NothingIssuedError)
        world.history.add(
            world.now, "fail" if is_certain else "info", order.number, type(error).__name__
        )
        self.is_discreet(str(error))
        if isinstance(error, DeclinedError) and world.vault and error.error_type == UNKNOWN_KEY:
            self.violated("KEY", f"order {order.number} was given up for a key that is replaced")
        if not is_certain:
            return
        world.sea.pump(world.now)
        for epoch in range(world.policy.successors_max + 1):
            live = order.family.live_under(world.ledger, order.id_of_epoch(epoch))
            if live is not None and order.number not in self.revoked:
                self.violated("I3", f"order {order.number} lives: {type(error).__name__}")
        self.failed.add(order.number)

    def is_discreet(self, text: str) -> None:
        """Hold a text that anybody may see to what it must not show."""
        if SECRET in text:
            self.violated("I10", "the secret key is shown")
        if "-" in text and _CLAIM_CODE.search(text):
            self.violated("I9", "a claim code is shown")


def _covers(
    entry: Entry, order: Order, operation: str, date: str, ahead: float, *, lied: bool
) -> bool:
    """Whether a request may leave under this entry: it says so, with the time of its signature.

    A machine whose clock is `ahead` of Amazon's may sign with Amazon's time, once it knows it, or
    thinks that it does, after a Date that `lied`.
    """
    if entry.last_sent_at is None:
        return False
    if amz_date(int(entry.last_sent_at)) != date and not (
        (ahead or lied)
        and abs(second_of(date) - (entry.last_sent_at - ahead)) <= DATE_ERROR_SECONDS
    ):
        return False
    is_undo = entry.operation != operation
    # A late undo kills what lives, so it is waited for; but a load shows by nothing that it does.
    is_awaited = order.family.name != "load" if is_undo else entry.operation in _SHOWN_BY_NOTHING
    lands_until = second_of(date) + SIGNATURE_AGE_MAX_SECONDS
    if is_awaited and (entry.effects_until is None or entry.effects_until < lands_until):
        return False
    if is_undo:
        return operation == order.family.undo and entry.facts.undone
    return entry.facts.doubtful
