"""The recovery table of balance loads: what each reply proves, for each leg. Total and careful.

Amazon documents of a SUCCESS no more than that it is one. So it is believed, unless it shows an
ID, an account or an amount other than what was asked for, or answers something else. Nothing can
be looked up: what an undo may have touched is proved by another undo alone.
"""

from agcod_async.core.outcomes import Applied, ForwardOutcome, Reply, Undone, UndoOutcome
from agcod_async.providers.agcod import faults
from agcod_async.providers.agcod.balance_messages import (
    AccountAnswer,
    AccountKey,
    AccountValidation,
    BalanceAnswer,
    BalanceLoad,
    BalanceVoid,
    LoadAmazonBalanceRequest,
    LoadAmount,
    LoadAmountAnswer,
    ValidateAccountForAmazonBalanceLoadRequest,
    VoidAmazonBalanceLoadRequest,
)
from agcod_async.providers.agcod.codec import read
from agcod_async.providers.agcod.envelope import Asked
from agcod_async.providers.agcod.judgement import ANOTHER_REQUEST, judged, number_of, unclear

_BalanceRequest = (
    LoadAmazonBalanceRequest
    | VoidAmazonBalanceLoadRequest
    | ValidateAccountForAmazonBalanceLoadRequest
)


def load_outcome(request: LoadAmazonBalanceRequest, reply: Reply) -> ForwardOutcome:
    """Return what `reply` to a LoadAmazonBalance proves."""

    def loaded(answer: BalanceAnswer) -> ForwardOutcome:
        codes = {code for code in (answer.gc_claim_code, answer.claim_code) if code is not None}
        if _answers_another(request, answer) or len(codes) > 1:
            return unclear(ANOTHER_REQUEST)
        return Applied(
            BalanceLoad(
                request_id=request.load_balance_request_id,
                amount=request.amount.money,
                claim_code=next(iter(codes), None),
            )
        )

    asked = Asked("LoadAmazonBalance", request.load_balance_request_id)
    return judged(read(reply, BalanceAnswer, asked), faults.LOAD, loaded)


def undo_load_outcome(request: LoadAmazonBalanceRequest, reply: Reply) -> UndoOutcome:
    """Return what `reply` to the void that undoes a LoadAmazonBalance proves."""

    def voided(answer: BalanceAnswer) -> UndoOutcome:
        is_another = _answers_another(request, answer) or _shows_a_code(answer)
        return unclear(ANOTHER_REQUEST) if is_another else Undone()

    asked = Asked("VoidAmazonBalanceLoad", request.load_balance_request_id)
    return judged(read(reply, BalanceAnswer, asked), faults.VOID, voided)


def void_outcome(request: VoidAmazonBalanceLoadRequest, reply: Reply) -> ForwardOutcome:
    """Return what `reply` to a VoidAmazonBalanceLoad that the caller asked for proves."""

    def voided(answer: BalanceAnswer) -> ForwardOutcome:
        if _answers_another(request, answer) or _shows_a_code(answer):
            return unclear(ANOTHER_REQUEST)
        return Applied(BalanceVoid(request.load_balance_request_id, request.amount.money))

    asked = Asked("VoidAmazonBalanceLoad", request.load_balance_request_id)
    answer = read(reply, BalanceAnswer, asked)
    return judged(answer, faults.WITHOUT_UNDO, voided)


def validate_outcome(
    request: ValidateAccountForAmazonBalanceLoadRequest, reply: Reply
) -> ForwardOutcome:
    """Return what `reply` to a ValidateAccountForAmazonBalanceLoad says."""

    def valid(answer: BalanceAnswer) -> ForwardOutcome:
        if _answers_another(request, answer) or _shows_a_code(answer):
            return unclear(ANOTHER_REQUEST)
        return Applied(AccountValidation(request.load_balance_request_id, request.amount.money))

    asked = Asked("ValidateAccountForAmazonBalanceLoad", request.load_balance_request_id)
    answer = read(reply, BalanceAnswer, asked)
    return judged(answer, faults.WITHOUT_UNDO, valid)


def _answers_another(request: _BalanceRequest, answer: BalanceAnswer) -> bool:
    return (
        answer.load_balance_request_id not in (None, request.load_balance_request_id)
        or not _is_amount(answer.amount, request.amount)
        or not _is_account(answer.account, request.account)
    )


def _shows_a_code(answer: BalanceAnswer) -> bool:
    # Seen through a muddled connection, the answer to the load has the right ID and SUCCESS too.
    return answer.gc_claim_code is not None or answer.claim_code is not None


def _is_amount(answered: LoadAmountAnswer | None, asked: LoadAmount) -> bool:
    if answered is None:
        return True
    is_value = answered.value is None or number_of(answered.value) == asked.value
    return is_value and answered.currency_code in (None, asked.currency_code)


def _is_account(answered: AccountAnswer | None, asked: AccountKey) -> bool:
    if answered is None:
        return True
    is_type = answered.type is None or number_of(answered.type) == asked.type
    return is_type and answered.id in (None, asked.id)
