"""Physical cards: activate one, deactivate it, ask what state it is in."""

from typing import ClassVar

import msgspec

from agcod_async.testing import checks
from agcod_async.testing.activity import NO_SUBJECT, ActivityType, Subject
from agcod_async.testing.answers import Members, Success, card_info, value_of
from agcod_async.testing.cards import Activation, ActivationStatus, Moment
from agcod_async.testing.requests import Account, Request, Value

_ANSWER = ("activationRequestId", "cardInfo", "status")


class _Till(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """Where a card was sold: a JSON object with `institutionId` and `sourceId`, as text."""

    id: str | None = None


class ActivateGiftCard(Request, frozen=True):
    """Give a card its value, or answer what this ID did before."""

    members: ClassVar[tuple[str, ...]] = _ANSWER
    id_member: ClassVar[str | None] = "activationRequestId"
    activity: ClassVar[ActivityType | None] = ActivityType.ACTIVATE

    activation_request_id: str | None = None
    card_number: str | None = None
    value: Value | None = None
    program_id: str | None = None
    product_type: str | None = None
    transaction_source: _Till | None = None

    @property
    def request_id(self) -> str | None:
        """The ID of the order."""
        return self.activation_request_id

    def execute(self, account: Account, moment: Moment) -> Success:
        """Check the request, then ask the ledger."""
        request_id = checks.order_id(
            self.partner_id, self.activation_request_id, account.config.partner_id
        )
        card_number = checks.card_number(self.card_number, account.config)
        value = self.value or Value()
        asked = checks.asked(value.amount, value.currency_code)
        checks.program(self.program_id, account.config)
        checks.till(None if self.transaction_source is None else self.transaction_source.id)
        activation = account.ledger.physical.activate(request_id, card_number, asked, moment)
        return _answer("activationRequestId", checks.granted(activation))

    def mock_success(self) -> Success:
        """Answer that the card is active, with the asked-for amount if there is a sound one."""
        value = checks.sound_value(self.value)
        info = card_info(self.card_number, ActivationStatus.ACTIVE.value, value)
        return _success("activationRequestId", self.activation_request_id, info)


class DeactivateGiftCard(Request, frozen=True):
    """Take a card's value back, by the ID of its activation."""

    members: ClassVar[tuple[str, ...]] = _ANSWER
    id_member: ClassVar[str | None] = "activationRequestId"
    activity: ClassVar[ActivityType | None] = ActivityType.DEACTIVATE

    activation_request_id: str | None = None
    card_number: str | None = None

    @property
    def request_id(self) -> str | None:
        """The ID of the activation that is undone."""
        return self.activation_request_id

    def execute(self, account: Account, moment: Moment) -> Success:
        """Check the request, then ask the ledger. Amazon documents no time limit."""
        request_id = checks.order_id(
            self.partner_id, self.activation_request_id, account.config.partner_id
        )
        card_number = checks.card_number(self.card_number, account.config)
        known = checks.granted(account.ledger.physical.deactivate(request_id, card_number, moment))
        return self.mock_success() if known is None else _answer("activationRequestId", known)

    def mock_success(self) -> Success:
        """Answer that the card is not active."""
        info = card_info(self.card_number, ActivationStatus.AWAITING.value, None)
        return _success("activationRequestId", self.activation_request_id, info)


class ActivationStatusCheck(Request, frozen=True):
    """Read the true state of an activation, whatever a replay of it would say."""

    members: ClassVar[tuple[str, ...]] = ("cardInfo", "status", "statusCheckRequestId")
    id_member: ClassVar[str | None] = "statusCheckRequestId"

    status_check_request_id: str | None = None
    card_number: str | None = None

    @property
    def request_id(self) -> str | None:
        """The ID of the activation that is asked about."""
        return self.status_check_request_id

    def execute(self, account: Account, _moment: Moment) -> Success:
        """Check the request, then ask the ledger."""
        request_id = checks.order_id(
            self.partner_id, self.status_check_request_id, account.config.partner_id
        )
        card_number = checks.card_number(self.card_number, account.config)
        known = account.ledger.physical.check(request_id, card_number)
        return _answer("statusCheckRequestId", checks.granted(known))

    def mock_success(self) -> Success:
        """Answer that the card is active."""
        info = card_info(self.card_number, ActivationStatus.ACTIVE.value, None)
        return _success("statusCheckRequestId", self.status_check_request_id, info)


def _answer(id_member: str, known: Activation) -> Success:
    value = value_of(known.value.amount, known.value.currency)
    info = card_info(known.card_number, known.status.value, value)
    subject = Subject(known.value, card_number=known.card_number)
    return _success(id_member, known.request_id, info, subject)


def _success(
    id_member: str, request_id: str | None, info: Members, subject: Subject = NO_SUBJECT
) -> Success:
    return Success({id_member: request_id, "cardInfo": info, "status": "SUCCESS"}, subject)
