"""The lines of an orders file as text, however long they are and whatever is in them."""

from collections.abc import Iterator
from typing import BinaryIO, Final

LINE_BYTES_MAX: Final = 65_536

_UTF8_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


class TextLines:
    """The lines of a file as text. `problem` says what is wrong with those read last."""

    def __init__(self, file: BinaryIO) -> None:
        """Read from the beginning."""
        self.problem: tuple[str, str] | None = None
        self._raw = raw_lines(file)
        self._is_first = True

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._raw)
        if self._is_first:
            self._is_first = False
            if line.startswith(_UTF16_MARKS):
                self.problem = ("is in UTF-16", "UTF-8")
            line = line.removeprefix(_UTF8_MARK)
        if len(line) > LINE_BYTES_MAX:
            self.problem = ("is too long", f"at most {LINE_BYTES_MAX} bytes")
            return "\n"
        try:
            return line.decode()
        except UnicodeDecodeError:
            self.problem = self.problem or ("has bytes that are not UTF-8", "UTF-8")
            return "\n"


def raw_lines(file: BinaryIO) -> Iterator[bytes]:
    """Return the lines; of one that is too long, just enough to tell."""
    while line := file.readline(LINE_BYTES_MAX + 1):
        rest = line
        while rest and not rest.endswith(b"\n") and len(line) > LINE_BYTES_MAX:
            rest = file.readline(LINE_BYTES_MAX)
        yield line
