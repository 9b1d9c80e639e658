import pytest

from agcod_async.endpoints import Endpoint

TABLE = {
    "na-sandbox": ("agcod-v2-gamma.amazon.com", "us-east-1", True),
    "na": ("agcod-v2.amazon.com", "us-east-1", False),
    "eu-sandbox": ("agcod-v2-eu-gamma.amazon.com", "eu-west-1", True),
    "eu": ("agcod-v2-eu.amazon.com", "eu-west-1", False),
    "fe-sandbox": ("agcod-v2-fe-gamma.amazon.com", "us-west-2", True),
    "fe": ("agcod-v2-fe.amazon.com", "us-west-2", False),
}


def test_the_endpoints_are_amazons() -> None:
    found = {
        str(endpoint.value): (endpoint.host, endpoint.region, endpoint.is_sandbox)
        for endpoint in Endpoint
    }

    assert found == TABLE


@pytest.mark.parametrize("name", TABLE)
def test_an_endpoint_is_found_by_its_name(name: str) -> None:
    assert Endpoint(name).value == name


@pytest.mark.parametrize(
    ("country", "name"), [("US", "na"), ("MX", "na"), ("DE", "eu"), ("ZA", "eu"), ("JP", "fe")]
)
def test_a_country_has_one_endpoint_of_each_kind(country: str, name: str) -> None:
    serving = [str(endpoint.value) for endpoint in Endpoint if country in endpoint.countries]

    assert sorted(serving) == sorted([name, f"{name}-sandbox"])


def test_sandbox_and_production_serve_the_same_countries() -> None:
    for endpoint in Endpoint:
        if not endpoint.is_sandbox:
            assert Endpoint(f"{endpoint.value}-sandbox").countries == endpoint.countries
