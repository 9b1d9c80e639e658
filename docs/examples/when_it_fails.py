"""What an exception says about the money, and what to do next.

The emulator is told to answer each order with a fault of its own, in virtual time: what would
take a minute takes none.
"""

from agcod_async import (
    AgcodSession,
    DeclinedError,
    InDoubtError,
    Money,
    ReversedError,
    Settings,
    UnavailableError,
)
from agcod_async.testing import (
    EMULATOR_CREDENTIALS,
    EMULATOR_PARTNER_ID,
    Emulator,
    EmulatorConfig,
    FaultKind,
    FaultRule,
    FaultScript,
)
from agcod_async.testing.clock import run, virtual_clock

FAULTS = FaultScript(
    rules=(
        FaultRule(request_id="EmulaBrokenOnce", fault=FaultKind.RESET_AFTER),
        FaultRule(request_id="EmulaTooMuch", fault=FaultKind.THROTTLE, times=100),
        FaultRule(request_id="EmulaSilent", fault=FaultKind.LOSE_REPLY, times=100),
    )
)


async def main() -> None:
    """Order four cards; only the first order goes well, though its first answer is lost."""
    settings = Settings(credentials=EMULATOR_CREDENTIALS, partner_id=EMULATOR_PARTNER_ID)
    clock = virtual_clock()
    emulator = Emulator(EmulatorConfig(faults=FAULTS), clock=clock)
    async with AgcodSession(settings, transport=emulator.transport(), clock=clock) as session:
        for request_id, amount in (
            ("EmulaBrokenOnce", Money("25.00", "USD")),
            ("EmulaWrongMoney", Money("25.00", "EUR")),
            ("EmulaTooMuch", Money("25.00", "USD")),
            ("EmulaSilent", Money("25.00", "USD")),
        ):
            print(f"{request_id:16} {await order(session, request_id, amount)}")


async def order(session: AgcodSession, request_id: str, amount: Money) -> str:
    """Order one card, and say what to do if there is none."""
    try:
        card = await session.create_gift_card(
            request_id=request_id, amount=amount, deadline_seconds=60
        )
    except DeclinedError as error:
        return f"no card, and there will be none until somebody acts: {error.reason}"
    except UnavailableError:
        return "no card; order again later, under the same ID"
    except ReversedError:
        return "no card: it was issued and is dead; a new order needs a new ID"
    except InDoubtError as error:
        return f"perhaps a card: never use a new ID; next: {error.next_safe_action}"
    return f"a card, after {card.attempts} attempts"


if __name__ == "__main__":
    run(main())
