"""Facts that were found somewhere: each says where, and how far it can be trusted."""

from dataclasses import dataclass
from enum import Enum
from typing import Final, Generic, TypeVar

T_co = TypeVar("T_co", covariant=True)


class Confidence(Enum):
    """How far a fact can be trusted."""

    HIGH = "high"
    """Amazon says so, or the service was recorded doing so."""
    MEDIUM = "medium"
    """Several public clients say so, or two of Amazon's pages differ."""
    LOW = "low"
    """One source that may be wrong, or an inference."""


@dataclass(frozen=True, slots=True)
class Sourced(Generic[T_co]):
    """A fact and where it comes from, in words. What is not known is None, never a guess."""

    value: T_co
    source: str
    confidence: Confidence = Confidence.HIGH


FAQ: Final = "Amazon's FAQ"
OUTAGE_PAGE: Final = "Amazon's outage page"
ERROR_PAGE: Final = "Amazon's error page"
CLIENTS: Final = "several public clients"
