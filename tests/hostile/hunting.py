"""Hostile replies are judged: by the code that ships, and by the reference that knows better."""

import logging
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from agcod_async.core.outcomes import Applied, Found, Outcome, Reason, Reply, Unclear
from agcod_async.providers.agcod.activation_messages import Activation, ActivationStatus
from agcod_async.providers.agcod.activity_messages import ActivityPage
from agcod_async.providers.agcod.balance_messages import BalanceLoad
from agcod_async.providers.agcod.messages import AvailableFunds, Cancellation, GiftCard
from tests.hostile.mutations import Generator
from tests.hostile.reference import ACCOUNT_ID, CARD_NUMBER, Members, justified, number
from tests.hostile.templates import JUDGES, Template
from tests.providers.replies import CODE

BATCH: Final = 1_000
"""So many inputs come of one seed."""
_HARMLESS: Final[set[Reason]] = set()
"""Reasons that have been looked at: they hide what must be hidden."""
_HIDDEN: Final[dict[str, tuple[str, ...]]] = {
    **dict.fromkeys(JUDGES, (CODE, ACCOUNT_ID, CARD_NUMBER[:12])),
    **dict.fromkeys(("create", "undo", "cancel"), (CODE,)),
    "activity": (),  # its rows have no code, and show what they have
}


class BrokenPromiseError(AssertionError):
    """A reply was judged wrongly."""


@dataclass(slots=True)
class Tally:
    """What has come of some inputs."""

    inputs: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)


class _Listener(logging.Handler):
    """Whatever is logged while a reply is read."""

    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


def judge(leg: str, status: int, content_type: str, body: bytes) -> Outcome:
    """Judge one reply, and raise `BrokenPromiseError` for a verdict that it does not justify."""
    try:
        outcome = JUDGES[leg](Reply(status, content_type, body))
    except BaseException as error:  # noqa: BLE001  whatever it is, it is to be reported
        raise BrokenPromiseError(f"raised {type(error).__name__}") from None
    kind = type(outcome).__name__
    if isinstance(outcome, Unclear) and outcome.reason in _HARMLESS:
        return outcome
    shown = repr(outcome)
    if any(secret in shown for secret in _HIDDEN[leg]):
        raise BrokenPromiseError(f"{kind} shows what must be hidden")
    if isinstance(outcome, Unclear):
        _HARMLESS.add(outcome.reason)
        return outcome
    kinds, members = justified(leg, status, body)
    if kind not in kinds:
        raise BrokenPromiseError(f"{kind} where only {sorted(kinds) or 'Unclear'} is justified")
    if isinstance(outcome, Applied | Found) and not _says_the_same(outcome.answer, members):
        raise BrokenPromiseError(f"{kind} with another content than the reply has")
    return outcome


def _says_the_same(answer: object, members: Members) -> bool:
    match answer:
        case GiftCard():
            code, gc_id = members["gcClaimCode"], members["gcId"]
            return (answer.claim_code.reveal(), answer.gc_id) == (code, gc_id)
        case BalanceLoad():
            told = members.get("gcClaimCode") or members.get("claimCode")
            return told == (answer.claim_code and answer.claim_code.reveal())
        case Cancellation():
            return answer.gc_id is None or answer.gc_id == members.get("gcId")
        case AvailableFunds():
            funds = members["availableFunds"]
            amount = answer.amount
            told = (number(funds["amount"]), funds["currencyCode"])
            return (amount.amount, amount.currency) == told
        case ActivationStatus():
            return bool(answer.card_status == members["cardInfo"]["cardStatus"])
        case ActivityPage():
            rows = members.get("cardActivityList") or []
            told = [row.get("requestId") for row in rows]
            pairs = zip(told, answer.rows, strict=True)
            return all(row.request_id in (None, one) for one, row in pairs)
        case Activation():
            return answer.card_status == "Activated"
        case _:
            return True


def batch(seed: int, count: int = BATCH) -> Tally:
    """Judge the replies of one seed."""
    tally, generator = Tally(), Generator(seed)
    listener, root = _Listener(), logging.getLogger()
    root.addHandler(listener)
    for at in range(count):
        hostile = generator.next()
        leg, body = hostile.template.leg, hostile.body
        try:
            outcome = judge(leg, hostile.status, hostile.content_type, body)
            kind = type(outcome).__name__
            wanted = honest_kind(hostile.template) if hostile.is_benign else kind
            _check(kind, wanted, listener.lines)
        except BrokenPromiseError as broken:
            tally.broken.append(
                f"seed {seed} input {at}: {broken}\n"
                f"  leg {leg}, status {hostile.status}\n  {body[:2000]!r}"
            )
            listener.lines.clear()
        else:
            tally.kinds[kind] += 1
    root.removeHandler(listener)
    tally.inputs = count
    return tally


def _check(kind: str, wanted: str, logged: list[str]) -> None:
    if kind != wanted:
        raise BrokenPromiseError(f"{kind} for an honest reply")
    if logged:
        raise BrokenPromiseError("a reply was logged")


_HONEST: Final[dict[int, str]] = {}


def honest_kind(template: Template) -> str:
    """Return the kind of outcome that the reference gives to an honest reply."""
    known = _HONEST.get(id(template))
    if known is None:
        kinds, _ = justified(template.leg, template.status, template.body)
        known = _HONEST[id(template)] = min(kinds, default="Unclear")
    return known
