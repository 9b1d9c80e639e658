"""Balance loads: what goes over the wire to load a customer's account, and what comes of it.

The rules are those of `messages`, and two of their own:

1. Amounts are in minor units, a whole number, under names that a gift card's amount has the other
   way round. A currency whose number of decimal places is not known here cannot be loaded.
2. Account and notification are recipient data. What a journal keeps of a request has fingerprints
   in their place, so nobody can send it from the journal alone.
"""

from dataclasses import dataclass
from decimal import Decimal

import msgspec

from agcod_async.providers.agcod.messages import TransactionSource
from agcod_async.providers.agcod.recipients import Account, AccountId, Notification, fingerprint
from agcod_async.values import CURRENCY_EXPONENTS, ClaimCode, InvalidValueError, Money, RequestId

# --- requests ----------------------------------------------------------------------------------


class AccountKey(msgspec.Struct, frozen=True):
    """A customer's account as it is sent."""

    id: AccountId
    type: int

    @classmethod
    def of(cls, account: Account) -> "AccountKey":
        """Return `account`, which has been checked."""
        return cls(id=account.id, type=account.type)

    def on_record(self, request_id: RequestId) -> "AccountKey":
        """Return the account as a journal may keep it."""
        mark = fingerprint(self.id, salt=f"{request_id}\0{self.type}")
        return AccountKey(id=AccountId(mark), type=self.type)


class LoadAmount(msgspec.Struct, frozen=True, rename="camel"):
    """An amount in minor units: 4570 EUR are 45.70 EUR."""

    currency_code: str
    value: int

    @classmethod
    def of(cls, money: Money) -> "LoadAmount":
        """Return `money`. Raises `InvalidValueError` where its minor unit is not known."""
        if not money.currency_is_known:
            raise InvalidValueError(
                "amount", f"the minor unit of {money.currency} is not known", "a known currency"
            )
        places = CURRENCY_EXPONENTS[money.currency]
        return cls(currency_code=money.currency, value=int(money.amount.scaleb(places)))

    @property
    def money(self) -> Money:
        """The same as money."""
        places = CURRENCY_EXPONENTS[self.currency_code]
        return Money(Decimal(self.value).scaleb(-places), self.currency_code)


class VoidAmazonBalanceLoadRequest(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Take a load back. Account and amount must be those of the load (error F2040)."""

    account: AccountKey
    partner_id: str
    amount: LoadAmount
    load_balance_request_id: RequestId
    void_if_used: bool

    def under(self, live_id: RequestId) -> "VoidAmazonBalanceLoadRequest":
        """Return the same request under another ID."""
        return msgspec.structs.replace(self, load_balance_request_id=live_id)

    def on_record(self) -> "VoidAmazonBalanceLoadRequest":
        """Return the request as a journal may keep it."""
        account = self.account.on_record(self.load_balance_request_id)
        return msgspec.structs.replace(self, account=account)


class LoadAmazonBalanceRequest(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True
):
    """Credit a customer's account. `timestamp` is in milliseconds since 1970."""

    account: AccountKey
    partner_id: str
    amount: LoadAmount
    load_balance_request_id: RequestId
    timestamp: int | None = None
    transaction_source: TransactionSource | None = None
    notification_details: Notification | None = None
    external_reference: str | None = None

    def under(self, live_id: RequestId) -> "LoadAmazonBalanceRequest":
        """Return the same request under another ID."""
        return msgspec.structs.replace(self, load_balance_request_id=live_id)

    def undone(self) -> VoidAmazonBalanceLoadRequest:
        """Return what undoes this request, unless the customer has spent it."""
        return VoidAmazonBalanceLoadRequest(
            account=self.account,
            partner_id=self.partner_id,
            amount=self.amount,
            load_balance_request_id=self.load_balance_request_id,
            void_if_used=False,
        )

    def on_record(self) -> "LoadAmazonBalanceRequest":
        """Return the request as a journal may keep it."""
        told = self.notification_details
        if told is not None:
            told = Notification(fingerprint(told, salt=self.load_balance_request_id))
        account = self.account.on_record(self.load_balance_request_id)
        return msgspec.structs.replace(self, account=account, notification_details=told)


class ValidateAccountForAmazonBalanceLoadRequest(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel"
):
    """Ask whether such a load would be refused for its account or its amount.

    Amazon documents none of its members; they are those of the load.
    """

    account: AccountKey
    partner_id: str
    amount: LoadAmount
    load_balance_request_id: RequestId

    def on_record(self) -> "ValidateAccountForAmazonBalanceLoadRequest":
        """Return the request as it may be shown."""
        account = self.account.on_record(self.load_balance_request_id)
        return msgspec.structs.replace(self, account=account)


# --- answers -----------------------------------------------------------------------------------


class LoadAmountAnswer(msgspec.Struct, frozen=True, rename="camel"):
    """An amount in minor units as it came, not yet believed."""

    currency_code: str | None = None
    value: object = None


class AccountAnswer(msgspec.Struct, frozen=True):
    """An account as it came."""

    id: AccountId | None = None
    type: object = None


class BalanceAnswer(msgspec.Struct, frozen=True, rename="camel"):
    """A SUCCESS of any of the three operations.

    Amazon documents no more of it than the status. What is there must agree with the request, and
    a claim code may be under either name.
    """

    load_balance_request_id: str | None = None
    amount: LoadAmountAnswer | None = None
    account: AccountAnswer | None = None
    gc_claim_code: ClaimCode | None = None
    claim_code: ClaimCode | None = None


# --- results -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BalanceLoad:
    """A customer's account that was credited with `amount`.

    `request_id` is the ID of the load: a successor of the caller's where that one was proved
    dead. Where the account was named by a telephone number that its holder has not verified,
    Amazon may answer with a `claim_code` instead, to be printed on the receipt: hand it on and
    forget it. `attempts` and `replayed` are as for a gift card.
    """

    request_id: RequestId
    amount: Money
    claim_code: ClaimCode | None
    replayed: bool = False
    attempts: int = 1


@dataclass(frozen=True, slots=True)
class BalanceVoid:
    """A load that was taken back."""

    request_id: RequestId
    amount: Money


@dataclass(frozen=True, slots=True)
class AccountValidation:
    """A load of `amount` into this account would not be refused on account of either."""

    request_id: RequestId
    amount: Money
