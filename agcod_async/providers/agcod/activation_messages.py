"""Physical cards: what goes over the wire to activate and deactivate them, and what comes of it.

The rules are those of `messages`. A card number is a `CardNumber` in every struct.
"""

from dataclasses import dataclass

import msgspec

from agcod_async.providers.agcod.messages import TransactionSource, Value, ValueAnswer
from agcod_async.providers.agcod.recipients import CardNumber
from agcod_async.values import Money, RequestId

# --- requests ----------------------------------------------------------------------------------


class TillText(msgspec.Struct, frozen=True):
    """Where a card is activated, in the form of this one operation: JSON inside a text."""

    id: str

    @classmethod
    def of(cls, source: TransactionSource) -> "TillText":
        """Return what is sent for `source`, in the order of Amazon's sample."""
        named = {"institutionId": source.institution_id, "sourceId": source.source_id}
        said = {name: text for name, text in named.items() if text is not None}
        return cls(id=msgspec.json.encode(said).decode())


class ActivateGiftCardRequest(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True
):
    """Give a physical card its value."""

    activation_request_id: RequestId
    partner_id: str
    card_number: CardNumber
    value: Value
    program_id: str | None = None
    product_type: str | None = None
    transaction_source: TillText | None = None

    def under(self, live_id: RequestId) -> "ActivateGiftCardRequest":
        """Return the same request under another ID."""
        return msgspec.structs.replace(self, activation_request_id=live_id)

    def undone(self) -> "DeactivateGiftCardRequest":
        """Return what undoes this request."""
        return DeactivateGiftCardRequest(
            activation_request_id=self.activation_request_id,
            partner_id=self.partner_id,
            card_number=self.card_number,
        )

    def asked_about(self) -> "ActivationStatusCheckRequest":
        """Return the question whether what this request ordered is active.

        It carries the ID of the activation: Amazon's guide to physical cards says that the status
        of an activation is asked for under the ID that activated.
        """
        return ActivationStatusCheckRequest(
            status_check_request_id=self.activation_request_id,
            partner_id=self.partner_id,
            card_number=self.card_number,
        )


class DeactivateGiftCardRequest(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Take back the value of a card, under the ID of its activation."""

    activation_request_id: RequestId
    partner_id: str
    card_number: CardNumber

    def under(self, live_id: RequestId) -> "DeactivateGiftCardRequest":
        """Return the same request under another ID."""
        return msgspec.structs.replace(self, activation_request_id=live_id)


class ActivationStatusCheckRequest(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Ask for the status of a card, under the ID of its activation."""

    status_check_request_id: RequestId
    partner_id: str
    card_number: CardNumber


# --- answers -----------------------------------------------------------------------------------


class PhysicalCardInfo(msgspec.Struct, frozen=True, rename="camel"):
    """What Amazon says about a physical card."""

    card_number: CardNumber | None = None
    card_status: str | None = None
    value: ValueAnswer | None = None


class PhysicalCardAnswer(msgspec.Struct, frozen=True, rename="camel"):
    """A SUCCESS of any of the three operations; which one, its request ID tells."""

    activation_request_id: str | None = None
    status_check_request_id: str | None = None
    card_info: PhysicalCardInfo | None = None


# --- results -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Activation:
    """A physical card that is active and worth `amount`.

    `request_id` is the ID under which it was activated: a successor of the caller's where that
    one was proved dead. `attempts` counts the requests that this call has sent for it, `replayed`
    tells that an earlier call had been told of it before.
    """

    request_id: RequestId
    card_number: CardNumber
    amount: Money
    card_status: str
    replayed: bool = False
    attempts: int = 1


@dataclass(frozen=True, slots=True)
class Deactivation:
    """A physical card whose value was taken back. `card_status` is None where Amazon names none."""

    request_id: RequestId
    card_number: CardNumber
    card_status: str | None


@dataclass(frozen=True, slots=True)
class ActivationStatus:
    """The status of a physical card as Amazon words it, and its value if Amazon names one."""

    request_id: RequestId
    card_number: CardNumber
    card_status: str
    amount: Money | None

    @property
    def is_active(self) -> bool:
        """Whether the card can be used."""
        return self.card_status == ACTIVE_STATUS


ACTIVE_STATUS = "Activated"
INACTIVE_STATUS = "AwaitingActivation"
