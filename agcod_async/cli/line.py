"""The session of a batch, and what can be seen of it while it works."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from agcod_async.agcod import AgcodSession
from agcod_async.cli.traffic import Traffic
from agcod_async.clock import Clock
from agcod_async.core.policy import RecoveryPolicy
from agcod_async.figures.pace import PaceMeter
from agcod_async.journal.base import Journal
from agcod_async.pacing.pacer import LocalPacer
from agcod_async.providers.agcod.operations import AGCOD
from agcod_async.settings import Settings
from agcod_async.wire.port import Transport


@dataclass(frozen=True, slots=True)
class Line:
    """A session, and what can be seen of it while it works."""

    session: AgcodSession
    pacer: LocalPacer
    traffic: Traffic
    pace: PaceMeter


@asynccontextmanager
async def open_line(
    settings: Settings,
    *,
    policy: RecoveryPolicy = RecoveryPolicy(),  # noqa: B008  immutable
    transport: Transport | None = None,
    journal: Journal | None = None,
) -> AsyncGenerator[Line, None]:
    """Open a session whose pacer and traffic can be watched, and close everything with it."""
    traffic, pace = Traffic(), PaceMeter(settings.requests_per_second, Clock())
    observers = (traffic.observe, pace.observe)
    pacer = LocalPacer(
        requests_per_second=settings.requests_per_second,
        sub_limits=AGCOD.sub_limits,
        policy=policy,
    )
    try:
        async with AgcodSession(
            settings,
            transport=transport,
            journal=journal,
            pacer=pacer,
            observers=observers,
            policy=policy,
        ) as session:
            yield Line(session, pacer, traffic, pace)
    finally:
        await pacer.aclose()
        if transport is not None:
            await transport.aclose()
