"""Gift cards that are claim codes: create, cancel, and what is left of the funds."""

from datetime import UTC, datetime
from typing import ClassVar

from agcod_async.testing import checks
from agcod_async.testing.activity import ActivityType, Subject
from agcod_async.testing.answers import Success, card_answer, created, value_of
from agcod_async.testing.cards import CardStatus, Moment
from agcod_async.testing.catalogue import MOCK_CLAIM_CODE, MOCK_GC_ID, REFUSALS
from agcod_async.testing.requests import Account, Request, Value
from agcod_async.values import ClaimCode


class CreateGiftCard(Request, frozen=True):
    """Mint a claim code, or answer the one that this ID already has."""

    members: ClassVar[tuple[str, ...]] = (
        "cardInfo",
        "creationRequestId",
        "gcClaimCode",
        "gcExpirationDate",
        "gcId",
        "status",
    )
    id_member: ClassVar[str | None] = "creationRequestId"
    activity: ClassVar[ActivityType | None] = ActivityType.CREATE

    creation_request_id: str | None = None
    value: Value | None = None
    program_id: str | None = None
    product_type: str | None = None
    external_reference: str | None = None
    transaction_source: object = None

    @property
    def request_id(self) -> str | None:
        """The ID of the order."""
        return self.creation_request_id

    def execute(self, account: Account, moment: Moment) -> Success:
        """Check the request, then ask the ledger."""
        request_id = checks.order_id(
            self.partner_id, self.creation_request_id, account.config.partner_id
        )
        value = self.value or Value()
        amount, currency = checks.asked(value.amount, value.currency_code)
        checks.program(self.program_id, account.config)
        checks.external_reference(self.external_reference)
        card = account.ledger.create(request_id, amount, currency, moment)
        return created(checks.granted(card))

    def mock_success(self) -> Success:
        """Answer the fixed values, with the asked-for amount if there is a sound one."""
        return card_answer(
            request_id=self.creation_request_id,
            status=CardStatus.LIVE,
            value=checks.sound_value(self.value),
            gc_id=MOCK_GC_ID,
            claim_code=ClaimCode(MOCK_CLAIM_CODE),
            expires_at_wall=None,
        )


class CancelGiftCard(Request, frozen=True):
    """Kill a card, by the ID of its create."""

    members: ClassVar[tuple[str, ...]] = ("creationRequestId", "gcId", "status")
    id_member: ClassVar[str | None] = "creationRequestId"
    activity: ClassVar[ActivityType | None] = ActivityType.CANCEL

    creation_request_id: str | None = None
    gc_id: str | None = None

    @property
    def request_id(self) -> str | None:
        """The ID of the order that is undone."""
        return self.creation_request_id

    def execute(self, account: Account, moment: Moment) -> Success:
        """Check the request, then ask the ledger.

        A `gcId` is optional, unless the account requires it; one of another card is refused.
        """
        request_id = checks.order_id(
            self.partner_id, self.creation_request_id, account.config.partner_id
        )
        card = account.ledger.card(request_id)
        of_another_card = self.gc_id and card is not None and card.gc_id != self.gc_id
        if of_another_card or (account.config.cancel_requires_gc_id and not self.gc_id):
            raise checks.RefusedError(REFUSALS["F2024"])
        cancelled = checks.granted(account.ledger.cancel(request_id, moment))
        if cancelled is None:
            return self._cancelled(self.gc_id, Subject())
        return self._cancelled(cancelled.gc_id, Subject(cancelled.value, cancelled.gc_id))

    def mock_success(self) -> Success:
        """Answer the fixed values."""
        return self._cancelled(MOCK_GC_ID, Subject())

    def _cancelled(self, gc_id: str | None, subject: Subject) -> Success:
        members = {
            "creationRequestId": self.creation_request_id,
            "gcId": gc_id,
            "status": "SUCCESS",
        }
        return Success(members, subject)


class GetAvailableFunds(Request, frozen=True):
    """Read the balance, in the account's own currency."""

    members: ClassVar[tuple[str, ...]] = ("availableFunds", "status", "timestamp")

    def execute(self, account: Account, moment: Moment) -> Success:
        """Answer what is left of the prepaid funds, where Amazon's sandbox always answers 0."""
        checks.partner(self.partner_id, account.config.partner_id)
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
