"""What is kept of a call that ends, and how a call goes on from what was kept."""

from dataclasses import replace
from typing import assert_never

from agcod_async.core.facts import Facts, Proof
from agcod_async.core.outcomes import Leg
from agcod_async.core.policy import RecoveryPolicy
from agcod_async.core.saga import Forward, Lookup, State, Undo
from agcod_async.core.verdicts import Declined, InDoubt, Issued, Reversed, Unavailable, Verdict


def resume(leg: Leg, facts: Facts, proof: Proof) -> State:
    """Return where a call goes on from its record: an undo or a lookup there is finished first."""
    match leg:
        case Leg.FORWARD if facts.perhaps_undone and proof is Proof.NOTHING:
            return Undo(facts, proof=proof)  # rule R14: the ID was undone, and then given up
        case Leg.FORWARD:
            return Forward(facts, proof=proof)
        case Leg.UNDO:
            return Undo(facts, proof=proof)
        case Leg.LOOKUP:
            return Lookup(facts)
        case _:
            assert_never(leg)


def sending(state: State) -> State:
    """Return the state that a call is in while the attempt that `state` asks for is under way."""
    return replace(state, facts=state.facts_when_sent)


def unmade(state: State, policy: RecoveryPolicy) -> State:
    """Return where a call stands when its attempt was refused for nothing but its access key.

    As if the attempt had not been made: it was not let in, and it will be made again. A copy of
    it may still be let in later, by a key that is accepted again.
    """
    return sending(state) if policy.network_may_duplicate else state


def on_record(state: State, verdict: Verdict) -> Facts:
    """Return the facts to keep when a call has ended from `state` with `verdict`.

    The record holds the pessimistic facts of the attempt until now. A verdict that is
    certain corrects them, so that a later call under the same ID is not more careful than it must
    be; anything else leaves them as they are.
    """
    match verdict:
        case Issued():
            return state.facts_when_sent.confirming()
        case Declined() | Unavailable():
            return state.facts  # such a verdict exists only where nothing was doubtful before
        case Reversed() | InDoubt():
            # Out of time before or during a SETTLE pause, nothing has been waited out.
            facts = state.facts_when_sent
            return replace(facts, tainted=facts.tainted or state.facts.tainted)
        case _:
            assert_never(verdict)
