"""An asyncio client for the Amazon Incentives API (AGCOD): gift cards on demand."""

from agcod_async._version import __version__
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
