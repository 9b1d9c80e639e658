"""Writes to a journal as fast as it can, says what was acknowledged, and waits to be killed.

For each path on standard input a child is forked that writes to it; its process ID is printed,
then a line for each acknowledged write. So a dozen deaths cost one start of the interpreter.
"""

import asyncio
import os
import sys

from agcod_async.journal.sqlite import SqliteJournal
from tests.journal.entries import fresh, issued, sending

TASKS = 32
TRANSITIONS = (sending, issued)


async def write(path: str) -> None:
    journal = SqliteJournal(path)

    def acknowledged(request_id: str, version: int) -> None:
        os.write(1, f"{request_id} {version}\n".encode())

    async def calls(task: int) -> None:
        for n in range(1_000_000):
            entry = await journal.open(fresh(f"Toy{task}x{n}"))
            acknowledged(entry.request_id, entry.version)
            while entry.version < len(TRANSITIONS):
                entry = await journal.advance(TRANSITIONS[entry.version](entry))
                acknowledged(entry.request_id, entry.version)

    await asyncio.gather(*(calls(task) for task in range(TASKS)))


def main() -> None:
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            os.write(1, f"{os.getpid()}\n".encode())
            asyncio.run(write(line.strip()))
        _, status = os.waitpid(child, 0)
        os.write(1, f"ended {os.waitstatus_to_exitcode(status)}\n".encode())


if __name__ == "__main__":
    main()
