"""An asyncio client for the Amazon Incentives API (AGCOD): gift cards on demand.

A name is imported when it is first asked for, so that a program pays for what it uses: no SQLite
without a journal in a file, no job without `Job`. `docs/decisions/0045` tells more.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

from agcod_async._version import __version__

if TYPE_CHECKING:
    from agcod_async.agcod import AgcodSession
    from agcod_async.batch import Job, JobRun, Order, Receipt, issue_many, plan_job
    from agcod_async.core.policy import RecoveryPolicy
    from agcod_async.credentials import CredentialsProvider, RotatingCredentials
    from agcod_async.delivery import (
        CommandSink,
        DeliveryError,
        DeliveryLine,
        DeliveryPolicy,
        FunctionSink,
        Sink,
        WebhookSink,
    )
    from agcod_async.endpoints import Endpoint
    from agcod_async.errors import (
        AccountError,
        AgcodError,
        DeclinedError,
        IdempotencyConflictError,
        InDoubtError,
        InvalidRequestError,
        NothingIssuedError,
        ReversedError,
        UnavailableError,
        UsageError,
    )
    from agcod_async.journal.base import JournalError
    from agcod_async.journal.lock_file import JournalInUseError
    from agcod_async.journal.memory import MemoryJournal
    from agcod_async.journal.sqlite import SqliteJournal
    from agcod_async.pacing.port import Lane
    from agcod_async.providers.agcod.activation_messages import (
        Activation,
        ActivationStatus,
        Deactivation,
    )
    from agcod_async.providers.agcod.activity_messages import Activity, ActivityPage
    from agcod_async.providers.agcod.balance_messages import (
        AccountValidation,
        BalanceLoad,
        BalanceVoid,
    )
    from agcod_async.providers.agcod.messages import (
        AvailableFunds,
        Cancellation,
        GiftCard,
        TransactionSource,
    )
    from agcod_async.providers.agcod.recipients import Account, CardNumber
    from agcod_async.settings import Settings
    from agcod_async.values import ClaimCode, Credentials, Money, RequestId
    from agcod_async.wire.aiohttp_transport import AiohttpTransport
    from agcod_async.wire.httpx_transport import HttpxTransport

_HOMES: Final = {
    "agcod_async.agcod": ("AgcodSession",),
    "agcod_async.batch": ("Job", "JobRun", "Order", "Receipt", "issue_many", "plan_job"),
    "agcod_async.core.policy": ("RecoveryPolicy",),
    "agcod_async.credentials": ("CredentialsProvider", "RotatingCredentials"),
    "agcod_async.delivery": (
        "CommandSink",
        "DeliveryError",
        "DeliveryLine",
        "DeliveryPolicy",
        "FunctionSink",
        "Sink",
        "WebhookSink",
    ),
    "agcod_async.endpoints": ("Endpoint",),
    "agcod_async.errors": (
        "AccountError",
        "AgcodError",
        "DeclinedError",
        "IdempotencyConflictError",
        "InDoubtError",
        "InvalidRequestError",
        "NothingIssuedError",
        "ReversedError",
        "UnavailableError",
        "UsageError",
    ),
    "agcod_async.journal.base": ("JournalError",),
    "agcod_async.journal.lock_file": ("JournalInUseError",),
    "agcod_async.journal.memory": ("MemoryJournal",),
    "agcod_async.journal.sqlite": ("SqliteJournal",),
    "agcod_async.pacing.port": ("Lane",),
    "agcod_async.providers.agcod.activation_messages": (
        "Activation",
        "ActivationStatus",
        "Deactivation",
    ),
    "agcod_async.providers.agcod.activity_messages": ("Activity", "ActivityPage"),
    "agcod_async.providers.agcod.balance_messages": (
        "AccountValidation",
        "BalanceLoad",
        "BalanceVoid",
    ),
    "agcod_async.providers.agcod.messages": (
        "AvailableFunds",
        "Cancellation",
        "GiftCard",
        "TransactionSource",
    ),
    "agcod_async.providers.agcod.recipients": ("Account", "CardNumber"),
    "agcod_async.settings": ("Settings",),
    "agcod_async.values": ("ClaimCode", "Credentials", "Money", "RequestId"),
    "agcod_async.wire.aiohttp_transport": ("AiohttpTransport",),
    "agcod_async.wire.httpx_transport": ("HttpxTransport",),
}
"""The modules that are imported for a name: the imports above, as data."""

_HOME_OF: Final = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Account",
    "AccountError",
    "AccountValidation",
    "Activation",
    "ActivationStatus",
    "Activity",
    "ActivityPage",
    "AgcodError",
    "AgcodSession",
    "AiohttpTransport",
    "AvailableFunds",
    "BalanceLoad",
    "BalanceVoid",
    "Cancellation",
    "CardNumber",
    "ClaimCode",
    "CommandSink",
    "Credentials",
    "CredentialsProvider",
    "Deactivation",
    "DeclinedError",
    "DeliveryError",
    "DeliveryLine",
    "DeliveryPolicy",
    "Endpoint",
    "FunctionSink",
    "GiftCard",
    "HttpxTransport",
    "IdempotencyConflictError",
    "InDoubtError",
    "InvalidRequestError",
    "Job",
    "JobRun",
    "JournalError",
    "JournalInUseError",
    "Lane",
    "MemoryJournal",
    "Money",
    "NothingIssuedError",
    "Order",
    "Receipt",
    "RecoveryPolicy",
    "RequestId",
    "ReversedError",
    "RotatingCredentials",
    "Settings",
    "Sink",
    "SqliteJournal",
    "TransactionSource",
    "UnavailableError",
    "UsageError",
    "WebhookSink",
    "__version__",
    "issue_many",
    "plan_job",
]


def __getattr__(name: str) -> object:
    """Import a public name, once: from then on it is an attribute like any other."""
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return what the package has, imported or not yet."""
    return sorted({*globals(), *__all__})
