"""The mock server answers whatever way a request comes, and says how busy it was."""

import json
import socket
from collections.abc import Iterator

import pytest

from benchmarks.suite import request
from benchmarks.suite.processes import Mock, mock_server

HEAD = b"POST /CreateGiftCard HTTP/1.1\r\nhost: here\r\nContent-Length: %d\r\n\r\n"


@pytest.fixture(scope="module")
def mock() -> Iterator[Mock]:
    with mock_server() as running:
        yield running


@pytest.fixture
def connection(mock: Mock) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", mock.port), timeout=5) as opened:
        yield opened


def _request(number: int) -> bytes:
    body = json.dumps({"creationRequestId": request.request_id(number)}).encode()
    return HEAD % len(body) + body


def _reply(connection: socket.socket) -> dict[str, object]:
    """Read one reply, and not a byte more."""
    file = connection.makefile("rb", buffering=0)
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += file.read(1) or b""
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    return dict(json.loads(file.read(length) or b""))


def test_the_reply_is_a_card_under_the_requests_own_id(connection: socket.socket) -> None:
    connection.sendall(_request(7))

    reply = _reply(connection)

    assert reply["creationRequestId"] == request.request_id(7)
    assert reply["status"] == "SUCCESS"


def test_a_request_in_pieces_is_one_request(connection: socket.socket) -> None:
    message = _request(8)
    for part in (message[:30], message[30:-5], message[-5:]):
        connection.sendall(part)

    assert _reply(connection)["creationRequestId"] == request.request_id(8)


def test_two_requests_in_one_piece_are_two(connection: socket.socket) -> None:
    connection.sendall(_request(1) + _request(2))

    assert _reply(connection)["creationRequestId"] == request.request_id(1)
    assert _reply(connection)["creationRequestId"] == request.request_id(2)


def test_it_tells_what_it_has_done_and_what_that_cost(
    mock: Mock, connection: socket.socket
) -> None:
    before = mock.stats()
    for number in range(50):
        connection.sendall(_request(number))
        _reply(connection)

    use = mock.use_since(before)

    assert use.requests == 50
    assert 0 < use.busy_seconds <= use.seconds
    assert 0 < use.busy <= 1
    assert use.per_second == pytest.approx(50 / use.seconds)
