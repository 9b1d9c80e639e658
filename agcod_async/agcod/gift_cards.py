"""Gift cards that are claim codes: create one, cancel it, and see what is left of the funds."""

from dataclasses import replace

from agcod_async.agcod.facade import Facade, checked
from agcod_async.core.policy import RecoveryPolicy
from agcod_async.pacing.port import Lane
from agcod_async.providers.agcod.marketplaces import Product
from agcod_async.providers.agcod.messages import (
    AvailableFunds,
    Cancellation,
    GiftCard,
    TransactionSource,
)
from agcod_async.providers.agcod.operations import (
    CANCEL_GIFT_CARD,
    CREATE_GIFT_CARD,
    GET_AVAILABLE_FUNDS,
)
from agcod_async.providers.agcod.requests import (
    cancel_gift_card_request,
    create_gift_card_request,
    get_available_funds_request,
)
from agcod_async.values import Credentials, Money


class GiftCardCalls(Facade):
    """The part of the session that issues claim codes."""

    async def create_gift_card(
        self,
        *,
        request_id: str,
        amount: Money,
        program_id: str | None = None,
        product_type: str | None = None,
        external_reference: str | None = None,
        transaction_source: TransactionSource | None = None,
        lane: Lane | None = None,
        deadline_seconds: float | None = None,
        policy: RecoveryPolicy | None = None,
    ) -> GiftCard:
        """Issue one gift card, and return it only when it is known to be live.

        The same `request_id` and arguments bring the same card again. Keep the ID before you
        call: it is what the order can be finished under, whatever happens in between.
        """
        request = checked(
            create_gift_card_request,
            request_id=request_id,
            amount=amount,
            partner_id=self.settings.partner_id,
            mock_ids_allowed=self._mock_ids_allowed,
            program_id=program_id,
            product_type=product_type,
            external_reference=external_reference,
            transaction_source=transaction_source,
        )
        self._look_at(amount, Product.DIGITAL)
        done = await self.call(
            CREATE_GIFT_CARD,
            request,
            lane=lane,
            deadline_seconds=deadline_seconds,
            policy=policy,
        )
        card = done.answer
        if card.attempts == done.attempts and card.replayed == done.replayed:
            return card
        return replace(card, attempts=done.attempts, replayed=done.replayed)

    async def cancel_gift_card(
        self,
        *,
        request_id: str,
        gc_id: str | None = None,
        lane: Lane | None = None,
        deadline_seconds: float | None = None,
        policy: RecoveryPolicy | None = None,
    ) -> Cancellation:
        """Cancel the unclaimed gift card that lives under `request_id`.

        Amazon takes a cancellation within 15 minutes of the creation (its FAQ). The ID cannot be
        used again afterwards. A card that lives under a successor is cancelled by its own
        `card.request_id`.
        """
        request = checked(
            cancel_gift_card_request,
            request_id=request_id,
            gc_id=gc_id,
            partner_id=self.settings.partner_id,
            mock_ids_allowed=self._mock_ids_allowed,
        )
        done = await self.call(
            CANCEL_GIFT_CARD,
            request,
            lane=lane,
            deadline_seconds=deadline_seconds,
            policy=policy,
        )
        return done.answer

    async def get_available_funds(
        self, *, lane: Lane | None = None, deadline_seconds: float | None = None
    ) -> AvailableFunds:
        """Return the account's balance. Amazon allows one such call a second; a sandbox says 0."""
        request = checked(get_available_funds_request, partner_id=self.settings.partner_id)
        done = await self.call(
            GET_AVAILABLE_FUNDS, request, lane=lane, deadline_seconds=deadline_seconds
        )
        return done.answer

    async def verify_key(
        self, key: Credentials, *, deadline_seconds: float | None = None
    ) -> AvailableFunds:
        """Ask for the account's balance with this key, and with no other: so it works here.

        It counts against the one such call a second. Raises `AccountError` for a key that Amazon
        does not accept. The session itself goes on with the keys that it has.
        """
        view = self._signing_with(key)
        return await view.get_available_funds(deadline_seconds=deadline_seconds)
