"""Where a session takes its access keys from, and how one is replaced while it works.

Amazon's FAQ: keys should be replaced about every 90 days. Two are valid at once for as long as you
want: create the second one, switch all applications, verify, set the first one inactive, verify
again, delete it.
"""

import threading
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol

from agcod_async.values import Credentials

AGE_WARNING_DAYS: Final = (60, 90)
"""The ages at which a key is warned of: Amazon's FAQ announces a mail 30 days before the 90th."""

_SECONDS_PER_DAY: Final = 86_400


class CredentialsProvider(Protocol):
    """What a session asks for its keys, where one that never changes is not enough."""

    def keys(self) -> Sequence[Credentials]:
        """Return the keys that may sign now, the best first, all of the same partner account.

        It is asked before every attempt, and once a second while no key is accepted; so answer
        from memory, and let a task or a thread of your own fetch what is new.
        """
        ...


class RotatingCredentials:
    """The key in use and the one before it. May be changed at any time, from any task or thread.

    A session signs every later attempt with the current key; what is under way finishes as it
    is. The previous key is tried where Amazon refuses the current one, until it is dropped.
    """

    def __init__(self, current: Credentials, previous: Credentials | None = None) -> None:
        """Begin with this key."""
        self._changing = threading.Lock()
        self._keys = (current,) if previous is None else (current, previous)

    def keys(self) -> tuple[Credentials, ...]:
        """Return the current key, and the previous one if there is one."""
        return self._keys

    @property
    def current(self) -> Credentials:
        """The key to sign with."""
        return self._keys[0]

    @property
    def previous(self) -> Credentials | None:
        """The key to fall back on."""
        return self._keys[1] if len(self._keys) > 1 else None

    async def rotate(
        self, new: Credentials, *, verify: Callable[[Credentials], Awaitable[object]]
    ) -> None:
        """Replace the current key by `new` once `verify` (a session's `verify_key`) returns.

        What `verify` raises is raised, and then nothing has changed.
        """
        await verify(new)
        self.use(new)

    def use(self, new: Credentials) -> None:
        """Replace the current key by `new` unverified, and keep the one before to fall back on."""
        with self._changing:
            if new != self.current:
                self._keys = (new, self.current)

    def drop_previous(self) -> None:
        """Fall back on nothing any more: the previous key is, or is about to be, inactive."""
        with self._changing:
            self._keys = self._keys[:1]

    def __repr__(self) -> str:
        return f"RotatingCredentials{self._keys!r}"


def age_days(key: Credentials, now: float) -> float | None:
    """Return how old the key is at `now` (UTC seconds since 1970); None where nobody has said."""
    if key.created_at is None:
        return None
    return (now - key.created_at.timestamp()) / _SECONDS_PER_DAY
