"""The one request that all contenders send, as bytes: what differs is who makes it, and when."""

ACCESS_KEY_ID = "BENCHMARKACCESSKEY"
SECRET_ACCESS_KEY = "benchmark-secret-access-key"  # noqa: S105  it opens nothing
PARTNER_ID = "Bench"
REGION = "us-east-1"
SERVICE = "AGCODService"
OPERATION = "CreateGiftCard"
TARGET = f"com.amazonaws.agcod.AGCODService.{OPERATION}"
CONTENT_TYPE = "application/json"

CANNED_BODY = (
    b'{"creationRequestId":"Bench000000000001","partnerId":"Bench",'
    b'"value":{"currencyCode":"USD","amount":25.00}}'
)
CANNED_HEADERS = {
    "accept": "application/json",
    "authorization": (
        "AWS4-HMAC-SHA256 "
        "Credential=BENCHMARKACCESSKEY/20300101/us-east-1/AGCODService/aws4_request, "
        "SignedHeaders=accept;content-type;host;x-amz-date;x-amz-target, Signature=" + "0" * 64
    ),
    "content-type": CONTENT_TYPE,
    "x-amz-date": "20300101T000000Z",
    "x-amz-target": TARGET,
}
"""A request that was signed once and for all. Its signature is none; nobody checks it here."""


def request_id(number: int) -> str:
    """Return the request ID of one card."""
    return f"{PARTNER_ID}{number:012}"


def check(is_issued: bool) -> None:  # noqa: FBT001  it reads as a sentence
    """Raise unless a card was issued: what goes wrong quickly must not look cheap."""
    if not is_issued:
        raise RuntimeError("the mock did not issue this card")
