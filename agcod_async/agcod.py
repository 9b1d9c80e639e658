"""Amazon's Incentives API: one short coroutine for each operation.

The methods carry Amazon's operation names. Every argument is checked against Amazon's documented
limits before anything is sent: `UsageError` names the field, the problem and the limit. Whatever
else is raised is in `agcod_async.errors`, grouped by what the caller may do next.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import ParamSpec, TypeVar

from agcod_async.clock import Clock
from agcod_async.core.outcomes import Reason
from agcod_async.core.policy import RecoveryPolicy
from agcod_async.errors import UsageError
from agcod_async.events import Observer
from agcod_async.journal.base import Journal
from agcod_async.pacing.port import Lane, Pacer
from agcod_async.providers.agcod.messages import (
    AvailableFunds,
    Cancellation,
    GiftCard,
    TransactionSource,
)
from agcod_async.providers.agcod.operations import (
    AGCOD,
    CANCEL_GIFT_CARD,
    CREATE_GIFT_CARD,
    GET_AVAILABLE_FUNDS,
)
from agcod_async.providers.agcod.requests import (
    cancel_gift_card_request,
    create_gift_card_request,
    get_available_funds_request,
)
from agcod_async.session import Session
from agcod_async.settings import Settings
from agcod_async.values import InvalidValueError, Money
from agcod_async.wire.port import Transport

CheckedT = TypeVar("CheckedT")
Arguments = ParamSpec("Arguments")


class AgcodSession(Session):
    """Gift cards on demand. Use it as an async context manager, one for each partner account.

    `transport` carries the requests (httpx by default), `journal` remembers them (in memory by
    default: its promises end with the process), `pacer` keeps the account's rate, `observers`
    watch, and `policy` says how trouble is answered. What is not given is made and closed here.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        transport: Transport | None = None,
        journal: Journal | None = None,
        pacer: Pacer | None = None,
        observers: Sequence[Observer] = (),
        policy: RecoveryPolicy = RecoveryPolicy(),  # noqa: B008  immutable
        clock: Clock = Clock(),  # noqa: B008  immutable
    ) -> None:
        """Open nothing yet: connections are made by the first call."""
        super().__init__(
            AGCOD,
            settings,
            transport=transport,
            journal=journal,
            pacer=pacer,
            observers=observers,
            policy=policy,
            clock=clock,
        )

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
        request = _checked(
            create_gift_card_request,
            request_id=request_id,
            amount=amount,
            partner_id=self.settings.partner_id,
            mock_ids_allowed=self.settings.mock_ids_allowed,
            program_id=program_id,
            product_type=product_type,
            external_reference=external_reference,
            transaction_source=transaction_source,
        )
        done = await self.call(
            CREATE_GIFT_CARD,
            request,
            lane=lane,
            deadline_seconds=deadline_seconds,
            policy=policy,
        )
        return replace(done.answer, attempts=done.attempts, replayed=done.replayed)

    async def cancel_gift_card(
        self,
        *,
        request_id: str,
        gc_id: str | None = None,
        lane: Lane | None = None,
        deadline_seconds: float | None = None,
    ) -> Cancellation:
        """Cancel the unclaimed gift card that lives under `request_id`.

        Amazon takes a cancellation within 15 minutes of the creation (its FAQ). The ID cannot be
        used again afterwards. A card that lives under a successor is cancelled by its own
        `card.request_id`.
        """
        request = _checked(
            cancel_gift_card_request,
            request_id=request_id,
            gc_id=gc_id,
            partner_id=self.settings.partner_id,
            mock_ids_allowed=self.settings.mock_ids_allowed,
        )
        done = await self.call(
            CANCEL_GIFT_CARD, request, lane=lane, deadline_seconds=deadline_seconds
        )
        return done.answer

    async def get_available_funds(
        self, *, lane: Lane | None = None, deadline_seconds: float | None = None
    ) -> AvailableFunds:
        """Return the account's balance. Amazon allows one such call a second; a sandbox says 0."""
        request = _checked(get_available_funds_request, partner_id=self.settings.partner_id)
        done = await self.call(
            GET_AVAILABLE_FUNDS, request, lane=lane, deadline_seconds=deadline_seconds
        )
        return done.answer


def _checked(
    make: Callable[Arguments, CheckedT], *args: Arguments.args, **kwargs: Arguments.kwargs
) -> CheckedT:
    try:
        return make(*args, **kwargs)
    except InvalidValueError as error:
        raise UsageError(Reason(str(error))) from error
