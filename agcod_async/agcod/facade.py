"""What every part of the session for AGCOD stands on."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from typing import Final, ParamSpec, TypeVar

from agcod_async.clock import Clock
from agcod_async.core.outcomes import Reason
from agcod_async.core.policy import RecoveryPolicy
from agcod_async.errors import UsageError
from agcod_async.events import Observer
from agcod_async.journal.base import Journal
from agcod_async.journal.binding import bound
from agcod_async.pacing.port import Pacer
from agcod_async.providers.agcod import catalogue
from agcod_async.providers.agcod.amount_bounds import amount_warnings
from agcod_async.providers.agcod.marketplaces import Product, marketplace
from agcod_async.providers.agcod.operations import AGCOD_IN, GET_GIFT_CARD_ACTIVITY_PAGE
from agcod_async.providers.base import Provider
from agcod_async.session import Session
from agcod_async.settings import Settings
from agcod_async.values import InvalidValueError, Money
from agcod_async.wire.port import Transport

CheckedT = TypeVar("CheckedT")
Arguments = ParamSpec("Arguments")

SECONDS_PER_MINUTE: Final = 60

_WARNINGS_MAX: Final = 1_000  # a set of all amounts of a long life would be a leak

_log = logging.getLogger("agcod_async")


class Facade(Session):
    """A session with AGCOD, in the form of the wire and at the rates that its settings name."""

    def __init__(
        self,
        settings: Settings,
        *,
        transport: Transport | None = None,
        journal: Journal | None = None,
        pacer: Pacer | None = None,
        observers: Sequence[Observer] = (),
        policy: RecoveryPolicy = RecoveryPolicy(),  # noqa: B008  immutable
        clock: Clock = Clock(),  # noqa: B008  immutable
    ) -> None:
        """Open nothing yet: connections are made by the first call."""
        super().__init__(
            _provider(settings),
            settings,
            transport=transport,
            journal=bound(journal, settings),
            pacer=pacer,
            observers=observers,
            policy=policy,
            clock=clock,
        )
        self._mock_ids_allowed = settings.mock_ids_allowed
        self._countries = _countries(settings)
        self._warned: set[str] = set()
        self._given_journal = journal

    def records_in(self, journal: object) -> bool:
        """Whether `journal` is what this session was given to keep its calls on record."""
        return self._given_journal is journal

    @property
    def clock_skew_seconds(self) -> float | None:
        """How far this machine's clock is ahead of Amazon's; below 0: behind, None: not known yet.

        Measured from the Dates of Amazon's replies, to a few seconds. Ask in the session's loop.
        """
        return self._runner.time.skew_seconds

    def _look_at(self, amount: Money, product: Product) -> None:
        """Log a warning for each known reason why Amazon may refuse `amount`, each once.

        It is sent all the same: a contract may say otherwise, and Amazon judges.
        """
        for warning in _warnings(amount, self._countries, product):
            if warning not in self._warned and len(self._warned) < _WARNINGS_MAX:
                self._warned.add(warning)
                _log.warning("%s", warning)


def _provider(settings: Settings) -> Provider:
    provider = AGCOD_IN[settings.wire_format]
    pages_per_second = settings.activity_pages_per_minute / SECONDS_PER_MINUTE
    return replace(
        provider,
        sub_limits={**provider.sub_limits, GET_GIFT_CARD_ACTIVITY_PAGE.name: pages_per_second},
        contact=partial(catalogue.contact, countries=_countries(settings)),
    )


@lru_cache(maxsize=256)  # most cards are of few amounts
def _warnings(amount: Money, countries: tuple[str, ...], product: Product) -> tuple[str, ...]:
    return tuple(amount_warnings(amount, map(marketplace, countries), product=product))


def _countries(settings: Settings) -> tuple[str, ...]:
    """Return where the account may belong to."""
    return settings.endpoint.countries if settings.country is None else (settings.country,)


def checked(
    make: Callable[Arguments, CheckedT], *args: Arguments.args, **kwargs: Arguments.kwargs
) -> CheckedT:
    """Return the request that `make` makes. Raises `UsageError` for what it refuses."""
    try:
        return make(*args, **kwargs)
    except InvalidValueError as error:
        raise UsageError(Reason(str(error))) from error
