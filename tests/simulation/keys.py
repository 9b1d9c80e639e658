"""The access keys of a simulated account: what Amazon accepts, and what the processes are given.

What happens to them is a list of changes, each at its time. Amazon's side comes about as requests
arrive, and the processes' side as they ask, so nothing has to be woken up for it.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from agcod_async.credentials import RotatingCredentials
from agcod_async.testing import EMULATOR_CREDENTIALS
from agcod_async.testing.authentication import Authenticator, Incoming
from agcod_async.values import Credentials, SecretKey

Side = Literal["accepted", "revoked", "used", "dropped", "vault fails", "vault works"]
WHOLE_CHECK_EVERY = 8
"""Of so many signatures one is computed anew."""


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of a key, at a time of the world. A vault that fails has no key."""

    at: float
    what: Side
    key: Credentials = EMULATOR_CREDENTIALS


def key_number(number: int) -> Credentials:
    """Return the n-th key of the account; the first is the emulator's own."""
    if not number:
        return EMULATOR_CREDENTIALS
    return Credentials(
        access_key_id=f"EMULATORACCESSKEY{number}",
        secret_access_key=f"emulator-secret-access-key-{number}",
    )


def rotations(chance: random.Random, *, until: float) -> list[Change]:
    """Draw how a key is replaced, once or several times, all of it before `until`.

    Amazon's FAQ has the order: create, switch, set the old one inactive, drop it. People have
    others: they set it inactive first, or switch before Amazon knows the new one.
    """
    changes: list[Change] = []
    at = chance.uniform(0.0, until / 2)
    for number in range(1, chance.choice((1, 1, 2, 3)) + 1):
        new, old = key_number(number), key_number(number - 1)
        times = sorted(chance.uniform(at, until) for _ in range(4))
        if chance.random() < 0.5:  # else in any order
            names: list[Side] = ["accepted", "used", "revoked", "dropped"]
        else:
            names = chance.sample(["accepted", "used", "revoked", "dropped"], 4)
        for moment, what in zip(times, names, strict=True):
            changes.append(Change(moment, what, new if what in ("accepted", "used") else old))
        at = times[-1]
    if chance.random() < 0.3:
        fails, works = sorted(chance.uniform(0.0, until) for _ in range(2))
        changes += [Change(fails, "vault fails"), Change(works, "vault works")]
    return sorted(changes, key=lambda change: change.at)


class Gate(Authenticator):
    """Amazon's side: it lets in what is signed with a key that is accepted at that time.

    Every date is checked; of the signatures every eighth is computed once more. The package's
    signer has tests of its own, against the published vectors, and is deterministic.
    """

    def __init__(self, changes: Sequence[Change] = ()) -> None:
        super().__init__([EMULATOR_CREDENTIALS])
        self._changes = [change for change in changes if change.what in ("accepted", "revoked")]
        self._checked = 0

    def until(self, now: float) -> None:
        """Let happen what has happened by now."""
        while self._changes and self._changes[0].at <= now:
            change = self._changes.pop(0)
            if change.what == "accepted":
                self.accept(change.key)
            else:
                self.revoke(change.key.access_key_id)

    def _signature_refused(
        self, claim: object, secret: SecretKey, request: Incoming, wall: float
    ) -> str | None:
        self._checked += 1
        if self._checked % WHOLE_CHECK_EVERY == 1:
            return super()._signature_refused(claim, secret, request, wall)  # type: ignore[arg-type]
        return self._stale(request.headers["x-amz-date"], wall)


class Vault:
    """The processes' side: a provider of keys, which are replaced as the world's time goes on."""

    def __init__(self, changes: Sequence[Change], clock: Callable[[], float]) -> None:
        self._changes = [one for one in changes if one.what not in ("accepted", "revoked")]
        self._clock = clock
        self._at_hand = RotatingCredentials(EMULATOR_CREDENTIALS)
        self._is_sealed = False
        self._told: Sequence[Credentials] = ()
        self._told_at: dict[str, float] = {}

    def keys(self) -> Sequence[Credentials]:
        """Return the keys as they are now; raises if the vault is sealed."""
        now = self._clock()
        while self._changes and self._changes[0].at <= now:
            self._make(self._changes.pop(0))
        if self._is_sealed:
            raise OSError("the vault is sealed")
        at_hand = self._at_hand.keys()
        for key in {*self._told, *at_hand}:  # what was told last was in use until now
            self._told_at[key.access_key_id] = now
        self._told = at_hand
        return at_hand

    def _make(self, change: Change) -> None:
        match change.what:
            case "used":
                self._at_hand.use(change.key)
            case "dropped":
                self._at_hand.drop_previous()
            case _:
                self._is_sealed = change.what == "vault fails"

    def supplied(self, access_key_id: str, since: float) -> bool:
        """Return whether a key is supplied, or was at that time or later.

        A process goes on with the keys that it was told last while the vault is sealed.
        """
        if any(key.access_key_id == access_key_id for key in self._told):
            return True
        return self._told_at.get(access_key_id, float("-inf")) >= since
