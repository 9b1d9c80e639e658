"""Every reply that a leg may honestly get, as bytes with the places where they can be changed."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any, Final

from agcod_async.core.outcomes import Reply
from tests.hostile import reference
from tests.providers.legs import OPERATION
from tests.providers.replies import Leg, card, card_info
from tests.providers.samples import LEGS, SUCCESSES, activity, activity_row, balance, physical


@dataclass(frozen=True, slots=True)
class Spot:
    """One member: where its name stands (in XML also the closing one), its value, and all of it."""

    member: str
    names: tuple[tuple[int, int], ...]
    value: tuple[int, int]
    whole: tuple[int, int]
    separator: bytes


@dataclass(frozen=True, slots=True)
class Template:
    """One honest reply. `starts` are the places where another member may stand first."""

    leg: str
    status: int
    root: str | None
    body: bytes
    spots: tuple[Spot, ...]
    starts: tuple[int, ...]

    @property
    def is_json(self) -> bool:
        return self.root is None


@dataclass(slots=True)
class _Writer:
    out: bytearray = field(default_factory=bytearray)
    spots: list[Spot] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)

    def json(self, value: Any) -> None:
        if isinstance(value, list):
            self.out += b"["
            for at, one in enumerate(value):
                self.out += b"," if at else b""
                self.json(one)
            self.out += b"]"
        elif isinstance(value, dict):
            self.out += b"{"
            self.starts.append(len(self.out))
            for at, (name, one) in enumerate(value.items()):
                self.out += b"," if at else b""
                begin = len(self.out)
                self.out += json.dumps(name).encode() + b":"
                middle = len(self.out)
                self.json(one)
                end = len(self.out)
                spot = Spot(name, ((begin, middle - 1),), (middle, end), (begin, end), b",")
                self.spots.append(spot)
            self.out += b"}"
        else:
            self.out += json.dumps(value).encode()

    def xml(self, name: str, value: Any) -> None:
        begin, tag = len(self.out), name.encode()
        self.out += b"<" + tag + b">"
        middle = len(self.out)
        if isinstance(value, dict):
            self.starts.append(middle)
            for inner, one in value.items():
                if one is not None:
                    self.xml(inner, one)
        elif isinstance(value, list):
            for one in value:
                self.xml("member", one)
        else:
            self.out += escape(str(value), quote=False).encode()
        end = len(self.out)
        self.out += b"</" + tag + b">"
        names = ((begin + 1, middle - 1), (end + 2, len(self.out) - 1))
        self.spots.append(Spot(name, names, (middle, end), (begin, len(self.out)), b""))


def template(
    leg: str, members: Mapping[str, Any], status: int = 200, root: str | None = None
) -> Template:
    """Return a template in JSON, or under `root` in XML."""
    writer = _Writer()
    if root is None:
        writer.json(dict(members))
    else:
        writer.xml(root, dict(members))
        writer.spots.pop() if not members else None
    return Template(leg, status, root, bytes(writer.out), tuple(writer.spots), tuple(writer.starts))


# --- successes -----------------------------------------------------------------------------------


def _more_successes(leg: str) -> Iterator[dict[str, Any]]:
    if leg == "create":
        yield card(cardInfo=card_info("RefundedToPurchaser"))
        yield card(gcExpirationDate=None)
        yield card(cardInfo=card_info("Expired"))
    if leg in ("activate", "deactivate", "undo activate", "status", "look up activate"):
        yield physical("AwaitingActivation")
        yield physical("Activated", "statusCheckRequestId")
        yield physical("AwaitingActivation", "statusCheckRequestId", value=...)
        yield physical("Activated")
    if leg in ("load", "undo load", "void", "validate"):
        yield {"status": "SUCCESS"}
        yield balance(account={"id": reference.ACCOUNT_ID, "type": 1})
        yield balance(gcClaimCode=SUCCESSES["create"]()["gcClaimCode"])
    if leg in ("undo", "cancel", "undo activate", "deactivate"):
        yield {"status": "SUCCESS"}
    if leg == "activity":
        yield activity()
        yield activity(activity_row(cardNumber=reference.CARD_NUMBER, gcId=None))


# --- errors --------------------------------------------------------------------------------------

_ID_MEMBER: Final = {
    "create": "creationRequestId",
    "undo": "creationRequestId",
    "cancel": "creationRequestId",
    "activate": "activationRequestId",
    "undo activate": "activationRequestId",
    "deactivate": "activationRequestId",
    "look up activate": "statusCheckRequestId",
    "status": "statusCheckRequestId",
    "load": "loadBalanceRequestId",
    "undo load": "loadBalanceRequestId",
    "void": "loadBalanceRequestId",
    "validate": "loadBalanceRequestId",
}


_SAID: Final = ("The balance is already used", "The time limit for voiding has passed", "x")


def _errors(leg: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every row of the error tables in the leg's own form, with its exception's name."""
    is_balance, named = OPERATION[leg].endswith(("Load", "Balance")), _ID_MEMBER.get(leg)
    kinds = sorted({(row["class"], row["name"]) for row in reference.ERRORS})
    for at, (code, name) in enumerate([*kinds, ("F200", "NeverHeardOf"), ("F300", None)]):
        status = "RESEND" if code == "F400" else "FAILURE"
        if is_balance:
            error: dict[str, Any] = {"errorCode": code, "errorType": name, "status": status}
            for said in _SAID if name == "BalanceLoadCannotBeVoided" else ("x",):
                yield "LoadAmazonBalanceException", {**error, "errorMessage": said}
            continue
        answer: dict[str, Any] = {"__type": f"{OPERATION[leg]}Response:http://x.example/"}
        if named is not None:
            # A real failing call has been seen to name its ID; mock ones say null.
            answer[named] = reference.REQUEST_ID if at % 2 else None
        answer |= {"cardInfo": None, "gcClaimCode": None, "gcId": None, "status": status}
        whole = {"agcodResponse": answer, "errorCode": code, "errorType": name, "message": "x"}
        yield "AGCODException" if at % 3 else "AGCODValidationException", whole


def _at_the_door() -> Iterator[dict[str, Any]]:
    for said in reference.DOOR_MESSAGES:
        yield {"message": said}
    for name in sorted(reference.THROTTLES | reference.DOOR_NAMES | reference.OUTDATED):
        yield {"__type": f"com.amazon.coral#{name}", "Message": "x"}


def _in_xml(error: dict[str, Any]) -> dict[str, Any]:
    shown = dict(error)
    if "agcodResponse" in shown:
        shown["agcodResponse"] = {
            name: value for name, value in shown["agcodResponse"].items() if name[0] != "_"
        }
    return shown


def _of_leg(leg: str) -> Iterator[Template]:
    root = f"{OPERATION[leg]}Response"
    # A success stands there as often as all errors together: it is what must not be forged.
    for members in (SUCCESSES[leg](), *_more_successes(leg)):
        yield template(leg, members)
        yield template(leg, members, root=root)
    yield template(leg, SUCCESSES[leg](), root=OPERATION[leg])
    for exception, error in _errors(leg):
        yield template(leg, error, 400)
        yield template(leg, _in_xml(error), 400, exception)
    for error in _at_the_door():
        yield template(leg, error, 400)
        shown = {name: value for name, value in error.items() if name != "__type"}
        name = str(error.get("__type", "x#Error")).rpartition("#")[2]
        yield template(leg, shown, 400, name)
    # Somebody else's page that quotes the front door's words.
    page = {"message": "Missing Authentication Token", "p": "x" * 9_000}
    yield template(leg, page, 403, "html")


TEMPLATES: Final[Mapping[str, tuple[Template, ...]]] = {leg: tuple(_of_leg(leg)) for leg in LEGS}
"""Every honest reply by its leg, first the successes."""

SUCCESS_COUNT: Final[Mapping[str, int]] = {
    leg: sum(one.status == 200 for one in templates) for leg, templates in TEMPLATES.items()
}

JUDGES: Final[dict[str, Leg]] = {leg: make() for leg, make in LEGS.items()}
"""What is under test: bytes in, outcome out."""


def reply(status: int, content_type: str, body: bytes) -> Reply:
    return Reply(status, content_type, body)
