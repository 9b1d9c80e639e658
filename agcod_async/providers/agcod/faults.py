"""What an error proves, for each leg. Total and careful.

Rules of this file:

1. The class code and the status decide first, the name refines: Amazon's wire names differ from
   its documented ones, and `GeneralError` is the name of three different things.
2. F200 and F300 say that this request had no effect. F100, F500 and whatever is not known here say
   nothing at all (Amazon's FAQ: an F500 is usually a timeout on Amazon's side).
3. F400, or the status RESEND, is the one invitation to undo. It is not followed where the reply
   also says that the request was refused, or that something else lives under the ID.
4. A refusal that comes with a redirect or a 5xx proves nothing: Amazon's clients have seen errors
   with 4xx only, so it may be somebody in between who speaks.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Generic, TypeVar

from agcod_async.core.outcomes import (
    Both,
    Claimed,
    Conflict,
    LookupOutcome,
    NotFound,
    NothingToUndo,
    Outdated,
    Reason,
    Refused,
    Throttled,
    TooLate,
    Unclear,
    UndoFirst,
    UndoOutcome,
)
from agcod_async.providers.agcod import catalogue
from agcod_async.providers.agcod.envelope import FAILURE, RESEND, Cause, Fault
from agcod_async.providers.agcod.framework import OUTDATED, THROTTLED

OutcomeT_co = TypeVar("OutcomeT_co", covariant=True)

_CONCLUSIVE: Final = frozenset({"F200", "F300"})


def _no_causes() -> Mapping[tuple[str, Cause | None], Callable[[Reason], Both]]:
    return {}


@dataclass(frozen=True, slots=True)
class FaultTable(Generic[OutcomeT_co]):
    """How one leg takes errors. A new operation is a new table.

    `resend` is what F400 and RESEND come to. `names` refines what F200 and F300 come to, by
    documented name; a name that is not in it is Refused. `causes` refines a name that stands for
    more than one thing, by what the message says.
    """

    resend: Callable[[Reason], Both]
    names: Mapping[str, Callable[[Reason], OutcomeT_co | Both]]
    causes: Mapping[tuple[str, Cause | None], Callable[[Reason], OutcomeT_co | Both]] = field(
        default_factory=_no_causes
    )

    def outcome(self, fault: Fault) -> OutcomeT_co | Both:
        """Return what `fault` proves."""
        reason = _reason(fault)
        stated = self._stated(fault, reason)
        # To slow down, or to undo first, is careful whoever asks for it.
        if fault.is_doubted and not isinstance(stated, Throttled | UndoFirst):
            return Unclear(reason)
        return stated

    def _stated(self, fault: Fault, reason: Reason) -> OutcomeT_co | Both:
        if fault.framework is not None:
            kind = _AT_THE_DOOR.get(fault.framework.title)
            if kind is not None:
                return kind(reason)
            return Refused(reason, of_key=fault.framework.of_key)
        name = catalogue.documented_name(fault.name or "")
        if fault.code in _CONCLUSIVE and fault.status in (None, FAILURE):
            by_name = self.names.get(name, Refused)
            return self.causes.get((name, fault.cause), by_name)(reason)
        if _asks_to_resend(fault) and name not in _OTHER_CONTENT:
            return self.resend(reason)
        return Unclear(reason)


def _asks_to_resend(fault: Fault) -> bool:
    if fault.status == RESEND:
        return fault.code not in _CONCLUSIVE
    return fault.code == "F400" and fault.status in (None, FAILURE)


def _reason(fault: Fault) -> Reason:
    known = fault.framework or catalogue.find(fault.code, fault.name)
    if known is None:
        message = catalogue.CLASS_MEANINGS.get(fault.code or "", _UNKNOWN)
    else:
        message = f"{known.meaning} {known.remedy}"
    return Reason(message, code=fault.code, error_type=fault.name)


_AT_THE_DOOR: Final[Mapping[str, Callable[[Reason], Both]]] = {
    THROTTLED.title: Throttled,
    OUTDATED.title: Outdated,
}

_UNKNOWN: Final = "Amazon's answer says neither what happened nor what did not."

# Something with other content lives under this ID, or this card lives under another one.
_OTHER_CONTENT: Final = frozenset(
    {
        "PreDenominationMismatch",
        "CardActivatedWithDifferentDenomination",
        "CardActivatedWithDifferentRequestId",
        "ActivationRequestIdAlreadyBeenUsed",
        "LoadBalanceRequestIdAlreadyUsed",
        "RequestMismatchFromLoadRequest",
        "GcOrderBelongToOtherCustomer",
        "WrongGcOrderSource",
        "WrongGcOrderType",
    }
)

# Names that contradict a class which says "no effect": Amazon lists them only under classes that
# prove nothing (GcLocked: something else is at work on the card), or they say "not yet".
_UNSETTLED: Final = frozenset(
    {row.name for row in catalogue.ROWS if row.code not in _CONCLUSIVE}
    - {row.name for row in catalogue.ROWS if row.code in _CONCLUSIVE}
    | {"GcNotReadyForRefund"}
)

_OF_KEY: Final = partial(Refused, of_key=True)

# A blocked account or an operation that is not permitted (AccessDenied, OperationNotPermitted) is
# not of the key: the account's other one would meet the same.
_EVERYWHERE: Final[Mapping[str, Callable[[Reason], Both]]] = {
    "InvalidAccessKey": _OF_KEY,
    **dict.fromkeys(_OTHER_CONTENT, Conflict),
    **dict.fromkeys(_UNSETTLED, Unclear),
    **dict.fromkeys(THROTTLED.names, Throttled),
}

WITH_UNDO: Final[FaultTable[Both]] = FaultTable(resend=UndoFirst, names=_EVERYWHERE)
"""The forward leg of an operation that can be undone."""

WITHOUT_UNDO: Final[FaultTable[Both]] = FaultTable(resend=Unclear, names=_EVERYWHERE)
"""The forward leg of an operation that cannot: there is nothing to do first but to ask again."""

# No name is documented for "claimed before it was cancelled"; F2012 says that among other things,
# so it is Refused. After either, the same create is sent again, and its answer decides.
UNDO: Final[FaultTable[UndoOutcome]] = FaultTable(
    resend=UndoFirst,
    names={
        **_EVERYWHERE,
        "CardNumberNotFound": NothingToUndo,
        "OrderNotFound": NothingToUndo,
        "NonExistingActivationRequestId": NothingToUndo,
        "LoadBalanceRequestIdDoesNotExist": NothingToUndo,
        "CancelRequestArrivedAfterTimeLimit": TooLate,
    },
)
"""The cancel that undoes a create, and the deactivation that undoes an activation."""

# A used activation ID is what an activation meets once it was undone: Refused makes it be looked
# up, which a conflict would not.
ACTIVATE: Final[FaultTable[Both]] = FaultTable(
    resend=UndoFirst, names={**_EVERYWHERE, "ActivationRequestIdAlreadyBeenUsed": Refused}
)
"""The forward leg of an activation."""

LOOK_UP: Final[FaultTable[LookupOutcome]] = FaultTable(
    resend=Unclear, names={**_EVERYWHERE, "NonExistingActivationRequestId": NotFound}
)
"""The status check that shows whether an activation lives."""

# F2038 says that an idempotency check has failed, and not whose load is under the ID: it may be
# this very one.
LOAD: Final[FaultTable[Both]] = FaultTable(
    resend=UndoFirst,
    names={
        **_EVERYWHERE,
        "LoadBalanceRequestIdAlreadyUsed": Unclear,
        "BalanceLoadCannotBeVoided": Unclear,
    },
)
"""The forward leg of a balance load."""

# One name for two things. Where the message does not tell which, nothing more is concluded than
# that this void had no effect.
VOID: Final[FaultTable[UndoOutcome]] = FaultTable(
    resend=UndoFirst,
    names={**_EVERYWHERE, "LoadBalanceRequestIdDoesNotExist": NothingToUndo},
    causes={
        ("BalanceLoadCannotBeVoided", Cause.LATE): TooLate,
        ("BalanceLoadCannotBeVoided", Cause.USED): Claimed,
    },
)
"""The void that undoes a balance load."""
