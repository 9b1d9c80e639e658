"""Errors that Amazon's front door answers with, before AGCOD has seen the request.

They carry no F-code, and some only a message. The message itself is never repeated: where a
signature does not match it echoes what the signature was computed from. Sources: Amazon's FAQ
("I am getting this error"), the error page's section "Throttled", AWS's common error names.
"""

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class FrameworkError:
    """One kind of refusal at the door: how to recognise it, what it means, what to do.

    `phrases` are parts of the message in lower case, `names` the exception's names.
    """

    phrases: tuple[str, ...]
    names: frozenset[str]
    meaning: str
    remedy: str


_ENDPOINT: Final = "Check the endpoint: sandbox or production, and the account's region."

THROTTLED: Final = FrameworkError(
    phrases=(),
    names=frozenset({"ThrottlingException", "Throttling", "TooManyRequestsException"}),
    meaning="The account's rate is exceeded.",
    remedy="Slow down; never send again at once.",
)

# More telling rows first: a signature error that names the clock is about the clock.
REFUSED: Final = (
    FrameworkError(
        phrases=("signature expired", "signature not yet current"),
        names=frozenset({"RequestExpired", "RequestExpiredException"}),
        meaning="Amazon refused the signature's time.",
        remedy="Set this machine's clock.",
    ),
    FrameworkError(
        phrases=("string-to-sign should have been", "credential should be scoped"),
        names=frozenset(),
        meaning="Amazon refused the signature: wrong key, region or service in its scope.",
        remedy="Check the access key, and that the signing region is the endpoint's.",
    ),
    FrameworkError(
        phrases=("request signature we calculated does not match",),
        names=frozenset(
            {
                "InvalidSignatureException",
                "SignatureDoesNotMatch",
                "IncompleteSignature",
                "IncompleteSignatureException",
            }
        ),
        meaning="Amazon refused the signature.",
        remedy="Check that access key and secret key belong together.",
    ),
    FrameworkError(
        phrases=("security token included in the request is",),
        names=frozenset(
            {"UnrecognizedClientException", "InvalidClientTokenId", "ExpiredTokenException"}
        ),
        meaning="Amazon does not know the access key.",
        remedy="Check that it is active and belongs to this endpoint (sandbox or production).",
    ),
    FrameworkError(
        phrases=("missing authentication token",),
        names=frozenset({"MissingAuthenticationToken", "MissingAuthenticationTokenException"}),
        meaning="This endpoint saw no signature that it understands.",
        remedy=_ENDPOINT,
    ),
    FrameworkError(
        phrases=("does not match any of the supported protocols",),
        names=frozenset({"UnknownOperationException"}),
        meaning="This endpoint does not speak the Incentives API.",
        remedy=_ENDPOINT,
    ),
    FrameworkError(
        phrases=(),
        names=frozenset({"AccessDeniedException"}),
        meaning="Amazon denied access to this operation.",
        remedy="Check the key's rights in the Incentives portal.",
    ),
    FrameworkError(
        phrases=("is not an expected json type",),
        names=frozenset({"SerializationException"}),
        meaning="Amazon could not read the request.",
        remedy="This is a defect of the client: please report it.",
    ),
)

_RATE_EXCEEDED: Final = re.compile(r"\s*rate exceeded\s*\.?\s*", re.IGNORECASE)


def recognise(name: str | None, message: str | None) -> FrameworkError | None:
    """Return which refusal at the door this is; None for everything that is not known to be one."""
    if name in THROTTLED.names or (message and _RATE_EXCEEDED.fullmatch(message)):
        return THROTTLED
    said = (message or "").casefold()
    for row in REFUSED:
        if any(phrase in said for phrase in row.phrases):
            return row
    return next((row for row in REFUSED if name in row.names), None)
