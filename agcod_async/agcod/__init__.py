"""Amazon's Incentives API: one short coroutine for each operation.

The methods carry Amazon's operation names. Every argument is checked against Amazon's documented
limits before anything is sent: `UsageError` names the field, the problem and the limit. Whatever
else is raised is in `agcod_async.errors`, grouped by what the caller may do next.
"""

from agcod_async.agcod.balances import BalanceCalls
from agcod_async.agcod.comparison import ComparisonCalls
from agcod_async.agcod.gift_cards import GiftCardCalls
from agcod_async.agcod.physical_cards import PhysicalCardCalls

__all__ = ["AgcodSession"]


class AgcodSession(GiftCardCalls, PhysicalCardCalls, BalanceCalls, ComparisonCalls):
    """Gift cards on demand. Use it as an async context manager, one for each partner account.

    `transport` carries the requests (aiohttp by default), `journal` remembers them (in memory by
    default: its promises end with the process), `pacer` keeps the account's rate, `observers`
    watch, and `policy` says how trouble is answered. What is not given is made and closed here.
    """
