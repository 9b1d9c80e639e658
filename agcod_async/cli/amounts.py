"""Amounts of money as people type them."""

import re

from agcod_async.values import InvalidValueError, Money

_PLAIN = re.compile(r"[0-9]+(\.[0-9]+)?")


def money(amount: str, currency: str) -> Money:
    """Return the amount, or raise `InvalidValueError`.

    Stricter than `Money`, which reads what Python calls a number: in a file, "1e3" or "1_000" is
    more likely an accident, and "1,000" means one thing here and another there.
    """
    if not _PLAIN.fullmatch(amount):
        problem = f"{amount!r} is not a plain amount" if amount else "is empty"
        raise InvalidValueError("amount", problem, "digits with a decimal point, such as 25.00")
    return Money(amount, currency)
