"""What a run has issued, or may have issued, and has not taken back yet."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from agcod_async.cli.certification.cases import SUCCESS, Asked
from agcod_async.cli.certification.results import Seen
from agcod_async.providers.agcod.activation_messages import ActivationStatus

UNDO_OF: Final[Mapping[str, str]] = MappingProxyType(
    {
        "CreateGiftCard": "CancelGiftCard",
        "ActivateGiftCard": "DeactivateGiftCard",
        "LoadAmazonBalance": "VoidAmazonBalanceLoad",
    }
)
"""What takes back what each operation issues."""

_FORWARD_OF: Final = {undo: forward for forward, undo in UNDO_OF.items()}

Debt = tuple[str, str]
"""An operation that issues, and the order that it was for."""


@dataclass(slots=True)
class Debts:
    """Keeps count of real orders; what is mocked issues nothing."""

    _owed: dict[Debt, Asked] = field(default_factory=dict[Debt, Asked])
    _under_way: dict[Debt, Asked] = field(default_factory=dict[Debt, Asked])

    @property
    def owed(self) -> Mapping[Debt, Asked]:
        """What has to be taken back. What was interrupted may have been issued, so it counts."""
        return {**self._owed, **self._under_way}

    def sent(self, operation: str, asked: Asked) -> None:
        """Note that a call is under way."""
        if operation in UNDO_OF and asked.mock is None:
            self._under_way[operation, asked.order] = asked

    def ended(self, operation: str, asked: Asked, seen: Seen) -> None:
        """Note how it has ended."""
        if asked.mock is not None:
            return
        self._under_way.pop((operation, asked.order), None)
        if operation in UNDO_OF and seen.ending in (SUCCESS, "InDoubtError"):
            self._owed[operation, asked.order] = asked
        elif operation in _FORWARD_OF and seen.ending == SUCCESS:
            self._owed.pop((_FORWARD_OF[operation], asked.order), None)
        elif isinstance(seen.answer, ActivationStatus) and not seen.answer.is_active:
            self._owed.pop(("ActivateGiftCard", asked.order), None)
