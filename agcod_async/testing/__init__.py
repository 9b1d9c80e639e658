"""A local AGCOD to test against, and the tools to torment it.

The HTTP server is in `agcod_async.testing.server`, virtual time in `agcod_async.testing.clock`.
"""

from agcod_async.testing.activity import Activity, ActivityType
from agcod_async.testing.arrivals import Arrival, Arrivals
from agcod_async.testing.balance_loads import BalanceLoad, LoadStatus
from agcod_async.testing.card_numbers import card_number, has_checksum
from agcod_async.testing.cards import (
    Activation,
    ActivationStatus,
    Balance,
    Card,
    CardStatus,
    LedgerEvent,
    PhysicalCard,
)
from agcod_async.testing.config import EMULATOR_CREDENTIALS, EMULATOR_PARTNER_ID, EmulatorConfig
from agcod_async.testing.customers import AccountStatus, CustomerAccount
from agcod_async.testing.emulator import Emulator, EmulatorTransport
from agcod_async.testing.faults import FaultKind, FaultMix, FaultRule, FaultScript
from agcod_async.testing.ledger import Ledger
from agcod_async.testing.limits import ThrottleModel
from agcod_async.testing.semantics import (
    AfterCancel,
    AfterUndo,
    RepeatedDeactivate,
    RepeatedLoad,
    Semantics,
    UnknownCancel,
)

__all__ = [
    "EMULATOR_CREDENTIALS",
    "EMULATOR_PARTNER_ID",
    "AccountStatus",
    "Activation",
    "ActivationStatus",
    "Activity",
    "ActivityType",
    "AfterCancel",
    "AfterUndo",
    "Arrival",
    "Arrivals",
    "Balance",
    "BalanceLoad",
    "Card",
    "CardStatus",
    "CustomerAccount",
    "Emulator",
    "EmulatorConfig",
    "EmulatorTransport",
    "FaultKind",
    "FaultMix",
    "FaultRule",
    "FaultScript",
    "Ledger",
    "LedgerEvent",
    "LoadStatus",
    "PhysicalCard",
    "RepeatedDeactivate",
    "RepeatedLoad",
    "Semantics",
    "ThrottleModel",
    "UnknownCancel",
    "card_number",
    "has_checksum",
]
