"""Every short schedule of faults, for one order, against every way Amazon may behave.

A schedule is a list of choices, one for each request that is sent: 0 for the calm, or the number
of a fault in `SYSTEMATIC`. The next one differs from the last in as late a choice as possible.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import lru_cache

from agcod_async.agcod import AgcodSession
from agcod_async.core.policy import RecoveryPolicy
from agcod_async.testing import AfterUndo, RepeatedDeactivate, RepeatedLoad, Semantics
from tests.simulation.audit import audit
from tests.simulation.choices import Choices
from tests.simulation.clocks import EXACT, SKEW_MAX_SECONDS, Skew
from tests.simulation.faults import FAULTS, SYSTEMATIC, Fault, Process, Seen, Travel
from tests.simulation.history import ViolationError
from tests.simulation.loop import SimLoop
from tests.simulation.orders import Issued, Options, made
from tests.simulation.process import PATIENT_SECONDS, TRIES_MAX, Caller, ask, run_lives
from tests.simulation.world import World

WEIGHTS = (1.0,) * len(SYSTEMATIC)
KINDS = len(SYSTEMATIC) - 1
WAY_SECONDS = (0.02, 0.03)
POLICIES = {
    "default": RecoveryPolicy(),
    "duplicating": RecoveryPolicy(network_may_duplicate=True),
    "short": RecoveryPolicy(forward_attempts_max=3, undo_attempts_max=2, turns_max=1),
    "raise": RecoveryPolicy(on_burnt_id="raise"),
    "replay": RecoveryPolicy(on_temporarily_unavailable="replay", replays_before_undo=1),
    # The pauses are long, so that it matters which request a SETTLE waits for.
    "slow": RecoveryPolicy(backoff_base_seconds=20.0, backoff_max_seconds=20.0),
}


VARIANTS: dict[str, dict[str, str]] = {
    "": {},
    "killed-late": {"killed after sending": "killed, lands late"},
    "half-a-day": {"killed after sending": "killed, half a day down"},
    "told-to-end": {"killed after sending": "told to end"},
    "frozen": {"killed after sending": "frozen", "refused": "frozen until stale"},
    "twice": {"request lost": "twice"},
    "codeless": {"request lost": "no code"},
}
"""Faults that are put into schedules in the place of others."""
CLOCKS = {"": EXACT, "fast": Skew(SKEW_MAX_SECONDS), "slow": Skew(-SKEW_MAX_SECONDS)}
"""Clocks of the machine: right, or as wrong as is promised to do no harm."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What a set of schedules has in common."""

    family: str
    semantics: str
    policy: str = "default"
    late_seconds: float = 290.0
    deadline_seconds: float = PATIENT_SECONDS
    calls_again: bool = False
    """Whether a caller who has the card calls once more, to read its code back."""
    orphaned: bool = False
    """Whether nobody calls again after a crash: `reconcile()` alone must do."""
    variant: str = ""
    """Which fault takes the place of another: see `VARIANTS`."""
    clock: str = ""
    """Which clock the machine has: see `CLOCKS`."""

    def __str__(self) -> str:
        flags = ":again" * self.calls_again + ":orphaned" * self.orphaned
        if self.clock:
            flags += f":{self.clock}"
        if self.variant:
            flags += f":{self.variant}"
        return (
            f"{self.family}:{self.semantics}:{self.policy}:"
            f"{self.late_seconds:g}:{self.deadline_seconds:g}{flags}"
        )

    @classmethod
    def parsed(cls, text: str) -> "Setup":
        """Read what `str` has written."""
        family, semantics, policy, late, deadline, *flags = text.split(":")
        return cls(
            family=family,
            semantics=semantics,
            policy=policy,
            late_seconds=float(late),
            deadline_seconds=float(deadline),
            calls_again="again" in flags,
            orphaned="orphaned" in flags,
            variant=next((flag for flag in flags if flag in VARIANTS), ""),
            clock=next((flag for flag in flags if flag in CLOCKS), ""),
        )

    @property
    def may_stay_in_doubt(self) -> bool:
        """Whether it may be too late to learn what became of an order, or impossible."""
        parts = self.semantics.split(",")
        untold = "after_void=refuse" in parts or "repeated_load=none" in parts
        return self.variant == "half-a-day" or (self.family == "load" and untold)


class Plan:
    """A schedule being played."""

    def __init__(self, choices: Choices, late_seconds: float, variant: str = "") -> None:
        self._choices = choices
        self._late_seconds = late_seconds
        self._instead = VARIANTS[variant]
        self.write_seconds_max = 0.0

    def next(self, _operation: str) -> Fault:
        fault = SYSTEMATIC[self._choices.pick(WEIGHTS)]
        return FAULTS[self._instead.get(fault.name, fault.name)]

    def way(self) -> tuple[float, float]:
        return WAY_SECONDS

    def late_seconds(self) -> float:
        return self._late_seconds

    def slow_seconds(self) -> float:
        return sum(WAY_SECONDS)

    def date(self, seconds: float) -> float | None:
        return float(int(seconds))

    def journal(self) -> str:
        return ""

    def write_seconds(self) -> float:
        return 0.0


@lru_cache(maxsize=64)
def _semantics(text: str) -> Semantics:
    return Semantics.from_text(text)


def played(setup: Setup, choices: Choices, loop: SimLoop) -> World:
    """Play one schedule and hold it to every promise; raises `ViolationError`."""
    world = World(
        loop=loop,
        faults=Plan(choices, setup.late_seconds, setup.variant),
        semantics=_semantics(setup.semantics),
        policy=POLICIES[setup.policy],
        machines=(CLOCKS[setup.clock],),
    )
    order = made(1, setup.family)
    world.add(order)
    tries_max = 2 if setup.may_stay_in_doubt else TRIES_MAX
    caller = Caller(order, Options(setup.deadline_seconds), tries_max=tries_max)
    caller.comes_back = not setup.orphaned

    async def again(session: AgcodSession, caller: Caller, _card: Issued) -> None:
        if setup.calls_again:
            await ask(world, session, caller)

    left = run_lives(world, [caller], again)
    audit(world)
    if left:
        raise ViolationError("I12", left[0])
    if setup.may_stay_in_doubt:
        return world
    if world.record.reconcilable():
        raise ViolationError("I15", "the faults have ended, and the order is still open")
    if caller.in_doubt and caller.comes_back:
        raise ViolationError("I15", "the faults have ended, and the order is still in doubt")
    return world


def _choices(is_one: Callable[[Fault], bool]) -> frozenset[int]:
    """Return the choices that stand for such faults."""
    return frozenset(choice for choice, fault in enumerate(SYSTEMATIC) if is_one(fault))


UNDOING = _choices(lambda fault: fault.seen is Seen.F400)
"""What Amazon asks for an undo by. Nothing else leads to one: rule R3, held against every run."""
KILLING = _choices(lambda fault: fault.process is not Process.RUNS)
LANDING_LATE = _choices(lambda fault: fault.travel is Travel.LATE)


def plain(setup: Setup) -> Setup:
    """Return the setup of its family that differs from all others in one thing, or in some."""
    return Setup(setup.family, semantics_of(setup.family)[0])


def telling_apart(setup: Setup) -> frozenset[int] | None:
    """Return the choices that tell a setup from its plain one.

    A schedule with none of them is the very same under both, if it has all the faults that it may
    have. None if any schedule may differ.
    """
    if setup.may_stay_in_doubt:
        return None  # its callers have less patience
    other = plain(setup)
    names = [one.name for one in fields(setup)]
    match [name for name in names if getattr(setup, name) != getattr(other, name)]:
        case ["semantics"]:
            # All of Amazon's ways but one are about what an undo does and what follows it.
            again = "repeated_load="
            is_about_undos = (
                setup.semantics.partition(again)[2] == other.semantics.partition(again)[2]
            )
            return UNDOING if is_about_undos else None
        case ["policy"] if setup.policy in ("raise", "replay"):
            return UNDOING
        case ["variant"]:
            return _choices(lambda fault: fault.name in VARIANTS[setup.variant])
        case ["late_seconds"]:
            return LANDING_LATE
        case ["orphaned"]:
            return KILLING
        case _:
            return None


def semantics_of(family: str) -> list[str]:
    """Return every way in which Amazon may answer this family, as text."""
    unknown = ("not-found", "noop", "fence")
    match family:
        case "create":
            return [f"{after},{how}" for after in ("tombstone", "reissue") for how in unknown]
        case "activate":
            return [
                f"{how},after_deactivate={after.value},repeated_deactivate={again.value}"
                for how in unknown
                for after in AfterUndo
                for again in RepeatedDeactivate
            ]
        case _:
            return [
                f"{how},after_void={after.value},repeated_load={again.value}"
                for how in unknown
                for after in AfterUndo
                for again in RepeatedLoad
            ]
