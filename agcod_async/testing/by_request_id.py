"""What every request ID of one ledger has come to: the same for cards, activations and loads."""

from collections.abc import Iterator
from typing import Generic, TypeVar, assert_never

from agcod_async.testing.catalogue import Refusal
from agcod_async.testing.semantics import UnknownCancel

ThingT = TypeVar("ThingT")


class ByRequestId(Generic[ThingT]):
    """All that was ever made under each ID, the latest last, and the IDs that are fenced."""

    def __init__(self) -> None:
        """Begin with nothing made."""
        self._made: dict[str, list[ThingT]] = {}
        self._fenced: set[str] = set()

    def __iter__(self) -> Iterator[ThingT]:
        """Iterate over everything; what a reissue has replaced is among it."""
        for made in self._made.values():
            yield from made

    def latest(self, request_id: str) -> ThingT | None:
        """Return what was last made under this ID."""
        made = self._made.get(request_id)
        return made[-1] if made else None

    def add(self, request_id: str, thing: ThingT) -> None:
        """Put something new under this ID, beside what was there."""
        self._made.setdefault(request_id, []).append(thing)

    def change(self, request_id: str, thing: ThingT) -> None:
        """Put `thing` in the place of what was last made under this ID."""
        self._made[request_id][-1] = thing

    def is_fenced(self, request_id: str) -> bool:
        """Tell whether an undo came before anything was made, and holds whatever comes."""
        return request_id in self._fenced

    def undo_unknown(
        self, request_id: str, unknown: UnknownCancel, not_found: Refusal
    ) -> Refusal | None:
        """Undo what was never made; None is a SUCCESS."""
        match unknown:
            case UnknownCancel.NOT_FOUND:
                return not_found
            case UnknownCancel.NOOP:
                return None
            case UnknownCancel.FENCE:
                self._fenced.add(request_id)
                return None
            case _ as never:
                assert_never(never)
