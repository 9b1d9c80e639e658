from collections.abc import Iterator

import pytest

from agcod_async.testing import ledger
from agcod_async.values import ClaimCode
from tests.secrets.net import MARK, Net


@pytest.fixture
def net() -> Iterator[Net]:
    """A net under all logs and warnings; what is in it at the end is a leak."""
    net = Net()
    with net.under_the_logs():
        yield net
    net.assert_empty()


@pytest.fixture(autouse=True)
def every_code_is_a_canary(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the emulator give out canaries for claim codes."""
    monkeypatch.setattr(ledger, "ClaimCode", lambda text: ClaimCode(f"{MARK}-{text}"))
