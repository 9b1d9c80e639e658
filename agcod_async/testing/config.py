"""The emulator's knobs, checked once."""

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from decimal import Decimal
from typing import Final, Literal

from agcod_async.testing.arrivals import ARRIVALS_MAX
from agcod_async.testing.authentication import SIGNATURE_AGE_MAX_SECONDS
from agcod_async.testing.cards import PhysicalCard
from agcod_async.testing.customers import VOID_WINDOW_SECONDS, CustomerAccount
from agcod_async.testing.faults import FaultScript
from agcod_async.testing.history import HISTORY_MAX
from agcod_async.testing.ledger import CANCEL_WINDOW_SECONDS
from agcod_async.testing.limits import ThrottleModel, limit_of
from agcod_async.testing.semantics import Semantics
from agcod_async.values import Credentials, InvalidValueError, Money, check_partner_id

EMULATOR_PARTNER_ID: Final = "Emula"
"""The partner ID that the emulator knows, unless it is told another one."""

EMULATOR_CREDENTIALS: Final = Credentials(
    access_key_id="EMULATORACCESSKEY",
    secret_access_key="emulator-secret-access-key",  # noqa: S106 - it opens nothing but this
)
"""The access key that the emulator knows, unless it is told others. It is no secret."""

_STATUS_MIN = 400
_STATUS_MAX = 599


def _default_operation_caps() -> Mapping[str, float]:
    return {
        "GetAvailableFunds": 1.0,  # Amazon's page on the operation
        "GetGiftCardActivityPage": 1 / 60,  # documented nowhere: a client waits for so long
    }


@dataclass(frozen=True, slots=True)
class EmulatorConfig:
    """One emulator. The defaults are what is known of Amazon's sandbox, and else the strictest.

    `funds`: the prepaid amount of each currency of the account; the first is its own currency.
    `requests_per_second`: the account's cap, None for no cap; `throttle_model` is how it is
    counted, `burst` the size of the token bucket (one second's worth by default), and
    `throttled_requests_count` whether refused requests use the cap up too. `operation_caps`:
    additional caps of single operations, in requests a second.
    `semantics`: what Amazon's documents leave open, see `Semantics`.
    `amount_max`: the most one card may be worth (by default 2000 USD, 5000 GBP, else 500000).
    `cancel_requires_gc_id`: whether a cancel without `gcId` is refused (F2024).
    `error_status`, `throttle_status`: HTTP status of errors and of throttled requests;
    `throttle_format`: "xml" as Amazon documents it for every caller, or "json".
    `region`: the only region that may be signed for, None for any.
    `clock_ahead_seconds`: how far the emulator's clock is ahead of the one that it is given (below
    0: behind); signatures are held against it, and its replies carry its Date.
    `arrivals_max`: how many arrivals the log keeps; the counters beside it stay exact.
    `history_max`: how many changes of the ledger, and rows of the activity report, are kept.

    `physical_cards`: cards with a preset value, or invalid ones; `other_physical_cards`: whether
    any other number is a card, too. `card_checksum` says whether a number of 19 digits is sound.
    `accounts`, `other_accounts`: the same for customers' accounts. `account_types`: the types that
    are defined, None for all from 0 on. `load_amount_max` (by default 500 USD, else as for a card)
    and `load_amount_min` are in major units.
    `disabled_operations`: what the partner may not call (F3006; for the activity report F3008).
    `activity_index`: whether `pageIndex` counts pages or rows, both from 0. `activity_lag_seconds`:
    how long a row of the report takes to show. `programs`: the program IDs of a reseller, and
    whether each is approved; None where there are none.
    """

    _: KW_ONLY
    partner_id: str = EMULATOR_PARTNER_ID
    credentials: tuple[Credentials, ...] = (EMULATOR_CREDENTIALS,)
    funds: tuple[Money, ...] = (Money(1_000_000, "USD"),)
    requests_per_second: float | None = 10.0
    throttle_model: ThrottleModel = ThrottleModel.SLIDING_WINDOW
    burst: float | None = None
    throttled_requests_count: bool = False
    operation_caps: Mapping[str, float] = field(default_factory=_default_operation_caps)
    semantics: Semantics = field(default_factory=Semantics)
    faults: FaultScript = field(default_factory=FaultScript)
    seed: int = 0
    verify_signatures: bool = True
    region: str | None = None
    signature_age_max_seconds: float = SIGNATURE_AGE_MAX_SECONDS
    clock_ahead_seconds: float = 0.0
    mock_codes: bool = True
    cancel_window_seconds: float = CANCEL_WINDOW_SECONDS
    cancel_requires_gc_id: bool = False
    amount_max: Decimal | None = None
    error_status: int = 400
    throttle_status: int = 400
    throttle_format: Literal["xml", "json"] = "xml"
    arrivals_max: int = ARRIVALS_MAX
    history_max: int = HISTORY_MAX
    physical_cards: tuple[PhysicalCard, ...] = ()
    other_physical_cards: bool = True
    card_checksum: Callable[[str], bool] | None = None
    accounts: tuple[CustomerAccount, ...] = ()
    other_accounts: bool = True
    account_types: frozenset[int] | None = None
    load_amount_max: Decimal | None = None
    load_amount_min: Decimal | None = None
    void_window_seconds: float = VOID_WINDOW_SECONDS
    disabled_operations: frozenset[str] = frozenset()
    activity_lag_seconds: float = 0.0
    activity_index: Literal["page", "row"] = "page"
    programs: Mapping[str, bool] | None = None

    def __post_init__(self) -> None:
        """Raise `InvalidValueError` for the first field that does not fit."""
        check_partner_id(self.partner_id)
        currencies = [money.currency for money in self.funds]
        if not currencies or len(set(currencies)) != len(currencies):
            raise InvalidValueError("funds", "has no or a double currency", "one amount for each")
        if any(money.amount < 0 for money in self.funds):
            raise InvalidValueError("funds", "is below zero", "at least 0")
        for rate in (self.requests_per_second, *self.operation_caps.values()):
            if rate is not None:
                limit_of(self.throttle_model, rate, self.burst)
        for name, status in (
            ("error_status", self.error_status),
            ("throttle_status", self.throttle_status),
        ):
            if not _STATUS_MIN <= status <= _STATUS_MAX:
                raise InvalidValueError(name, f"{status} is no error", "400 to 599")
        for name, kept_max in (
            ("arrivals_max", self.arrivals_max),
            ("history_max", self.history_max),
        ):
            if kept_max < 0:
                raise InvalidValueError(name, f"{kept_max}", "at least 0")
