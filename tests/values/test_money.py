from decimal import Context, Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agcod_async.values import CURRENCY_EXPONENTS, InvalidValueError, Money


@pytest.mark.parametrize("amount", [10, "10", "10.0", "10.00", "1e1", Decimal("10.000"), " 10 "])
def test_one_amount_has_one_form_however_it_is_written(amount: Decimal | str | int) -> None:
    money = Money(amount, "USD")

    assert str(money) == "10.00 USD"
    assert money == Money("10.00", "USD")
    assert hash(money) == hash(Money("10.00", "USD"))


@pytest.mark.parametrize(
    "currency",
    [
        "AED",
        "AUD",
        "CAD",
        "EGP",
        "EUR",
        "GBP",
        "MXN",
        "PLN",
        "SAR",
        "SEK",
        "SGD",
        "TRY",
        "USD",
        "ZAR",
    ],
)
def test_all_but_the_yen_have_two_decimal_places(currency: str) -> None:
    assert str(Money(1, currency)) == f"1.00 {currency}"
    assert len(CURRENCY_EXPONENTS) == 15


def test_yen_have_no_decimal_places() -> None:
    assert str(Money("500.00", "JPY")) == "500 JPY"
    with pytest.raises(InvalidValueError, match="at most 0 decimal places"):
        Money("500.5", "JPY")


@pytest.mark.parametrize("currency", sorted(CURRENCY_EXPONENTS))
def test_an_amount_is_never_rounded_to_fit(currency: str) -> None:
    places = CURRENCY_EXPONENTS[currency]
    too_fine = Decimal(1).scaleb(-places - 1) + 7

    with pytest.raises(InvalidValueError) as caught:
        Money(too_fine, currency)

    assert caught.value.field == "amount"
    assert caught.value.limit == f"at most {places} decimal places"


@pytest.mark.parametrize("digits", [24, 27, 28, 29, 40, 200])
@pytest.mark.parametrize("currency", ["USD", "JPY", "XTS"])
def test_no_number_of_digits_hides_a_fraction(digits: int, currency: str) -> None:
    with pytest.raises(InvalidValueError, match="decimal places"):
        Money("10." + "0" * digits + "1", currency)


@pytest.mark.parametrize("amount", ["123.45", "99999999.99", "-0.01", "0"])
@pytest.mark.parametrize("currency", ["USD", "XTS"])
def test_the_callers_decimal_context_changes_no_amount(amount: str, currency: str) -> None:
    expected = Money(amount, currency)

    with localcontext(Context(prec=2)):
        assert Money(amount, currency) == expected
        assert str(Money(Decimal(amount), currency)) == str(expected)


def test_a_currency_nobody_knows_is_taken_with_up_to_four_places() -> None:
    assert str(Money("1.2340", "XTS")) == "1.234 XTS"
    assert str(Money("100", "XTS")) == "100 XTS"
    assert str(Money("1e2", "XTS")) == "100 XTS"
    assert str(Money("0.00", "XTS")) == "0 XTS"
    assert not Money(1, "XTS").currency_is_known
    assert Money(1, "EUR").currency_is_known
    with pytest.raises(InvalidValueError, match="at most 4 decimal places"):
        Money("1.23456", "XTS")


@pytest.mark.parametrize("amount", [1.5, True, None, b"10", 10j, ("1",)])
def test_what_is_not_exact_is_no_amount(amount: object) -> None:
    with pytest.raises(InvalidValueError, match=r"amount: a \w+ is not exact"):
        Money(amount, "USD")


@pytest.mark.parametrize("amount", ["", "ten", "10,00", "1.2.3", "$10"])
def test_text_that_is_no_number_is_no_amount(amount: str) -> None:
    with pytest.raises(InvalidValueError, match="is not a number"):
        Money(amount, "USD")


@pytest.mark.parametrize(
    "amount", ["NaN", "sNaN", "Infinity", "-inf", "1e12", "1000000000000", 10**12, "1e99"]
)
@pytest.mark.parametrize("currency", ["USD", "XTS"])
def test_an_amount_without_bounds_is_refused(amount: str | int, currency: str) -> None:
    with pytest.raises(InvalidValueError, match=r"amount: .* \(at most 12 digits\)"):
        Money(amount, currency)


def test_an_integer_too_long_to_be_written_is_refused_like_any_other() -> None:
    with pytest.raises(InvalidValueError, match="at most 12 digits"):
        Money(10**5000, "USD")


def test_the_largest_amount_is_twelve_digits_before_the_point() -> None:
    assert str(Money("999999999999.99", "USD")) == "999999999999.99 USD"


def test_nothing_has_one_form_too() -> None:
    assert str(Money("-0", "USD")) == str(Money("0", "USD")) == "0.00 USD"
    assert str(Money("-0.0", "XTS")) == str(Money(0, "XTS")) == "0 XTS"


@pytest.mark.parametrize("currency", ["usd", "US", "USDD", "U5D", "", "USD\n", "ÄÖÜ"])
def test_a_currency_is_three_capital_letters(currency: str) -> None:
    with pytest.raises(InvalidValueError, match="three capital letters") as caught:
        Money(1, currency)

    assert caught.value.field == "currency"


def test_currencies_do_not_mix() -> None:
    assert Money("1", "USD") != Money("1", "EUR")


@given(
    st.decimals(min_value=-(10**11), max_value=10**11, places=2, allow_nan=False),
    st.sampled_from(["USD", "EUR", "XTS"]),
)
def test_money_is_the_amount_that_was_given(amount: Decimal, currency: str) -> None:
    money = Money(amount, currency)

    assert money.amount == amount
    assert Money(money.amount, currency).amount.as_tuple() == money.amount.as_tuple()
    assert Money(str(money.amount), currency) == money
