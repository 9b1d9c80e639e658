"""The operations by their names. A new one is a class like these, and one more row here."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from agcod_async.testing.activity_operation import GetGiftCardActivityPage
from agcod_async.testing.balance_operations import (
    LoadAmazonBalance,
    ValidateAccountForAmazonBalanceLoad,
    VoidAmazonBalanceLoad,
)
from agcod_async.testing.digital_operations import (
    CancelGiftCard,
    CreateGiftCard,
    GetAvailableFunds,
)
from agcod_async.testing.physical_operations import (
    ActivateGiftCard,
    ActivationStatusCheck,
    DeactivateGiftCard,
)
from agcod_async.testing.requests import OperationRequest

OPERATIONS: Final[Mapping[str, type[OperationRequest]]] = MappingProxyType(
    {
        "CreateGiftCard": CreateGiftCard,
        "CancelGiftCard": CancelGiftCard,
        "GetAvailableFunds": GetAvailableFunds,
        "ActivateGiftCard": ActivateGiftCard,
        "DeactivateGiftCard": DeactivateGiftCard,
        "ActivationStatusCheck": ActivationStatusCheck,
        "LoadAmazonBalance": LoadAmazonBalance,
        "VoidAmazonBalanceLoad": VoidAmazonBalanceLoad,
        "ValidateAccountForAmazonBalanceLoad": ValidateAccountForAmazonBalanceLoad,
        "GetGiftCardActivityPage": GetGiftCardActivityPage,
    }
)
"""Every operation by its name."""
