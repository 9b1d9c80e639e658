"""The access keys of one session: which one signs next, and who waits while none is accepted.

Rules of this file:

1. Each attempt is signed with the best key that Amazon is not known to refuse. The provider says
   which is better, so a key that is supplied is used from the next attempt on.
2. A refused key says nothing about the order, whose attempt was not let in. With another key in
   sight it is made again; while there is none, calls wait, and end at their deadlines.
3. One attempt every `RETRY_SECONDS` goes out with a refused key: somebody may have made it active
   again, or Amazon may just have learnt of it.
4. Where there is one key and no provider, nobody could supply another one. Then a refusal stays
   what it is.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from agcod_async.clock import Clock
from agcod_async.core.outcomes import (
    Lost,
    Outcome,
    Outdated,
    Reason,
    Refused,
    Throttled,
    Unclear,
    Untouched,
)
from agcod_async.credentials import AGE_WARNING_DAYS, CredentialsProvider, age_days
from agcod_async.engine.audience import Audience
from agcod_async.engine.call import Call
from agcod_async.events import KeyAged, KeyRefused, Observer
from agcod_async.values import Credentials

Sign = Callable[[str, bytes, float], Mapping[str, str]]
"""Returns the headers of an operation's body, signed at a time (UTC seconds since 1970)."""

RETRY_SECONDS: Final = 30.0
POLL_SECONDS: Final = 1.0

_log = logging.getLogger("agcod_async")

_NO_KEY = Reason("there is no access key to sign with: the provider of credentials has none")
# A date may be refused before anybody has looked at the key.
_PROVES_NOTHING = (Untouched, Throttled, Unclear, Lost, Outdated)


@dataclass(slots=True, eq=False)
class Key:
    """One access key, and what is known of it. `refused_at` is on the loop's clock."""

    credentials: Credentials
    sign: Sign
    refused_at: float | None = None
    warned_of_days: int = 0


class Keyring:
    """Chooses a key for each attempt, and learns from what comes of it."""

    def __init__(
        self,
        credentials: Credentials | CredentialsProvider,
        signer: Callable[[Credentials], Sign],
        *,
        clock: Clock,
        observers: Sequence[Observer],
    ) -> None:
        """Sign with these credentials; `signer` makes the signature of one key."""
        self._lone = credentials if isinstance(credentials, Credentials) else None
        self._provider = None if isinstance(credentials, Credentials) else credentials
        self._signer = signer
        self._clock = clock
        self._audience = Audience(observers)
        self._supplied: tuple[Credentials, ...] = ()
        self._keys = [] if self._lone is None else [Key(self._lone, signer(self._lone))]
        self._provider_fails = False
        self._last_refusal: tuple[Key, Reason] | None = None
        self._awaited: asyncio.Future[None] | None = None
        self._waiting = 0
        self._renew()

    def with_only(self, key: Credentials) -> "Keyring":
        """Return a keyring that signs like this one, but with this key alone."""
        # Of its age the others tell, those that it serves from day to day.
        ageless = replace(key, created_at=None)
        return Keyring(ageless, self._signer, clock=self._clock, observers=())

    @property
    def may_sign(self) -> bool:
        """Whether there is a key to sign with now."""
        return self._best() is not None

    async def ready(self, call: Call) -> bool:
        """Hold `call` up until there is a key to sign with; tell whether one came in time."""
        while not self.may_sign:
            call.held_up = self.why_none
            seconds = call.deadline_at - self._clock.monotonic()
            if seconds <= 0:
                return False
            await self._news(seconds)
        call.held_up = None
        return True

    def take(self) -> Key | None:
        """Return the key for the attempt that leaves now; None if none is left."""
        key = self._best()
        if key is not None:
            if key.refused_at is not None:
                key.refused_at = self._clock.monotonic()  # this attempt tries it, the others wait
            if key.credentials.created_at is not None:
                self._watch_age(key)
        return key

    def learn(self, key: Key, taken_at: float, outcome: Outcome) -> Reason | None:
        """Take in what an attempt says of its key.

        Return why the key alone was refused, where the attempt is to be made again with another.
        """
        if isinstance(outcome, Refused) and outcome.of_key:
            if self._lone is not None:
                return None
            self._refused(key, outcome.reason)
            return outcome.reason
        # Amazon's own answer; to an attempt from before the refusal it is old news.
        is_accepted = not isinstance(outcome, _PROVES_NOTHING)
        if is_accepted and key.refused_at is not None and taken_at >= key.refused_at:
            key.refused_at = None
            _log.info("Amazon accepts the access key %s again", key.credentials.ending)
        return None

    @property
    def held_up(self) -> Reason | None:
        """Why calls wait for a key, as long as none is left that Amazon is not known to refuse."""
        return None if any(key.refused_at is None for key in self._renew()) else self.why_none

    @property
    def why_none(self) -> Reason:
        """Why there is no key to sign with, and what to do about it."""
        if self._last_refusal is None or not self._keys:
            return _NO_KEY
        key, reason = self._last_refusal
        return Reason(
            f"no access key is accepted, {key.credentials.ending} was the last to be refused, and"
            f" no other one came in time. {reason.message}",
            code=reason.code,
            error_type=reason.error_type,
        )

    async def _news(self, seconds: float) -> None:
        """Wait until there may be a key again, but not longer than `seconds`.

        One timer asks for all that wait, however many they are.
        """
        loop = asyncio.get_running_loop()
        if self._awaited is None:
            self._awaited = loop.create_future()
            loop.call_later(POLL_SECONDS, self._look, self._awaited)
        self._waiting += 1
        try:
            await asyncio.wait((self._awaited,), timeout=seconds)
        finally:
            self._waiting -= 1

    def _look(self, awaited: asyncio.Future[None]) -> None:
        if self._waiting and not self.may_sign:
            asyncio.get_running_loop().call_later(POLL_SECONDS, self._look, awaited)
            return
        self._awaited = None
        awaited.set_result(None)

    def _best(self) -> Key | None:
        for key in self._renew():
            if key.refused_at is None or self._is_due(key.refused_at):
                return key
        return None

    def _is_due(self, refused_at: float) -> bool:
        return self._clock.monotonic() - refused_at >= RETRY_SECONDS

    def _renew(self) -> list[Key]:
        """Return the keys as they are now, and forget those that are not supplied any more."""
        if self._provider is None:
            return self._keys
        supplied = self._ask(self._provider)
        if supplied != self._supplied:
            known = {key.credentials: key for key in self._keys}
            self._keys = [known.get(one) or Key(one, self._signer(one)) for one in supplied]
            self._supplied = supplied
        return self._keys

    def _ask(self, provider: CredentialsProvider) -> tuple[Credentials, ...]:
        try:
            supplied = tuple(provider.keys())
        except Exception as error:  # noqa: BLE001  a vault that fails must not fail an order
            if not self._provider_fails:
                name = type(error).__name__
                _log.warning("the provider of credentials raised %s; the last keys stay", name)
            self._provider_fails = True
            return self._supplied
        self._provider_fails = False
        return supplied

    def _refused(self, key: Key, reason: Reason) -> None:
        self._last_refusal = key, reason
        is_news = key.refused_at is None
        key.refused_at = self._clock.monotonic()
        if not is_news:
            return
        is_last = all(other.refused_at is not None for other in self._keys)
        what_follows = "no other one is left, so calls wait" if is_last else "the next one signs"
        ending = key.credentials.ending
        _log.warning("Amazon refuses the access key %s; %s. %s", ending, what_follows, reason)
        self._audience.tell(KeyRefused(ending, reason, is_last))

    def _watch_age(self, key: Key) -> None:
        days = age_days(key.credentials, self._clock.wall())
        reached = max((limit for limit in AGE_WARNING_DAYS if days and days >= limit), default=0)
        if days is None or reached <= key.warned_of_days:
            return
        key.warned_of_days = reached
        ending = key.credentials.ending
        _log.warning("the access key %s is %d days old; replace it every 90", ending, days)
        self._audience.tell(KeyAged(ending, int(days)))
