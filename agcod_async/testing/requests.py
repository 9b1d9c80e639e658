"""What the request of every operation has, and what it may ask of the account.

A request is a `msgspec.Struct` whose fields are the members of its body, in snake case. Nothing in
here knows about JSON or XML, signatures, faults or throttling.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import ClassVar, Protocol

import msgspec

from agcod_async.testing.activity import ActivityReport, ActivityType
from agcod_async.testing.answers import Success
from agcod_async.testing.cards import Moment
from agcod_async.testing.catalogue import REFUSALS, Refusal
from agcod_async.testing.config import EmulatorConfig
from agcod_async.testing.ledger import Ledger


class Number(Decimal):
    """A number, exactly as it was written: JSON and XML write one in different ways."""


@dataclass(frozen=True, slots=True)
class Account:
    """The partner account that the emulator serves."""

    config: EmulatorConfig
    ledger: Ledger
    report: ActivityReport


class Envelope(Enum):
    """Where an error says that it is one."""

    NESTED = "agcodResponse"
    """In an answer inside the error, all of whose other members are null."""
    FLAT = "status"
    """At the top level, where the balance operations have it."""


class OperationRequest(Protocol):
    """One request of one operation, as it was sent: nothing in it has been checked."""

    members: ClassVar[tuple[str, ...]]
    """What its answer consists of, in order; all of them null in an error."""
    id_member: ClassVar[str | None]
    """The one of them that repeats the request ID."""
    envelope: ClassVar[Envelope]
    refusals: ClassVar[Mapping[str, Refusal]]
    """Its errors by mock code."""
    disabled_code: ClassVar[str]
    """The one of them that says that this partner may not call it."""
    activity: ClassVar[ActivityType | None]
    """What the activity report calls it; None for what only reads."""

    @property
    def partner_id(self) -> str | None:
        """Who asks."""
        ...

    @property
    def request_id(self) -> str | None:
        """The ID that makes it idempotent."""
        ...

    @property
    def mock_code(self) -> str | None:
        """What is written where its mock codes are put, be it one or not."""
        ...

    def execute(self, account: Account, moment: Moment, /) -> Success:
        """Carry it out. Raises `RefusedError`."""
        ...

    def mock_success(self) -> Success:
        """Answer mock code F0000, with the values that the sandbox answers it with."""
        ...


class Request(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """What most operations have in common."""

    envelope: ClassVar[Envelope] = Envelope.NESTED
    refusals: ClassVar[Mapping[str, Refusal]] = REFUSALS
    disabled_code: ClassVar[str] = "F3006"
    activity: ClassVar[ActivityType | None] = None
    id_member: ClassVar[str | None] = None

    partner_id: str | None = None

    @property
    def request_id(self) -> str | None:
        """None: a read has no ID."""
        return None

    @property
    def mock_code(self) -> str | None:
        """The request ID: Amazon's error page puts mock codes there."""
        return self.request_id


class Value(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """What a card is worth, in major units."""

    amount: Number | None = None
    currency_code: str | None = None
