"""`agcod funds`: what the account can still spend."""

from argparse import ArgumentParser, Namespace

from agcod_async.agcod import AgcodSession
from agcod_async.cli.exits import ExitCode
from agcod_async.cli.one_call import add_common_arguments, run_call
from agcod_async.cli.printing import Shown
from agcod_async.providers.agcod.messages import AvailableFunds

MOVES_VALUE = False


def add_arguments(parser: ArgumentParser) -> None:
    """Add what the command takes."""
    add_common_arguments(parser)


def run(arguments: Namespace) -> ExitCode:
    """Ask for the funds. Amazon's sandbox always says 0."""

    async def funds(session: AgcodSession) -> AvailableFunds:
        return await session.get_available_funds(deadline_seconds=arguments.deadline)

    return run_call(funds, _shown, as_json=arguments.json)


def _shown(funds: AvailableFunds) -> Shown:
    return {
        "amount": str(funds.amount.amount),
        "currency": funds.amount.currency,
        "as_of": None if funds.as_of is None else funds.as_of.isoformat(),
    }
