"""JSON, in both directions, in the shapes of recorded replies.

An error of an operation wraps its answer, all null but the status, in `agcodResponse`; one of a
balance operation has its status at the top level; an error of the framework around the service has
a `Message` and no code.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final, assert_never, cast

import msgspec

from agcod_async.core.outcomes import Reply
from agcod_async.testing.answers import Executed, Failure, Success, Unusable
from agcod_async.testing.catalogue import Refusal
from agcod_async.testing.members import Parsed, request_of
from agcod_async.testing.operations import OPERATIONS
from agcod_async.testing.requests import Envelope, Number

JSON_CONTENT_TYPE: Final = "application/json"

_TYPE_SUFFIX = "Response:http://internal.amazon.com/coral/com.amazonaws.agcod/"


class JsonFormat:
    """One way of writing requests and answers."""

    def read(self, operation: str, body: bytes) -> Parsed:
        """Read a request: a bare object with members in camelCase."""
        try:
            raw = _DECODER.decode(body or b"null")
        except (ValueError, ArithmeticError, RecursionError):
            return Unusable("Could not parse request body into json")
        if raw is not None and not isinstance(raw, dict):
            return Unusable(f"class {_java_class(raw)} is not an expected Json type")
        members = cast("dict[str, object] | None", raw)
        return request_of(operation, members, number=_number, is_text=False)

    def write(self, operation: str, executed: Executed, error_status: int) -> Reply:
        """Write an answer: bare on success, with null for whatever is absent."""
        match executed:
            case Success(members):
                return json_reply(200, members)
            case Failure(refusal, request_id):
                return json_reply(error_status, _error(operation, refusal, request_id))
            case Unusable(message):
                return self.refuse(400, "SerializationException", message)
            case _ as never:
                assert_never(never)

    def refuse(self, status: int, exception: str, message: str) -> Reply:  # noqa: ARG002 - XML
        """Write an error of the framework. JSON does not show the name of the exception."""
        return json_reply(status, {"Message": message})


def json_reply(status: int, members: Mapping[str, object]) -> Reply:
    """Write any members as JSON."""
    return Reply(status, JSON_CONTENT_TYPE, msgspec.json.encode(members))


def _error(operation: str, refusal: Refusal, request_id: str | None) -> Mapping[str, object]:
    kind = OPERATIONS[operation]
    match kind.envelope:
        case Envelope.FLAT:
            return {
                "errorCode": refusal.code,
                "errorMessage": refusal.message,
                "errorType": refusal.error_type,
                "status": refusal.status,
            }
        case Envelope.NESTED:
            answer: dict[str, object] = {"__type": operation + _TYPE_SUFFIX}
            answer.update(dict.fromkeys(kind.members))
            if kind.id_member is not None:
                answer[kind.id_member] = request_id
            answer["status"] = refusal.status
            return {
                "agcodResponse": answer,
                "errorCode": refusal.code,
                "errorType": refusal.error_type,
                "message": refusal.message,
            }
        case _ as never:
            assert_never(never)


def _number(given: object) -> Number:
    if isinstance(given, bool) or not isinstance(given, int | Decimal):
        raise TypeError(f"Expected a number, got `{type(given).__name__}`")
    return Number(given)


def _java_class(value: object) -> str:
    if isinstance(value, str):
        return "java.lang.String"
    return "java.util.ArrayList" if isinstance(value, list) else "java.lang.Object"


_DECODER = msgspec.json.Decoder(float_hook=Decimal)  # an amount stays exactly what was written
