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

DIGITAL: Final = (
    Case(
        name="create-1",
        source=f"{_PLAN} test 1",
        operation="CreateGiftCard",
        asked=Asked(order="card 1", amount="100.00"),
        expected=Expected(),
    ),
    Case(
        name="create-2",
        source=f"{_PLAN} test 2",
        operation="CancelGiftCard",
        asked=Asked(order="card 1"),
        expected=Expected(),
        after="create-1",
    ),
    Case(
        name="create-3",
        source=f"{_PLAN} test 3",
        operation="CreateGiftCard",
        asked=Asked(order="card 2", amount="1000.00"),
        expected=Expected(),
    ),
    Case(
        name="create-3-again",
        source=f"{_PLAN} test 3",
        operation="CreateGiftCard",
        asked=Asked(order="card 2", amount="1000.00"),
        expected=Expected(same_card_as="create-3"),
        after="create-3",
    ),
    Case(
        name="create-4",
        source=f"{_PLAN} test 4",
        operation="CreateGiftCard",
        asked=Asked(mock="F2047", amount="10.00"),
        expected=Expected(endings=("InvalidRequestError",), code="F200"),
    ),
    Case(
        name="create-5",
        source=f"{_PLAN} test 5",
        operation="CreateGiftCard",
        asked=Asked(mock="F3003", amount="10.00"),
        expected=Expected(endings=("AccountError",), code="F300"),
    ),
    Case(
        name="create-other-amount",
        source=_FAQ,
        operation="CreateGiftCard",
        asked=Asked(order="card 2", amount="999.00"),
        expected=_CONFLICT,
        after="create-3",
    ),
    Case(
        name="cancel-F0000",
        source="a public client's tests",
        operation="CancelGiftCard",
        asked=Asked(mock="F0000"),
        expected=Expected(),
    ),
)

PHYSICAL: Final = (
    Case(
        name="activate",
        source=_PHYSICAL,
        operation="ActivateGiftCard",
        asked=Asked(order="activation 1"),
        expected=Expected(is_active=True),
    ),
    Case(
        name="status-active",
        source=_PHYSICAL,
        operation="ActivationStatusCheck",
        asked=Asked(order="activation 1"),
        expected=Expected(is_active=True),
        after="activate",
    ),
    Case(
        name="activate-again",
        source=_PHYSICAL,
        operation="ActivateGiftCard",
        asked=Asked(order="activation 1"),
        expected=Expected(is_active=True),
        after="activate",
    ),
    Case(
        name="deactivate",
        source=_PHYSICAL,
        operation="DeactivateGiftCard",
        asked=Asked(order="activation 1"),
        expected=Expected(),
        after="activate",
    ),
    Case(
        name="status-inactive",
        source=_PHYSICAL,
        operation="ActivationStatusCheck",
        asked=Asked(order="activation 1"),
        expected=Expected(is_active=False),
        after="deactivate",
    ),
)

BALANCE: Final = (
    Case(
        name="validate",
        source=_LOADS,
        operation="ValidateAccountForAmazonBalanceLoad",
        asked=Asked(order="load 1", amount="10.00"),
        expected=Expected(),
    ),
    Case(
        name="load",
        source=_LOADS,
        operation="LoadAmazonBalance",
        asked=Asked(order="load 1", amount="10.00"),
        expected=Expected(),
    ),
    Case(
        name="void-other-amount",
        source=f"{_LOADS}, barcode test 8",
        operation="VoidAmazonBalanceLoad",
        asked=Asked(order="load 1", amount="9.00"),
        expected=_CONFLICT,
        after="load",
    ),
    Case(
        name="void",
        source=_LOADS,
        operation="VoidAmazonBalanceLoad",
        asked=Asked(order="load 1", amount="10.00"),
        expected=Expected(),
        after="load",
    ),
)

FUNDS: Final = (
    Case(
        name="funds",
        source="Amazon's page on GetAvailableFunds",
        operation="GetAvailableFunds",
        asked=Asked(),
        expected=Expected(),
    ),
)

ACTIVITY: Final = (
    Case(
        name="activity",
        source="Amazon's sample client",
        operation="GetGiftCardActivityPage",
        asked=Asked(),
        expected=Expected(),
    ),
)
