"""Figures as JSON, written and read back. Whoever reads them may not have written them."""

from typing import Final

import msgspec

from agcod_async.figures.figures import Figures

BYTES_MAX: Final = 4_000_000
"""More than any figures take: all their lists have limits."""

_decoder: Final = msgspec.json.Decoder(Figures)


def to_json(figures: Figures) -> bytes:
    """Return the figures as one JSON object, the same bytes for the same figures."""
    return msgspec.json.format(msgspec.json.encode(figures, order="sorted"), indent=2) + b"\n"


def from_json(text: bytes) -> Figures:
    """Return the figures; raises `ValueError` where the text is none."""
    if len(text) > BYTES_MAX:
        raise ValueError(f"too long: {len(text)} bytes (at most {BYTES_MAX})")
    try:
        return _decoder.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(str(error)) from error
