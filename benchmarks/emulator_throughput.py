"""How many creates a second the emulator's HTTP server answers on one core, loopback only.

Run: python benchmarks/emulator_throughput.py [--requests 20000] [--connections 16]

The server has a process of its own. Every request is signed beforehand and has its own request
ID, so the client does little but write and read bytes; what is measured is the server.
"""

import argparse
import asyncio
import multiprocessing
import resource
import time
from multiprocessing.connection import Connection

from agcod_async.testing.config import EMULATOR_CREDENTIALS, EMULATOR_PARTNER_ID, EmulatorConfig
from agcod_async.testing.emulator import Emulator
from agcod_async.testing.server import serve_forever
from agcod_async.values import Money
from agcod_async.wire.sigv4 import Signer

TARGET = "com.amazonaws.agcod.AGCODService"


def serve(pipe: Connection, verify_signatures: bool) -> None:  # noqa: FBT001 - a process target
    config = EmulatorConfig(
        requests_per_second=None,
        funds=(Money(100_000_000, "USD"),),
        verify_signatures=verify_signatures,
    )
    asyncio.run(serve_forever(Emulator(config), port=0, on_ready=pipe.send))


def signed_requests(url: str, count: int) -> list[bytes]:
    signer = Signer(
        EMULATOR_CREDENTIALS,
        region="us-east-1",
        service="AGCODService",
        url=url,
        target_prefix=TARGET,
    )
    now = time.time()
    requests: list[bytes] = []
    for number in range(count):
        body = (
            f'{{"creationRequestId":"{EMULATOR_PARTNER_ID}{number:09}",'
            f'"partnerId":"{EMULATOR_PARTNER_ID}",'
            '"value":{"currencyCode":"USD","amount":25.00}}'
        ).encode()
        headers = {**signer.sign("CreateGiftCard", body, now), "content-length": str(len(body))}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        requests.append(f"POST /CreateGiftCard HTTP/1.1\r\n{lines}\r\n".encode() + body)
    return requests


async def exchange(url: str, requests: list[bytes], connections: int) -> tuple[float, int]:
    host, port = url.removeprefix("http://").split(":")
    succeeded = 0
    streams = [await asyncio.open_connection(host, int(port)) for _ in range(connections)]

    async def drive(own: list[bytes], stream: int) -> None:
        nonlocal succeeded
        reader, writer = streams[stream]
        for request in own:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            body = await reader.readexactly(length)
            succeeded += b'"Fulfilled"' in body

    began = time.perf_counter()
    await asyncio.gather(*(drive(requests[n::connections], n) for n in range(connections)))
    seconds = time.perf_counter() - began
    for _, writer in streams:
        writer.close()
    return seconds, succeeded


def children_seconds() -> float:
    """Return the CPU time of the server processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure(count: int, connections: int, *, verify_signatures: bool) -> None:
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.Process(target=serve, args=(theirs, verify_signatures), daemon=True)
    server.start()
    used_before = children_seconds()
    url = str(ours.recv())
    try:
        requests = signed_requests(url, count)
        seconds, succeeded = asyncio.run(exchange(url, requests, connections))
    finally:
        server.terminate()
        server.join()
    if succeeded != count:
        raise SystemExit(f"{count - succeeded} of {count} requests did not make a card")
    cpu_micros = (children_seconds() - used_before) / count * 1e6
    word = "on" if verify_signatures else "off"
    print(
        f"signatures {word:3}: {count / seconds:6.0f} requests/s ({count} in {seconds:.2f} s), "
        f"{cpu_micros:4.0f} microseconds of the server's CPU each"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--connections", type=int, default=16)
    arguments = parser.parse_args()
    for verify_signatures in (True, False):
        measure(arguments.requests, arguments.connections, verify_signatures=verify_signatures)


if __name__ == "__main__":
    main()
