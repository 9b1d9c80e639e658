"""Balance loads: into a customer's account, back out of it, and whether it could be done at all.

Their errors have a table and an envelope of their own, and their mock codes are put in the account
ID, with account type 0 (Amazon's error page). Their amounts count minor units.
"""

from collections.abc import Mapping
from typing import ClassVar

import msgspec

from agcod_async.testing import checks
from agcod_async.testing.activity import ActivityType, Subject
from agcod_async.testing.answers import Members, Success
from agcod_async.testing.balance_errors import BALANCE_REFUSALS
from agcod_async.testing.cards import Moment
from agcod_async.testing.catalogue import Refusal
from agcod_async.testing.customers import AskedLoad
from agcod_async.testing.requests import Account, Envelope, Number, Request

MOCK_ACCOUNT_TYPE = 0

_NOTIFICATION_LENGTH_MAX = 250
_SOURCE_ID_LENGTH_MAX = 40
_DIGITS_SHOWN_MAX = 15  # a mocked amount may be anything at all


class _CustomerKey(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    id: str | None = None
    type: int | None = None


class _Amount(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """An amount in minor units. A card's `Value` has the two names swapped."""

    currency_code: str | None = None
    value: Number | None = None


class _Source(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """Where the customer paid."""

    source_id: str | None = None
    institution_id: str | None = None
    source_details: object = None


class _BalanceRequest(Request, frozen=True):
    members: ClassVar[tuple[str, ...]] = ("amount", "loadBalanceRequestId", "status")
    id_member: ClassVar[str | None] = "loadBalanceRequestId"
    envelope: ClassVar[Envelope] = Envelope.FLAT
    refusals: ClassVar[Mapping[str, Refusal]] = BALANCE_REFUSALS

    account: _CustomerKey | None = None
    amount: _Amount | None = None
    load_balance_request_id: str | None = None
    timestamp: int | None = None
    transaction_source: _Source | None = None
    notification_details: str | None = None
    external_reference: str | None = None

    @property
    def request_id(self) -> str | None:
        """The ID of the load."""
        return self.load_balance_request_id

    @property
    def mock_code(self) -> str | None:
        """The account ID, if the account type is the one for mocks."""
        account = self.account
        return account.id if account is not None and account.type == MOCK_ACCOUNT_TYPE else None

    def mock_success(self) -> Success:
        """Answer SUCCESS, with the asked-for amount."""
        return self._success(Subject())

    def _order_id(self, account: Account) -> str:
        return checks.order_id(
            self.partner_id,
            self.load_balance_request_id,
            account.config.partner_id,
            BALANCE_REFUSALS,
        )

    def _asked(self) -> AskedLoad:
        """Return account and amount, both complete, and the amount above zero."""
        amount = self.amount or _Amount()
        if amount.value is None:
            raise checks.RefusedError(BALANCE_REFUSALS["F2003"])
        if amount.value <= 0:
            raise checks.RefusedError(BALANCE_REFUSALS["F2004"])
        if not amount.currency_code:
            raise checks.RefusedError(BALANCE_REFUSALS["F2005"])
        account = self.account or _CustomerKey()
        if account.type is None:
            raise checks.RefusedError(BALANCE_REFUSALS["F2033"])
        if not account.id:
            raise checks.RefusedError(BALANCE_REFUSALS["F2034"])
        self._check_lengths()
        return AskedLoad(account.id, account.type, amount.value, amount.currency_code)

    def _check_lengths(self) -> None:
        checks.external_reference(self.external_reference, BALANCE_REFUSALS)
        if len(self.notification_details or "") > _NOTIFICATION_LENGTH_MAX:
            raise checks.RefusedError(BALANCE_REFUSALS["F2043"])
        source = self.transaction_source or _Source()
        if len(source.source_id or "") > _SOURCE_ID_LENGTH_MAX:
            raise checks.RefusedError(BALANCE_REFUSALS["F2044"])

    def _success(self, subject: Subject) -> Success:
        members = {
            "amount": self._amount_members(),
            "loadBalanceRequestId": self.load_balance_request_id,
            "status": "SUCCESS",
        }
        return Success(members, subject)

    def _amount_members(self) -> Members | None:
        amount = self.amount
        if amount is None or amount.value is None or amount.value.adjusted() > _DIGITS_SHOWN_MAX:
            return None
        return {"currencyCode": amount.currency_code, "value": int(amount.value)}


class LoadAmazonBalance(_BalanceRequest, frozen=True):
    """Credit a customer's account, or answer what this ID did before."""

    activity: ClassVar[ActivityType | None] = ActivityType.LOAD

    def execute(self, account: Account, moment: Moment) -> Success:
        """Check the request, then ask the ledger."""
        request_id = self._order_id(account)
        load = account.ledger.balance.load(request_id, self._asked(), self, moment)
        return self._success(Subject(checks.granted(load).value))


class VoidAmazonBalanceLoad(_BalanceRequest, frozen=True):
    """Take a load back, by its ID; account and amount must be those of the load."""

    activity: ClassVar[ActivityType | None] = ActivityType.VOID

    void_if_used: bool = False

    def execute(self, account: Account, moment: Moment) -> Success:
        """Check the request, then ask the ledger."""
        request_id = self._order_id(account)
        voided = checks.granted(
            account.ledger.balance.void(
                request_id, self._asked(), moment, if_used=self.void_if_used
            )
        )
        return self._success(Subject() if voided is None else Subject(voided.value))


class ValidateAccountForAmazonBalanceLoad(_BalanceRequest, frozen=True):
    """Say whether such a load would be refused for its account or its amount. Loads nothing."""

    def execute(self, account: Account, _moment: Moment) -> Success:
        """Check the request as a load would be; whether the funds suffice is left to the load.

        No document shows a request ID in it, so none is asked for; one that is there is checked.
        """
        checks.partner(self.partner_id, account.config.partner_id, BALANCE_REFUSALS)
        if self.load_balance_request_id is not None:
            self._order_id(account)
        checks.granted(account.ledger.balance.accounts.value_of(self._asked()))
        return self._success(Subject())
