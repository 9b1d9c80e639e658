"""`agcod create`: issue one gift card."""

from argparse import ArgumentParser, Namespace

from agcod_async.agcod import AgcodSession
from agcod_async.cli.amounts import money
from agcod_async.cli.exits import ExitCode
from agcod_async.cli.one_call import add_common_arguments, run_call
from agcod_async.cli.printing import Shown
from agcod_async.providers.agcod.messages import GiftCard

MOVES_VALUE = True


def add_arguments(parser: ArgumentParser) -> None:
    """Add what the command takes."""
    parser.add_argument("--request-id", required=True, metavar="ID", help="the order's own ID")
    parser.add_argument("--amount", required=True, help="such as 25.00")
    parser.add_argument("--currency", required=True, help="such as USD")
    parser.add_argument("--program-id", metavar="ID", help="for resellers")
    parser.add_argument("--product-type", metavar="TYPE", help="for product vouchers")
    parser.add_argument(
        "--external-reference", metavar="TEXT", help="your own note; keep recipients out of it"
    )
    parser.add_argument(
        "--reveal", action="store_true", help="print the claim code; without it, it stays hidden"
    )
    add_common_arguments(parser)


def run(arguments: Namespace) -> ExitCode:
    """Issue the card; the same ID and amount bring the same card again."""
    amount = money(arguments.amount, arguments.currency)

    async def create(session: AgcodSession) -> GiftCard:
        return await session.create_gift_card(
            request_id=arguments.request_id,
            amount=amount,
            program_id=arguments.program_id,
            product_type=arguments.product_type,
            external_reference=arguments.external_reference,
            deadline_seconds=arguments.deadline,
        )

    def show(card: GiftCard) -> Shown:
        return _shown(card, reveal=arguments.reveal)

    return run_call(create, show, as_json=arguments.json)


def _shown(card: GiftCard, *, reveal: bool) -> Shown:
    return {
        "request_id": str(card.request_id),
        "gc_id": card.gc_id,
        "claim_code": card.claim_code.reveal() if reveal else str(card.claim_code),
        "amount": str(card.amount.amount),
        "currency": card.amount.currency,
        "expires_at": None if card.expires_at is None else card.expires_at.isoformat(),
        "card_status": card.card_status,
        "replayed": card.replayed,
        "attempts": card.attempts,
    }
