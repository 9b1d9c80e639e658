import asyncio
import threading
from datetime import UTC, datetime, timedelta

import pytest

from agcod_async.credentials import RotatingCredentials, age_days
from agcod_async.testing.clock import run
from agcod_async.values import Credentials, InvalidValueError

MADE = datetime(2031, 2, 3, tzinfo=UTC)
ONE = Credentials(access_key_id="FIRSTKEYEXAMPLE1", secret_access_key="one-secret", created_at=MADE)
TWO = Credentials(access_key_id="SECONDKEYEXAMPLE2", secret_access_key="two-secret")
THREE = Credentials(access_key_id="THIRDKEYEXAMPLE3", secret_access_key="three-secret")


async def accepted(_key: Credentials) -> None:
    await asyncio.sleep(1)


async def refused(_key: Credentials) -> None:
    raise PermissionError


def test_the_new_key_comes_first_and_the_one_before_stays_until_it_is_dropped() -> None:
    async def main() -> None:
        keys = RotatingCredentials(ONE)
        assert (keys.current, keys.previous, keys.keys()) == (ONE, None, (ONE,))

        await keys.rotate(TWO, verify=accepted)
        assert (keys.current, keys.previous, keys.keys()) == (TWO, ONE, (TWO, ONE))

        keys.use(THREE)
        assert keys.keys() == (THREE, TWO)

        keys.drop_previous()
        assert keys.keys() == (THREE,)

    run(main())


def test_a_key_that_is_not_verified_changes_nothing() -> None:
    async def main() -> None:
        keys = RotatingCredentials(TWO, ONE)
        with pytest.raises(PermissionError):
            await keys.rotate(THREE, verify=refused)
        assert keys.keys() == (TWO, ONE)

    run(main())


def test_the_key_in_use_does_not_become_its_own_fallback() -> None:
    keys = RotatingCredentials(TWO, ONE)

    keys.use(TWO)

    assert keys.keys() == (TWO, ONE)


def test_whoever_reads_while_threads_rotate_finds_one_or_two_whole_keys() -> None:
    keys = RotatingCredentials(ONE)

    def rotate() -> None:
        for number in range(2000):
            keys.use((ONE, TWO, THREE)[number % 3])
            keys.drop_previous()

    threads = [threading.Thread(target=rotate) for _ in range(3)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        found = keys.keys()
        assert 1 <= len(found) <= 2
        assert {*found} <= {ONE, TWO, THREE}
        assert keys.current in (ONE, TWO, THREE)


def test_only_the_end_of_a_key_is_shown() -> None:
    shown = repr(RotatingCredentials(TWO, ONE))

    assert shown == (
        "RotatingCredentials(Credentials(access_key_id='…PLE2'), "
        "Credentials(access_key_id='…PLE1'))"
    )


def test_when_a_key_was_made_is_no_part_of_what_it_is() -> None:
    same = Credentials(access_key_id="FIRSTKEYEXAMPLE1", secret_access_key="one-secret")

    assert same == ONE
    assert hash(same) == hash(ONE)
    assert same.created_at is None


def test_an_age_is_counted_in_days_and_unknown_without_a_time() -> None:
    now = (MADE + timedelta(days=61, hours=12)).timestamp()

    assert age_days(ONE, now) == 61.5
    assert age_days(TWO, now) is None


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="created_at"):
        Credentials(
            access_key_id="A",
            secret_access_key="b",
            created_at=datetime(2031, 2, 3),  # noqa: DTZ001  this is what is refused
        )
