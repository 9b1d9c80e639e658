"""A local AGCOD to test against, and the tools to torment it.

The HTTP server is in `agcod_async.testing.server`, virtual time in `agcod_async.testing.clock`.
"""

from agcod_async.testing.arrivals import Arrival, Arrivals
from agcod_async.testing.cards import (
    AfterCancel,
    Balance,
    Card,
    CardStatus,
    LedgerEvent,
    Semantics,
    UnknownCancel,
)
from agcod_async.testing.config import EMULATOR_CREDENTIALS, EMULATOR_PARTNER_ID, EmulatorConfig
from agcod_async.testing.emulator import Emulator, EmulatorTransport
from agcod_async.testing.faults import FaultKind, FaultMix, FaultRule, FaultScript
from agcod_async.testing.ledger import Ledger
from agcod_async.testing.limits import ThrottleModel

__all__ = [
    "EMULATOR_CREDENTIALS",
    "EMULATOR_PARTNER_ID",
    "AfterCancel",
    "Arrival",
    "Arrivals",
    "Balance",
    "Card",
    "CardStatus",
    "Emulator",
    "EmulatorConfig",
    "EmulatorTransport",
    "FaultKind",
    "FaultMix",
    "FaultRule",
    "FaultScript",
    "Ledger",
    "LedgerEvent",
    "Semantics",
    "ThrottleModel",
    "UnknownCancel",
]
