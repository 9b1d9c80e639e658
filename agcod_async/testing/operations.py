"""The operations, one class each: which members a request has, and what it does to the ledger.

A new operation is one more class here and one more row in `OPERATIONS`. Nothing in here knows
about JSON, signatures, faults or throttling.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import ClassVar, Final, Protocol

import msgspec

from agcod_async.testing.answers import (
    Executed,
    Failure,
    Success,
    Unusable,
    card_answer,
    created,
    value_of,
)
from agcod_async.testing.cards import CardStatus, Moment
from agcod_async.testing.catalogue import MOCK_CLAIM_CODE, MOCK_GC_ID, REFUSALS, Refusal
from agcod_async.testing.checks import Asked, asked, order_id, partner
from agcod_async.testing.ledger import Ledger
from agcod_async.values import ClaimCode

_EXTERNAL_REFERENCE_LENGTH_MAX = 100


@dataclass(frozen=True, slots=True)
class Account:
    """The partner account that the emulator serves."""

    partner_id: str
    ledger: Ledger
    cancel_requires_gc_id: bool = False


class OperationRequest(Protocol):
    """One request of one operation, as it was sent: nothing in it has been checked."""

    members: ClassVar[tuple[str, ...]]
    """What its answer consists of, in order; all of them null in an error."""

    @property
    def request_id(self) -> str | None:
        """The ID that makes it idempotent, and in which mock codes are put."""
        ...

    def execute(self, account: Account, moment: Moment) -> Executed:
        """Carry it out."""
        ...

    def mock_success(self) -> Success:
        """Answer mock code F0000, with the values that the sandbox answers it with."""
        ...


class _Request(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    partner_id: str | None = None


class _Value(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    amount: object = None
    currency_code: str | None = None


class CreateGiftCard(_Request, frozen=True):
    """Mint a claim code, or answer the one that this ID already has."""

    members: ClassVar[tuple[str, ...]] = (
        "cardInfo",
        "creationRequestId",
        "gcClaimCode",
        "gcExpirationDate",
        "gcId",
        "status",
    )

    creation_request_id: str | None = None
    value: _Value | None = None
    program_id: str | None = None
    product_type: str | None = None
    external_reference: str | None = None
    transaction_source: object = None

    @property
    def request_id(self) -> str | None:
        """The ID of the order."""
        return self.creation_request_id

    def execute(self, account: Account, moment: Moment) -> Executed:
        """Check the request, then ask the ledger."""
        request_id = order_id(self.partner_id, self.creation_request_id, account.partner_id)
        if isinstance(request_id, Refusal):
            return Failure(request_id, self.creation_request_id)
        value = self._asked()
        if isinstance(value, Unusable):
            return value
        if isinstance(value, Refusal):
            return Failure(value, request_id)
        if len(self.external_reference or "") > _EXTERNAL_REFERENCE_LENGTH_MAX:
            return Failure(REFUSALS["F2042"], request_id)
        answer = account.ledger.create(request_id, value.amount, value.currency, moment)
        return Failure(answer, request_id) if isinstance(answer, Refusal) else created(answer)

    def mock_success(self) -> Success:
        """Answer the fixed values, with the asked-for amount if there is a sound one."""
        value = self._asked()
        return card_answer(
            request_id=self.creation_request_id,
            status=CardStatus.LIVE,
            value=value_of(value.amount, value.currency) if isinstance(value, Asked) else None,
            gc_id=MOCK_GC_ID,
            claim_code=ClaimCode(MOCK_CLAIM_CODE),
            expires_at_wall=None,
        )

    def _asked(self) -> Asked | Refusal | Unusable:
        value = self.value or _Value()
        return asked(value.amount, value.currency_code)


class CancelGiftCard(_Request, frozen=True):
    """Kill a card, by the ID of its create."""

    members: ClassVar[tuple[str, ...]] = ("creationRequestId", "gcId", "status")

    creation_request_id: str | None = None
    gc_id: str | None = None

    @property
    def request_id(self) -> str | None:
        """The ID of the order that is undone."""
        return self.creation_request_id

    def execute(self, account: Account, moment: Moment) -> Executed:
        """Check the request, then ask the ledger.

        A `gcId` is optional, unless the account requires it; one of another card is refused.
        """
        request_id = order_id(self.partner_id, self.creation_request_id, account.partner_id)
        if isinstance(request_id, Refusal):
            return Failure(request_id, self.creation_request_id)
        card = account.ledger.card(request_id)
        of_another_card = self.gc_id and card is not None and card.gc_id != self.gc_id
        if of_another_card or (account.cancel_requires_gc_id and not self.gc_id):
            return Failure(REFUSALS["F2024"], request_id)
        answer = account.ledger.cancel(request_id, moment)
        if isinstance(answer, Refusal):
            return Failure(answer, request_id)
        return self._cancelled(self.gc_id if answer is None else answer.gc_id)

    def mock_success(self) -> Success:
        """Answer the fixed values."""
        return self._cancelled(MOCK_GC_ID)

    def _cancelled(self, gc_id: str | None) -> Success:
        return Success(
            {"creationRequestId": self.creation_request_id, "gcId": gc_id, "status": "SUCCESS"}
        )


class GetAvailableFunds(_Request, frozen=True):
    """Read the balance, in the account's own currency."""

    members: ClassVar[tuple[str, ...]] = ("availableFunds", "status", "timestamp")

    @property
    def request_id(self) -> str | None:
        """None: a read has no ID."""
        return None

    def execute(self, account: Account, moment: Moment) -> Executed:
        """Answer what is left of the prepaid funds, where Amazon's sandbox always answers 0."""
        owner = partner(self.partner_id, account.partner_id)
        if isinstance(owner, Refusal):
            return Failure(owner)
        currency = account.ledger.currency
        now = datetime.fromtimestamp(moment.wall, UTC)
        return Success(
            {
                "availableFunds": value_of(account.ledger.available(currency), currency),
                "status": "SUCCESS",
                "timestamp": now.strftime("%Y%m%dT%H%M%SZ"),
            }
        )

    def mock_success(self) -> Success:
        """Answer nothing but SUCCESS; a read has no ID, so nothing asks for it."""
        return Success({"availableFunds": None, "status": "SUCCESS", "timestamp": None})


OPERATIONS: Final[Mapping[str, type[OperationRequest]]] = MappingProxyType(
    {
        "CreateGiftCard": CreateGiftCard,
        "CancelGiftCard": CancelGiftCard,
        "GetAvailableFunds": GetAvailableFunds,
    }
)
"""Every operation by its name."""
