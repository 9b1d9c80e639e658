"""What a user would write from well-known parts, without this package.

pydantic for the messages, botocore for the signature, tenacity for retries (on a failure of the
connection only), aiolimiter for the rate, and httpx or aiohttp for the exchange. It knows nothing
of tombstones, lost replies, F400 or crashes; it is what such code costs, not what it is worth.
"""

import json
from collections.abc import Mapping
from decimal import Decimal

import aiohttp
import httpx
from aiolimiter import AsyncLimiter
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from pydantic import BaseModel
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from benchmarks.suite import request


class Value(BaseModel):
    """An amount of money."""

    currencyCode: str  # noqa: N815  Amazon's spelling
    amount: Decimal


class CreateGiftCardRequest(BaseModel):
    """What is asked for."""

    creationRequestId: str  # noqa: N815
    partnerId: str  # noqa: N815
    value: Value


class CardInfo(BaseModel):
    """How the card stands."""

    cardStatus: str  # noqa: N815
    value: Value


class CreateGiftCardResponse(BaseModel):
    """What is answered."""

    creationRequestId: str  # noqa: N815
    gcClaimCode: str  # noqa: N815
    gcId: str  # noqa: N815
    status: str
    cardInfo: CardInfo  # noqa: N815


class _ByHand:
    def __init__(self, url: str) -> None:
        self._url = f"{url}/{request.OPERATION}"
        self._signer = SigV4Auth(
            Credentials(request.ACCESS_KEY_ID, request.SECRET_ACCESS_KEY),
            request.SERVICE,
            request.REGION,
        )
        self._limiter = AsyncLimiter(100_000, 1)

    async def issue(self, number: int) -> None:
        """Issue one card."""
        asked = CreateGiftCardRequest(
            creationRequestId=request.request_id(number),
            partnerId=request.PARTNER_ID,
            value=Value(currencyCode="USD", amount=Decimal("25.00")),
        )
        body = json.dumps(
            {**asked.model_dump(), "value": {"currencyCode": "USD", "amount": 25.0}}
        ).encode()
        retrying = AsyncRetrying(
            stop=stop_after_attempt(5),
            wait=wait_exponential(multiplier=0.1, max=5),
            retry=retry_if_exception_type((httpx.TransportError, aiohttp.ClientError)),
            reraise=True,
        )
        async for attempt in retrying:
            with attempt:
                async with self._limiter:
                    answer = await self._post(body, self._signed(body))
                card = CreateGiftCardResponse.model_validate(answer)
                is_ours = card.creationRequestId == asked.creationRequestId
                request.check(card.status == "SUCCESS" and is_ours)

    def _signed(self, body: bytes) -> dict[str, str]:
        aws = AWSRequest(
            "POST",
            self._url,
            data=body,
            headers={
                "accept": "application/json",
                "content-type": request.CONTENT_TYPE,
                "x-amz-target": request.TARGET,
            },
        )
        self._signer.add_auth(aws)
        return dict(aws.headers)

    async def _post(self, body: bytes, headers: Mapping[str, str]) -> object:
        raise NotImplementedError


class ByHandHttpx(_ByHand):
    """On `httpx.AsyncClient`, one client for all calls."""

    async def open(self) -> None:
        """Open the client."""
        self._client = httpx.AsyncClient(timeout=6)

    async def _post(self, body: bytes, headers: Mapping[str, str]) -> object:
        response = await self._client.post(self._url, content=body, headers=headers)
        response.raise_for_status()
        return response.json()

    async def close(self) -> None:
        """Close the client."""
        await self._client.aclose()


class ByHandAiohttp(_ByHand):
    """On `aiohttp.ClientSession`, one session for all calls."""

    async def open(self) -> None:
        """Open the session."""
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=6))

    async def _post(self, body: bytes, headers: Mapping[str, str]) -> object:
        async with self._session.post(self._url, data=body, headers=headers) as response:
            response.raise_for_status()
            return await response.json()

    async def close(self) -> None:
        """Close the session."""
        await self._session.close()


KINDS: Mapping[str, type[ByHandHttpx | ByHandAiohttp]] = {
    "httpx": ByHandHttpx,
    "aiohttp": ByHandAiohttp,
}
