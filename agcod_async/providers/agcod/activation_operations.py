"""The operations on physical cards, as data; see `operations`."""

from functools import partial
from typing import Final

from agcod_async.core.facts import Proof
from agcod_async.providers.agcod.activation_messages import (
    ActivateGiftCardRequest,
    Activation,
    ActivationStatus,
    ActivationStatusCheckRequest,
    DeactivateGiftCardRequest,
    Deactivation,
)
from agcod_async.providers.agcod.activation_recovery import (
    activate_outcome,
    deactivate_outcome,
    look_up_activate_outcome,
    status_outcome,
    undo_activate_outcome,
)
from agcod_async.providers.agcod.codec import decode_request, encode
from agcod_async.providers.base import Identity, LookupLeg, Operation, UndoLeg
from agcod_async.values import Money, RequestId


def _encode_undo_of(request: ActivateGiftCardRequest) -> bytes:
    return encode(request.undone())


def _encode_lookup_of(request: ActivateGiftCardRequest) -> bytes:
    return encode(request.asked_about())


def _activation_id(request: ActivateGiftCardRequest | DeactivateGiftCardRequest) -> RequestId:
    return request.activation_request_id


def _activation_amount(request: ActivateGiftCardRequest) -> Money:
    return request.value.money


ACTIVATE_GIFT_CARD: Final[Operation[ActivateGiftCardRequest, Activation]] = Operation(
    name="ActivateGiftCard",
    answer_type=Activation,
    encode=encode,
    decode_request=partial(decode_request, kind=ActivateGiftCardRequest),
    outcome=activate_outcome,
    identity=Identity(
        request_id=_activation_id, amount=_activation_amount, under=ActivateGiftCardRequest.under
    ),
    # Amazon documents no time limit for it.
    undo=UndoLeg(
        operation="DeactivateGiftCard",
        encode=_encode_undo_of,
        outcome=undo_activate_outcome,
        window_seconds=None,
    ),
    proof=Proof.LOOKUP,
    lookup=LookupLeg(
        operation="ActivationStatusCheck",
        encode=_encode_lookup_of,
        outcome=look_up_activate_outcome,
    ),
)
"""Give a physical card its value. Undone by DeactivateGiftCard; a status check shows the truth."""

DEACTIVATE_GIFT_CARD: Final[Operation[DeactivateGiftCardRequest, Deactivation]] = Operation(
    name="DeactivateGiftCard",
    answer_type=Deactivation,
    encode=encode,
    decode_request=partial(decode_request, kind=DeactivateGiftCardRequest),
    outcome=deactivate_outcome,
    identity=Identity(request_id=_activation_id, under=DeactivateGiftCardRequest.under),
)
"""Take back the value of a physical card, under the ID of its activation."""

ACTIVATION_STATUS_CHECK: Final[Operation[ActivationStatusCheckRequest, ActivationStatus]] = (
    Operation(
        name="ActivationStatusCheck",
        answer_type=ActivationStatus,
        encode=encode,
        decode_request=partial(decode_request, kind=ActivationStatusCheckRequest),
        outcome=status_outcome,
    )
)
"""Ask in what state a physical card is, under the ID of its activation."""
