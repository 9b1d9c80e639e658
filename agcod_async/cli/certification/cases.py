"""The cases as data: what is sent, under which ID, and how it must end.

Sources: Amazon's test plan (its CreateGiftCard tests 1 to 5; the rest of the page is not known
here), Amazon's error page for the mock codes, and the pages on the single operations. A new case
is one more row.
"""

from dataclasses import dataclass
from typing import Final

SUCCESS: Final = "SUCCESS"
"""How a case ends that raises nothing. The others end with the name of what they raise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is sent. `order` names the request ID: the same name is the same ID in one run.

    A `mock` stands where Amazon wants it, in place of the request ID or of the account. Amounts
    are in major units of the account's currency; an activation without one has the card's.
    """

    order: str = ""
    mock: str | None = None
    amount: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """How a case must end: with SUCCESS, or with one of these exceptions and Amazon's `code`.

    `same_card_as` is a case whose card must be answered again, `is_active` what must be said of
    a physical card.
    """

    endings: tuple[str, ...] = (SUCCESS,)
    code: str | None = None
    same_card_as: str | None = None
    is_active: bool | None = None

    def __str__(self) -> str:
        said = " or ".join(self.endings)
        if self.code is not None:
            said = f"{said} ({self.code})"
        if self.same_card_as is not None:
            said = f"{said}, the card of {self.same_card_as}"
        if self.is_active is not None:
            said = f"{said}, {'active' if self.is_active else 'not active'}"
        return said


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One row. Without an expectation it is a probe: its answer is noted, and nothing else.

    `after` names the case that must have ended as expected, or this one says nothing.
    """

    name: str
    source: str
    operation: str
    asked: Asked
    expected: Expected | None
    after: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Cases that belong together, and the word that selects them."""

    word: str
    title: str
    cases: tuple[Case, ...]


_PLAN: Final = "Amazon's test plan, CreateGiftCard"
_FAQ: Final = "Amazon's FAQ"
_PHYSICAL: Final = "Amazon's guide to physical cards"
_LOADS: Final = "Amazon's guide to balance loads"
_CONFLICT: Final = Expected(endings=("IdempotencyConflictError",), code="F200")


def _mocked(code: str) -> Asked:
    return Asked(mock=code, amount="10.00")


def _case(
    name: str,
    source: str,
    operation: str,
    asked: Asked,
    expected: Expected = Expected(),
    after: str | None = None,
) -> Case:
    return Case(
        name=name, source=source, operation=operation, asked=asked, expected=expected, after=after
    )


_CARD_1: Final = Asked(order="card 1", amount="100.00")
_CARD_2: Final = Asked(order="card 2", amount="1000.00")
_CARD_2_OTHERWISE: Final = Asked(order="card 2", amount="999.00")
_SAME_CARD: Final = Expected(same_card_as="create-3")
_TOO_LATE: Final = Expected(endings=("InvalidRequestError",), code="F200")
_NO_FUNDS: Final = Expected(endings=("AccountError",), code="F300")

DIGITAL: Final = (
    _case("create-1", f"{_PLAN} test 1", "CreateGiftCard", _CARD_1),
    _case("create-2", f"{_PLAN} test 2", "CancelGiftCard", _CARD_1, after="create-1"),
    _case("create-3", f"{_PLAN} test 3", "CreateGiftCard", _CARD_2),
    _case("create-3-again", f"{_PLAN} test 3", "CreateGiftCard", _CARD_2, _SAME_CARD, "create-3"),
    _case("create-4", f"{_PLAN} test 4", "CreateGiftCard", _mocked("F2047"), _TOO_LATE),
    _case("create-5", f"{_PLAN} test 5", "CreateGiftCard", _mocked("F3003"), _NO_FUNDS),
    _case("create-other-amount", _FAQ, "CreateGiftCard", _CARD_2_OTHERWISE, _CONFLICT, "create-3"),
    _case("cancel-F0000", "a public client's tests", "CancelGiftCard", _mocked("F0000")),
)

_ACTIVATION: Final = Asked(order="activation 1")
_ACTIVE: Final = Expected(is_active=True)
_INACTIVE: Final = Expected(is_active=False)

PHYSICAL: Final = (
    _case("activate", _PHYSICAL, "ActivateGiftCard", _ACTIVATION, _ACTIVE),
    _case("status-active", _PHYSICAL, "ActivationStatusCheck", _ACTIVATION, _ACTIVE, "activate"),
    _case("activate-again", _PHYSICAL, "ActivateGiftCard", _ACTIVATION, _ACTIVE, "activate"),
    _case("deactivate", _PHYSICAL, "DeactivateGiftCard", _ACTIVATION, after="activate"),
    _case(
        "status-inactive", _PHYSICAL, "ActivationStatusCheck", _ACTIVATION, _INACTIVE, "deactivate"
    ),
)

_LOAD: Final = Asked(order="load 1", amount="10.00")
_LOAD_OTHERWISE: Final = Asked(order="load 1", amount="9.00")

BALANCE: Final = (
    _case("validate", _LOADS, "ValidateAccountForAmazonBalanceLoad", _LOAD),
    _case("load", _LOADS, "LoadAmazonBalance", _LOAD),
    _case(
        "void-other-amount",
        "Amazon's barcode test script, test 8",
        "VoidAmazonBalanceLoad",
        _LOAD_OTHERWISE,
        _CONFLICT,
        "load",
    ),
    _case("void", _LOADS, "VoidAmazonBalanceLoad", _LOAD, after="load"),
)

FUNDS: Final = (_case("funds", "Amazon's page on GetAvailableFunds", "GetAvailableFunds", Asked()),)

ACTIVITY: Final = (_case("activity", "Amazon's sample client", "GetGiftCardActivityPage", Asked()),)
