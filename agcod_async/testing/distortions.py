"""Answers that no client wants: what a proxy, a dying server or a broken network makes of one."""

from dataclasses import replace
from typing import Final, Literal, assert_never

from agcod_async.core.outcomes import Reply
from agcod_async.testing.faults import Seen
from agcod_async.wire.port import REPLY_SIZE_MAX

Distortion = Literal[
    Seen.HTML_503, Seen.GARBAGE, Seen.TRUNCATED, Seen.WRONG_CONTENT_TYPE, Seen.OVERSIZED
]

_HTML_503: Final = Reply(
    503,
    "text/html",
    b"<html><body><h1>503 Service Unavailable</h1></body></html>",
)
_GARBAGE: Final = b"\x00\xff\xfe{\x80 not a reply \x00"


def distorted(how: Distortion, answer: Reply) -> Reply:
    """Return what arrives instead of `answer`."""
    match how:
        case Seen.HTML_503:
            return _HTML_503
        case Seen.GARBAGE:
            return replace(answer, body=_GARBAGE)
        case Seen.TRUNCATED:
            return replace(answer, body=answer.body[: len(answer.body) // 2])
        case Seen.WRONG_CONTENT_TYPE:
            return replace(answer, content_type="text/html")
        case Seen.OVERSIZED:
            # Blanks after a document change nothing, so only its size is wrong with it.
            return replace(answer, body=answer.body + b" " * REPLY_SIZE_MAX)
        case _ as never:
            assert_never(never)
