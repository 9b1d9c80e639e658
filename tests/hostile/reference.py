"""An independent reading of a reply: which verdicts it justifies, if any.

Nothing of the decoder is used here, only the standard library's json and ElementTree, and the
rules are stated anew, from Amazon's documents and the tables in `tests/providers/data`:

* A reply says nothing that can be relied on if it is not whole and plain: strict UTF-8, one JSON
  object or one XML element without a document type, no member twice (in XML, in whatever
  namespace), no deciding member spelt in another case, no NaN.
* "Done" needs the status SUCCESS with HTTP 2xx, no error beside it, nothing of another operation,
  and whatever it shows must be this very request's. A card must be Fulfilled, with a code and a
  gcId, under the request ID, amount and currency that were asked for.
* "Refused" needs class F200 or F300 (or words of Amazon's front door without any class), no status
  but FAILURE, an HTTP status of 2xx or 4xx, no claim code, and no ID but this request's.
* F400 or RESEND may be undone under the same conditions, whatever the HTTP status.
* Everything else proves nothing: the only right outcome is `Unclear`.
"""

import csv
import json
import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final, NoReturn
from xml.etree import ElementTree as ET  # the reader that is not the package's

from tests.providers.legs import OPERATION

REQUEST_ID: Final = "PartaOrder0042"
CARD_NUMBER: Final = "6284190537715502918"
ACCOUNT_ID: Final = "851CANARY6129930055412"
AMOUNT: Final = Decimal("12.5")
CURRENCY: Final = "USD"
MINOR_UNITS: Final = Decimal(1250)

Members = dict[str, Any]
Kinds = frozenset[str]

_NOTHING: Final[Kinds] = frozenset()
_MAY_UNDO: Final = frozenset({"create", "activate", "load", "undo", "undo activate", "undo load"})
_CREATE: Final = frozenset({"create", "undo", "cancel"})
_CHECKS: Final = frozenset({"look up activate", "status"})
_PHYSICAL: Final = _CHECKS | {"activate", "undo activate", "deactivate"}
_BALANCE: Final = frozenset({"load", "undo load", "void", "validate"})
_READS: Final = frozenset({"funds", "activity"})
_IDS: Final = {
    "creationRequestId": _CREATE,
    "activationRequestId": _PHYSICAL,
    "statusCheckRequestId": _CHECKS,
    "loadBalanceRequestId": _BALANCE,
}
_OWNERS: Final = {
    **_IDS,
    "availableFunds": frozenset({"funds"}),
    "cardActivityList": frozenset({"activity"}),
}
_DECIDING: Final = {
    name.casefold(): name
    for name in ("status", "errorCode", "errorType", "agcodResponse", "__type", *_IDS)
}
_MESSAGES: Final = frozenset({"message", "errormessage"})
_LIST: Final = "cardActivityList"
_DOOR_SIZE_MAX: Final = 8_192


class AmbiguousError(Exception):
    """The reply cannot be read in one way only."""


# --- the reader ----------------------------------------------------------------------------------


def read(body: bytes) -> tuple[str | None, Members]:
    """Return the root's name (None in JSON) and the members."""
    try:
        text = body.decode("utf-8")
        root, members = _xml(text) if text.lstrip()[:1] == "<" else (None, _json(text))
    except (ValueError, RecursionError, ET.ParseError):
        raise AmbiguousError from None
    for level in (members, members.get("agcodResponse")):
        for name in level if isinstance(level, dict) else ():
            if _DECIDING.get(name.casefold(), name) != name:
                raise AmbiguousError
    return root, members


def _json(text: str) -> Members:
    whole = _DECODER.decode(text)
    if not isinstance(whole, dict):
        raise AmbiguousError
    return whole


def _once(pairs: list[tuple[str, Any]]) -> Members:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise AmbiguousError
    return members


def _exact(digits: str) -> Decimal:
    try:
        return Decimal(digits)
    except InvalidOperation:  # beyond any exponent: a number, but equal to none
        return Decimal("NaN")


def _refuse(_constant: str) -> NoReturn:
    raise AmbiguousError


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_once, parse_float=_exact, parse_int=_exact, parse_constant=_refuse
)
_DECLARED: Final = re.compile(r"""\s*<\?xml\s[^>]*?encoding\s*=\s*["']([^"']*)["']""")
_LIKE_ASCII: Final = re.compile(r"utf-?8|us-ascii|ascii|iso-8859-\d+|windows-125\d", re.IGNORECASE)


def _xml(text: str) -> tuple[str, Members]:
    declared = _DECLARED.match(text)
    if "<!DOCTYPE" in text or (declared and not _LIKE_ASCII.fullmatch(declared[1])):
        raise AmbiguousError
    root = ET.fromstring(text)  # noqa: S314  there is no document type in it
    value = _element(root)
    return _local(root), value if isinstance(value, dict) else {}


def _local(element: "ET.Element[Any]") -> str:
    return str(element.tag).rpartition("}")[2]


def _element(element: "ET.Element[Any]") -> Any:
    name, inside = _local(element), list(element)
    words = (element.text or "") + "".join(child.tail or "" for child in inside)
    if not inside and name != _LIST:
        return words
    if words.strip():
        raise AmbiguousError
    if name == _LIST:
        return [_element(child) for child in inside]
    return _once([(_local(child), _element(child)) for child in inside])


# --- the verdicts --------------------------------------------------------------------------------


def justified(leg: str, status: int, body: bytes) -> tuple[Kinds, Members]:
    """Return the kinds of outcome that this reply justifies beside Unclear, and what it says."""
    try:
        root, members = read(body)
        return _justified(leg, status, root, members, len(body)), members
    except AmbiguousError:
        return _NOTHING, {}


def _justified(leg: str, status: int, root: str | None, members: Members, size: int) -> Kinds:
    nested = members.get("agcodResponse")
    if nested is not None and not isinstance(nested, dict):
        return _NOTHING
    inner: Members = nested or {}
    if not all(isinstance(level.get("status"), str | None) for level in (members, inner)):
        return _NOTHING
    stated = {one for one in (members.get("status"), inner.get("status")) if one is not None}
    exception = _simple(members.get("__type"))
    has_error = any(members.get(name) is not None for name in ("errorCode", "errorType"))
    is_ours = root in (None, OPERATION[leg], f"{OPERATION[leg]}Response")
    if stated == {"SUCCESS"} and members.get("status") == "SUCCESS" and not has_error and is_ours:
        believable = (
            200 <= status < 300
            and not (exception or "").endswith("Exception")
            and all(members.get(one) is None or leg in owners for one, owners in _OWNERS.items())
            and _agrees_inside(members, inner)
        )
        return _success(leg, members) if believable else _NOTHING
    if len(stated) > 1 or "SUCCESS" in stated or not _is_about_us(leg, members, inner):
        return _NOTHING
    if root is not None and not is_ours:
        exception = root
    kinds = _fault(leg, members, stated, exception, is_xml=root is not None)
    if not (is_ours or (root or "").endswith("Exception")):
        # Somebody else's page, unless it is short and in the front door's own words.
        is_door = members.get("errorCode") is None and size <= _DOOR_SIZE_MAX
        kinds = kinds & {"Throttled", "Refused", "Outdated"} if is_door else _NOTHING
    if not (200 <= status < 300 or 400 <= status < 500):
        kinds &= {"Throttled", "UndoFirst"}
    return kinds


def _agrees_inside(members: Members, inner: Members) -> bool:
    return all(
        inner.get(name) in (None, members.get(name))
        for name in ("gcClaimCode", "claimCode", "gcId", "cardInfo", "amount", "account", *_OWNERS)
    )


def _is_about_us(leg: str, members: Members, inner: Members) -> bool:
    ours = (None, "", REQUEST_ID)
    for level in (members, inner):
        if leg not in _READS and any(level.get(name) not in ours for name in _IDS):
            return False
        if any(level.get(name) not in (None, "") for name in ("gcClaimCode", "claimCode")):
            return False
    return True


def _simple(exception: Any) -> str | None:
    if exception is None:
        return None
    if not isinstance(exception, str):
        raise AmbiguousError
    return exception.rsplit("#", 1)[-1].split(":", 1)[0]


# --- errors --------------------------------------------------------------------------------------


def _table(name: str) -> Iterator[dict[str, str]]:
    path = Path(__file__).parent.parent / "providers" / "data" / name
    lines = path.read_text(encoding="utf-8").splitlines()
    yield from csv.DictReader((line for line in lines if line[0] != "#"), delimiter="\t")


ERRORS: Final = tuple(_table("errors.tsv"))
DOOR_MESSAGES: Final = tuple(row["said"] for row in _table("front_door.tsv"))
CONFLICTS: Final = frozenset(row["name"] for row in ERRORS if row["create"] == "Conflict")
_SETTLED: Final = frozenset(row["name"] for row in ERRORS if row["class"] in ("F200", "F300"))
UNSETTLED: Final = frozenset(row["name"] for row in ERRORS) - _SETTLED | {"GcNotReadyForRefund"}
THROTTLES: Final = frozenset({"ThrottlingException", "Throttling", "TooManyRequestsException"})
OUTDATED: Final = frozenset({"RequestExpired", "RequestExpiredException"})
DOOR_NAMES: Final = frozenset(
    {
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
        "IncompleteSignature",
        "IncompleteSignatureException",
        "UnrecognizedClientException",
        "InvalidClientTokenId",
        "ExpiredTokenException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "UnknownOperationException",
        "AccessDeniedException",
        "SerializationException",
    }
)
_DOOR_WORDS: Final = (
    ("signature expired", "Outdated"),
    ("signature not yet current", "Outdated"),
    ("credential should be scoped", "Refused"),
    ("request signature we calculated does not match", "Refused"),
    ("string-to-sign should have been", "Refused"),
    ("security token included in the request is", "Refused"),
    ("missing authentication token", "Refused"),
    ("does not match any of the supported protocols", "Refused"),
    ("is not an expected json type", "Refused"),
)
_NOTHING_THERE: Final = frozenset(row["name"] for row in ERRORS if row["undo"] == "NothingToUndo")


def _fault(
    leg: str, members: Members, stated: set[Any], exception: str | None, *, is_xml: bool
) -> Kinds:
    code, error_type = members.get("errorCode"), members.get("errorType")
    if not all(one is None or isinstance(one, str) for one in (code, error_type, *stated)):
        return _NOTHING
    name = error_type or exception or ""
    messages = set(_messages(members, is_xml=is_xml))
    if code is None and stated <= {"FAILURE"}:
        kinds = _door(name, messages)
        if kinds:
            return kinds
    if code in ("F200", "F300") and stated <= {"FAILURE"}:
        return _by_name(leg, name, messages)
    asks = stated == {"RESEND"} or (code == "F400" and stated <= {"FAILURE"})
    if asks and code not in ("F200", "F300") and name not in CONFLICTS and leg in _MAY_UNDO:
        return frozenset({"UndoFirst"})
    return _NOTHING


def _messages(members: Members, *, is_xml: bool) -> Iterator[str]:
    # In XML a message may stand deeper, as in <Error><Message>.
    for name, value in members.items():
        if isinstance(value, str) and name.casefold() in _MESSAGES:
            yield value
        if is_xml and isinstance(value, dict):
            yield from _messages(value, is_xml=True)


def _door(name: str, messages: set[str]) -> Kinds:
    if name in THROTTLES:
        return frozenset({"Throttled"})
    said = {_said_at_the_door(message) for message in messages}
    if len(said) == 1 and said != {None}:
        return frozenset(str(one) for one in said)
    if said <= {None}:
        by_name = "Outdated" if name in OUTDATED else "Refused" if name in DOOR_NAMES else None
        return _NOTHING if by_name is None else frozenset({by_name})
    return _NOTHING


def _said_at_the_door(message: str) -> str | None:
    if re.fullmatch(r"\s*rate exceeded\s*\.?\s*", message, re.IGNORECASE):
        return "Throttled"
    said = message.casefold()
    return next((kind for words, kind in _DOOR_WORDS if words in said), None)


def _by_name(leg: str, name: str, messages: set[str]) -> Kinds:
    if name in THROTTLES:
        return frozenset({"Throttled"})
    kind = "Conflict" if name in CONFLICTS else "Refused"
    if name in UNSETTLED:
        return _NOTHING
    if leg in ("undo", "undo activate") and name in _NOTHING_THERE:
        kind = "NothingToUndo"
    if leg in ("undo", "undo activate") and name == "CancelRequestArrivedAfterTimeLimit":
        kind = "TooLate"
    if leg == "activate" and name == "ActivationRequestIdAlreadyBeenUsed":
        kind = "Refused"
    if leg == "look up activate" and name == "NonExistingActivationRequestId":
        kind = "NotFound"
    if leg == "load" and name in ("LoadBalanceRequestIdAlreadyUsed", "BalanceLoadCannotBeVoided"):
        return _NOTHING
    if leg == "undo load" and name == "LoadBalanceRequestIdDoesNotExist":
        kind = "NothingToUndo"
    if leg == "undo load" and name == "BalanceLoadCannotBeVoided" and len(messages) == 1:
        (said,) = messages
        is_late = re.search(r"\btime limit\b", said.casefold()) is not None
        is_used = re.search(r"(?<!not )(?<!never )\bused\b", said.casefold()) is not None
        kind = "TooLate" if is_late else "Claimed" if is_used else "Refused"
    return frozenset({kind})


# --- successes -----------------------------------------------------------------------------------


def _success(leg: str, members: Members) -> Kinds:
    if leg == "create":
        return _created(members)
    if leg in ("undo", "cancel"):
        shows = members.get("gcClaimCode") is None
        return _done(leg, _same(members, "creationRequestId", REQUEST_ID) and shows)
    if leg in _PHYSICAL:
        return _physical(leg, members)
    if leg in _BALANCE:
        return _done(leg, _balance(leg, members))
    if leg == "funds":
        funds = _inside(members, "availableFunds")
        return _done(leg, number(funds.get("amount")) is not None)
    rows = members.get(_LIST)
    total = members.get("totalNumberOfTransactionsInRequestedTimeFrame")
    return _done(leg, isinstance(rows, list) or (rows is None and number(total) == 0))


def _done(leg: str, is_done: bool) -> Kinds:  # noqa: FBT001  it is the one thing to be said
    if not is_done:
        return _NOTHING
    return frozenset({"Undone" if leg.startswith("undo") else "Applied"})


def _same(members: Members, name: str, wanted: str) -> bool:
    return members.get(name) in (None, wanted)


def _inside(members: Members, name: str) -> Members:
    inside = members.get(name)
    if inside is None:
        return {}
    if not isinstance(inside, dict):
        raise AmbiguousError
    return inside


def number(value: Any) -> Decimal | None:
    """Return the number that this is, if it is one: a text may be one, as it is in XML."""
    if isinstance(value, str):
        if not re.fullmatch(r"\s*[+-]?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]{1,6})?\s*", value):
            return None
        try:
            return Decimal(value.strip())
        except InvalidOperation:
            return None
    return value if isinstance(value, Decimal) else None


def _is_amount(value: Members) -> bool:
    return number(value.get("amount")) == AMOUNT and value.get("currencyCode") == CURRENCY


def _created(members: Members) -> Kinds:
    card = _inside(members, "cardInfo")
    if members.get("creationRequestId") != REQUEST_ID or not _is_amount(_inside(card, "value")):
        return _NOTHING
    if card.get("cardStatus") == "RefundedToPurchaser":
        return frozenset({"AppliedDead"})
    code, gc_id = members.get("gcClaimCode"), members.get("gcId")
    has_both = all(
        isinstance(one, str) and re.fullmatch(form, one)
        for one, form in ((code, r"[!-~]{8,100}"), (gc_id, r"[!-~]{1,100}"))
    )
    is_live = card.get("cardStatus") == "Fulfilled" and has_both and str(code) not in str(gc_id)
    return frozenset({"Applied"}) if is_live else _NOTHING


def _physical(leg: str, members: Members) -> Kinds:
    card = _inside(members, "cardInfo")
    value = _inside(card, "value")
    agrees = (
        _same(members, "activationRequestId", REQUEST_ID)
        and _same(members, "statusCheckRequestId", REQUEST_ID)
        and _same(card, "cardNumber", CARD_NUMBER)
    )
    if not agrees:
        return _NOTHING
    status, has_amount = card.get("cardStatus"), card.get("value") is not None
    is_amount = not has_amount or _is_amount(value)
    if leg in ("undo activate", "deactivate"):
        return _done(leg, status != "Activated")
    if leg == "status":
        return _done(leg, isinstance(status, str) and status.isascii() and status.isalpha())
    if leg == "look up activate":
        is_told = number(value.get("amount")) is not None and isinstance(
            value.get("currencyCode"), str
        )
        found = "Found" if is_amount else "Conflict" if is_told else None
        kinds = {"AwaitingActivation": "NotFound", "Activated": found}
    else:
        named = members.get("activationRequestId") or card.get("cardNumber")
        kinds = {"AwaitingActivation": "AppliedDead", "Activated": "Applied"}
        if not named or not is_amount:
            return _NOTHING
    kind = kinds.get(status) if isinstance(status, str) else None
    return _NOTHING if kind is None else frozenset({kind})


def _balance(leg: str, members: Members) -> bool:
    amount, account = _inside(members, "amount"), _inside(members, "account")
    codes = [members[one] for one in ("gcClaimCode", "claimCode") if members.get(one) is not None]
    if not all(isinstance(code, str) and re.fullmatch(r"[!-~]{8,100}", code) for code in codes):
        return False
    return (
        _same(members, "loadBalanceRequestId", REQUEST_ID)
        and _same(amount, "currencyCode", CURRENCY)
        and (amount.get("value") is None or number(amount["value"]) == MINOR_UNITS)
        and _same(account, "id", ACCOUNT_ID)
        and (account.get("type") is None or number(account["type"]) == 1)
        and len(set(codes)) <= (1 if leg == "load" else 0)
    )
