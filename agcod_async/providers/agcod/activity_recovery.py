"""What a reply says of the activity report. It moves no value, so nothing hangs on a row."""

from agcod_async.core.outcomes import Applied, ForwardOutcome, Reply
from agcod_async.providers.agcod import faults
from agcod_async.providers.agcod.activity_messages import (
    Activity,
    ActivityPage,
    ActivityRow,
    GetGiftCardActivityPageAnswer,
    GetGiftCardActivityPageRequest,
)
from agcod_async.providers.agcod.codec import read
from agcod_async.providers.agcod.dates import utc_time
from agcod_async.providers.agcod.envelope import Asked
from agcod_async.providers.agcod.judgement import judged, money_of, unclear
from agcod_async.providers.agcod.recipients import CardNumber
from agcod_async.values import InvalidValueError


def activity_outcome(request: GetGiftCardActivityPageRequest, reply: Reply) -> ForwardOutcome:
    """Return what `reply` to a GetGiftCardActivityPage says."""

    def told(answer: GetGiftCardActivityPageAnswer) -> ForwardOutcome:
        rows = answer.card_activity_list
        total = _count(answer.total_number_of_transactions_in_requested_time_frame)
        # An absent list is no empty one: who takes what is missing for nothing orders twice.
        if rows is None and total != 0:
            return unclear("SUCCESS without a list of activities")
        page = tuple(_activity(row) for row in rows or ())
        return Applied(ActivityPage(rows=page, total=total, page_index=request.page_index))

    answer = read(reply, GetGiftCardActivityPageAnswer, Asked("GetGiftCardActivityPage"))
    return judged(answer, faults.WITHOUT_UNDO, told)


def _activity(row: ActivityRow) -> Activity:
    return Activity(
        time=utc_time(row.activity_time),
        type=_text(row.activity_type),
        status=_text(row.activity_status),
        request_id=_text(row.request_id),
        partner_id=_text(row.partner_id),
        gc_id=_text(row.gc_id),
        card_number=_card_number(row.card_number),
        amount=money_of(row.card_value),
        failure_code=_text(row.failure_code),
        is_real=_truth(row.is_real_op),
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _truth(value: object) -> bool | None:
    # Amazon's sample client compares it with a text.
    return {"true": True, "false": False}.get(str(value).casefold())


def _count(value: object) -> int | None:
    text = str(value)
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _DIGITS_MAX else None


_DIGITS_MAX = 18


def _card_number(value: object) -> CardNumber | None:
    if not isinstance(value, str):
        return None
    try:
        return CardNumber(value)
    except InvalidValueError:
        return None
