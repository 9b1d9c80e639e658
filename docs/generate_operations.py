#!/usr/bin/env python3
"""Write docs/reference/operations.md from the code: nothing on that page is typed by hand.

With `--check` it writes nothing and fails if the page is not what the code says.
"""

import dataclasses
import inspect
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from agcod_async.agcod import AgcodSession
from agcod_async.core.facts import Proof
from agcod_async.core.outcomes import Outcome
from agcod_async.providers.agcod import (
    activation_messages,
    activation_operations,
    activation_requests,
    activity_messages,
    activity_requests,
    balance_messages,
    balance_operations,
    balance_requests,
    catalogue,
    faults,
    messages,
    operations,
    requests,
)
from agcod_async.providers.agcod.codec import as_xml
from agcod_async.providers.agcod.envelope import FAILURE, RESEND, Cause, Fault
from agcod_async.providers.agcod.faults import FaultTable
from agcod_async.providers.agcod.messages import TransactionSource
from agcod_async.providers.agcod.recipients import Account
from agcod_async.providers.base import Operation
from agcod_async.values import Money
from docs import page_writer
from docs.page_writer import table

PAGE: Final = Path(__file__).parent / "reference" / "operations.md"

_ID: Final[dict[str, Any]] = {
    "request_id": "Acme1order4711",
    "partner_id": "Acme1",
    "mock_ids_allowed": False,
}
_VALUE: Final = {**_ID, "amount": Money("45.70", "EUR")}
_NUMBER: Final = {"card_number": "6284190537715502918"}
_PROGRAM: Final = {"program_id": "Spring31", "product_type": "bookPV"}
_ACCOUNT: Final = {"account": Account(id="851432007016", type=1)}
_TILL: Final = {"transaction_source": TransactionSource(source_id="4", institution_id="shop 9")}
_SHOP: Final = {
    "external_reference": "order 4711",
    "transaction_source": TransactionSource(
        source_id="4", institution_id="shop 9", source_details='{"floor": 2}'
    ),
}
_TOLD: Final = {"notification_message": "Thank you", "timestamp": 1_927_843_200_000}
_FRAME: Final = {
    "start": datetime(2031, 2, 3, tzinfo=UTC),
    "end": datetime(2031, 2, 4, tzinfo=UTC),
    "page_index": 0,
    "page_size": 1000,
}


@dataclass(frozen=True, slots=True)
class Shown:
    """One operation, its method, and a request that says everything that can be said."""

    operation: Operation[Any, Any]
    method: Callable[..., object]
    answer: type[msgspec.Struct]
    request: msgspec.Struct


def _shown() -> Iterator[Shown]:
    s, physical, balance = AgcodSession, activation_operations, balance_operations
    yield Shown(
        operations.CREATE_GIFT_CARD,
        s.create_gift_card,
        messages.CreateGiftCardAnswer,
        requests.create_gift_card_request(**_VALUE, **_PROGRAM, **_SHOP),
    )
    yield Shown(
        operations.CANCEL_GIFT_CARD,
        s.cancel_gift_card,
        messages.CancelGiftCardAnswer,
        requests.cancel_gift_card_request(**_ID, gc_id="A1B2C3D4"),
    )
    yield Shown(
        physical.ACTIVATE_GIFT_CARD,
        s.activate_gift_card,
        activation_messages.PhysicalCardAnswer,
        activation_requests.activate_gift_card_request(**_VALUE, **_NUMBER, **_PROGRAM, **_TILL),
    )
    yield Shown(
        physical.DEACTIVATE_GIFT_CARD,
        s.deactivate_gift_card,
        activation_messages.PhysicalCardAnswer,
        activation_requests.deactivate_gift_card_request(**_ID, **_NUMBER),
    )
    yield Shown(
        physical.ACTIVATION_STATUS_CHECK,
        s.activation_status_check,
        activation_messages.PhysicalCardAnswer,
        activation_requests.activation_status_check_request(**_ID, **_NUMBER),
    )
    yield Shown(
        balance.LOAD_AMAZON_BALANCE,
        s.load_amazon_balance,
        balance_messages.BalanceAnswer,
        balance_requests.load_amazon_balance_request(**_VALUE, **_ACCOUNT, **_SHOP, **_TOLD),
    )
    yield Shown(
        balance.VOID_AMAZON_BALANCE_LOAD,
        s.void_amazon_balance_load,
        balance_messages.BalanceAnswer,
        balance_requests.void_amazon_balance_load_request(**_VALUE, **_ACCOUNT),
    )
    yield Shown(
        balance.VALIDATE_ACCOUNT,
        s.validate_account_for_amazon_balance_load,
        balance_messages.BalanceAnswer,
        balance_requests.validate_account_request(**_VALUE, **_ACCOUNT),
    )
    yield Shown(
        operations.GET_AVAILABLE_FUNDS,
        s.get_available_funds,
        messages.GetAvailableFundsAnswer,
        requests.get_available_funds_request(partner_id="Acme1"),
    )
    yield Shown(
        operations.GET_GIFT_CARD_ACTIVITY_PAGE,
        s.get_gift_card_activity_page,
        activity_messages.GetGiftCardActivityPageAnswer,
        activity_requests.get_gift_card_activity_page_request(**_ID, **_FRAME),
    )


def page() -> str:
    """Return the whole page."""
    return page_writer.joined(_blocks())


def _blocks() -> Iterator[str]:
    shown = tuple(_shown())
    if {one.operation.name for one in shown} != set(operations.AGCOD.operations):
        raise AssertionError("an operation is missing")
    yield "<!-- Written by docs/generate_operations.py. Do not edit: `make docs` writes it. -->"
    yield _INTRODUCTION
    yield table(_HEADS, (_summary(one) for one in shown))
    yield _PROOFS
    for one in shown:
        yield from _section(one)
    yield "### All pages"
    yield inspect.getdoc(AgcodSession.activity) or ""
    yield table(("Argument", "Type", "Default"), _arguments(AgcodSession.activity))
    yield table(("`Activity`", "Type"), _result(activity_messages.Activity))
    yield _FAULTS
    yield table(("Error", "Leg", "Proves", "Elsewhere"), _deviations())


_HEADS: Final = (
    "Operation",
    "Method",
    "Returns",
    "Moves value",
    "Undone by",
    "Afterwards shown by",
    "At most",
)

_INTRODUCTION = """\
# Operations

This page is written by [a script](../generate_operations.py) from the code that sends the requests.
Every method is a coroutine of `AgcodSession` and takes its arguments by name. `lane` and
`deadline_seconds` say how urgent a call is and how long it may take in all; `policy` says how
trouble is answered. Arguments are checked before anything is sent (`UsageError`).

`Settings(wire_format="xml")` sends requests in XML and asks for answers in it. An answer is read in
whatever form it comes. An order stays the same order when the form is changed: what a journal keeps
is the same in both.
"""

_PROOFS = """\
*Afterwards* is after an undo under the same request ID; until then, sending the same request again
shows what became of it. Nothing shows what became of a balance load, so once it may have been
undone it is undone again when nothing can be late any more, and goes on under the next ID.
"""

_SHOWN_BY: Final = {
    Proof.REPLAY: "the same request",
    Proof.LOOKUP: "",
    Proof.NOTHING: "the undo, once more",
}

_FAULTS = """\
## Where the same error proves something else

[Errors](errors.md) says what an error proves about a create and about the cancel that undoes it. On
these legs it proves something else. (A leg without an undo has no `UndoFirst`: it is `Unclear`.)
"""


def _summary(one: Shown) -> tuple[str, ...]:
    operation = one.operation
    undo, lookup = operation.undo, operation.lookup
    rate = operations.AGCOD.sub_limits.get(operation.name)
    return (
        f"[{operation.name}](#{operation.name.lower()})",
        f"`{one.method.__name__}`",
        f"`{operation.answer_type.__name__}`",
        "no" if operation.identity is None else "yes",
        "" if undo is None else undo.operation,
        (_SHOWN_BY[operation.proof] if lookup is None else lookup.operation) if undo else "",
        "" if rate is None else _rate(rate),
    )


def _rate(per_second: float) -> str:
    return f"{per_second:g} a second" if per_second >= 1 else f"{per_second * 60:g} a minute"


def _section(one: Shown) -> Iterator[str]:
    operation = one.operation
    yield f"## {operation.name}"
    yield inspect.getdoc(one.method) or ""
    yield table(("Argument", "Type", "Default"), _arguments(one.method))
    body = operation.encode(one.request)
    yield f"Sent with everything said:\n\n```json\n{_pretty(body)}\n```"
    yield f"```xml\n{_lines(as_xml(operation.name, body).decode())}\n```"
    read = ", ".join(f"`{field.encode_name}`" for field in msgspec.structs.fields(one.answer))
    yield f"Read of the answer: {read}, and whether it says SUCCESS."
    yield table((f"`{operation.answer_type.__name__}`", "Type"), _result(operation.answer_type))
    yield from _on_record(operation)


def _arguments(method: Callable[..., object]) -> Iterator[tuple[str, ...]]:
    for name, parameter in inspect.signature(method).parameters.items():
        if name != "self":
            default = parameter.default
            yield (
                f"`{name}`",
                f"`{_type(parameter.annotation)}`",
                "required" if default is inspect.Parameter.empty else f"`{default}`",
            )


def _result(kind: type[Any]) -> Iterator[tuple[str, str]]:
    for field in dataclasses.fields(kind):
        yield f"`{field.name}`", f"`{_type(field.type)}`"


def _type(annotation: object) -> str:
    named = annotation.__name__ if isinstance(annotation, type) else str(annotation)
    short = re.sub(
        r"\b(?:[a-z_]+\.)+", "", named if "[" not in str(annotation) else str(annotation)
    )
    return short.replace(" | ", " or ")


def _pretty(body: bytes) -> str:
    # A line break after each member of the outermost object.
    members = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    lines = (f'  "{name}": {bytes(value).decode()}' for name, value in members.items())
    return "{\n" + ",\n".join(lines) + "\n}"


def _lines(document: str) -> str:
    depth, lines = 0, list[str]()
    for tag in re.findall(r"<(?:/?)\w+>(?:[^<]+</\w+>)?", document):
        depth -= tag.startswith("</")
        lines.append("  " * depth + tag)
        depth += not tag.startswith("</") and "</" not in tag
    return "\n".join(lines)


def _on_record(operation: Operation[Any, Any]) -> Iterator[str]:
    if operation.identity is None:
        return
    if operation.decode_request is None:
        yield (
            "On record are fingerprints in the place of the account and of what the customer is"
            " told. So `reconcile()` names what was left open, and a call with the same arguments"
            " finishes it."
        )
    else:
        yield "On record is the whole request, so `reconcile()` finishes what was left open."


# --- errors ------------------------------------------------------------------------------------

_LEGS: Final[dict[str, tuple[FaultTable[Outcome], FaultTable[Outcome]]]] = {
    "ActivateGiftCard": (faults.ACTIVATE, faults.WITH_UNDO),
    "ActivationStatusCheck as a lookup": (faults.LOOK_UP, faults.WITHOUT_UNDO),
    "LoadAmazonBalance": (faults.LOAD, faults.WITH_UNDO),
    "VoidAmazonBalanceLoad as an undo": (faults.VOID, faults.UNDO),
}


def _deviations() -> Iterator[tuple[str, ...]]:
    for leg, (own, usual) in _LEGS.items():
        for row in catalogue.ROWS:
            for cause in (None, *(one for one in Cause if (row.name, one) in own.causes)):
                status = RESEND if row.code == "F400" else FAILURE
                fault = Fault(status=status, code=row.code, name=row.name, cause=cause)
                proves, elsewhere = own.outcome(fault), usual.outcome(fault)
                if type(proves) is not type(elsewhere):
                    said = "" if cause is None else f', with "{cause.value}" in its message'
                    yield (
                        f"{row.code} {row.name}{said}",
                        leg,
                        f"`{type(proves).__name__}`",
                        f"`{type(elsewhere).__name__}`",
                    )


if __name__ == "__main__":
    sys.exit(page_writer.main(PAGE, page, __doc__))
