"""The legs of all operations, by the names that the tests give them; nothing of the package."""

from collections.abc import Mapping
from typing import Final

OPERATION: Final[Mapping[str, str]] = {
    "create": "CreateGiftCard",
    "undo": "CancelGiftCard",
    "cancel": "CancelGiftCard",
    "funds": "GetAvailableFunds",
    "activate": "ActivateGiftCard",
    "undo activate": "DeactivateGiftCard",
    "look up activate": "ActivationStatusCheck",
    "deactivate": "DeactivateGiftCard",
    "status": "ActivationStatusCheck",
    "load": "LoadAmazonBalance",
    "undo load": "VoidAmazonBalanceLoad",
    "void": "VoidAmazonBalanceLoad",
    "validate": "ValidateAccountForAmazonBalanceLoad",
    "activity": "GetGiftCardActivityPage",
}
"""What each leg sends."""
