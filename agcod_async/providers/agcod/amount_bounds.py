"""Warnings about amounts that are outside what Amazon is known to take. They stop nothing."""

from collections.abc import Iterable, Iterator

from agcod_async.providers.agcod.marketplaces import Bounds, Marketplace, Product
from agcod_async.providers.agcod.sourced import Confidence, Sourced
from agcod_async.values import Money


def amount_warnings(
    amount: Money, places: Iterable[Marketplace], *, product: Product = Product.DIGITAL
) -> Iterator[str]:
    """Yield a line for each known reason why Amazon may refuse `amount`; none if nothing is known.

    `places` is where the account may belong to: one marketplace, or all those of its endpoint, of
    which the currency then tells the right ones. Bounds are compared only where they are known for
    every marketplace that is left. A contract may say otherwise: warn, and send it all the same.
    """
    asked = tuple(places)
    left = tuple(one for one in asked if amount.currency in one.currencies.value)
    if not left:
        countries = ", ".join(one.country for one in asked)
        yield f"{amount.currency} is not known to be the currency of an account in {countries}"
        return
    known = {one.country: one.bounds.get(product) for one in left}
    problems = [None if at is None else _problem(amount, at.value) for at in known.values()]
    for (country, at), problem in zip(known.items(), problems, strict=True):
        if at is not None and all(problems):
            yield f"{amount} is {problem} for a {product.value} in {country} ({_basis(at)})"


def _problem(amount: Money, bounds: Bounds) -> str | None:
    """Return what is wrong; bounds in another currency than the amount's say nothing."""
    low, high = bounds.minimum, bounds.maximum
    if low is not None and low.currency == amount.currency and amount.amount < low.amount:
        return f"below the smallest known amount, {low},"
    if high is not None and high.currency == amount.currency and amount.amount > high.amount:
        return f"above the largest known amount, {high},"
    return None


def _basis(at: Sourced[Bounds]) -> str:
    doubt = "" if at.confidence is Confidence.HIGH else f", confidence {at.confidence.value}"
    return f"{at.source}{doubt}; a contract may say otherwise"
