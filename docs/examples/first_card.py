"""One gift card from an emulator in this process: no network, no account, no money."""

import asyncio

from agcod_async import AgcodSession, Money, RequestId, Settings
from agcod_async.testing import EMULATOR_CREDENTIALS, EMULATOR_PARTNER_ID, Emulator


async def main() -> None:
    """Create a card, print it, and hand its code on."""
    settings = Settings(credentials=EMULATOR_CREDENTIALS, partner_id=EMULATOR_PARTNER_ID)
    # Made from the key of your order, so that no crash can lose it.
    request_id = RequestId.derive(settings.partner_id, "order 1001")

    async with AgcodSession(settings, transport=Emulator().transport()) as session:
        card = await session.create_gift_card(request_id=request_id, amount=Money("25.00", "USD"))

    print(card)  # its claim code stays hidden
    print("for the customer's eyes:", card.claim_code.reveal())


if __name__ == "__main__":
    asyncio.run(main())
