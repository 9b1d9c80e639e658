"""The public surface, name by name: whoever adds or removes one says so here and in CHANGELOG."""

import agcod_async

PUBLIC_NAMES = [
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


def test_the_public_names_are_these_and_no_others() -> None:
    assert list(agcod_async.__all__) == PUBLIC_NAMES


def test_every_public_name_is_there() -> None:
    missing = [name for name in PUBLIC_NAMES if not hasattr(agcod_async, name)]

    assert missing == []


def test_every_public_error_is_an_agcod_error() -> None:
    errors = {getattr(agcod_async, name) for name in PUBLIC_NAMES if name.endswith("Error")}

    # Those of a journal's file are about no call: a call says what they mean for its order.
    about_files = {error for error in errors if issubclass(error, agcod_async.JournalError)}
    assert about_files == {agcod_async.JournalError, agcod_async.JournalInUseError}
    assert all(issubclass(error, agcod_async.AgcodError) for error in errors - about_files)
    assert len(errors) > len(about_files)
