"""Probes: questions that Amazon's documents leave open. Whatever is answered is noted.

Their answers tell which of the emulator's `--semantics` is the true one.
"""

from typing import Final

from agcod_async.cli.certification.cases import Asked, Case

_OPEN: Final = "open in Amazon's documents"


def _probe(name: str, operation: str, asked: Asked) -> Case:
    return Case(name=f"probe-{name}", source=_OPEN, operation=operation, asked=asked, expected=None)


DIGITAL: Final = (
    _probe("create", "CreateGiftCard", Asked(order="probe 1", amount="10.00")),
    _probe("cancel", "CancelGiftCard", Asked(order="probe 1")),
    _probe("cancel-again", "CancelGiftCard", Asked(order="probe 1")),
    _probe("create-cancelled", "CreateGiftCard", Asked(order="probe 1", amount="10.00")),
    _probe("create-cancelled-other", "CreateGiftCard", Asked(order="probe 1", amount="11.00")),
    _probe("cancel-unknown", "CancelGiftCard", Asked(order="probe 2")),
    _probe("create-after-it", "CreateGiftCard", Asked(order="probe 2", amount="10.00")),
    _probe("cancel-F2047", "CancelGiftCard", Asked(mock="F2047")),
    _probe("cancel-F4000", "CancelGiftCard", Asked(mock="F4000")),
)

PHYSICAL: Final = (
    _probe("activate-deactivated", "ActivateGiftCard", Asked(order="activation 1")),
    _probe("status-of-that", "ActivationStatusCheck", Asked(order="activation 1")),
    _probe("deactivate-again", "DeactivateGiftCard", Asked(order="activation 1")),
    _probe("deactivate-F2012", "DeactivateGiftCard", Asked(mock="F2012")),
    _probe("status-F2018", "ActivationStatusCheck", Asked(mock="F2018")),
)

BALANCE: Final = (
    _probe("load-void", "LoadAmazonBalance", Asked(order="load 1", amount="10.00")),
    _probe("void-again", "VoidAmazonBalanceLoad", Asked(order="load 1", amount="10.00")),
    _probe("void-unknown", "VoidAmazonBalanceLoad", Asked(order="load 2", amount="10.00")),
    _probe(
        "void-F2041",
        "VoidAmazonBalanceLoad",
        Asked(order="mock void", mock="F2041", amount="10.00"),
    ),
    _probe(
        "validate-F2034",
        "ValidateAccountForAmazonBalanceLoad",
        Asked(order="mock validation", mock="F2034", amount="10.00"),
    ),
)
