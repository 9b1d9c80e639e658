import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agcod_async.values import InvalidValueError, RequestId, check_partner_id

KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


def test_an_id_may_have_forty_characters_and_not_one_more() -> None:
    assert len(RequestId("x" * 40)) == 40
    with pytest.raises(InvalidValueError, match=r"request_id: has 41 characters \(at most 40\)"):
        RequestId("x" * 41)


def test_an_id_may_not_be_empty() -> None:
    with pytest.raises(InvalidValueError, match="request_id: is empty"):
        RequestId("")


@pytest.mark.parametrize("text", ["Toy 1", "Toy\n", "Toy1\n", "Töy", "Toy\x00", "Toy\x7f"])
def test_an_id_has_no_character_that_could_change_on_its_way(text: str) -> None:
    with pytest.raises(InvalidValueError, match="cannot be sent"):
        RequestId(text)


def test_an_id_is_the_text_it_was_made_from() -> None:
    made = RequestId("Toy-1_a")

    assert made == "Toy-1_a"
    assert {made: 1}["Toy-1_a"] == 1
    assert pickle.loads(pickle.dumps(made)) == copy.deepcopy(made) == made  # noqa: S301  our own
    assert type(copy.copy(made)) is RequestId


def test_an_id_begins_with_its_partner() -> None:
    RequestId("Toy1").check_partner("Toy", mock_allowed=False)
    for foreign in ("toy1", "XToy1", "To"):
        with pytest.raises(InvalidValueError, match="begins with 'Toy', case matters"):
            RequestId(foreign).check_partner("Toy", mock_allowed=True)


@pytest.mark.parametrize("mock", ["F0000", "F2005", "F9999"])
def test_a_mock_id_is_for_the_sandbox_only(mock: str) -> None:
    made = RequestId(mock)

    assert made.is_mock
    made.check_partner("Toy", mock_allowed=True)
    with pytest.raises(InvalidValueError):
        made.check_partner("Toy", mock_allowed=False)


@pytest.mark.parametrize("text", ["F000", "F00000", "f0000", "F000a", "XF0000"])
def test_what_only_looks_like_a_mock_id_is_none(text: str) -> None:
    assert not RequestId(text).is_mock


@given(KEYS)
def test_a_derived_id_is_always_the_same(key: str) -> None:
    made = RequestId.derive("Toy", key)

    assert made == RequestId.derive("Toy", key)
    assert len(made) == 40
    assert made.isascii()
    assert made.isalnum()
    assert made.startswith("Toy")


def test_a_derived_id_never_changes_between_versions() -> None:
    # A batch that is resumed with a newer version must find its own orders.
    assert RequestId.derive("Toy", "order 1") == "ToyXFINSDVIHJZEUIW6QTXWMUS5QPJ6PK7QFILXB"


@given(KEYS, KEYS)
def test_two_business_keys_have_two_ids(one: str, other: str) -> None:
    assert (RequestId.derive("Toy", one) == RequestId.derive("Toy", other)) == (one == other)


def test_two_partners_have_two_ids_for_one_key() -> None:
    assert RequestId.derive("AB", "Cx")[4:] != RequestId.derive("ABC", "x")[4:]


def test_an_id_is_not_derived_from_nothing() -> None:
    with pytest.raises(InvalidValueError, match="business_key: is empty"):
        RequestId.derive("Toy", "")


def test_an_id_is_not_derived_from_half_a_character() -> None:
    with pytest.raises(InvalidValueError, match="business_key"):
        RequestId.derive("Toy", "order \ud800")


def test_a_partner_id_leaves_enough_of_the_hash() -> None:
    assert len(RequestId.derive("P" * 20, "x")) == 40
    with pytest.raises(InvalidValueError, match="at most 20"):
        RequestId.derive("P" * 21, "x")


@pytest.mark.parametrize("partner_id", ["", "To y", "To-y", "Töy", "To٣"])
def test_a_partner_id_is_letters_and_digits(partner_id: str) -> None:
    with pytest.raises(InvalidValueError, match="partner_id"):
        check_partner_id(partner_id)


def test_each_successor_is_another_id_and_always_the_same_one() -> None:
    root = RequestId("Toy1")
    successors = [root.successor("Toy", epoch) for epoch in range(1, 20)]

    assert len({root, *successors}) == 20
    assert successors == [RequestId("Toy1").successor("Toy", epoch) for epoch in range(1, 20)]
    for successor in successors:
        successor.check_partner("Toy", mock_allowed=False)
        assert successor.isalnum()
        assert len(successor) == 40


@given(st.text("abcXYZ019-_", min_size=10, max_size=30), st.integers(1, 50))
def test_a_successor_is_never_the_id_with_something_behind_it(text: str, epoch: int) -> None:
    # Toy1 with a suffix could be Toy11, which is the ID of another order.
    root = RequestId(f"Toy{text}")

    assert not root.successor("Toy", epoch).startswith(root)


def test_a_successor_is_not_what_a_business_key_gives() -> None:
    root = RequestId("Toy1")

    assert root.successor("Toy", 1) != RequestId.derive("Toy", "Toy1")
    assert root.successor("Toy", 1) != RequestId.derive("Toy", "1")
    assert root.successor("Toy", 1).successor("Toy", 1) != root.successor("Toy", 2)


def test_orders_never_share_a_successor() -> None:
    successors = {RequestId(f"Toy{n}").successor("Toy", 1) for n in range(1000)}

    assert len(successors) == 1000
