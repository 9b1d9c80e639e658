"""What a comparison finds of one order, and what is safe to do about it."""

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum

from agcod_async.values import Money


class Kind(Enum):
    """How the journal and Amazon's books stand to each other."""

    MATCHED = "matched"
    """The card that the journal has lives in Amazon's books too."""
    NOTHING = "nothing"
    """Nothing lives in either: not issued, or undone because you asked for it."""

    MISSING = "missing"
    """The journal says issued, Amazon does not show it."""
    DOUBLED = "doubled"
    """More than one card lives for one order, over all IDs that it has used."""
    UNKNOWN = "unknown"
    """Amazon shows an issue under the prefix, and the journal does not know its ID."""
    REFUNDED = "refunded"
    """Issued, and dead in Amazon's books, though you have not asked for that."""
    ORPHANED = "orphaned"
    """The journal says that nothing lives, Amazon shows a card that does."""
    REPLACED = "replaced"
    """A card lives, but not the one that the journal has."""
    AMOUNT_MISMATCH = "amount_mismatch"
    CURRENCY_MISMATCH = "currency_mismatch"

    PROVEN_ISSUED = "proven_issued"
    """In doubt until now: exactly one card lives."""
    PROVEN_NOT_ISSUED = "proven_not_issued"
    """In doubt until now: none lives, after the horizon and in two scans that agree."""
    STILL_OPEN = "still_open"
    """Not known yet, and why is in the note."""

    @property
    def agrees(self) -> bool:
        """Whether nobody has to do anything about it."""
        return self in (Kind.MATCHED, Kind.NOTHING)

    @property
    def is_proof(self) -> bool:
        """Whether it settles what the journal holds open."""
        return self in (Kind.PROVEN_ISSUED, Kind.PROVEN_NOT_ISSUED)

    @property
    def needs_a_person(self) -> bool:
        """Whether somebody must act on it: the books differ, or a doubt has been settled."""
        return not (self.agrees or self is Kind.STILL_OPEN)


class NextAction(Enum):
    """What is safe to do next."""

    NONE = "none"
    RECONCILE = "reconcile"
    COMPARE_AGAIN = "compare_again"
    READ_THE_CODE = "read_the_code"
    ORDER_ANEW = "order_anew"
    REPLACE_THE_CARD = "replace_the_card"
    HAND_OUT_ANEW = "hand_out_anew"
    FIND_THE_SENDER = "find_the_sender"
    ASK_AMAZON = "ask_amazon"

    @property
    def words(self) -> str:
        """What it means, for a person."""
        return _WORDS[self]


_WORDS: dict[NextAction, str] = {
    NextAction.NONE: "nothing to do",
    NextAction.RECONCILE: "run reconcile: it finishes the call under the same ID",
    NextAction.COMPARE_AGAIN: "compare again later; do not order it again meanwhile",
    NextAction.READ_THE_CODE: (
        "the card lives: the same call under the same ID brings its code, within a day of the first"
        " send; after that ask Amazon, and do not order it again"
    ),
    NextAction.ORDER_ANEW: (
        "nothing lives: it may be ordered again, under the same ID unless that has been undone"
    ),
    NextAction.REPLACE_THE_CARD: (
        "the code that was handed out is dead: find out who has cancelled it, then issue another"
        " card under a new request ID"
    ),
    NextAction.HAND_OUT_ANEW: (
        "the code that was handed out is not the one that lives: the same call under the same ID"
        " brings the one that does"
    ),
    NextAction.FIND_THE_SENDER: (
        "find who has sent it, another journal or another system; if nobody has, change the keys"
        " and tell Amazon"
    ),
    NextAction.ASK_AMAZON: (
        "do not order it again, and ask Amazon, with the request ID, the gcId and the time"
    ),
}

NEXT_ACTIONS: dict[Kind, NextAction] = {
    Kind.MATCHED: NextAction.NONE,
    Kind.NOTHING: NextAction.NONE,
    Kind.MISSING: NextAction.ASK_AMAZON,
    Kind.DOUBLED: NextAction.ASK_AMAZON,
    Kind.UNKNOWN: NextAction.FIND_THE_SENDER,
    Kind.REFUNDED: NextAction.REPLACE_THE_CARD,
    Kind.ORPHANED: NextAction.ASK_AMAZON,
    Kind.REPLACED: NextAction.HAND_OUT_ANEW,
    Kind.AMOUNT_MISMATCH: NextAction.ASK_AMAZON,
    Kind.CURRENCY_MISMATCH: NextAction.ASK_AMAZON,
    Kind.PROVEN_ISSUED: NextAction.READ_THE_CODE,
    Kind.PROVEN_NOT_ISSUED: NextAction.ORDER_ANEW,
    Kind.STILL_OPEN: NextAction.COMPARE_AGAIN,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was found of one order.

    `recorded` is what lives, or may live, by the journal; `booked` what lives by Amazon, one amount
    for each card (without those whose row has no amount). `gc_ids` are Amazon's names of the cards
    that it shows, the live ones first. `version` is that of the journal's entry, if there is one.
    """

    kind: Kind
    operation: str
    request_id: str
    action: NextAction
    note: str = ""
    recorded: Money | None = None
    booked: tuple[Money, ...] = ()
    gc_ids: tuple[str, ...] = ()
    was_undone: bool = False
    version: int | None = None


@dataclass(slots=True)
class Totals:
    """Counts, and sums to the cent, by kind and currency."""

    counts: Counter[Kind] = field(default_factory=Counter[Kind])
    recorded: dict[tuple[Kind, str], Decimal] = field(
        default_factory=dict[tuple[Kind, str], Decimal]
    )
    booked: dict[tuple[Kind, str], Decimal] = field(default_factory=dict[tuple[Kind, str], Decimal])

    def add(self, finding: Finding) -> None:
        """Count one finding."""
        self.counts[finding.kind] += 1
        if finding.recorded is not None:
            _add(self.recorded, finding.kind, finding.recorded)
        for amount in finding.booked:
            _add(self.booked, finding.kind, amount)


def _add(sums: dict[tuple[Kind, str], Decimal], kind: Kind, amount: Money) -> None:
    key = kind, amount.currency
    sums[key] = sums.get(key, Decimal(0)) + amount.amount
