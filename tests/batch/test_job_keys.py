"""A job whose access keys are refused: it stands, says whom to ask, and goes on by itself."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

import pytest

from agcod_async.batch import (
    Cause,
    InDoubt,
    Issued,
    JobRun,
    Order,
    RowState,
    Settled,
    Stop,
    plan_job,
    view_job,
)
from agcod_async.batch.job import Job
from agcod_async.credentials import CredentialsProvider, RotatingCredentials
from agcod_async.settings import Settings
from agcod_async.testing import (
    EMULATOR_CREDENTIALS,
    Emulator,
    EmulatorConfig,
    FaultKind,
    FaultRule,
    FaultScript,
)
from agcod_async.testing.clock import run, virtual_clock
from agcod_async.values import Credentials, Money
from tests.support.fair import SETTINGS
from tests.support.jobs import Busy, Taker, counts, files, session_for

KEY_ID = EMULATOR_CREDENTIALS.access_key_id
NEW_KEY = Credentials(access_key_id="AKIDNEW0NEW0NEW0NEW0", secret_access_key="another-one")
NO_SUCH_KEY = "unknown access key"  # what is answered has no name: it is known by its text


@dataclass
class Stage:
    """A job of some orders, an emulator, and what the run has told."""

    directory: Path
    settings: Settings
    emulator: Emulator
    told: list[str] = field(default_factory=list)
    settled: list[Settled] = field(default_factory=list)

    async def job(self) -> Job:
        made = files(self.directory, self.settings)
        if (self.directory / "planned").exists():
            return await made.begun(name=None, source_digest=None, is_planned=True)
        job = await made.begun(name=None, source_digest=None)
        given = [
            Order(request_id=f"Emula{n:04}", amount=Money("10.00", "USD")) for n in range(1, 51)
        ]
        await plan_job(job, given)
        (self.directory / "planned").touch()
        return job

    async def run(
        self,
        meanwhile: Callable[[JobRun], Coroutine[object, object, None]],
        sink: Taker | None = None,
        *,
        deadline_seconds: float = 3600.0,
        concurrency: int = 4,
    ) -> dict[str, int]:
        """Run the job once, do something meanwhile, and return what the job has come to."""
        async with await self.job() as job, session_for(job, self.emulator) as session:
            job_run = JobRun(
                session,
                job,
                sink=sink,
                concurrency=concurrency,
                deadline_seconds=deadline_seconds,
                tell=self.told.append,
                clock=virtual_clock(),
            )

            async def collect() -> None:
                async for settled in job_run.settled():
                    self.settled.append(settled)

            task = asyncio.create_task(collect())
            await meanwhile(job_run)
            await task
            return await counts(job)

    def revoke(self) -> None:
        assert self.emulator.revoke_key(KEY_ID)

    def accept(self) -> None:
        self.emulator.accept_key(EMULATOR_CREDENTIALS)

    @property
    def stop_on_record(self) -> Stop | None:
        with view_job(self.directory) as view:
            return view.facts().stop


def stage(path: Path, credentials: Credentials | CredentialsProvider, *rules: FaultRule) -> Stage:
    config = EmulatorConfig(requests_per_second=None, faults=FaultScript(rules=rules))
    return Stage(
        path / "job",
        replace(SETTINGS, credentials=credentials),
        Emulator(config, clock=virtual_clock()),
    )


WAYS = [EMULATOR_CREDENTIALS, RotatingCredentials(EMULATOR_CREDENTIALS)]


@pytest.mark.parametrize("credentials", WAYS, ids=["one key", "a provider"])
def test_a_refused_key_stops_the_line_and_an_accepted_one_sets_it_going(
    tmp_path: Path, credentials: Credentials | CredentialsProvider
) -> None:
    on = stage(tmp_path, credentials)

    async def meanwhile(job_run: JobRun) -> None:
        await asyncio.sleep(2.05)
        on.revoke()
        await asyncio.sleep(3.0)
        stop = job_run.stop_of_line
        assert stop is not None
        assert (stop.code, stop.error_type) == (None, NO_SUCH_KEY)
        assert on.stop_on_record == stop, "whoever looks is told why"
        arrived = on.emulator.arrivals.total
        await asyncio.sleep(1000.0)
        assert on.emulator.arrivals.total - arrived <= 1000 / 30 + 4, "it is asked rarely"
        on.accept()

    assert run(on.run(meanwhile)) == {"issued": 50}
    assert on.emulator.ledger.balances()[0].live == Decimal("500.00")
    assert on.stop_on_record is None
    first, last = on.told
    assert "Amazon does not know the access key. Check that it is active" in first
    assert "ask Amazon's integration support" in first, "whom to ask"
    assert last == "the line goes on"


def test_a_key_that_is_supplied_sets_the_line_going_at_once(tmp_path: Path) -> None:
    keys = RotatingCredentials(EMULATOR_CREDENTIALS)
    on = stage(tmp_path, keys)

    async def meanwhile(job_run: JobRun) -> None:
        on.revoke()
        await asyncio.sleep(20.0)
        assert job_run.stop_of_line == Stop(Cause.KEY, None, NO_SUCH_KEY)
        assert len(job_run.open_rows) == 4, "those that found out wait, and no other joins them"
        on.emulator.accept_key(NEW_KEY)
        keys.use(NEW_KEY)
        await asyncio.sleep(3.0)
        assert job_run.stop_of_line is None
        assert job_run.counts[RowState.ISSUED] > 4

    assert run(on.run(meanwhile)) == {"issued": 50}


def test_orders_that_have_waited_for_a_key_in_vain_are_taken_again_by_the_same_run(
    tmp_path: Path,
) -> None:
    keys = RotatingCredentials(EMULATOR_CREDENTIALS)
    on = stage(tmp_path, keys)

    async def meanwhile(job_run: JobRun) -> None:
        on.revoke()
        await asyncio.sleep(2000.0)
        assert job_run.counts[RowState.PLANNED] >= 45
        assert job_run.stop_of_line == Stop(Cause.KEY, None, NO_SUCH_KEY)
        on.emulator.accept_key(NEW_KEY)
        keys.use(NEW_KEY)

    assert run(on.run(meanwhile, deadline_seconds=100.0)) == {"issued": 50}
    assert on.emulator.ledger.balances()[0].live == Decimal("500.00")


def test_a_provider_without_a_key_stops_the_line_too(tmp_path: Path) -> None:
    @dataclass
    class Vault:
        sealed: bool = True

        def keys(self) -> tuple[Credentials, ...]:
            return () if self.sealed else (EMULATOR_CREDENTIALS,)

    vault = Vault()
    on = stage(tmp_path, vault)

    async def meanwhile(job_run: JobRun) -> None:
        await asyncio.sleep(5.0)
        assert job_run.stop_of_line == Stop(Cause.KEY)
        (told,) = on.told
        assert "there is no access key to sign with. Have the provider" in told
        vault.sealed = False

    assert run(on.run(meanwhile)) == {"issued": 50}


@pytest.mark.parametrize("credentials", WAYS, ids=["one key", "a provider"])
def test_orders_in_doubt_whose_key_is_refused_wait_for_the_same_run(
    tmp_path: Path, credentials: Credentials | CredentialsProvider
) -> None:
    on = stage(tmp_path, credentials, FaultRule(fault=FaultKind.LOSE_REPLY, times=10_000))

    async def nothing(_: JobRun) -> None:
        pass

    async def main() -> None:
        assert await on.run(nothing, deadline_seconds=7.0, concurrency=50) == {"in_doubt": 50}
        on.emulator.play(FaultScript())
        on.revoke()
        arrived = on.emulator.arrivals.total
        on.settled.clear()

        async def meanwhile(job_run: JobRun) -> None:
            await asyncio.sleep(20.0)
            assert on.emulator.arrivals.total - arrived <= 4, "not one after the other"
            assert job_run.stop_of_line is not None
            on.accept()

        assert await on.run(meanwhile, deadline_seconds=600.0) == {"issued": 50}

    run(main())
    assert on.emulator.ledger.balances()[0].live == Decimal("500.00")
    ended = [one for one in on.settled if not one.again]
    assert [type(one.receipt.verdict) for one in ended] == [Issued] * 50
    assert {one.left for one in ended} == {RowState.IN_DOUBT}, "as the run has found them"
    assert all(isinstance(one.receipt.verdict, InDoubt) for one in on.settled if one.again)


def test_codes_that_are_read_back_wait_for_a_key_too(tmp_path: Path) -> None:
    on = stage(tmp_path, EMULATOR_CREDENTIALS)
    sink = Taker()

    async def nothing(_: JobRun) -> None:
        pass

    async def main() -> None:
        assert await on.run(nothing) == {"issued": 50}
        on.revoke()

        async def meanwhile(_: JobRun) -> None:
            await asyncio.sleep(20.0)
            on.accept()

        assert await on.run(meanwhile, sink) == {"delivered": 50}

    run(main())
    assert len(sink.cards) == 50


def test_a_plan_that_cannot_be_written_does_not_end_the_watch_over_the_keys(
    tmp_path: Path,
) -> None:
    on = stage(tmp_path, RotatingCredentials(EMULATOR_CREDENTIALS))

    async def main() -> None:
        async with await on.job() as job, session_for(job, on.emulator) as session:
            job_run = JobRun(session, job, concurrency=1, clock=virtual_clock())
            on.revoke()
            worker = job._worker
            task = asyncio.create_task(job_run.finish())
            await asyncio.sleep(0.6)
            job._worker = Busy()
            await asyncio.sleep(10.0)
            job._worker = worker
            assert job_run.stop_of_line is not None
            on.accept()
            await task
            assert await counts(job) == {"issued": 50}

    run(main())
