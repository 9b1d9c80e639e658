"""aiohttp posting bytes that were signed beforehand: no SDK, no signature, nothing decoded."""

import aiohttp

from benchmarks.suite import request


class BareAiohttp:
    """`session.post` and the bytes of the reply."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/{request.OPERATION}"

    async def open(self) -> None:
        """Open the session."""
        self._session = aiohttp.ClientSession()

    async def issue(self, number: int) -> None:
        """Exchange once."""
        del number
        async with self._session.post(
            self._url, data=request.CANNED_BODY, headers=request.CANNED_HEADERS
        ) as response:
            request.check(b"SUCCESS" in await response.read())

    async def close(self) -> None:
        """Close the session."""
        await self._session.close()
