"""Who gets the value: a customer's account, or whoever holds a physical card.

Both are recipient data. They show themselves to nobody who does not call `reveal()`, and nothing
here quotes them when it refuses them.
"""

import hashlib
import re
from dataclasses import dataclass
from typing import ClassVar, Final

from agcod_async.hidden import Hidden
from agcod_async.providers.agcod import xml_form
from agcod_async.values import InvalidValueError


class AccountId(Hidden):
    """What Amazon knows a customer's account by: a barcode, a telephone number, a user ID."""

    __slots__ = ()


class Notification(Hidden):
    """What Amazon tells the customer of a balance load; it may well name them."""

    __slots__ = ()


class CardNumber(Hidden):
    """The number of a physical card: 16 digits and 3 check digits, whose rule is Amazon's own.

    Only its end is shown: whoever may call for the partner could, with the number and a request
    ID, take the value off the card.
    """

    __slots__ = ()

    LENGTH: ClassVar[int] = 19

    def __init__(self, digits: str) -> None:
        """Check the form (error F2023 of Amazon's table)."""
        super().__init__(digits)
        length, is_number = len(digits), digits.isascii() and digits.isdecimal()
        del digits  # a traceback may be shown with its locals
        if not is_number:
            raise InvalidValueError("card_number", "is not made of digits", _CARD_NUMBER_LIMIT)
        if length != self.LENGTH:
            raise InvalidValueError("card_number", f"has {length} digits", _CARD_NUMBER_LIMIT)

    def __repr__(self) -> str:
        return f"CardNumber('…{self._text[-4:]}')"

    __str__ = __repr__


_CARD_NUMBER_LIMIT: Final = "19 digits, as text"


@dataclass(frozen=True, slots=True)
class Account:
    """A customer's account at Amazon.

    `type` says what kind of ID it is; your contract with Amazon tells which types there are. In a
    sandbox, 0 stands for a mock code in place of the ID.
    """

    id: AccountId
    type: int

    def __init__(self, *, id: str | AccountId, type: int) -> None:  # noqa: A002  Amazon's names
        """Wrap the ID; raises `InvalidValueError` for what cannot be an account."""
        wrapped = id if isinstance(id, AccountId) else AccountId(id)
        object.__setattr__(self, "id", wrapped)
        object.__setattr__(self, "type", type)
        del id  # a traceback may be shown with its locals
        problem = _problem(wrapped)
        if problem is not None:
            limit = f"1 to {_ACCOUNT_ID_LENGTH_MAX} characters"
            raise InvalidValueError("account.id", problem, limit)
        # bool is an int, and an ID in the place of the type an easy mistake: it is not quoted.
        if isinstance(type, bool) or not _is_type(type):
            raise InvalidValueError("account.type", "is not a type", "a whole number from 0 on")

    @property
    def is_mock(self) -> bool:
        """Whether the ID is one of Amazon's mock codes, F0000 to F9999 (sandbox only)."""
        return _MOCK_ID.fullmatch(self.id.reveal()) is not None


_ACCOUNT_ID_LENGTH_MAX: Final = 256  # ours: Amazon names no limit
_MOCK_ID: Final = re.compile(r"F[0-9]{4}")


def _is_type(value: object) -> bool:
    return isinstance(value, int) and value >= 0


def _problem(account_id: AccountId) -> str | None:
    length = len(account_id.reveal())
    if not 1 <= length <= _ACCOUNT_ID_LENGTH_MAX:
        return f"has {length} characters"
    if not xml_form.can_carry(account_id.reveal()):
        return "has a character that cannot be sent"
    return None


def fingerprint(hidden: Hidden, *, salt: str) -> str:
    """Return what is put on record in place of `hidden`: the same for the same, and no more.

    It keeps recipients out of the journal and still shows whether two requests are for the same
    one. It is not a safe: whoever has the record and a list of candidates can try them.
    """
    material = f"agcod-async\0on record\0{type(hidden).__name__}\0{salt}\0{hidden.reveal()}"
    return f"sha256:{hashlib.sha256(material.encode()).hexdigest()[:_FINGERPRINT_LENGTH]}"


_FINGERPRINT_LENGTH: Final = 32
