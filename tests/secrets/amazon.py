"""An Amazon that answers at once, badly at times, and whose every claim code is a canary."""

import asyncio
import json
import random
from collections.abc import Callable, Mapping
from itertools import count

from agcod_async.core.outcomes import Lost, Reason, Reply, Untouched
from agcod_async.settings import Settings
from agcod_async.values import Credentials
from agcod_async.wire.port import Exchanged
from tests.secrets.net import MARK, Net

PARTNER_ID = "Emula"
SECRET = f"{MARK}/secret+key/EXAMPLE"
SETTINGS = Settings(
    credentials=Credentials(access_key_id="AKIDEXAMPLE", secret_access_key=SECRET),
    partner_id=PARTNER_ID,
    requests_per_second=2_000,
)

Shown = Mapping[str, object]
FAULTS_SHARE = 0.08


def code_of(request_id: str) -> str:
    """Return the claim code under an ID: a canary of its own."""
    return f"{MARK}-{request_id[-12:]}"


def card(request_id: str, value: object) -> dict[str, object]:
    return {
        "cardInfo": {"cardStatus": "Fulfilled", "value": value},
        "creationRequestId": request_id,
        "gcClaimCode": code_of(request_id),
        "gcId": f"GC{request_id[-10:]}",
        "status": "SUCCESS",
    }


class BadAmazon:
    """A transport. Whatever can be quoted in a bad answer is in it: code, signature, request."""

    def __init__(self, net: Net, seed: int, faults: float = FAULTS_SHARE) -> None:
        self._net = net
        self._chance = random.Random(seed)
        self._faults = faults
        self._answers = tuple(ANSWERS.values())
        self.answered = count()

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Exchanged:
        self._net.sent(headers)
        await asyncio.sleep(0)
        next(self.answered)
        asked = json.loads(body)
        if url.endswith("/CancelGiftCard"):
            return _reply({"creationRequestId": asked["creationRequestId"], "status": "SUCCESS"})
        answer = card(asked["creationRequestId"], asked["value"])
        if self._chance.random() >= self._faults:
            return _reply(answer)
        return self._chance.choice(self._answers)(answer, headers)

    async def aclose(self) -> None:
        pass


def _reply(answer: Shown, status: int = 200) -> Reply:
    return Reply(status, "application/json", json.dumps(answer).encode())


def _error(code: str, name: str, answer: Shown, headers: Mapping[str, str]) -> Reply:
    said = f"{name} for {answer['gcClaimCode']} {headers['authorization']}"
    return _reply(
        {
            "agcodResponse": {"status": "RESEND" if code == "F400" else "FAILURE"},
            "creationRequestId": answer["creationRequestId"],
            "errorCode": code,
            "errorType": name,
            "message": said,
            str(answer["gcClaimCode"]): said,
        },
        400,
    )


def _text(status: int, text: str, kind: str = "text/html") -> Reply:
    return Reply(status, kind, text.encode())


def _raises(answer: Shown, headers: Mapping[str, str]) -> Reply:
    raise RuntimeError(f"could not read {answer} {headers}")


ANSWERS: dict[str, Callable[[Shown, Mapping[str, str]], Exchanged]] = {
    "no connection": lambda _a, _h: Untouched(Reason("no connection")),
    "no reply": lambda _a, _h: Lost(Reason("the connection broke")),
    "a transport that raises, and quotes": _raises,
    "F400": lambda a, h: _error("F400", "SystemTemporarilyUnavailable", a, h),
    "F100": lambda a, h: _error("F100", "GeneralError", a, h),
    "F200": lambda a, h: _error("F200", "InvalidAmountValue", a, h),
    "F300": lambda a, h: _error("F300", "InsufficientFunds", a, h),
    "an error with a card": lambda a, _h: _reply({**a, "errorCode": "F200"}, 400),
    "a name that is a code": lambda a, h: _error(f"{a['gcClaimCode']}", "X", a, h),
    "a type that is a code": lambda a, h: _error("F200", f"{a['gcClaimCode']}", a, h),
    "a page that quotes": lambda a, h: _text(503, f"<html>{a} {h['authorization']}</html>"),
    "garbage": lambda a, _h: _text(200, f"{a}", "application/json"),
    "half of it": lambda a, _h: _text(200, json.dumps(a)[:-20], "application/json"),
    "XML": lambda a, _h: _text(400, f"<{a['gcClaimCode']}>{a['gcClaimCode']}<", "text/xml"),
    "a throttle": lambda a, _h: _text(
        400, f"<ThrottlingException><m>{a['gcClaimCode']}</m></ThrottlingException>", "text/xml"
    ),
    "another status": lambda a, _h: _reply({**a, "status": a["gcClaimCode"]}),
    "a number that is a code": lambda a, _h: _reply(
        {**a, "cardInfo": {"cardStatus": "Fulfilled", "value": {"amount": a["gcClaimCode"]}}}
    ),
    "a card status that is a code": lambda a, _h: _reply(
        {**a, "cardInfo": {"cardStatus": a["gcClaimCode"]}}
    ),
    "a date that is a code": lambda a, _h: _reply({**a, "gcExpirationDate": a["gcClaimCode"]}),
    "a code that is a list": lambda a, _h: _reply({**a, "gcClaimCode": [a["gcClaimCode"]]}),
    "a dead card": lambda a, _h: _reply({**a, "cardInfo": {"cardStatus": "RefundedToPurchaser"}}),
    "another's card": lambda a, _h: _reply({**a, "creationRequestId": "Emulax"}),
    "everything twice": lambda a, _h: _text(
        200, json.dumps(a)[:-1] + "," + json.dumps(a)[1:], "application/json"
    ),
}
