"""What an operation says of itself holds together, and reaches the engine."""

from dataclasses import replace

import pytest

from agcod_async.core.facts import Facts, Proof
from agcod_async.core.outcomes import Leg
from agcod_async.core.policy import RecoveryPolicy
from agcod_async.core.saga import Lookup
from agcod_async.engine.call import Call
from agcod_async.pacing.port import Lane
from agcod_async.values import RequestId
from tests.support.toy import COUNT, ISSUE, POUR, STAMP, WAKE, ToyQuestion, order


@pytest.mark.parametrize("proof", Proof)
def test_a_lookup_goes_with_the_proof_that_needs_one_and_with_no_other(proof: Proof) -> None:
    looks = proof is Proof.LOOKUP
    with pytest.raises(ValueError, match="Issue: a lookup goes with"):
        replace(ISSUE, proof=proof, lookup=None if looks else WAKE.lookup)


@pytest.mark.parametrize("operation", [WAKE, POUR])
def test_what_cannot_be_undone_needs_no_other_proof_than_its_replay(operation: object) -> None:
    assert operation in (WAKE, POUR)
    with pytest.raises(ValueError, match="without an undo"):
        replace(WAKE if operation is WAKE else POUR, undo=None)


@pytest.mark.parametrize(
    ("operation", "proof"),
    [(ISSUE, Proof.REPLAY), (WAKE, Proof.LOOKUP), (POUR, Proof.NOTHING), (STAMP, Proof.REPLAY)],
)
def test_an_intent_says_what_proves_it(operation: object, proof: Proof) -> None:
    for known in (ISSUE, WAKE, POUR, STAMP):
        if known is operation:
            assert known.bind(order()).proof is proof


def test_an_undo_without_a_documented_window_is_never_too_late_here() -> None:
    assert WAKE.bind(order()).undo_window_seconds is None


def test_a_lookup_is_encoded_under_the_id_in_use() -> None:
    lookup = WAKE.bind(order("Toy1")).legs(RequestId("Toy2")).lookup
    assert lookup is not None
    assert (lookup.operation, lookup.body) == ("IsAwake", b"look Toy2 10.00 USD")


def test_an_operation_without_a_lookup_is_never_looked_up() -> None:
    call = Call(
        intent=COUNT.bind(ToyQuestion("funds")),
        policy=RecoveryPolicy(),
        lane=Lane.BATCH,
        started_at=0.0,
        deadline_at=1.0,
        state=Lookup(Facts()),
    )
    assert call.state.leg is Leg.LOOKUP
    with pytest.raises(AssertionError, match="Count has no lookup"):
        call.next_operation  # noqa: B018  a property
