"""Which format a request comes in, and which its answer is asked for in.

Rules of this file:

1. A format is one class behind `WireFormat`; the service knows no other way to bytes.
2. The two directions are chosen apart: the answer by `accept`, and XML unless that names JSON; the
   request by `content-type`, and where that names neither, by its first character.
3. A throttled request is answered in XML whatever it came in (Amazon's error page).
"""

from collections.abc import Mapping
from typing import Final, Protocol

from agcod_async.core.outcomes import Reply
from agcod_async.testing.answers import Executed
from agcod_async.testing.json_format import JSON_CONTENT_TYPE, JsonFormat, json_reply
from agcod_async.testing.members import Parsed
from agcod_async.testing.xml_format import XML_CONTENT_TYPE, XmlFormat

UNSUPPORTED_PROTOCOL: Final = (
    "There was an error while processing the request. "
    "The request does not match any of the supported protocols."
)
"""What Amazon's FAQ quotes for a request to a wrong endpoint."""


class WireFormat(Protocol):
    """One way of writing requests and answers."""

    def read(self, operation: str, body: bytes) -> Parsed:
        """Read a request, or say why it cannot be read."""
        ...

    def write(self, operation: str, executed: Executed, error_status: int) -> Reply:
        """Write an answer. `error_status` is the HTTP status of errors."""
        ...

    def refuse(self, status: int, exception: str, message: str) -> Reply:
        """Write an error that comes from the framework around the service: it has no F-code."""
        ...


def format_of_request(headers: Mapping[str, str], body: bytes) -> WireFormat:
    """Return the format that a request is read in."""
    content_type = headers.get("content-type", "").lower()
    if JSON_CONTENT_TYPE in content_type:
        return _JSON
    if "xml" in content_type or body.lstrip()[:1] == b"<":
        return _XML
    return _JSON


def format_of_answer(headers: Mapping[str, str]) -> WireFormat:
    """Return the format that a request is answered in."""
    return _JSON if JSON_CONTENT_TYPE in headers.get("accept", "").lower() else _XML


def throttled(status: int, *, as_json: bool = False) -> Reply:
    """Refuse a request for coming too fast."""
    if as_json:
        return json_reply(status, {"message": "Rate exceeded"})
    body = b"<ThrottlingException>\n    <Message>Rate exceeded</Message>\n</ThrottlingException>"
    return Reply(status, XML_CONTENT_TYPE, body)


_JSON: Final[WireFormat] = JsonFormat()
_XML: Final[WireFormat] = XmlFormat()
