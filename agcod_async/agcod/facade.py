"""What every part of the session for AGCOD stands on."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, ParamSpec, TypeVar

from agcod_async.clock import Clock
from agcod_async.core.outcomes import Reason
from agcod_async.core.policy import RecoveryPolicy
from agcod_async.errors import UsageError
from agcod_async.events import Observer
from agcod_async.journal.base import Journal
from agcod_async.journal.binding import bound
from agcod_async.pacing.port import Pacer
from agcod_async.providers.agcod.operations import AGCOD_IN, GET_GIFT_CARD_ACTIVITY_PAGE
from agcod_async.providers.base import Provider
from agcod_async.session import Session
from agcod_async.settings import Settings
from agcod_async.values import InvalidValueError
from agcod_async.wire.port import Transport

CheckedT = TypeVar("CheckedT")
Arguments = ParamSpec("Arguments")

SECONDS_PER_MINUTE: Final = 60


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
        self._given_journal = journal

    def records_in(self, journal: object) -> bool:
        """Whether `journal` is what this session was given to keep its calls on record."""
        return self._given_journal is journal


def _provider(settings: Settings) -> Provider:
    provider = AGCOD_IN[settings.wire_format]
    pages_per_second = settings.activity_pages_per_minute / SECONDS_PER_MINUTE
    return replace(
        provider,
        sub_limits={**provider.sub_limits, GET_GIFT_CARD_ACTIVITY_PAGE.name: pages_per_second},
    )


def checked(
    make: Callable[Arguments, CheckedT], *args: Arguments.args, **kwargs: Arguments.kwargs
) -> CheckedT:
    """Return the request that `make` makes. Raises `UsageError` for what it refuses."""
    try:
        return make(*args, **kwargs)
    except InvalidValueError as error:
        raise UsageError(Reason(str(error))) from error
