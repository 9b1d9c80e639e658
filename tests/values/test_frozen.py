import inspect
from dataclasses import FrozenInstanceError, fields, is_dataclass

import pytest

from agcod_async import events, session, settings, values
from agcod_async.batch import (
    funds,
    intake,
    job_queries,
    job_rows,
    orders,
    stop_line,
    verdicts,
)
from agcod_async.core import budget, outcomes, policy
from agcod_async.engine import attempt, call
from agcod_async.figures import figures, latency, pace
from agcod_async.providers import base

MUTABLE = {call.Call, latency.LatencyMeter}
"""What changes: how far a running call has come, and what is being measured."""
VALUES = sorted(
    {
        thing
        for module in (
            attempt,
            base,
            budget,
            call,
            events,
            figures,
            funds,
            intake,
            job_queries,
            job_rows,
            latency,
            orders,
            outcomes,
            pace,
            policy,
            session,
            settings,
            stop_line,
            values,
            verdicts,
        )
        for thing in vars(module).values()
        if inspect.isclass(thing) and is_dataclass(thing) and thing.__module__ == module.__name__
    }
    - MUTABLE,
    key=lambda thing: thing.__qualname__,
)


@pytest.mark.parametrize("kind", VALUES, ids=lambda kind: kind.__qualname__)
def test_a_value_never_changes_and_takes_no_new_fields(kind: type) -> None:
    # Built without its arguments: how a value refuses to change does not depend on them.
    value = object.__new__(kind)

    for name in ("anything", *(field.name for field in fields(kind))):
        with pytest.raises((FrozenInstanceError, TypeError)):
            setattr(value, name, 1)
    assert not hasattr(value, "__dict__")


def test_the_modules_that_are_looked_at_have_values() -> None:
    assert len(VALUES) > 40
