"""A command that takes cards over: it brings each one to a server on this machine.

It reads one line of JSON for each card, waits for the server's answer, which is the card's request
ID, and passes that on: so a card is acknowledged when the server has it, and not before.
"""

import socket
import sys
from contextlib import suppress


def main(port: int) -> None:
    """Bring over whatever comes on standard input."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        answers = connection.makefile("r", encoding="utf-8")
        for line in sys.stdin.buffer:
            connection.sendall(line)
            answer = answers.readline()
            with suppress(BrokenPipeError):  # who wrote the line may be dead; the card is here
                sys.stdout.write(answer)
                sys.stdout.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]))
