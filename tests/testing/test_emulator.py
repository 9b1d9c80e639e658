"""The emulator inside the process, on virtual time."""

import asyncio
import json
import traceback
from decimal import Decimal
from typing import Any

import pytest

from agcod_async.clock import Clock
from agcod_async.core.outcomes import Lost, Reply, Unclear, Untouched
from agcod_async.settings import Settings
from agcod_async.testing import (
    EMULATOR_CREDENTIALS,
    EMULATOR_PARTNER_ID,
    CardStatus,
    Emulator,
    EmulatorConfig,
    EmulatorTransport,
    FaultKind,
    FaultRule,
    FaultScript,
    ThrottleModel,
    views,
)
from agcod_async.testing.clock import run, virtual_clock
from agcod_async.values import InvalidValueError, Money
from agcod_async.wire.port import Exchanged, Transport
from tests.testing.requests import (
    CARD,
    ID,
    JSON,
    activate,
    cancel,
    config,
    create,
    deactivate,
    load,
    members,
    signed,
)

URL = "https://agcod-v2-gamma.amazon.com"


def emulator(**knobs: Any) -> Emulator:
    return Emulator(config(**knobs), clock=virtual_clock())


def script(kind: str, seconds: float = 0.0, **more: Any) -> FaultScript:
    return FaultScript(rules=(FaultRule(fault=FaultKind(kind), seconds=seconds, **more),))


async def send(transport: EmulatorTransport, operation: str, body: bytes) -> Exchanged:
    return await transport.send(f"{URL}/{operation}", JSON, body)


async def sent(transport: EmulatorTransport, operation: str, body: bytes) -> dict[str, Any]:
    reply = await send(transport, operation, body)
    assert isinstance(reply, Reply)
    return members(reply)


def status_of(local: Emulator, request_id: str = ID) -> CardStatus | None:
    card = local.ledger.card(request_id)
    return None if card is None else card.status


def test_it_is_a_transport() -> None:
    transport: Transport = Emulator().transport()

    assert isinstance(transport, EmulatorTransport)


def test_it_checks_signatures_for_whatever_host_the_session_signs() -> None:
    async def main() -> Exchanged:
        local = Emulator(clock=virtual_clock())
        headers = signed("CreateGiftCard", create(), url=URL)
        named = {name.title(): value for name, value in headers.items()}  # any case will do
        return await local.transport().send(f"{URL}/CreateGiftCard", named, create())

    reply = run(main())
    assert isinstance(reply, Reply)
    assert members(reply)["status"] == "SUCCESS"


def test_a_lost_reply_waits_until_it_is_cancelled() -> None:
    async def main() -> float:
        local = emulator(faults=script("lose_reply"))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(6):
                await send(local.transport(), "CreateGiftCard", create())
        assert status_of(local) is CardStatus.LIVE
        return asyncio.get_running_loop().time()

    assert 6 <= run(main()) < 6.1


def test_a_slow_reply_takes_its_time() -> None:
    async def main() -> float:
        local = emulator(faults=script("slow", 5))
        assert (await sent(local.transport(), "CreateGiftCard", create()))["status"] == "SUCCESS"
        return asyncio.get_running_loop().time()

    assert 5 <= run(main()) < 5.1


def test_a_caller_that_gives_up_does_not_take_the_effect_back() -> None:
    async def main() -> CardStatus | None:
        local = emulator(faults=script("slow", 5))
        task = asyncio.create_task(send(local.transport(), "CreateGiftCard", create()))
        await asyncio.sleep(1)
        task.cancel()
        await asyncio.wait([task])
        return status_of(local)

    assert run(main()) is CardStatus.LIVE


def test_what_lands_late_lands_by_itself() -> None:
    async def main() -> list[CardStatus | None]:
        local = emulator(faults=script("land_late", 20))
        task = asyncio.create_task(send(local.transport(), "CreateGiftCard", create()))
        seen: list[CardStatus | None] = []
        for seconds in (19, 2):
            await asyncio.sleep(seconds)
            seen.append(status_of(local))
        task.cancel()
        await asyncio.wait([task])
        return seen

    assert run(main()) == [None, CardStatus.LIVE]


def test_several_late_landings_land_each_in_its_time() -> None:
    async def main() -> list[int]:
        rules = tuple(
            FaultRule(fault=FaultKind.F400_LATE, seconds=seconds, nth=nth)
            for nth, seconds in ((1, 30), (2, 10), (3, 20))
        )
        local = emulator(faults=FaultScript(rules=rules))
        for number in range(3):
            await sent(local.transport(), "CreateGiftCard", create(f"{ID}{number}"))
        landed: list[int] = []
        for _ in range(4):
            await asyncio.sleep(9.99 if not landed else 10)
            landed.append(len(list(local.ledger.cards())))
        return landed

    assert run(main()) == [0, 1, 2, 3]


def test_what_is_in_flight_survives_the_death_of_its_event_loop() -> None:
    local = emulator(faults=script("land_late", 20))

    async def crash() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(6):
                await send(local.transport(), "CreateGiftCard", create())
        await sent(local.transport(), "CreateGiftCard", create("Emula2"))

    async def come_back() -> list[CardStatus | None]:
        transport = local.transport()
        await sent(transport, "CreateGiftCard", create("Emula3"))
        seen: list[CardStatus | None] = []
        for seconds in (13.9, 0.2):  # this loop's clock began at 0 again, the emulator's at 6
            await asyncio.sleep(seconds)
            seen.append(status_of(local))
        return seen

    run(crash())
    assert status_of(local) is None
    assert run(come_back()) == [None, CardStatus.LIVE]


def test_a_timer_that_comes_early_is_set_again() -> None:
    slow = Clock(monotonic=lambda: asyncio.get_running_loop().time() * 0.9)

    async def main() -> CardStatus | None:
        local = Emulator(config(faults=script("f400_late", 20)), clock=slow)
        await sent(local.transport(), "CreateGiftCard", create())
        await asyncio.sleep(25)  # 22.5 s on the emulator's clock
        return status_of(local)

    assert run(main()) is CardStatus.LIVE


def test_everything_in_flight_can_be_made_to_land() -> None:
    local = emulator(faults=script("f400_late", 600, times=2))

    async def main() -> None:
        transport = local.transport()
        await sent(transport, "CreateGiftCard", create())
        await sent(transport, "CancelGiftCard", cancel())

    run(main())
    assert local.in_flight == 2
    local.land_everything()  # no event loop is needed for that
    assert local.in_flight == 0
    assert status_of(local) is CardStatus.DEAD


def test_a_reset_is_a_lost_request_and_an_oversized_reply_an_unclear_one() -> None:
    async def main() -> tuple[Exchanged, Exchanged]:
        rules = (
            FaultRule(fault=FaultKind.RESET, nth=1),
            FaultRule(fault=FaultKind.OVERSIZED, nth=2),
        )
        transport = emulator(faults=FaultScript(rules=rules)).transport()
        first = await send(transport, "CreateGiftCard", create())
        return first, await send(transport, "CreateGiftCard", create())

    first, second = run(main())
    assert isinstance(first, Lost)
    assert isinstance(second, Unclear)


def test_a_closed_transport_sends_nothing_and_leaves_the_emulator_open() -> None:
    async def main() -> Emulator:
        local = emulator()
        first, second = local.transport(), local.transport()
        await first.aclose()
        assert isinstance(await send(first, "CreateGiftCard", create()), Untouched)
        assert status_of(local) is None
        await sent(second, "CreateGiftCard", create())
        return local

    assert status_of(run(main())) is CardStatus.LIVE


def test_the_cap_is_held_in_virtual_time() -> None:
    async def main() -> Emulator:
        local = emulator(requests_per_second=10.0)
        transport = local.transport()
        for number in range(40):
            await send(transport, "CreateGiftCard", create(f"Emula{number}"))
            await asyncio.sleep(0.05)
        return local

    local = run(main())
    assert local.arrivals.by_result == {"SUCCESS": 20, "throttled": 20}
    assert local.arrivals.busiest.requests == 20


def test_a_script_can_be_changed_while_it_runs_and_reset_starts_over() -> None:
    async def main() -> None:
        local = emulator(faults=script("land_late", 5))
        transport = local.transport()
        task = asyncio.create_task(send(transport, "CreateGiftCard", create()))
        await asyncio.sleep(1)
        task.cancel()
        await asyncio.wait([task])
        local.play(script("f500"))
        assert (await sent(transport, "CreateGiftCard", create()))["errorCode"] == "F500"

        local.reset()

        assert (local.arrivals.total, local.in_flight, local.ledger.history) == (0, 0, ())
        await asyncio.sleep(10)
        assert status_of(local) is None
        task = asyncio.create_task(send(transport, "CreateGiftCard", create()))
        await asyncio.sleep(6)  # the script of the configuration plays again
        assert status_of(local) is CardStatus.LIVE
        task.cancel()
        await asyncio.wait([task])

    run(main())


def test_a_claimed_card_is_beyond_cancelling() -> None:
    async def main() -> dict[str, Any]:
        local = emulator()
        transport = local.transport()
        assert not local.claim(ID)
        await sent(transport, "CreateGiftCard", create())
        assert local.claim(ID)
        return await sent(transport, "CancelGiftCard", cancel())

    assert run(main())["errorCode"] == "F200"


def test_a_customer_can_use_a_physical_card_and_spend_a_load() -> None:
    async def main() -> list[dict[str, Any]]:
        local = emulator(faults=script("f400_late", 5, operation="LoadAmazonBalance"))
        transport = local.transport()
        assert not local.claim_card(CARD)
        await sent(transport, "ActivateGiftCard", activate())
        assert local.claim_card(CARD)
        await sent(transport, "LoadAmazonBalance", load())
        assert not local.spend(ID)
        await asyncio.sleep(5)
        assert local.spend(ID)
        return [
            await sent(transport, "DeactivateGiftCard", deactivate()),
            await sent(transport, "VoidAmazonBalanceLoad", load()),
        ]

    assert [answer["errorType"] for answer in run(main())] == [
        "InvalidCardStatusForDeactivation",
        "BalanceLoadCannotBeVoided",
    ]


@pytest.mark.parametrize(
    ("forward", "undo"),
    [
        (("ActivateGiftCard", activate()), ("DeactivateGiftCard", deactivate())),
        (("LoadAmazonBalance", load()), ("VoidAmazonBalanceLoad", load())),
    ],
)
def test_an_undo_that_lands_late_undoes_what_was_confirmed_before(
    forward: tuple[str, bytes], undo: tuple[str, bytes]
) -> None:
    async def main() -> list[Decimal]:
        local = emulator(faults=script("f400_late", 20, operation=undo[0]))
        transport = local.transport()
        debited: list[Decimal] = []
        await sent(transport, *forward)
        await sent(transport, *undo)
        for seconds in (19, 2):
            assert (await sent(transport, *forward))["status"] == "SUCCESS"
            debited.append(local.ledger.balances()[0].debited)
            await asyncio.sleep(seconds)
        assert (await sent(transport, *forward))["status"] == "SUCCESS"
        debited.append(local.ledger.balances()[0].debited)
        return debited

    assert run(main()) == [25, 25, 0]


def test_equal_seeds_give_equal_runs() -> None:
    async def main(seed: int) -> str:
        transport = emulator(seed=seed).transport()
        return str((await sent(transport, "CreateGiftCard", create()))["gcClaimCode"])

    assert run(main(1)) == run(main(1)) != run(main(2))


def test_nothing_shows_a_claim_code() -> None:
    async def main() -> tuple[Emulator, Reply]:
        local = emulator(faults=script("oversized", nth=2))
        reply = await send(local.transport(), "CreateGiftCard", create())
        assert isinstance(reply, Reply)
        await send(local.transport(), "CreateGiftCard", create())
        return local, reply

    local, reply = run(main())
    card = local.ledger.card(ID)
    assert card is not None
    code = card.claim_code.reveal()
    assert code in str(members(reply))
    shown = [
        repr(thing) for thing in (local, card, local.ledger.history, local.arrivals.latest, reply)
    ]
    shown += [json.dumps(view) for view in (views.ledger(local), views.requests(local))]
    assert ID in "".join(shown)
    assert code not in "".join(shown)


def test_the_control_views_add_up() -> None:
    async def main() -> Emulator:
        local = emulator(funds=(Money(100, "USD"), Money(5, "EUR")))
        transport = local.transport()
        await sent(transport, "CreateGiftCard", create("Emula1", "12.50"))
        await sent(transport, "CreateGiftCard", create("Emula2", 20))
        await sent(transport, "CancelGiftCard", cancel("Emula2"))
        local.claim("Emula1")
        return local

    local = run(main())
    shown: dict[str, Any] = json.loads(json.dumps(views.ledger(local)))
    assert shown["counts"] == {
        "cards": 2,
        "live": 1,
        "dead": 1,
        "claimed": 1,
        "activations": 0,
        "active": 0,
        "loads": 0,
        "loaded": 0,
        "in_flight": 0,
    }
    assert shown["funds"] == [
        {
            "currency": "USD",
            "prepaid": "100.00",
            "debited": "12.50",
            "live": "12.50",
            "available": "87.50",
        },
        {"currency": "EUR", "prepaid": "5.00", "debited": "0", "live": "0", "available": "5.00"},
    ]
    assert [(c["request_id"], c["amount"], c["status"]) for c in shown["cards"]] == [
        ("Emula1", "12.50", "Fulfilled"),
        ("Emula2", "20.00", "RefundedToPurchaser"),
    ]
    assert (shown["activations"], shown["loads"]) == ([], [])
    assert shown["history"] == {"kept": 4, "total": 4}


def test_the_control_view_shows_activations_and_loads() -> None:
    async def main() -> Emulator:
        local = emulator(history_max=3)
        transport = local.transport()
        await sent(transport, "ActivateGiftCard", activate("Emula1"))
        await sent(transport, "LoadAmazonBalance", load("Emula2", account="A"))
        await sent(transport, "LoadAmazonBalance", load("Emula3", 150))
        await sent(transport, "VoidAmazonBalanceLoad", load("Emula3", 150))
        local.claim_card(CARD)
        local.spend("Emula2")
        return local

    local = run(main())
    shown: dict[str, Any] = json.loads(json.dumps(views.ledger(local)))
    assert shown["funds"][0]["debited"] == shown["funds"][0]["live"] == "50.00"
    counts = shown["counts"]
    assert (counts["activations"], counts["active"]) == (1, 1)
    assert (counts["loads"], counts["loaded"]) == (2, 1)
    assert shown["history"] == {"kept": 3, "total": 6}
    (activation,) = shown["activations"]
    assert activation == {
        "request_id": "Emula1",
        "card_number": CARD,
        "amount": "25.00",
        "currency": "USD",
        "status": "Activated",
        "claimed": True,
        "requested_at": activation["requested_at"],
        "activated_at": activation["activated_at"],
    }
    first = shown["loads"][0]
    assert first == {
        "request_id": "Emula2",
        "account_id": "A",
        "account_type": 1,
        "amount": "25.00",
        "currency": "USD",
        "status": "loaded",
        "spent": True,
        "requested_at": first["requested_at"],
        "loaded_at": first["loaded_at"],
    }
    assert [load["status"] for load in shown["loads"]] == ["loaded", "void"]
    one = views.ledger(local, "Emula1")
    assert (one["cards"], one["loads"], one["activations"]) == ([], [], [activation])
    other = views.ledger(local, "Emula2")
    assert (other["cards"], other["loads"], other["activations"]) == ([], [first], [])


@pytest.mark.parametrize(
    ("knobs", "field"),
    [
        ({"partner_id": "no good"}, "partner_id"),
        ({"funds": ()}, "funds"),
        ({"funds": (Money(1, "USD"), Money(2, "USD"))}, "funds"),
        ({"funds": (Money(-1, "USD"),)}, "funds"),
        ({"requests_per_second": 0}, "requests_per_second"),
        ({"operation_caps": {"GetAvailableFunds": -1}}, "requests_per_second"),
        ({"error_status": 200}, "error_status"),
        ({"throttle_status": 700}, "throttle_status"),
        ({"arrivals_max": -1}, "arrivals_max"),
        ({"history_max": -1}, "history_max"),
    ],
)
def test_a_configuration_that_makes_no_sense_is_refused(knobs: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidValueError, match=field):
        EmulatorConfig(**knobs)


def test_the_default_credentials_fit_a_session_and_show_no_secret() -> None:
    settings = Settings(
        credentials=EMULATOR_CREDENTIALS,
        partner_id=EMULATOR_PARTNER_ID,
        base_url="http://127.0.0.1:8080",
    )

    assert EMULATOR_CREDENTIALS.secret_access_key.reveal() not in repr((settings, EmulatorConfig()))


def test_every_way_of_counting_can_be_chosen() -> None:
    async def main(model: ThrottleModel) -> int:
        local = emulator(requests_per_second=5.0, throttle_model=model, burst=2.0)
        for number in range(10):
            await send(local.transport(), "CreateGiftCard", create(f"Emula{number}"))
        return local.arrivals.by_result["SUCCESS"]

    assert [run(main(model)) for model in ThrottleModel] == [2, 5, 5]


def test_a_traceback_through_the_emulator_shows_no_claim_code() -> None:
    local = emulator(faults=script("slow", 60))

    async def main() -> str:
        try:
            async with asyncio.timeout(1):
                await send(local.transport(), "CreateGiftCard", create())
        except TimeoutError as error:
            shown = traceback.TracebackException.from_exception(error, capture_locals=True)
            return "".join(shown.format())
        raise AssertionError("the slow reply came in time")

    shown = run(main())
    card = local.ledger.card(ID)
    assert card is not None
    assert "emulator.py" in shown
    assert "Reply(status=200" in shown
    assert card.claim_code.reveal() not in shown
