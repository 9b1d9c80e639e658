"""Physical cards: activate one, deactivate it, ask in what state it is."""

from dataclasses import replace

from agcod_async.agcod.facade import Facade, checked
from agcod_async.core.policy import RecoveryPolicy
from agcod_async.pacing.port import Lane
from agcod_async.providers.agcod.activation_messages import (
    Activation,
    ActivationStatus,
    Deactivation,
)
from agcod_async.providers.agcod.activation_operations import (
    ACTIVATE_GIFT_CARD,
    ACTIVATION_STATUS_CHECK,
    DEACTIVATE_GIFT_CARD,
)
from agcod_async.providers.agcod.activation_requests import (
    activate_gift_card_request,
    activation_status_check_request,
    deactivate_gift_card_request,
)
from agcod_async.providers.agcod.marketplaces import Product
from agcod_async.providers.agcod.messages import TransactionSource
from agcod_async.providers.agcod.recipients import CardNumber
from agcod_async.values import Money


class PhysicalCardCalls(Facade):
    """The part of the session that gives physical cards their value."""

    async def activate_gift_card(
        self,
        *,
        request_id: str,
        card_number: str | CardNumber,
        amount: Money,
        program_id: str | None = None,
        product_type: str | None = None,
        transaction_source: TransactionSource | None = None,
        lane: Lane | None = None,
        deadline_seconds: float | None = None,
        policy: RecoveryPolicy | None = None,
    ) -> Activation:
        """Activate one physical card, and return only when it is known to be active.

        `card_number` is the number in full, 19 digits. The same `request_id` and arguments bring
        the same answer again; keep the ID before you call. A `transaction_source` names the till
        by `institution_id` and `source_id`.
        """
        request = checked(
            activate_gift_card_request,
            request_id=request_id,
            card_number=card_number,
            amount=amount,
            partner_id=self.settings.partner_id,
            mock_ids_allowed=self._mock_ids_allowed,
            program_id=program_id,
            product_type=product_type,
            transaction_source=transaction_source,
        )
        del card_number  # a traceback may be shown with its variables
        self._look_at(amount, Product.PHYSICAL)
        done = await self.call(
            ACTIVATE_GIFT_CARD,
            request,
            lane=lane,
            deadline_seconds=deadline_seconds,
            policy=policy,
        )
        return replace(done.answer, attempts=done.attempts, replayed=done.replayed)

    async def deactivate_gift_card(
        self,
        *,
        request_id: str,
        card_number: str | CardNumber,
        lane: Lane | None = None,
        deadline_seconds: float | None = None,
        policy: RecoveryPolicy | None = None,
    ) -> Deactivation:
        """Take back the value of the card that was activated under `request_id`.

        A card that was activated under a successor is deactivated by its own
        `activation.request_id`. Amazon refuses it once the card is used. Never activate under
        this ID again: Amazon may answer as it did the first time, with the card inactive.
        """
        request = checked(
            deactivate_gift_card_request,
            request_id=request_id,
            card_number=card_number,
            partner_id=self.settings.partner_id,
            mock_ids_allowed=self._mock_ids_allowed,
        )
        del card_number  # a traceback may be shown with its variables
        done = await self.call(
            DEACTIVATE_GIFT_CARD,
            request,
            lane=lane,
            deadline_seconds=deadline_seconds,
            policy=policy,
        )
        return done.answer

    async def activation_status_check(
        self,
        *,
        request_id: str,
        card_number: str | CardNumber,
        lane: Lane | None = None,
        deadline_seconds: float | None = None,
    ) -> ActivationStatus:
        """Return the status of the card that was activated under `request_id`.

        Raises `InvalidRequestError` where nothing was activated under this ID.
        """
        request = checked(
            activation_status_check_request,
            request_id=request_id,
            card_number=card_number,
            partner_id=self.settings.partner_id,
            mock_ids_allowed=self._mock_ids_allowed,
        )
        del card_number  # a traceback may be shown with its variables
        done = await self.call(
            ACTIVATION_STATUS_CHECK, request, lane=lane, deadline_seconds=deadline_seconds
        )
        return done.answer
