"""`agcod cancel`: cancel one gift card that nobody has claimed."""

from argparse import ArgumentParser, Namespace

from agcod_async.agcod import AgcodSession
from agcod_async.cli.exits import ExitCode
from agcod_async.cli.one_call import add_common_arguments, run_call
from agcod_async.cli.printing import Shown
from agcod_async.providers.agcod.messages import Cancellation

MOVES_VALUE = True


def add_arguments(parser: ArgumentParser) -> None:
    """Add what the command takes."""
    parser.add_argument(
        "--request-id", required=True, metavar="ID", help="the ID under which the card lives"
    )
    parser.add_argument("--gc-id", metavar="ID", help="Amazon's name of the card, if you have it")
    add_common_arguments(parser)


def run(arguments: Namespace) -> ExitCode:
    """Cancel the card."""

    async def cancel(session: AgcodSession) -> Cancellation:
        return await session.cancel_gift_card(
            request_id=arguments.request_id,
            gc_id=arguments.gc_id,
            deadline_seconds=arguments.deadline,
        )

    return run_call(cancel, _shown, as_json=arguments.json)


def _shown(cancellation: Cancellation) -> Shown:
    return {
        "request_id": str(cancellation.request_id),
        "gc_id": cancellation.gc_id,
        "cancelled": True,
    }
