"""The stage of the command line's tests: the page is tried out on it."""

from tests.cli.conftest import agcod, emulator, file_of, serve

__all__ = ["agcod", "emulator", "file_of", "serve"]
