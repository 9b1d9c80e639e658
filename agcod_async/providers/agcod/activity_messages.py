"""The activity report: one page of it as it goes over the wire, and its rows.

The rules are those of `messages`. The report is documented nowhere any more, so nothing in a row
is required.
"""

from dataclasses import dataclass
from datetime import datetime

import msgspec

from agcod_async.providers.agcod.messages import ValueAnswer
from agcod_async.providers.agcod.recipients import CardNumber
from agcod_async.values import Money, RequestId


class GetGiftCardActivityPageRequest(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Ask for one page of what happened from `utc_start_date` on and before `utc_end_date`."""

    request_id: RequestId
    partner_id: str
    utc_start_date: str
    utc_end_date: str
    page_index: int
    page_size: int
    show_no_ops: bool


class ActivityRow(msgspec.Struct, frozen=True, rename="camel"):
    """One row as it came. A text that ought to be one may be anything."""

    activity_status: object = None
    activity_time: object = None
    activity_type: object = None
    card_number: object = None
    card_value: ValueAnswer | None = None
    failure_code: object = None
    gc_id: object = None
    is_real_op: object = None
    partner_id: object = None
    request_id: object = None


class GetGiftCardActivityPageAnswer(msgspec.Struct, frozen=True, rename="camel"):
    """A SUCCESS of GetGiftCardActivityPage."""

    card_activity_list: list[ActivityRow] | None = None
    total_number_of_transactions_in_requested_time_frame: object = None


@dataclass(frozen=True, slots=True)
class Activity:
    """What one request did, as Amazon reports it.

    `status`, `type` and `failure_code` are Amazon's words, and None where it names none.
    `is_real` is false for a request that only repeated what had been done before.
    """

    time: datetime | None
    type: str | None
    status: str | None
    request_id: str | None
    partner_id: str | None
    gc_id: str | None
    card_number: CardNumber | None
    amount: Money | None
    failure_code: str | None
    is_real: bool | None


@dataclass(frozen=True, slots=True)
class ActivityPage:
    """One page of the report. `total` is how many rows there are on all pages, if Amazon says."""

    rows: tuple[Activity, ...]
    total: int | None
    page_index: int
