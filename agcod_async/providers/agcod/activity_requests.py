"""Requests for the activity report that are checked before anything is sent; see `requests`."""

from datetime import UTC, datetime
from typing import Final

from agcod_async.providers.agcod.activity_messages import GetGiftCardActivityPageRequest
from agcod_async.providers.agcod.checks import checked_id
from agcod_async.values import InvalidValueError, RequestId

PAGE_SIZE_MAX: Final = 1_000  # error F2026


def get_gift_card_activity_page_request(
    *,
    start: datetime,
    end: datetime,
    page_index: int,
    page_size: int,
    partner_id: str,
    mock_ids_allowed: bool,
    show_no_ops: bool = False,
    request_id: str | None = None,
) -> GetGiftCardActivityPageRequest:
    """Return the request for one page of what happened from `start` on and before `end`.

    Both are cut to whole seconds, and sent in UTC. Without a `request_id` the request has one that
    is derived from what it asks for.
    """
    first, last = _written("start", start), _written("end", end)
    if not start < end:
        raise InvalidValueError("start", f"{first} is not before {last}", "before the end")
    if page_index < 0:
        raise InvalidValueError("page_index", f"{page_index} is none", "0 or more")
    if not 1 <= page_size <= PAGE_SIZE_MAX:
        raise InvalidValueError("page_size", f"{page_size} is none", f"1 to {PAGE_SIZE_MAX}")
    about = f"activity from {first} to {last}, {page_size} rows from {page_index}, {show_no_ops}"
    return GetGiftCardActivityPageRequest(
        request_id=RequestId.derive(partner_id, about)
        if request_id is None
        else checked_id(request_id, partner_id, mock_ids_allowed=mock_ids_allowed),
        partner_id=partner_id,
        utc_start_date=first,
        utc_end_date=last,
        page_index=page_index,
        page_size=page_size,
        show_no_ops=show_no_ops,
    )


def _written(field: str, moment: datetime) -> str:
    if moment.tzinfo is None:
        raise InvalidValueError(field, "has no time zone", "such as datetime(..., tzinfo=UTC)")
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds")
