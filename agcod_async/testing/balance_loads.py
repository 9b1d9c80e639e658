"""Loads of customers' balances: what was loaded, what was taken back, what has been spent.

Rules of this file:

1. Pure and synchronous, like the ledger that it is a part of. Every change goes through `_record`.
2. One request ID has at most one effective load, and the funds are debited while it is effective.
3. The answer to a load may hide that it was made void since, and no operation tells: AGCOD has no
   way to look a load up.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import assert_never

from agcod_async.testing.balance_errors import BALANCE_REFUSALS
from agcod_async.testing.by_request_id import ByRequestId
from agcod_async.testing.cards import Happening, LedgerEvent, Moment
from agcod_async.testing.catalogue import Refusal
from agcod_async.testing.customers import AskedLoad, CustomerAccounts, LoadRules
from agcod_async.testing.funds import Funds
from agcod_async.testing.history import History
from agcod_async.testing.semantics import AfterUndo, RepeatedLoad, Semantics
from agcod_async.values import Money


class LoadStatus(Enum):
    """The states of a load. Amazon shows none, so the names are ours."""

    EFFECTIVE = "loaded"
    VOID = "void"


@dataclass(frozen=True, slots=True)
class BalanceLoad:
    """One load; times are as in `Moment`.

    `content` is the whole request, for `RepeatedLoad.SAME_REQUEST`; `spent`: the customer has used
    the money.
    """

    request_id: str
    asked: AskedLoad
    value: Money
    status: LoadStatus
    spent: bool
    requested_at: float
    loaded_at: float
    content: object = field(repr=False)


class BalanceLoads:
    """The loads of one partner account, paid from its funds."""

    def __init__(
        self, funds: Funds, history: History, semantics: Semantics, rules: LoadRules
    ) -> None:
        """Begin with nothing loaded."""
        self._funds = funds
        self._history = history
        self._semantics = semantics
        self._void_window_seconds = rules.void_window_seconds
        self.accounts = CustomerAccounts(funds, rules)
        self._loads = ByRequestId[BalanceLoad]()

    def load_under(self, request_id: str) -> BalanceLoad | None:
        """Return the latest load under this ID."""
        return self._loads.latest(request_id)

    def loads(self) -> Iterator[BalanceLoad]:
        """Iterate over all loads; those that a reissue has replaced are among them."""
        return iter(self._loads)

    def live_values(self) -> Iterator[Money]:
        """Iterate over what the effective loads are worth."""
        for load in self.loads():
            if load.status is LoadStatus.EFFECTIVE:
                yield load.value

    # --- what requests do ----------------------------------------------------------------------

    def load(
        self, request_id: str, asked: AskedLoad, content: object, moment: Moment
    ) -> BalanceLoad | Refusal:
        """Load an account, or answer what this ID did before.

        The caller has checked that the ID is well formed and the amount above zero.
        """
        known = self.load_under(request_id)
        if known is not None and not self._is_free_again(known):
            return self._repeated(known, asked, content)
        value = self.accounts.value_of(asked)
        if isinstance(value, Refusal):
            return value
        load = BalanceLoad(
            request_id=request_id,
            asked=asked,
            value=value,
            status=LoadStatus.EFFECTIVE,
            spent=False,
            requested_at=moment.arrived_at,
            loaded_at=moment.now,
            content=content,
        )
        if self._loads.is_fenced(request_id):
            dead = self._record(Happening.FENCED, replace(load, status=LoadStatus.VOID), moment)
            return self._after_void(dead)
        if not self._funds.suffice_for(value):
            return BALANCE_REFUSALS["F3003"]
        return self._record(Happening.LOADED, load, moment)

    def void(
        self, request_id: str, asked: AskedLoad, moment: Moment, *, if_used: bool
    ) -> BalanceLoad | Refusal | None:
        """Take a load back; None is a SUCCESS for an ID that loaded nothing.

        What is void stays void, and making it void again is a SUCCESS at any time.
        """
        known = self.load_under(request_id)
        if known is None:
            unknown = self._semantics.unknown_cancel
            return self._loads.undo_unknown(request_id, unknown, BALANCE_REFUSALS["F2039"])
        if known.asked != asked:
            return BALANCE_REFUSALS["F2040"]
        if known.status is LoadStatus.VOID:
            return known
        if known.spent and not if_used:
            return BALANCE_REFUSALS["F2041"]
        if moment.arrived_at - known.requested_at > self._void_window_seconds:
            return BALANCE_REFUSALS["F2045"]
        return self._record(Happening.VOIDED, replace(known, status=LoadStatus.VOID), moment)

    def spend(self, request_id: str, moment: Moment) -> BalanceLoad | None:
        """Let the customer spend what was loaded; None if nothing is."""
        known = self.load_under(request_id)
        if known is None or known.status is LoadStatus.VOID:
            return None
        if known.spent:
            return known
        return self._record(Happening.SPENT, replace(known, spent=True), moment)

    # --- how they do it ------------------------------------------------------------------------

    def _is_free_again(self, known: BalanceLoad) -> bool:
        return (
            known.status is LoadStatus.VOID
            and self._semantics.after_void is AfterUndo.REISSUE
            and not self._loads.is_fenced(known.request_id)
        )

    def _repeated(
        self, known: BalanceLoad, asked: AskedLoad, content: object
    ) -> BalanceLoad | Refusal:
        if not self._is_same(known, asked, content):
            return BALANCE_REFUSALS["F2038"]
        return known if known.status is LoadStatus.EFFECTIVE else self._after_void(known)

    def _is_same(self, known: BalanceLoad, asked: AskedLoad, content: object) -> bool:
        match self._semantics.repeated_load:
            case RepeatedLoad.SAME_LOAD:
                return known.asked == asked
            case RepeatedLoad.SAME_REQUEST:
                return known.content == content
            case RepeatedLoad.NONE:
                return False
            case _ as never:
                assert_never(never)

    def _after_void(self, known: BalanceLoad) -> BalanceLoad | Refusal:
        is_hidden = self._semantics.after_void is AfterUndo.HIDDEN
        return known if is_hidden else BALANCE_REFUSALS["F2038"]

    def _record(self, happening: Happening, load: BalanceLoad, moment: Moment) -> BalanceLoad:
        """Enter a change: the load, the funds and the history, together or not at all."""
        if happening in (Happening.LOADED, Happening.FENCED):
            self._loads.add(load.request_id, load)
        else:
            self._loads.change(load.request_id, load)
        if happening is Happening.LOADED:
            self._funds.debit(load.value)
        elif happening is Happening.VOIDED:
            self._funds.refund(load.value)
        event = LedgerEvent(moment.now, happening, load.request_id, None, load.value)
        self._history.add(event)
        return load
