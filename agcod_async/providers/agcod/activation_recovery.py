"""The recovery table of physical cards: what each reply proves, for each leg. Total and careful.

SUCCESS is an activation only if Amazon also says Activated, and names the request ID or the card,
and nothing that it shows is other than what was asked for. A replay may repeat its first answer
after the card was deactivated (Amazon's guide to physical cards); then the status check decides.
"""

import re

from agcod_async.core.outcomes import (
    Applied,
    AppliedDead,
    Conflict,
    ForwardOutcome,
    Found,
    LookupOutcome,
    NotFound,
    Reason,
    Reply,
    Undone,
    UndoOutcome,
)
from agcod_async.providers.agcod import faults
from agcod_async.providers.agcod.activation_messages import (
    ACTIVE_STATUS,
    INACTIVE_STATUS,
    ActivateGiftCardRequest,
    Activation,
    ActivationStatus,
    ActivationStatusCheckRequest,
    DeactivateGiftCardRequest,
    Deactivation,
    PhysicalCardAnswer,
    PhysicalCardInfo,
)
from agcod_async.providers.agcod.codec import read
from agcod_async.providers.agcod.envelope import Asked
from agcod_async.providers.agcod.judgement import (
    ANOTHER_REQUEST,
    echoes,
    is_null,
    judged,
    money_of,
    unclear,
)

_STATUS = re.compile(r"[A-Za-z]{1,40}")
_INACTIVE = Reason("The card is not active under this request ID.")
_OTHER_AMOUNT = Reason("The card is active with another amount.")
_NO_AMOUNT = "SUCCESS with an amount that is none"
_NO_STATUS = "SUCCESS for a card that is neither active nor known not to be"


def activate_outcome(request: ActivateGiftCardRequest, reply: Reply) -> ForwardOutcome:
    """Return what `reply` to an ActivateGiftCard proves."""

    def activated(answer: PhysicalCardAnswer) -> ForwardOutcome:
        card = answer.card_info or PhysicalCardInfo()
        says_which = answer.activation_request_id is not None or card.card_number is not None
        if not says_which or _answers_another_activation(request, answer):
            return unclear(ANOTHER_REQUEST)
        if card.value is not None and not echoes(card.value, request.value):
            return unclear("SUCCESS for another amount than was asked for")
        if card.card_status == INACTIVE_STATUS:
            return AppliedDead(_INACTIVE)
        if card.card_status != ACTIVE_STATUS:
            return unclear(_NO_STATUS)
        return Applied(_activation(request))

    asked = Asked("ActivateGiftCard", request.activation_request_id)
    answer = read(reply, PhysicalCardAnswer, asked)
    return judged(answer, faults.ACTIVATE, activated)


def undo_activate_outcome(request: ActivateGiftCardRequest, reply: Reply) -> UndoOutcome:
    """Return what `reply` to the deactivation that undoes an ActivateGiftCard proves."""

    def deactivated(answer: PhysicalCardAnswer) -> UndoOutcome:
        return unclear(ANOTHER_REQUEST) if _leaves_active(request.undone(), answer) else Undone()

    asked = Asked("DeactivateGiftCard", request.activation_request_id)
    answer = read(reply, PhysicalCardAnswer, asked)
    return judged(answer, faults.UNDO, deactivated)


def look_up_activate_outcome(request: ActivateGiftCardRequest, reply: Reply) -> LookupOutcome:
    """Return what `reply` to a status check proves about an ActivateGiftCard."""

    def told(answer: PhysicalCardAnswer) -> LookupOutcome:
        card = answer.card_info or PhysicalCardInfo()
        if _answers_another_check(request.asked_about(), answer):
            return unclear(ANOTHER_REQUEST)
        if card.card_status == INACTIVE_STATUS:
            return NotFound(_INACTIVE)
        if card.card_status != ACTIVE_STATUS:
            return unclear(_NO_STATUS)
        if card.value is not None and money_of(card.value) is None:
            return unclear(_NO_AMOUNT)
        if card.value is not None and not echoes(card.value, request.value):
            return Conflict(_OTHER_AMOUNT)
        return Found(_activation(request))

    asked = Asked("ActivationStatusCheck", request.activation_request_id)
    answer = read(reply, PhysicalCardAnswer, asked)
    return judged(answer, faults.LOOK_UP, told)


def deactivate_outcome(request: DeactivateGiftCardRequest, reply: Reply) -> ForwardOutcome:
    """Return what `reply` to a DeactivateGiftCard that the caller asked for proves."""

    def deactivated(answer: PhysicalCardAnswer) -> ForwardOutcome:
        if _leaves_active(request, answer):
            return unclear(ANOTHER_REQUEST)
        status = _status(answer)
        return Applied(Deactivation(request.activation_request_id, request.card_number, status))

    asked = Asked("DeactivateGiftCard", request.activation_request_id)
    answer = read(reply, PhysicalCardAnswer, asked)
    return judged(answer, faults.WITHOUT_UNDO, deactivated)


def status_outcome(request: ActivationStatusCheckRequest, reply: Reply) -> ForwardOutcome:
    """Return what `reply` to an ActivationStatusCheck that the caller asked for says."""

    def told(answer: PhysicalCardAnswer) -> ForwardOutcome:
        card, status = answer.card_info or PhysicalCardInfo(), _status(answer)
        if status is None or _answers_another_check(request, answer):
            return unclear("SUCCESS that does not say in what state this card is")
        if card.value is not None and not is_null(card.value) and money_of(card.value) is None:
            return unclear(_NO_AMOUNT)
        return Applied(
            ActivationStatus(
                request_id=request.status_check_request_id,
                card_number=request.card_number,
                card_status=status,
                amount=money_of(card.value),
            )
        )

    asked = Asked("ActivationStatusCheck", request.status_check_request_id)
    answer = read(reply, PhysicalCardAnswer, asked)
    return judged(answer, faults.WITHOUT_UNDO, told)


def _activation(request: ActivateGiftCardRequest) -> Activation:
    return Activation(
        request_id=request.activation_request_id,
        card_number=request.card_number,
        amount=request.value.money,
        card_status=ACTIVE_STATUS,
    )


def _status(answer: PhysicalCardAnswer) -> str | None:
    """Return the status as Amazon words it; what is not a word is not repeated."""
    status = None if answer.card_info is None else answer.card_info.card_status
    return status if status is not None and _STATUS.fullmatch(status) else None


def _answers_another_activation(
    request: ActivateGiftCardRequest | DeactivateGiftCardRequest, answer: PhysicalCardAnswer
) -> bool:
    card = answer.card_info or PhysicalCardInfo()
    return answer.activation_request_id not in (
        None,
        request.activation_request_id,
    ) or card.card_number not in (None, request.card_number)


def _answers_another_check(
    request: ActivationStatusCheckRequest, answer: PhysicalCardAnswer
) -> bool:
    # Under which name the ID is answered is not documented; the ID is the activation's.
    card, request_id = answer.card_info or PhysicalCardInfo(), request.status_check_request_id
    return (
        answer.status_check_request_id not in (None, request_id)
        or answer.activation_request_id not in (None, request_id)
        or card.card_number not in (None, request.card_number)
    )


def _leaves_active(request: DeactivateGiftCardRequest, answer: PhysicalCardAnswer) -> bool:
    # Seen through a muddled connection, the answer to the activation has the right ID and card.
    card = answer.card_info or PhysicalCardInfo()
    return card.card_status == ACTIVE_STATUS or _answers_another_activation(request, answer)
