"""The recovery table of gift cards: what each reply proves, for each leg. Total and careful.

SUCCESS is a card only if Amazon also says Fulfilled, shows a code and a gcId, and echoes the
request ID, amount and currency that were asked for: a create under a cancelled ID answers SUCCESS
too, with the dead code. A SUCCESS that does not add up is Unclear. Errors are read in `faults`;
physical cards, balance loads and the activity report have tables of their own beside this one.
"""

import re
from typing import Final

from agcod_async.core.outcomes import (
    Applied,
    AppliedDead,
    ForwardOutcome,
    Reason,
    Reply,
    Undone,
    UndoOutcome,
)
from agcod_async.providers.agcod import faults
from agcod_async.providers.agcod.codec import read
from agcod_async.providers.agcod.dates import utc_time
from agcod_async.providers.agcod.envelope import Asked
from agcod_async.providers.agcod.judgement import (
    echoes,
    judged,
    looks_like_a_code,
    money_of,
    unclear,
)
from agcod_async.providers.agcod.messages import (
    AvailableFunds,
    CancelGiftCardAnswer,
    CancelGiftCardRequest,
    Cancellation,
    CreateGiftCardAnswer,
    CreateGiftCardRequest,
    GetAvailableFundsAnswer,
    GetAvailableFundsRequest,
    GiftCard,
)
from agcod_async.values import RequestId

LIVE_STATUS: Final = "Fulfilled"
TOMBSTONE_STATUS: Final = "RefundedToPurchaser"

_GC_ID: Final = re.compile(r"[!-~]{1,100}")
_CODE_OUT_OF_PLACE: Final = "SUCCESS with a claim code in another's place"
_TOMBSTONE: Final = Reason("The card under this request ID was cancelled: its code is dead.")


def create_outcome(request: CreateGiftCardRequest, reply: Reply) -> ForwardOutcome:
    """Return what `reply` to a CreateGiftCard proves."""
    asked = Asked("CreateGiftCard", request.creation_request_id)
    answer = read(reply, CreateGiftCardAnswer, asked)
    return judged(answer, faults.WITH_UNDO, lambda answer: _created(request, answer))


def undo_create_outcome(request: CreateGiftCardRequest, reply: Reply) -> UndoOutcome:
    """Return what `reply` to the cancel that undoes a CreateGiftCard proves."""

    def cancelled(answer: CancelGiftCardAnswer) -> UndoOutcome:
        if _answers_another(answer, request.creation_request_id):
            return unclear("a cancel was answered with what answers another request")
        return Undone()

    asked = Asked("CancelGiftCard", request.creation_request_id)
    return judged(read(reply, CancelGiftCardAnswer, asked), faults.UNDO, cancelled)


def cancel_outcome(request: CancelGiftCardRequest, reply: Reply) -> ForwardOutcome:
    """Return what `reply` to a CancelGiftCard that the caller asked for proves."""

    def cancelled(answer: CancelGiftCardAnswer) -> ForwardOutcome:
        if _answers_another(answer, request.creation_request_id):
            return unclear("a cancel was answered with what answers another request")
        if answer.gc_id is not None and looks_like_a_code(answer.gc_id):
            return unclear(_CODE_OUT_OF_PLACE)
        gc_id = answer.gc_id if _is_gc_id(answer.gc_id) else request.gc_id
        return Applied(Cancellation(request.creation_request_id, gc_id), reference=gc_id)

    asked = Asked("CancelGiftCard", request.creation_request_id)
    answer = read(reply, CancelGiftCardAnswer, asked)
    return judged(answer, faults.WITHOUT_UNDO, cancelled)


def funds_outcome(_request: GetAvailableFundsRequest, reply: Reply) -> ForwardOutcome:
    """Return what `reply` to a GetAvailableFunds proves."""

    def told(answer: GetAvailableFundsAnswer) -> ForwardOutcome:
        amount = money_of(answer.available_funds)
        if amount is None:
            return unclear("SUCCESS without an amount of funds")
        return Applied(AvailableFunds(amount=amount, as_of=utc_time(answer.timestamp)))

    answer = read(reply, GetAvailableFundsAnswer, Asked("GetAvailableFunds"))
    return judged(answer, faults.WITHOUT_UNDO, told)


def _created(request: CreateGiftCardRequest, answer: CreateGiftCardAnswer) -> ForwardOutcome:
    card = answer.card_info
    if card is None or card.card_status is None:
        return unclear("SUCCESS that does not say whether the card is alive")
    if answer.creation_request_id != request.creation_request_id:
        return unclear("SUCCESS for another request ID than was asked for")
    if not echoes(card.value, request.value):
        return unclear("SUCCESS for another amount than was asked for")
    if card.card_status == TOMBSTONE_STATUS:
        return AppliedDead(_TOMBSTONE)
    if card.card_status != LIVE_STATUS:
        return unclear("SUCCESS for a card that is neither live nor known to be cancelled")
    if answer.gc_claim_code is None or answer.gc_id is None or not _is_gc_id(answer.gc_id):
        return unclear("SUCCESS without a claim code or without a gcId")
    # A gcId is kept and shown.
    if looks_like_a_code(answer.gc_id) or answer.gc_claim_code.reveal() in answer.gc_id:
        return unclear(_CODE_OUT_OF_PLACE)
    return Applied(
        GiftCard(
            claim_code=answer.gc_claim_code,
            gc_id=answer.gc_id,
            request_id=request.creation_request_id,
            amount=request.value.money,
            expires_at=utc_time(answer.gc_expiration_date),
            card_status=card.card_status,
        ),
        reference=answer.gc_id,
    )


def _answers_another(answer: CancelGiftCardAnswer, request_id: RequestId) -> bool:
    # Seen through a muddled connection, the create's answer has the right ID and SUCCESS too.
    return answer.creation_request_id not in (None, request_id) or answer.gc_claim_code is not None


def _is_gc_id(text: str | None) -> bool:
    return text is not None and _GC_ID.fullmatch(text) is not None
