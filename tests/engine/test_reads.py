"""A read moves no value, so there is nothing that it could leave in doubt."""

import pytest

from agcod_async.core.policy import RecoveryPolicy
from agcod_async.errors import AgcodError, DeclinedError, UnavailableError
from agcod_async.testing.clock import run
from tests.support.scripted import HANG, LOST, Step
from tests.support.stage import stage
from tests.support.toy import COUNT, ToyQuestion

TWICE = RecoveryPolicy(network_may_duplicate=True, forward_attempts_max=2)


@pytest.mark.parametrize(
    ("script", "error"),
    [
        (["refused:F300"], DeclinedError),
        ([LOST, "refused:F300"], DeclinedError),
        (["throttled", "throttled"], UnavailableError),
        (["throttled", LOST], UnavailableError),
        (["resend", HANG], UnavailableError),
        (["unclear", "dead"], UnavailableError),
    ],
)
def test_a_read_is_not_in_doubt_where_requests_may_be_doubled(
    script: list[Step], error: type[AgcodError]
) -> None:
    async def main() -> None:
        async with stage(script, policy=TWICE) as s:
            with pytest.raises(error):
                await s.session.call(COUNT, ToyQuestion("funds"))

            assert len(s.transport.sent) == len(script)

    run(main())


def test_a_read_that_runs_out_of_time_is_not_in_doubt_where_requests_may_be_doubled() -> None:
    async def main() -> None:
        async with stage(["throttled", HANG], policy=TWICE) as s:
            with pytest.raises(UnavailableError):
                await s.session.call(COUNT, ToyQuestion("funds"), deadline_seconds=3)

    run(main())


def test_what_moves_value_is_in_doubt_there() -> None:
    async def main() -> None:
        async with stage(["refused:F300"], policy=TWICE) as s:
            with pytest.raises(AgcodError) as caught:
                await s.issue()

            assert not isinstance(caught.value, DeclinedError)

    run(main())
