"""What the engine must know of a provider, and nothing else: a provider is data.

An `Operation` turns typed requests into bytes and replies into outcomes. Bound to one request it
is an `Intent`, in which the types are gone: the engine carries intents and looks into none.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Generic, Protocol, TypeVar

from agcod_async.core.facts import Proof
from agcod_async.core.outcomes import ForwardOutcome, LookupOutcome, Reason, Reply, UndoOutcome
from agcod_async.errors import DeclinedError
from agcod_async.values import Money, RequestId

RequestT = TypeVar("RequestT")
AnswerT = TypeVar("AnswerT")
OutcomeT_co = TypeVar("OutcomeT_co", covariant=True)


def _no_amount(_request: object) -> None:
    return None


def _no_contact(_reason: Reason) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Message(Generic[OutcomeT_co]):
    """One leg under one ID, encoded: what a reply to exactly these bytes means is known."""

    operation: str
    body: bytes = field(repr=False)  # it may name a recipient
    outcome: Callable[[Reply], OutcomeT_co]


class _Judge(Generic[RequestT, OutcomeT_co]):
    """What the replies to one request prove. Unlike a `partial` it does not show the request."""

    __slots__ = ("_outcome", "_request")

    def __init__(
        self, outcome: Callable[[RequestT, Reply], OutcomeT_co], request: RequestT
    ) -> None:
        self._outcome = outcome
        self._request = request

    def __call__(self, reply: Reply) -> OutcomeT_co:
        return self._outcome(self._request, reply)


@dataclass(frozen=True, slots=True)
class Legs:
    """The legs under one ID, encoded once: every repetition of a leg sends the same bytes.

    The undo is ready before the first byte leaves.
    """

    forward: Message[ForwardOutcome]
    undo: Message[UndoOutcome] | None
    lookup: Message[LookupOutcome] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """One caller intent, ready to be sent. `body` is what identifies its content.

    A read has no request ID and no journal entry. `undo_window_seconds` is the age of the first
    send beyond which no undo is started, because the provider would refuse it.
    """

    operation: str
    request_id: RequestId | None
    amount: Money | None
    body: bytes
    read_only: bool
    undo_window_seconds: float | None
    legs: Callable[[RequestId | None], Legs]
    proof: Proof = Proof.REPLAY


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoLeg(Generic[RequestT]):
    """How an operation is undone.

    `window_seconds` is None where the provider documents no limit: then its answer tells.
    """

    operation: str
    encode: Callable[[RequestT], bytes]
    outcome: Callable[[RequestT, Reply], UndoOutcome]
    window_seconds: float | None

    def message(self, request: RequestT) -> Message[UndoOutcome]:
        """Return the undo of `request`, encoded."""
        return Message(self.operation, self.encode(request), _Judge(self.outcome, request))


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupLeg(Generic[RequestT]):
    """How to ask whether what an operation has ordered lives."""

    operation: str
    encode: Callable[[RequestT], bytes]
    outcome: Callable[[RequestT, Reply], LookupOutcome]

    def message(self, request: RequestT) -> Message[LookupOutcome]:
        """Return the lookup of `request`, encoded."""
        return Message(self.operation, self.encode(request), _Judge(self.outcome, request))


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity(Generic[RequestT]):
    """Where a value-moving request keeps its ID and, if it names one, its amount.

    `under` is the same request under another ID (a successor).
    """

    request_id: Callable[[RequestT], RequestId]
    under: Callable[[RequestT, RequestId], RequestT]
    amount: Callable[[RequestT], Money | None] = _no_amount


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation(Generic[RequestT, AnswerT]):
    """One operation of a provider. Without an `identity` it is a read and moves no value.

    `on_record` is what a journal keeps of a request and tells another by, where that is not all
    that is sent: no recipient may be on record. Then there is no `decode_request` either, and a
    call can only be gone on with by who has its arguments.
    `proof` says what shows whether an order lives once it may have been undone; a `lookup` goes
    with `Proof.LOOKUP`, and with nothing else.
    """

    name: str
    answer_type: type[AnswerT]
    encode: Callable[[RequestT], bytes]
    decode_request: Callable[[bytes], RequestT] | None
    outcome: Callable[[RequestT, Reply], ForwardOutcome]
    on_record: Callable[[RequestT], bytes] | None = None
    identity: Identity[RequestT] | None = None
    undo: UndoLeg[RequestT] | None = None
    proof: Proof = Proof.REPLAY
    lookup: LookupLeg[RequestT] | None = None

    def __post_init__(self) -> None:
        """Raise `ValueError` if the legs do not fit the proof."""
        if (self.lookup is None) is (self.proof is Proof.LOOKUP):
            raise ValueError(f"{self.name}: a lookup goes with Proof.LOOKUP and with nothing else")
        if self.undo is None and self.proof is not Proof.REPLAY:
            raise ValueError(f"{self.name}: without an undo nothing but the replay has to prove")

    def bind(self, request: RequestT) -> Intent:
        """Return the intent to send `request`."""
        identity, encoded = self.identity, self.encode(request)
        return Intent(
            operation=self.name,
            request_id=None if identity is None else identity.request_id(request),
            amount=None if identity is None else identity.amount(request),
            body=encoded if self.on_record is None else self.on_record(request),
            read_only=identity is None,
            undo_window_seconds=None if self.undo is None else self.undo.window_seconds,
            legs=_Bound(self, request, encoded),
            proof=self.proof,
        )

    def legs(self, request: RequestT, encoded: bytes, live_id: RequestId | None) -> Legs:
        """Return the legs of `request`, which is `encoded`, under the ID in use."""
        identity = self.identity
        if identity and live_id is not None and live_id != identity.request_id(request):
            request = identity.under(request, live_id)
            encoded = self.encode(request)
        return Legs(
            forward=Message(self.name, encoded, _Judge(self.outcome, request)),
            undo=None if self.undo is None else self.undo.message(request),
            lookup=None if self.lookup is None else self.lookup.message(request),
        )

    def rebind(self, body: bytes) -> Intent | None:
        """Return the intent whose bytes a journal has kept; None if they are not all of it."""
        return None if self.decode_request is None else self.bind(self.decode_request(body))


class _Bound(Generic[RequestT, AnswerT]):
    """An operation with its request, which it does not show: it may name a recipient."""

    __slots__ = ("_encoded", "_operation", "_request")

    def __init__(
        self, operation: Operation[RequestT, AnswerT], request: RequestT, encoded: bytes
    ) -> None:
        self._operation = operation
        self._request = request
        self._encoded = encoded

    def __call__(self, live_id: RequestId | None) -> Legs:
        return self._operation.legs(self._request, self._encoded, live_id)


class Rebindable(Protocol):
    """An operation, as far as recovery needs to know it."""

    def rebind(self, body: bytes) -> Intent | None:
        """Return the intent whose bytes a journal has kept; None if they are not all of it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """One provider: how its requests are addressed and signed, and which operations it has.

    `write` brings an operation's body into the form of the wire, where that is not the form that
    the operation itself gives it (which stays the one on record).
    `sub_limits` caps single operations below the account's rate, in requests a second by name.
    `declined_errors` gives the exception for a refusal by its error code, and `contact` the
    address to ask about one that is the account's fault, if there is one that is surely right.
    """

    name: str
    signing_service: str
    target_prefix: str
    content_type: str
    operations: Mapping[str, Rebindable]
    sub_limits: Mapping[str, float]
    declined_errors: Mapping[str, type[DeclinedError]]
    contact: Callable[[Reason], str | None] = _no_contact
    write: Callable[[str, bytes], bytes] | None = None

    def written(self, intent: Intent) -> Intent:
        """Return `intent` with its messages in the form of the wire."""
        write = self.write
        if write is None:
            return intent

        def legs(live_id: RequestId | None) -> Legs:
            return _written(intent.legs(live_id), write)

        return replace(intent, legs=legs)


def _written(legs: Legs, write: Callable[[str, bytes], bytes]) -> Legs:
    undo, lookup = legs.undo, legs.lookup
    return Legs(
        forward=_in_form(legs.forward, write),
        undo=None if undo is None else _in_form(undo, write),
        lookup=None if lookup is None else _in_form(lookup, write),
    )


def _in_form(
    message: Message[OutcomeT_co], write: Callable[[str, bytes], bytes]
) -> Message[OutcomeT_co]:
    return replace(message, body=write(message.operation, message.body))
