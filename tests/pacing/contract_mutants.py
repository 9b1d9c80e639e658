"""Bugs for the pacer: for every promise of the contract some that break it.

`python -m tests.pacing.contract_mutants NUMBER` plants one and prints the promise that it breaks.
"""

import itertools
import sys

from tests.simulation.planting import Mutant, plant

SCENARIOS_MAX = 150

MUTANTS = (
    Mutant(
        "cap",
        "a slot is free a window after the send, and not after the arrival",
        "pacing.window",
        "free_at = head.sent_at + self._arrival_bound_seconds if head else math.inf",
        "free_at = head.sent_at if head else math.inf",
    ),
    Mutant(
        "cap",
        "a lost request gives its slot back at once",
        "pacing.permit",
        "self._desk.gate.lost(self._ticket, self._desk.clock.monotonic())",
        "self._desk.gate.lost(self._ticket, self._desk.clock.monotonic())\n"
        "        [lease.unused() for lease in self._leases]",
    ),
    Mutant(
        "cap",
        "the smallest round trip is taken for the time on the way",
        "pacing.window",
        "max(0.0, smallest[0] - scatter) if is_known else 0.0",
        "smallest[0]",
    ),
    Mutant(
        "floor",
        "a throttle closes the gate for nobody",
        "pacing.permit",
        "self._desk.gate.throttled(self._ticket, now, self._desk.clock.chance())",
        "pass",
    ),
    Mutant(
        "floor",
        "the jitter goes off the floor",
        "core.delays",
        "return floor * (1.0 + 0.25 * chance)",
        "return floor * (1.0 - 0.25 * chance)",
    ),
    Mutant(
        "floor",
        "the pause does not double",
        "pacing.gate",
        "self._throttles_in_a_row += 1",
        "self._throttles_in_a_row = 1",
    ),
    Mutant(
        "floor",
        "undos are let through the closed gate",
        "pacing.pacer",
        "return max(self._gate.opens_at(now), free_at)",
        "undos = any(self._lanes._queues[Lane.RECOVERY].values())\n"
        "        return free_at if undos else max(self._gate.opens_at(now), free_at)",
    ),
    Mutant(
        "floor",
        "a permit that was given before the throttle is used",
        "pacing.permit",
        "return self._stage is _Stage.GIVEN and self._desk.gate.has_closed_since(self._ticket)",
        "return False",
    ),
    Mutant(
        "probe",
        "two probes go at once",
        "pacing.gate",
        "return self._closed_until if self._probe is None else math.inf",
        "return self._closed_until",
    ),
    Mutant(
        "floor",
        "a lost probe is followed by the next one at once",
        "pacing.gate",
        "            self._close_for(floor, now)",
        "            self._close_for(0.0, now)",
    ),
    Mutant(
        "slow start",
        "after the probe all of the rate is given",
        "pacing.gate",
        "            self._phase = _Phase.SLOW_START",
        "            self._phase = _Phase.OPEN",
    ),
    Mutant(
        "lanes",
        "the worst lane goes first",
        "pacing.lanes",
        "else min(heads)",
        "else max(heads)",
    ),
    Mutant(
        "lanes",
        "who came last goes first",
        "pacing.lanes",
        "waiter = next(iter(queue.values()))",
        "waiter = next(reversed(queue.values()))",
    ),
    Mutant(
        "lanes",
        "a lane may be passed over for ever",
        "pacing.lanes",
        "PASSED_OVER_MAX = 16",
        "PASSED_OVER_MAX = 1_000_000",
    ),
    Mutant(
        "lanes",
        "an undo waits with its caller's lane",
        "engine.call",
        "return self.lane if self.state.leg is Leg.FORWARD else Lane.RECOVERY",
        "return self.lane",
    ),
    Mutant(
        "deadlines",
        "a permit that was not used keeps its slot",
        "pacing.permit",
        "for lease in self._leases:\n            lease.unused()",
        "pass",
    ),
    Mutant(
        "deadlines",
        "a caller waits for the end of what is under way",
        "engine.inflight",
        "self._deadlines[seconds] = Deadlines(seconds, _wake)",
        "self._deadlines[seconds] = Deadlines(1e6, _wake)",
    ),
    Mutant(
        "service",
        "a probe that was answered is not over",
        "pacing.gate",
        "            self._probe = None\n            self._phase = _Phase.SLOW_START",
        "            self._phase = _Phase.SLOW_START",
    ),
    Mutant(
        "budget",
        "the budget is never dry",
        "core.budget",
        "return self.tokens < RETRY_COST",
        "return False",
        "stormy",
    ),
    Mutant(
        "budget",
        "a dry budget holds back undos too",
        "engine.runner",
        "if self._budget.is_dry and state.leg is not Leg.UNDO:",
        "if self._budget.is_dry:",
        "stormy",
    ),
    Mutant(
        "budget",
        "a retry costs nothing",
        "engine.runner",
        "self._budget = self._budget.spend()",
        "pass",
        "stormy",
    ),
)


def main(number: int) -> None:
    """Plant a mutant in this process, and print the first broken promise that shows it."""
    mutant = MUTANTS[number]
    plant(mutant)
    from tests.pacing.contract import played  # noqa: PLC0415  it imports the mutant
    from tests.pacing.promises import broken  # noqa: PLC0415  as above
    from tests.pacing.scenarios import HUNTS  # noqa: PLC0415  as above

    make = HUNTS[mutant.hunt]
    for seed in itertools.takewhile(SCENARIOS_MAX.__gt__, itertools.count()):
        found = [one for one in broken(played(make(seed))) if one.startswith(mutant.rule)]
        if found:
            print(seed, found[0])  # noqa: T201  for the parent
            return
    print("survives")  # noqa: T201  as above


if __name__ == "__main__":
    main(int(sys.argv[1]))
