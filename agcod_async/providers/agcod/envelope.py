"""What every reply has in common, whatever it answers: whether all went well, and for whom.

Rules of this file:

1. A SUCCESS is doubted outside HTTP 2xx, or where anything beside it says otherwise. A refusal is
   doubted outside 2xx and 4xx: with a redirect or a 5xx it may be somebody in between who speaks.
2. An error that names another request than ours, or shows a claim code, is no answer to ours.
3. No text of a reply is quoted. Codes and names are passed on where they have the documented form.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Final

import msgspec

from agcod_async.providers.agcod import framework
from agcod_async.providers.agcod.framework import FrameworkError

SUCCESS: Final = "SUCCESS"
FAILURE: Final = "FAILURE"
RESEND: Final = "RESEND"

NESTED: Final = "agcodResponse"
"""The member in which an error wraps the answer that it is in place of."""

_HTTP_OK: Final = range(200, 300)
_HTTP_REFUSED: Final = range(400, 500)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a reply has to answer. `request_id` is None where none is sent, or it is not known."""

    operation: str
    request_id: str | None = None


class Cause(Enum):
    """What the message of an error says where its name says too little, by words in it."""

    LATE = "time limit"
    USED = "used"


@dataclass(frozen=True, slots=True)
class Fault:
    """A reply that is an error. `name` is what Amazon calls `errorType`.

    `is_doubted` says that it came with an HTTP status with which no refusal is believed.
    """

    status: str | None = None
    code: str | None = None
    name: str | None = None
    framework: FrameworkError | None = None
    cause: Cause | None = None
    is_doubted: bool = False


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A reply from which nothing can be concluded, and why, in words that are safe to show."""

    problem: str


class Presence:
    """That a member is there, and nothing of what it says: it may be a claim code."""

    __slots__ = ("_is_something",)

    def __init__(self, value: object) -> None:
        self._is_something = value != ""

    def __bool__(self) -> bool:
        return self._is_something


class _Told(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """What an answer says, as far as it shows whose it is."""

    status: str | None = None
    creation_request_id: object = None
    activation_request_id: object = None
    status_check_request_id: object = None
    load_balance_request_id: object = None
    gc_claim_code: Presence | None = None
    claim_code: Presence | None = None
    gc_id: Presence | None = None
    card_info: Presence | None = None
    amount: Presence | None = None
    account: Presence | None = None
    available_funds: Presence | None = None
    card_activity_list: Presence | None = None

    @property
    def ids(self) -> tuple[object, ...]:
        """The request IDs that it names."""
        return (
            self.creation_request_id,
            self.activation_request_id,
            self.status_check_request_id,
            self.load_balance_request_id,
        )

    @property
    def shows_a_code(self) -> bool:
        """Whether it has a claim code."""
        return bool(self.gc_claim_code) or bool(self.claim_code)

    @property
    def shows_anything(self) -> bool:
        """Whether it says more than its status."""
        content = (
            self.gc_id,
            self.card_info,
            self.amount,
            self.account,
            self.available_funds,
            self.card_activity_list,
        )
        return self.shows_a_code or any(one is not None for one in (*self.ids, *content))


class Envelope(_Told, frozen=True, gc=False, rename="camel"):
    """A reply: what it says, and what says whether that can be relied on."""

    agcod_response: _Told | None = None
    error_code: str | None = None
    error_type: str | None = None
    exception: str | None = msgspec.field(default=None, name="__type")


_DECIDING: Final = frozenset(
    {
        "status",
        NESTED,
        "errorCode",
        "errorType",
        "__type",
        "creationRequestId",
        "activationRequestId",
        "statusCheckRequestId",
        "loadBalanceRequestId",
    }
)
"""The members on which a verdict hangs."""

_DECIDING_IN_ANY_CASE: Final = frozenset(map(str.casefold, _DECIDING))


def is_misspelt(names: Iterable[str]) -> bool:
    """Return whether one of these is a deciding member in another case.

    Who reads names without regard to their case reads another reply than we do.
    """
    others = set(names) - _DECIDING
    return not _DECIDING_IN_ANY_CASE.isdisjoint(map(str.casefold, others))


# --- successes -----------------------------------------------------------------------------------


def says_success(envelope: Envelope) -> bool:
    """Return whether it says SUCCESS, and no error beside it."""
    nested = envelope.agcod_response
    return (
        envelope.status == SUCCESS
        and (nested is None or nested.status in (None, SUCCESS))
        and envelope.error_code is None
        and envelope.error_type is None
        and not (_simple_name(envelope.exception) or "").endswith("Exception")
    )


_BALANCE_OPERATIONS: Final = frozenset(
    {"LoadAmazonBalance", "VoidAmazonBalanceLoad", "ValidateAccountForAmazonBalanceLoad"}
)
_CARD_OPERATIONS: Final = frozenset({"ActivateGiftCard", "DeactivateGiftCard"})
_STATUS_CHECK: Final = frozenset({"ActivationStatusCheck"})
_OWNERS: Final = (
    ("creation_request_id", frozenset({"CreateGiftCard", "CancelGiftCard"})),
    ("activation_request_id", _CARD_OPERATIONS | _STATUS_CHECK),
    ("status_check_request_id", _STATUS_CHECK),
    ("load_balance_request_id", _BALANCE_OPERATIONS),
    ("available_funds", frozenset({"GetAvailableFunds"})),
    ("card_activity_list", frozenset({"GetGiftCardActivityPage"})),
)
"""The members that say whose answer it is, and the operations that have them."""


def doubt(envelope: Envelope, http_status: int, asked: Asked) -> Unreadable | None:
    """Return why a SUCCESS is not believed, if it is not."""
    if http_status not in _HTTP_OK:
        return Unreadable(f"SUCCESS with HTTP status {http_status}")
    if envelope.agcod_response is not None and envelope.agcod_response.shows_anything:
        return Unreadable("SUCCESS with another answer in it")
    for member, operations in _OWNERS:
        if getattr(envelope, member) is not None and asked.operation not in operations:
            return Unreadable("SUCCESS that answers another operation")
    return None


# --- errors --------------------------------------------------------------------------------------


def fault(
    envelope: Envelope, message: str | None, http_status: int, asked: Asked
) -> Fault | Unreadable:
    """Return the error that is reported, unless what reports it contradicts itself."""
    told = (envelope,) if envelope.agcod_response is None else (envelope, envelope.agcod_response)
    stated = {one.status for one in told if one.status is not None}
    if len(stated) > 1 or SUCCESS in stated or any(one.shows_a_code for one in told):
        return Unreadable("a reply that contradicts itself")
    if asked.request_id is not None and any(_is_of_another(one, asked.request_id) for one in told):
        return Unreadable("an error that answers another request")
    exception = _simple_name(envelope.exception)
    at_the_door = None
    if envelope.error_code is None and stated <= {FAILURE}:
        at_the_door = framework.recognise(envelope.error_type or exception, message)
    return Fault(
        status=next(iter(stated), None),
        code=_shown(envelope.error_code, _CODE),
        name=_shown(envelope.error_type or exception, _NAME),
        framework=at_the_door,
        cause=_cause(message),
        is_doubted=http_status not in _HTTP_OK and http_status not in _HTTP_REFUSED,
    )


def _is_of_another(told: _Told, request_id: str) -> bool:
    # Mock errors say null; in XML nothing may be an empty text.
    return any(one not in (None, "", request_id) for one in told.ids)


def _cause(message: str | None) -> Cause | None:
    said = (message or "").casefold()
    return next((cause for cause, words in _CAUSES if words.search(said)), None)


# Not every "used" is one: "the void was refused", "the balance was not used".
_CAUSES: Final = (
    (Cause.LATE, re.compile(r"\btime limit\b")),
    (Cause.USED, re.compile(r"(?<!not )(?<!never )\bused\b")),
)
_CODE: Final = re.compile(r"[A-Z]\d{3,4}", re.ASCII)
_NAME: Final = re.compile(r"[A-Za-z]{1,80}")


def _shown(text: str | None, form: re.Pattern[str]) -> str | None:
    return text if text is not None and form.fullmatch(text) else None


def _simple_name(exception: str | None) -> str | None:
    """Return `Name` of `package#Name`, `Name:http://…` and `Name`."""
    return None if exception is None else exception.rsplit("#", 1)[-1].split(":", 1)[0]
