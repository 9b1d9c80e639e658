"""Amazon's endpoints as data: which host serves which countries, and the region that signs.

Source: Amazon's Incentives API guide, section "Service Information". A partner account has one
endpoint, decided by its country; sandbox and production have different keys. Hosts are names,
never addresses: the addresses behind them change often.
"""

from enum import Enum
from typing import Final, Self

_NA = ("US", "CA", "MX")
_EU = ("IT", "ES", "DE", "FR", "UK", "TR", "AE", "SA", "PL", "NL", "SE", "EG", "BE", "ZA")
_FE = ("JP", "AU", "SG")


class Endpoint(Enum):
    """Where requests go. A member's `value` is its name, such as "na-sandbox"."""

    NA_SANDBOX = ("na-sandbox", "agcod-v2-gamma.amazon.com", "us-east-1", _NA)
    NA = ("na", "agcod-v2.amazon.com", "us-east-1", _NA)
    EU_SANDBOX = ("eu-sandbox", "agcod-v2-eu-gamma.amazon.com", "eu-west-1", _EU)
    EU = ("eu", "agcod-v2-eu.amazon.com", "eu-west-1", _EU)
    FE_SANDBOX = ("fe-sandbox", "agcod-v2-fe-gamma.amazon.com", "us-west-2", _FE)
    FE = ("fe", "agcod-v2-fe.amazon.com", "us-west-2", _FE)

    host: str
    region: str
    countries: tuple[str, ...]

    def __new__(cls, name: str, host: str, region: str, countries: tuple[str, ...]) -> Self:
        """Make the name the value, and the rest attributes."""
        member = object.__new__(cls)
        member._value_ = name
        member.host = host
        member.region = region
        member.countries = countries
        return member

    @property
    def is_sandbox(self) -> bool:
        """Whether cards issued here are worth nothing, and mock codes are answered."""
        return str(self.value).endswith("-sandbox")


PRODUCTION_HOSTS: Final = frozenset(one.host for one in Endpoint if not one.is_sandbox)
"""Where money is real, whatever it is called by."""
