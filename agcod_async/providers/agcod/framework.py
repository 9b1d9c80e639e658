"""Errors that Amazon's front door answers with, before AGCOD has seen the request.

They carry no F-code, and some only a message. The message itself is never repeated: where a
signature does not match it echoes what the signature was computed from. Sources: Amazon's FAQ
("I am getting this error"), the error page's section "Throttled", AWS's common error names.
"""

import re
from dataclasses import dataclass, replace
from typing import Final

from agcod_async.core.outcomes import Outdated, Refused, Throttled, Untouched
from agcod_async.providers.agcod.advice import Advice
from agcod_async.providers.agcod.contacts import Team


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameworkError(Advice):
    """One kind of refusal at the door: how to recognise it, what it means, what to do.

    `title` is what it is called here. `phrases` are parts of the message in lower case, `names`
    the exception's names. `of_key` says that it is the access key that was refused, so that
    another one of the same account may be let in.
    """

    title: str
    of_key: bool = False
    phrases: tuple[str, ...] = ()
    names: frozenset[str] = frozenset()


def _refused(
    title: str,
    *,
    phrases: tuple[str, ...] = (),
    names: str = "",
    meaning: str,
    action: str,
    of_key: bool = False,
) -> FrameworkError:
    return FrameworkError(
        title=title,
        of_key=of_key,
        phrases=phrases,
        names=frozenset(names.split()),
        meaning=meaning,
        action=action,
        team=Team.INTEGRATION,
        forward=Refused,
        undo=Refused,
    )


THROTTLED: Final = FrameworkError(
    title="throttled",
    names=frozenset({"ThrottlingException", "Throttling", "TooManyRequestsException"}),
    meaning="The account's rate is exceeded.",
    action="Slow down; never send again at once.",
    forward=Throttled,
    undo=Throttled,
)

_ENDPOINT: Final = "Check the endpoint: sandbox or production, and the account's region."

OUTDATED: Final = replace(
    _refused(
        "signature out of date",
        phrases=("signature expired", "signature not yet current"),
        names="RequestExpired RequestExpiredException",
        meaning="Amazon refused the signature's time.",
        action="Set this machine's clock.",
    ),
    forward=Outdated,
    undo=Outdated,
)

# More telling rows first: a signature error that names the clock is about the clock.
REFUSED: Final = (
    OUTDATED,
    _refused(
        "signature for another scope",
        phrases=("credential should be scoped",),
        meaning="Amazon refused the signature: wrong region or service in its scope.",
        action="Check that the signing region is the endpoint's.",
    ),
    # Amazon's FAQ on the second phrase: "This might be caused by an invalid access key."
    _refused(
        "signature does not match",
        phrases=(
            "request signature we calculated does not match",
            "string-to-sign should have been",
        ),
        names="InvalidSignatureException SignatureDoesNotMatch",
        meaning="Amazon refused the signature.",
        action="Check that access key and secret key belong together, and to this endpoint (sandbox"
        " or production) and its region.",
        of_key=True,
    ),
    _refused(
        "incomplete signature",
        names="IncompleteSignature IncompleteSignatureException",
        meaning="Amazon could not take the signature apart.",
        action="Check what stands between this machine and Amazon and may change headers.",
    ),
    _refused(
        "unknown access key",
        phrases=("security token included in the request is",),
        names="UnrecognizedClientException InvalidClientTokenId ExpiredTokenException",
        meaning="Amazon does not know the access key.",
        action="Check that it is active and belongs to this endpoint (sandbox or production).",
        of_key=True,
    ),
    _refused(
        "no signature seen",
        phrases=("missing authentication token",),
        names="MissingAuthenticationToken MissingAuthenticationTokenException",
        meaning="This endpoint saw no signature that it understands.",
        action=_ENDPOINT,
    ),
    _refused(
        "unknown protocol",
        phrases=("does not match any of the supported protocols",),
        names="UnknownOperationException",
        meaning="This endpoint does not speak the Incentives API.",
        action=_ENDPOINT,
    ),
    _refused(
        "access denied",
        names="AccessDeniedException",
        meaning="Amazon denied access to this operation.",
        action="Check the key's rights in the Incentives portal.",
    ),
    _refused(
        "unreadable request",
        phrases=("is not an expected json type",),
        names="SerializationException",
        meaning="Amazon could not read the request.",
        action="This is a defect of the client: please report it.",
    ),
)

UNTRUSTED: Final = FrameworkError(
    title="certificate not trusted",
    phrases=("pkix path building failed", "certificate_verify_failed", "certificate verify failed"),
    names=frozenset({"SSLHandshakeException", "SSLCertVerificationError"}),
    meaning="This machine does not trust the certificate that it was shown, so nothing was sent.",
    action="Bring its root certificates up to date, and check what stands between it and Amazon.",
    forward=Untouched,
    undo=Untouched,
)
"""No answer of Amazon's, but its FAQ explains it beside them. Not one of those that are recognised
in a reply."""

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
