"""No secret escapes over 100,000 issuances, and the net under them catches every leak."""

import pytest

from tests.secrets.issuing import issued
from tests.secrets.leaks import LEAKS
from tests.secrets.net import Net
from tests.support.programs import output_of

PARTS, OF_EACH = 40, 2_500


@pytest.mark.parametrize("part", range(PARTS))
def test_no_secret_is_seen_over_100_000_issuances(part: int) -> None:
    net = Net()

    ends = issued(net, OF_EACH, seed=part)

    net.assert_empty()
    assert sum(ends.values()) == OF_EACH
    assert ends["Issued"] > 0.9 * OF_EACH
    assert "Declined" in ends, "or no exception was looked at"
    assert len(net.signatures) > OF_EACH
    assert net.texts > 4 * OF_EACH


NUMBERS = range(len(LEAKS))


@pytest.mark.parametrize("number", NUMBERS, ids=[leak.bug for leak in LEAKS])
def test_a_leak_is_caught_where_it_is(number: int) -> None:
    assert LEAKS[number].rule in output_of("tests.secrets.leaks", str(number))
