"""Values that are checked once, where they enter, and trusted from there on.

Rules of this file:

1. A value is immutable, and building one checks every limit that Amazon documents for it. What
   does not fit raises `InvalidValueError`, which names the field, the problem and the limit.
2. A claim code or a secret key shows itself to nobody who does not call `reveal()`.
3. Standard library only; no clock, no randomness, no I/O.
"""

import base64
import hashlib
import re
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import ClassVar, Self

from agcod_async.hidden import Hidden

_CURRENCY = re.compile(r"[A-Z]{3}")
_MOCK_ID = re.compile(r"F[0-9]{4}")
_REQUEST_ID = re.compile(r"[!-~]+")  # printable ASCII without the space

CURRENCY_EXPONENTS: dict[str, int] = {
    **dict.fromkeys(
        ("AED", "AUD", "CAD", "EGP", "EUR", "GBP", "MXN", "PLN", "SAR", "SEK", "SGD", "TRY"), 2
    ),
    **dict.fromkeys(("USD", "ZAR"), 2),
    "JPY": 0,
}
"""Decimal places of the currencies that Amazon's marketplaces are known to use."""

_UNKNOWN_CURRENCY_EXPONENT_MAX = 4


class InvalidValueError(ValueError):
    """A value breaks a documented limit. Nothing has been sent.

    `field` names the argument, `problem` says what is wrong with it, `limit` what would be right.
    """

    def __init__(self, field: str, problem: str, limit: str) -> None:
        super().__init__(field, problem, limit)  # all of them, or it could not be unpickled
        self.field = field
        self.problem = problem
        self.limit = limit

    def __str__(self) -> str:
        return f"{self.field}: {self.problem} ({self.limit})"


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount in major units of one currency: `Money("25.00", "USD")`.

    The amount is brought to the currency's number of decimal places, so that 10, "10.0" and
    "10.00" are equal and are sent as the same bytes: a resend with other bytes could be refused
    as another amount (F200 PreDenominationMismatch). A currency that is not in
    `CURRENCY_EXPONENTS` is accepted with up to four places.
    """

    amount: Decimal
    currency: str

    def __init__(self, amount: Decimal | str | int, currency: str) -> None:
        """Take `amount` as text, integer or Decimal; a float is refused, it is not exact."""
        if not _CURRENCY.fullmatch(currency):
            raise InvalidValueError(
                "currency",
                f"{currency!r} is not a currency code",
                "three capital letters, ISO 4217",
            )
        object.__setattr__(self, "amount", _exact(amount, currency))
        object.__setattr__(self, "currency", currency)

    @property
    def currency_is_known(self) -> bool:
        """Whether the number of decimal places of this currency is known here."""
        return self.currency in CURRENCY_EXPONENTS

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"


def _exact(amount: Decimal | str | int, currency: str) -> Decimal:
    places = CURRENCY_EXPONENTS.get(currency)
    # bool is an int, and float an easy mistake: neither is an amount of money.
    if isinstance(amount, bool) or not isinstance(amount, Decimal | str | int):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidValueError(
            "amount", f"a {type(amount).__name__} is not exact", "text, int or Decimal"
        )
    try:
        exact = Decimal(amount)
    except InvalidOperation:
        raise InvalidValueError(
            "amount", f"{amount!r} is not a number", "a decimal number such as 25.00"
        ) from None
    if not exact.is_finite() or exact.adjusted() >= _AMOUNT_DIGITS_MAX:
        raise InvalidValueError("amount", "is out of range", f"at most {_AMOUNT_DIGITS_MAX} digits")
    allowed = _UNKNOWN_CURRENCY_EXPONENT_MAX if places is None else places
    try:
        fitted = exact.quantize(_STEPS[allowed], context=_EXACT)
    except Inexact:
        raise InvalidValueError(
            "amount",
            f"{amount} has more decimal places than {currency} has",
            f"at most {allowed} decimal places",
        ) from None
    if not fitted:
        fitted = fitted.copy_abs()  # Decimal knows a -0, which would be sent as other bytes
    if places is not None:
        return fitted
    shortest = fitted.normalize(_EXACT)
    is_whole = shortest == shortest.to_integral_value()
    return shortest.quantize(Decimal(1), context=_EXACT) if is_whole else shortest


_AMOUNT_DIGITS_MAX = 12
_STEPS = tuple(Decimal(1).scaleb(-places) for places in range(_UNKNOWN_CURRENCY_EXPONENT_MAX + 1))
# Our own, because the caller's could round. Whatever does not fit raises instead.
_EXACT = Context(
    prec=_AMOUNT_DIGITS_MAX + _UNKNOWN_CURRENCY_EXPONENT_MAX, traps=[Inexact, InvalidOperation]
)


class RequestId(str):
    """The ID under which one order is sent, replayed and undone. It is yours: keep it.

    At most 40 characters, case-sensitive, beginning with the partner ID (error F2021 and F2022 of
    Amazon's table). The alphabet is open: Amazon's guide says alphanumeric, the service is known
    to take `-` and `_` too.
    """

    __slots__ = ()

    LENGTH_MAX: ClassVar[int] = 40

    def __new__(cls, text: str) -> Self:
        """Check the form; the partner prefix is checked by `check_partner`."""
        if type(text) is cls:
            return text  # checked already, and immutable
        if not text:
            raise InvalidValueError("request_id", "is empty", "1 to 40 characters")
        if len(text) > cls.LENGTH_MAX:
            raise InvalidValueError(
                "request_id", f"has {len(text)} characters", f"at most {cls.LENGTH_MAX}"
            )
        if not _REQUEST_ID.fullmatch(text):
            raise InvalidValueError(
                "request_id", f"{text!r} has a character that cannot be sent", "letters and digits"
            )
        return super().__new__(cls, text)

    @classmethod
    def derive(cls, partner_id: str, business_key: str) -> Self:
        """Make the same ID from the same business key, always: a crash cannot forget it.

        Alphanumeric and 40 characters long: the partner ID, then 100 to 175 bits of a SHA-256 of
        both arguments. Raises `InvalidValueError` for an empty key or a partner ID over 20
        characters (too little of the hash would be left).
        """
        if not business_key:
            raise InvalidValueError("business_key", "is empty", "at least 1 character")
        if not business_key.isascii() and any("\ud800" <= one <= "\udfff" for one in business_key):
            raise InvalidValueError(
                "business_key", "has half a character (a lone surrogate)", "valid Unicode"
            )
        return cls(_hashed(partner_id, "request-id", business_key))

    def successor(self, partner_id: str, epoch: int) -> "RequestId":
        """Return the ID that takes over when this one is proved dead, for the n-th time.

        Hashed rather than suffixed: a suffix could hit another order's ID, and a create under it
        would answer with that order's card.
        """
        return RequestId(_hashed(partner_id, f"successor-{epoch}", self))

    @property
    def is_mock(self) -> bool:
        """Whether this is one of Amazon's mock codes, F0000 to F9999 (sandbox only)."""
        return _MOCK_ID.fullmatch(self) is not None

    def check_partner(self, partner_id: str, *, mock_allowed: bool) -> None:
        """Raise `InvalidValueError` unless this ID may be sent for `partner_id`."""
        if self.startswith(partner_id) or (mock_allowed and self.is_mock):
            return
        raise InvalidValueError(
            "request_id",
            f"{str(self)!r} does not begin with the partner ID",
            f"begins with {partner_id!r}, case matters",
        )


_PARTNER_ID_LENGTH_MAX = 20


def check_partner_id(partner_id: str) -> None:
    """Raise `InvalidValueError` unless this can be a partner ID (1 to 20 letters and digits)."""
    if not (partner_id.isascii() and partner_id.isalnum()):
        raise InvalidValueError("partner_id", f"{partner_id!r} is not one", "letters and digits")
    if len(partner_id) > _PARTNER_ID_LENGTH_MAX:
        raise InvalidValueError(
            "partner_id", f"has {len(partner_id)} characters", f"at most {_PARTNER_ID_LENGTH_MAX}"
        )


def _hashed(partner_id: str, purpose: str, key: str) -> str:
    check_partner_id(partner_id)
    material = f"agcod-async\0{purpose}\0{partner_id}\0{key}".encode()
    tail = base64.b32encode(hashlib.sha256(material).digest()).decode("ascii")
    return (partner_id + tail)[: RequestId.LENGTH_MAX]


class ClaimCode(Hidden):
    """The code that the recipient types in. Amazon forbids partners to store it."""

    __slots__ = ()


class SecretKey(Hidden):
    """The secret half of an access key."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Credentials:
    """One access key of the Incentives portal. The secret half is never shown.

    `created_at` is when the portal made it, if you know: then its age is watched, because Amazon's
    FAQ recommends a new key about every 90 days. It is no part of what the key is.
    """

    access_key_id: str
    secret_access_key: SecretKey
    created_at: datetime | None = field(default=None, compare=False)

    def __init__(
        self,
        *,
        access_key_id: str,
        secret_access_key: str | SecretKey,
        created_at: datetime | None = None,
    ) -> None:
        """Wrap the secret; raises `InvalidValueError` for half a key, or a time without a zone."""
        secret = (
            secret_access_key
            if isinstance(secret_access_key, SecretKey)
            else SecretKey(secret_access_key)
        )
        object.__setattr__(self, "access_key_id", access_key_id)
        object.__setattr__(self, "secret_access_key", secret)
        object.__setattr__(self, "created_at", created_at)
        del secret_access_key  # a traceback may be shown with its locals
        for name, is_whole in (
            ("access_key_id", _is_key(access_key_id)),
            ("secret_access_key", _is_key(secret.reveal())),
        ):
            # The text is not quoted: one half pasted into the other's place is a common mistake.
            if not is_whole:
                raise InvalidValueError(
                    name, "is empty or has a blank in it", "as shown by the Incentives portal"
                )
        if created_at is not None and created_at.utcoffset() is None:
            raise InvalidValueError("created_at", f"{created_at} has no zone", "such as UTC")

    @property
    def ending(self) -> str:
        """What may be shown of the access key ID: its last four characters."""
        return f"…{self.access_key_id[-4:]}"

    def __repr__(self) -> str:
        return f"Credentials(access_key_id='{self.ending}')"


def _is_key(text: str) -> bool:
    return _REQUEST_ID.fullmatch(text) is not None
