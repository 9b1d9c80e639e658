"""A toy provider whose answers do not show what was undone, behind the same faulty network.

All IDs of Wake are about one thing, which is awake or not; each ID of Pour is for itself.
"""

from dataclasses import dataclass
from enum import Enum

from tests.support.toy_server import ToyServer


class Undone(Enum):
    """What a request does under an ID that was undone."""

    HIDDEN = "it answers as the first one did"
    REISSUE = "it works once more"
    REFUSED = "it is refused"


@dataclass(slots=True)
class ForgetfulServer(ToyServer):
    undone: Undone = Undone.HIDDEN

    def _apply(self, operation: str, request_id: str) -> str:
        match operation:
            case "PutToSleep" | "Drain":
                if request_id not in self.cards:
                    return "nothing"
                self.cards[request_id] = False
                return "undone"
            case "IsAwake":
                return "awake" if any(self.cards.values()) else "asleep"
            case "Wake":
                others = {**self.cards, request_id: False}
                return "conflict" if any(others.values()) else self._begin(request_id, "refused")
            case _:
                return self._begin(request_id, "unclear")

    def _begin(self, request_id: str, refusal: str) -> str:
        is_live = self.cards.setdefault(request_id, True)
        if is_live or self.undone is Undone.HIDDEN:
            return "live"
        if self.undone is Undone.REFUSED:
            return refusal
        self.cards[request_id] = True
        return "live"
