"""What a row says, whichever form the file has: its fields are checked and become an order.

The request ID stands in the row, or is derived from the job's name and the order's business key:
the same name and key give the same ID, whenever and wherever the file is planned.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from agcod_async.batch.orders import Order, PlannedOrder
from agcod_async.cli.amounts import money
from agcod_async.core.outcomes import Reason
from agcod_async.errors import UsageError
from agcod_async.providers.agcod.requests import create_gift_card_request
from agcod_async.settings import Settings
from agcod_async.values import InvalidValueError, RequestId

REQUIRED_COLUMNS: Final = ("request_id", "amount", "currency")
OPTIONAL_COLUMNS: Final = ("program_id", "product_type", "external_reference", "business_key")
KNOWN_COLUMNS: Final = REQUIRED_COLUMNS + OPTIONAL_COLUMNS

BUSINESS_KEY_LENGTH_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class JobKeys:
    """That the rows are of a job, which may have business keys; `name` is the job's, if given."""

    name: str | None = None


@dataclass(frozen=True, slots=True)
class OrderFields:
    """Makes orders of fields. Without `keys` there are no business keys."""

    settings: Settings
    keys: JobKeys | None = None

    def check_columns(self, columns: Collection[str]) -> None:
        """Raise `UsageError` if orders cannot be made of these columns."""
        if "business_key" in columns and self.keys is None:
            raise _unusable("it has business keys, which need a job (--job)")
        has_ids = "request_id" in columns
        if not has_ids and self.keys is not None and "business_key" in columns:
            if self.keys.name is None:
                raise _unusable(
                    "it has business keys and no request IDs, which are then derived: give the job"
                    " a name of its own that stays the same for this file (--name)"
                )
            has_ids = True
        missing = [one for one in REQUIRED_COLUMNS if one not in columns]
        if has_ids and "request_id" in missing:
            missing.remove("request_id")
        unknown = [repr(one) for one in columns if one not in KNOWN_COLUMNS]
        if missing:
            names = ", ".join(columns)
            raise _unusable(f"it lacks {', '.join(missing)}; its first line names {names}")
        if unknown:
            known = ", ".join(KNOWN_COLUMNS)
            raise _unusable(f"it has unknown columns: {', '.join(unknown)} (known: {known})")

    def order(self, line: int, fields: Mapping[str, str]) -> PlannedOrder:
        """Return the order of a row. Raises `InvalidValueError` for what does not fit."""
        key = fields.get("business_key") or None
        if key is not None and self.keys is None:
            raise InvalidValueError("business_key", "needs a job", "--job")
        if key is not None and len(key) > BUSINESS_KEY_LENGTH_MAX:
            raise InvalidValueError(
                "business_key",
                f"has {len(key)} characters",
                f"at most {BUSINESS_KEY_LENGTH_MAX}",
            )
        order = Order(
            request_id=fields.get("request_id") or self._derived(key),
            amount=money(fields.get("amount", ""), fields.get("currency", "")),
            program_id=fields.get("program_id") or None,
            product_type=fields.get("product_type") or None,
            external_reference=fields.get("external_reference") or None,
        )
        # The session checks the same again; here it is known which line is at fault.
        create_gift_card_request(
            request_id=order.request_id,
            amount=order.amount,
            partner_id=self.settings.partner_id,
            mock_ids_allowed=self.settings.mock_ids_allowed,
            program_id=order.program_id,
            product_type=order.product_type,
            external_reference=order.external_reference,
        )
        return PlannedOrder(number=line, order=order, business_key=key)

    def _derived(self, key: str | None) -> str:
        if key is None or self.keys is None:
            return ""  # and is refused as an empty ID
        if self.keys.name is None:
            raise InvalidValueError(
                "request_id", "is empty", "an ID, or a business key in a job with a --name"
            )
        # The parts are kept apart, or "a" and "bc" would be the same order as "ab" and "c".
        return RequestId.derive(self.settings.partner_id, f"{self.keys.name}\0{key}")


def _unusable(problem: str) -> UsageError:
    return UsageError(Reason(problem))
