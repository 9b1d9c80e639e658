"""The other side: a server that answers every create at once, in a process of its own.

It knows no HTTP beyond a request's length. The reply is canned but for the request ID, so that a
client which compares the two is satisfied. `GET /stats` tells what it has done and what that cost,
so that each run can show that the server was not what was measured. Loopback only.

    python -m benchmarks.suite.mock [FOLDER]

It prints {"port": …}, and ends with its standard input. With a FOLDER it speaks TLS, and puts the
certificate that its clients have to trust there.
"""

import json
import os
import re
import selectors
import socket
import ssl
import sys
import threading
import time
from email.utils import formatdate
from pathlib import Path

from benchmarks.suite.machine import cores, pin_server

AUTHORITY = "authority.pem"
"""The file of the certificate that clients have to trust."""

AWAKE_SECONDS = 0.05
"""So long after a request it looks for the next one without sleeping. To wake a sleeping process
takes its client as long as to send, and only a client that is slow enough would pay for it: no
client of a server on another machine does."""

_REQUEST_ID = re.compile(rb'creationRequestId"\s*:\s*"(\w+)"')
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_HEAD_END = b"\r\n\r\n"
_BODY = (
    b'{"cardInfo":{"cardNumber":null,"cardStatus":"Fulfilled","expirationDate":null,'
    b'"value":{"amount":25.00,"currencyCode":"USD"}},"creationRequestId":"%b",'
    b'"gcClaimCode":"MOCK-CLAIMC-CODE","gcExpirationDate":"Wed Mar 12 22:59:59 UTC 2031",'
    b'"gcId":"A2GCN9BRX5QS76","status":"SUCCESS"}'
)
_HEAD = (
    "HTTP/1.1 200 OK\r\nx-amzn-RequestId: 5a9b0e5f-0f5f-11f0-8d4b-1f7a5e7a9c11\r\n"
    "Content-Type: application/json\r\nDate: {date}\r\nContent-Length: {length}\r\n\r\n"
)


class Server:
    """One thread, one selector, one buffer for each connection."""

    def __init__(self, tls: ssl.SSLContext | None = None, *, awake_seconds: float) -> None:
        self._tls = tls
        self._awake_seconds = awake_seconds
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self._listener.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._buffers: dict[socket.socket, bytes] = {}
        self._requests = 0
        self._busy_seconds = 0.0
        self._second = -1
        self._heads: dict[int, bytes] = {}

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._listener.getsockname()[1])

    def serve(self) -> None:
        """Answer, for ever."""
        awake_until = 0.0
        while True:
            began = time.perf_counter()
            is_awake = began < awake_until
            ready = self._selector.select(0 if is_awake else None)
            if not is_awake:
                began = time.perf_counter()  # it has slept until now
            if ready:
                for key, _ in ready:
                    self._attend(key.fileobj)
                now = time.perf_counter()
                self._busy_seconds += now - began
                awake_until = now + self._awake_seconds

    def _attend(self, ready: object) -> None:
        if ready is self._listener:
            self._accept()
        else:
            assert isinstance(ready, socket.socket)  # noqa: S101  nothing else is registered
            self._read(ready)

    def _accept(self) -> None:
        connection, _ = self._listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._tls is not None:  # nobody else is served meanwhile: it is once a connection
            connection = self._tls.wrap_socket(connection, server_side=True)
        connection.setblocking(False)
        self._buffers[connection] = b""
        self._selector.register(connection, selectors.EVENT_READ)

    def _read(self, connection: socket.socket) -> None:
        try:
            data = connection.recv(65_536)  # more than a record of TLS: nothing stays behind
        except ssl.SSLWantReadError:
            return
        except OSError:
            data = b""
        if not data:
            self._selector.unregister(connection)
            del self._buffers[connection]
            connection.close()
            return
        data = self._buffers[connection] + data
        while (end := _request_end(data)) is not None:
            connection.sendall(self._reply(data[:end]))
            data = data[end:]
        self._buffers[connection] = data

    def _reply(self, request: bytes) -> bytes:
        if request.startswith(b"GET"):
            stats = {"requests": self._requests, "busy": self._busy_seconds, "at": time.monotonic()}
            return self._with_head(json.dumps(stats).encode())
        self._requests += 1
        found = _REQUEST_ID.search(request)
        return self._with_head(_BODY % (found[1] if found else b""))

    def _with_head(self, body: bytes) -> bytes:
        second, length = int(time.time()), len(body)
        if second != self._second:
            self._second, self._heads = second, {}
        if length not in self._heads:
            head = _HEAD.format(date=formatdate(second, usegmt=True), length=length)
            self._heads[length] = head.encode()
        return self._heads[length] + body


def _request_end(data: bytes) -> int | None:
    """Return where the first request in `data` ends; None while some of it is missing."""
    head_end = data.find(_HEAD_END)
    if head_end < 0:
        return None
    length = _LENGTH.search(data, 0, head_end + 2)
    end = head_end + len(_HEAD_END) + (int(length[1]) if length else 0)
    return end if len(data) >= end else None


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


def _certified(folder: Path) -> ssl.SSLContext:
    """Return what a server of TLS needs, under an authority made for this run."""
    import trustme  # noqa: PLC0415  only who asks for TLS needs it

    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / AUTHORITY))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


def main() -> None:
    awake_seconds = AWAKE_SECONDS if len(cores()) > 1 else 0.0  # the only core is the client's
    pin_server()
    tls = _certified(Path(sys.argv[1])) if len(sys.argv) > 1 else None
    server = Server(tls, awake_seconds=awake_seconds)
    print(json.dumps({"port": server.port}), flush=True)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    server.serve()


if __name__ == "__main__":
    main()
