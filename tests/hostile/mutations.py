"""Hostile replies from honest ones: cheap, seeded, and aware of where the members are.

A reply is mutated by splicing bytes over the places that its template knows, so nothing is parsed
or written anew for an input.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from random import Random
from typing import Final, TypeVar

from tests.hostile import reference
from tests.hostile.templates import SUCCESS_COUNT, TEMPLATES, Spot, Template
from tests.providers.replies import CODE, GC_ID

T = TypeVar("T")
Splice = tuple[int, int, bytes]


@dataclass(frozen=True, slots=True)
class Hostile:
    """One input. `is_benign` says that the reply still means what the honest one does."""

    template: Template
    status: int
    content_type: str
    body: bytes
    is_benign: bool


# --- what is put into a reply -------------------------------------------------------------------


def _words(text: str) -> list[str]:
    return text.split()


def _texts(*texts: str) -> tuple[tuple[bytes, bytes], ...]:
    """Return values as they are written in JSON and in XML."""
    return tuple((json.dumps(one).encode(), escape(one, quote=False).encode()) for one in texts)


def _raw(*tokens: str) -> tuple[tuple[bytes, bytes], ...]:
    return tuple((one.encode(), escape(one, quote=False).encode()) for one in tokens)


Values = Sequence[tuple[bytes, bytes]]

_STATES: Final = (
    *_texts(*_words("SUCCESS FAILURE RESEND PENDING success Success SUCCESSFUL failure resend")),
    *_texts(" SUCCESS", "SUCCESS ", "SUCCESS\0", "SUCCESS\n", ""),
    (b'"SUCC\\u0045SS"', b"SUCC&#69;SS"),
    (b'["SUCCESS"]', b"<a>SUCCESS</a>"),
)
_CODES: Final = (
    *_texts(*_words("F100 F200 F300 F400 F500 F600 F2000 f200 F20 F0200"), " F200", "F200 ", ""),
    (b'"F\\u0032\\u0030\\u0030"', b"F&#50;00"),
    *_raw("200", "null"),
)
_NAMES: Final = _texts(
    *sorted(
        reference.CONFLICTS | reference.UNSETTLED | reference.THROTTLES | reference.OUTDATED
    ),
    *_words("InvalidAmountInput InsufficientFunds CancelRequestArrivedAfterTimeLimit"),
    *_words("OrderNotFound NeverHeardOf x#Throttling"),
    *_words("NonExistingActivationRequestId LoadBalanceRequestIdDoesNotExist CardNotFound"),
    *_words("ActivationRequestIdAlreadyBeenUsed BalanceLoadCannotBeVoided"),
    "", "throttlingexception", "AccessDeniedException", "InvalidSignatureException",
)  # fmt: skip
_MESSAGES: Final = _texts(
    *reference.DOOR_MESSAGES,
    "RATE EXCEEDED", "Rate exceeded!", "The rate exceeded nothing: the card was created",
    "The void was refused", "Balance already used", "not used", "unused", "after the time limit",
    "used after the time limit", "",
)  # fmt: skip
_NUMBERS: Final = (
    *_raw(
        *_words("12.5 12.50 1250e-2 0.125E2 13 -12.5 0 -0 1250 1250.0 12.4999999999999999999"),
        *_words("12.500000000000000001 1e400 -1e400 1e99999999999999999999 12.5e-999999999"),
        *_words("NaN sNaN Infinity -Infinity 0x10 012 .5 5. 1_2.5 true null 1e-400"),
        "9" * 400, "9" * 5000, "12." + "5" * 400,
    ),
    *_texts("12.5", " 12.5 ", "1_2.5", "12,5", "NaN", "sNaN", "1e400", "1250", "0"),
    *_texts("\uff11\uff12.\uff15", "\u0660"),
)  # fmt: skip
_CURRENCIES: Final = _texts("USD", "EUR", "usd", "USD ", "JPY", "ABC", "", "US\0")
_IDS: Final = (
    *_texts(
        reference.REQUEST_ID, reference.REQUEST_ID.lower(), reference.REQUEST_ID + " ",
        reference.REQUEST_ID + "\0", "PartaOther", "", "F0000", " " + reference.REQUEST_ID,
        reference.REQUEST_ID[:-1],
    ),
    *_raw("null", "42", "[]"),
)  # fmt: skip
_CARD_STATES: Final = _texts(
    *_words("Fulfilled RefundedToPurchaser Expired Activated AwaitingActivation fulfilled"),
    *_words("activated ACTIVATED"), "Fulfilled ", "", "Activated\n",
)  # fmt: skip
_SECRETS: Final = (
    *_texts(CODE, CODE + "\n", "", " ", "two words", "\0", CODE + "é", GC_ID, "x" * 200),
    *_raw("null", "7", "{}"),
)
_PARTIES: Final = _texts(
    reference.CARD_NUMBER, "6284190537715502919", reference.ACCOUNT_ID, "1", "2", "",
    reference.CARD_NUMBER[:-1],
)  # fmt: skip
_ODD: Final = (
    *_raw("null", "true", "false", "{}", "[]", "0", "-1"),
    (b'{"status":"SUCCESS"}', b"<status>SUCCESS</status>"),
    (b'{"a":1,"a":2}', b"<a>1</a><a>2</a>"),
    (b'[{"b":[[]]}]', b"<a><b><c/></b></a>"),
    (b'"\\ud800"', b"&#xd800;"),
    (b'"\xed\xa0\x80"', b"\xed\xa0\x80"),
    (b'"\xff"', b"\xff"),
    (b'"\xc0\xaf"', b"\xc0\xaf"),
    (b'"\\u0000"', b"&#0;"),
    (b'"\x00"', b"\x00"),
    (b'"\xef\xbb\xbf"', b"\xef\xbb\xbf"),
    (b'"\\"', b"&undefined;"),
    (b"", b""),
    (b'"<![CDATA[SUCCESS]]>"', b"<![CDATA[SUCCESS]]>"),
    (b'"<!---->"', b"<!---->"),
    (b'"' + b"\\u0041" * 300 + b'"', b"&#65;" * 300),
)
_POOLS: Final[dict[str, Values]] = {
    "status": _STATES,
    "errorCode": _CODES,
    "errorType": _NAMES,
    "__type": _NAMES,
    "message": _MESSAGES,
    "Message": _MESSAGES,
    "errorMessage": _MESSAGES,
    "amount": _NUMBERS,
    "value": _NUMBERS,
    "totalNumberOfTransactionsInRequestedTimeFrame": _NUMBERS,
    "currencyCode": _CURRENCIES,
    "creationRequestId": _IDS,
    "activationRequestId": _IDS,
    "statusCheckRequestId": _IDS,
    "loadBalanceRequestId": _IDS,
    "requestId": _IDS,
    "cardStatus": _CARD_STATES,
    "gcClaimCode": _SECRETS,
    "claimCode": _SECRETS,
    "gcId": _SECRETS,
    "cardNumber": _PARTIES,
    "id": _PARTIES,
    "type": _NUMBERS,
    "agcodResponse": (
        (b'{"status":"SUCCESS"}', b"<status>SUCCESS</status>"),
        (b'{"status":"FAILURE"}', b"<status>FAILURE</status>"),
        (b'{"status":"RESEND"}', b"<status>RESEND</status>"),
        (b'{"gcClaimCode":"QX7T-OTHERS-9ZKD"}', b"<gcClaimCode>QX7T-OTHERS-9ZKD</gcClaimCode>"),
        (b'{"creationRequestId":"PartaOther"}', b"<creationRequestId>Parta</creationRequestId>"),
        *_raw("null", "{}"),
    ),
    "availableFunds": ((b'{"amount":1,"currencyCode":"EUR"}', b"<amount>1</amount>"), *_ODD),
    "cardActivityList": ((b"[]", b""), (b"[null]", b"<a/>"), *_ODD),
}
_ANY: Final[Values] = tuple(one for pool in (*_POOLS.values(), _ODD) for one in pool)
_MEMBERS: Final = tuple(_POOLS)
_OTHER_NAMES: Final = (
    *(name.encode() for name in _MEMBERS),
    *(name.swapcase().encode() for name in ("status", "errorCode", "gcClaimCode", "gcId")),
    b"Status", b"ErrorCode", b"ErrorType", b"CreationRequestId", b"GcClaimCode", b"x", b"",
    b"cardInfo", b"stat\\u0075s", b"status\\u0000", b"sta tus",
)  # fmt: skip

_STATUSES: Final = (200, 200, 201, 202, 204, 206, 301, 302, 400, 403, 404, 429, 500, 502, 503, 504)
_TYPES: Final = (
    "application/json", "application/json; charset=utf-16", "text/html", "application/xml", "",
    "application/x-amz-json-1.1", "text/xml; charset=ebcdic", "a" * 300,
)  # fmt: skip

_BOMB: Final = b'<!DOCTYPE a [<!ENTITY l0 "SUCCESS">%s]>' % b"".join(
    b'<!ENTITY l%d "%s">' % (level, b"&l%d;" % (level - 1) * 10) for level in range(1, 10)
)
_PROLOGUES: Final = tuple(
    f'<?xml version="1.0" encoding="{name}"?>'.encode()
    for name in ("utf-8", "UTF-8", "utf-16", "utf-7", "iso-8859-1", "cp037", "UTF-32", "x", "")
)
HUGE_ONE_IN: Final = 20_000


# --- the generator -------------------------------------------------------------------------------


class Generator:
    """Hostile replies, the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed).random
        self._legs = tuple(TEMPLATES)
        self._new = 0
        self._edits: tuple[Callable[[Template, Spot], Iterator[Splice]], ...] = (
            self._other_value, self._other_value, self._other_value, self._other_value,
            self._odd_value, self._gone, self._twice, self._twice_otherwise, self._renamed,
            self._one_more, self._one_more, self._one_more, self._swapped, self._wrapped,
        )  # fmt: skip
        self._damages: tuple[Callable[[Template, bytes], bytes], ...] = (
            self._cut, self._changed, self._changed, self._inserted, self._merged, self._merged,
            self._around, self._recoded,
        )  # fmt: skip

    def next(self) -> Hostile:
        """Return another hostile reply."""
        random = self._random
        template = self._template()
        chance = random()
        if chance < 0.04:
            return self._benign(template)
        edits = 1 if chance < 0.55 else 2 if chance < 0.8 else 3 if chance < 0.95 else 0
        body = self._edited(template, edits) if edits else template.body
        if not edits or random() < 0.1:
            body = self._one(self._damages)(template, body)
        if random() * HUGE_ONE_IN < 1:
            body = self._huge(template)
        status = template.status if random() < 0.7 else self._one(_STATUSES)
        return Hostile(template, status, self._one(_TYPES), body, is_benign=False)

    def _one(self, some: Sequence[T]) -> T:
        return some[int(self._random() * len(some))]

    def _template(self) -> Template:
        leg = self._one(self._legs)
        templates = TEMPLATES[leg]
        # A success as often as all errors together: it is what must not be forged.
        many = SUCCESS_COUNT[leg] if self._random() < 0.5 else len(templates)
        template = templates[int(self._random() * many)]
        # XML takes four times as long as JSON, and has half as many ways to go wrong.
        return template if template.is_json else templates[int(self._random() * many)]

    # --- what leaves the meaning as it is --------------------------------------------------------

    def _benign(self, template: Template) -> Hostile:
        body = template.body
        if template.is_json:
            more = self._one(
                (b"", b' "new" : [1, {"a": null}],', b'"novel":"\\u00e9",', b"\r\n\t ")
            )
            body = b" {" + more + body[1:] + b" \n"
        else:
            body = self._one((b"", b"\n ", b'<?xml version="1.0"?>', _PROLOGUES[0])) + body + b"\n"
            body = body.replace(b"><", self._one((b"><", b">\n\t<")))
            if b"><" not in template.body:
                body = template.body
        return Hostile(template, template.status, self._one(_TYPES), body, is_benign=True)

    # --- members ---------------------------------------------------------------------------------

    def _edited(self, template: Template, edits: int) -> bytes:
        splices: list[Splice] = []
        for _ in range(edits):
            if template.spots:
                splices += self._one(self._edits)(template, self._one(template.spots))
        return spliced(template.body, splices)

    def _value(self, template: Template, member: str) -> bytes:
        pool = _POOLS.get(member, _ODD) if self._random() < 0.8 else _ANY
        return self._one(pool)[0 if template.is_json else 1]

    def _other_value(self, template: Template, spot: Spot) -> Iterator[Splice]:
        yield *spot.value, self._value(template, spot.member)

    def _odd_value(self, template: Template, spot: Spot) -> Iterator[Splice]:
        yield *spot.value, self._one(_ODD)[0 if template.is_json else 1]

    def _gone(self, template: Template, spot: Spot) -> Iterator[Splice]:
        self._new += 1
        # What takes its place keeps the commas right, and says nothing.
        yield *spot.whole, b'"gone%d":0' % self._new if template.is_json else b""

    def _twice(self, template: Template, spot: Spot) -> Iterator[Splice]:
        begin, end = spot.whole
        yield end, end, spot.separator + template.body[begin:end]

    def _twice_otherwise(self, template: Template, spot: Spot) -> Iterator[Splice]:
        (begin, end), value = spot.names[0], self._value(template, spot.member)
        name = template.body[begin:end]
        place = self._one(spot.whole)
        if template.is_json:
            member = name + b":" + value
            yield place, place, b"," + member if place == spot.whole[1] else member + b","
        else:
            yield place, place, b"<" + name + b">" + value + b"</" + name + b">"

    def _renamed(self, template: Template, spot: Spot) -> Iterator[Splice]:
        name = self._one(_OTHER_NAMES)
        if self._random() < 0.3:
            name = spot.member.swapcase().encode() or name
        for begin, end in spot.names:
            yield begin, end, b'"' + name + b'"' if template.is_json else name

    def _one_more(self, template: Template, _spot: Spot) -> Iterator[Splice]:
        if template.starts:
            place, member = self._one(template.starts), self._one(_MEMBERS)
            value, name = self._value(template, member), member.encode()
            if template.is_json:
                yield place, place, b'"' + name + b'":' + value + b","
            else:
                yield place, place, b"<" + name + b">" + value + b"</" + name + b">"

    def _swapped(self, template: Template, spot: Spot) -> Iterator[Splice]:
        other = self._one(template.spots)
        yield *spot.value, template.body[slice(*other.value)]
        yield *other.value, template.body[slice(*spot.value)]

    def _wrapped(self, template: Template, spot: Spot) -> Iterator[Splice]:
        before, after = (b"[", b"]") if template.is_json else (b"<a>", b"</a>")
        if template.is_json and self._random() < 0.5:
            before, after = b'{"value":', b"}"
        deep = self._one((1, 1, 1, 2, 13, 40))
        yield *spot.value, before * deep + template.body[slice(*spot.value)] + after * deep

    # --- bytes -----------------------------------------------------------------------------------

    def _cut(self, _template: Template, body: bytes) -> bytes:
        return body[: int(self._random() * len(body))]

    def _changed(self, _template: Template, body: bytes) -> bytes:
        damaged, random = bytearray(body), self._random
        for _ in range(1 + int(random() * 3)):
            if damaged:
                damaged[int(random() * len(damaged))] = int(random() * 256)
        return bytes(damaged)

    def _inserted(self, _template: Template, body: bytes) -> bytes:
        place = int(self._random() * (len(body) + 1))
        odd = self._one((b"\0", b"\xff", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\\", b'"', b"<", b"&"))
        return body[:place] + odd + body[place:]

    def _merged(self, template: Template, body: bytes) -> bytes:
        """Put another reply's members in front of this one's."""
        other = self._template()
        if template.is_json and other.is_json:
            return other.body[:-1] + b"," + body[1:]
        if template.is_json or other.is_json or not template.starts:
            return body + other.body
        inside = other.body[other.body.index(b">") + 1 : other.body.rindex(b"</")]
        return body[: template.starts[0]] + inside + body[template.starts[0] :]

    def _around(self, template: Template, body: bytes) -> bytes:
        before = (
            b"",
            b"\xef\xbb\xbf",
            b"\0",
            b")]}',\n",
            b"HTTP/1.1 200 OK\r\n\r\n",
            b" ",
            b"<html>",
        )
        after = (b"", b"\0", b"{}", b"</html>", b" ", b",", body, b"<!-- -->")
        if template.is_json or self._random() < 0.5:
            return self._one(before) + body + self._one(after)
        return self._one((*_PROLOGUES, _BOMB, b"<!DOCTYPE a>", b"<?a?>", b"<!--->-->")) + body

    def _recoded(self, _template: Template, body: bytes) -> bytes:
        name = self._one(("utf-16", "utf-16-le", "utf-32", "utf-7", "cp037", "utf-8-sig"))
        return body.decode("utf-8", "replace").encode(name, "replace")

    def _huge(self, template: Template) -> bytes:
        deep, body = self._one((1_000, 100_000)), template.body
        before, after = (b"[", b"]") if template.is_json else (b"<a>", b"</a>")
        if self._random() < 0.5:
            return before * deep + (after * deep if self._random() < 0.5 else b"")
        if not template.spots:
            return body * deep
        huge = self._one(
            (before * deep + after * deep, b"9" * deep * 8, b'"' + b"y" * 800_000 + b'"')
        )
        return spliced(body, [(*self._one(template.spots).value, huge)])


def spliced(body: bytes, splices: list[Splice]) -> bytes:
    """Return the body with the splices in it; one that overlaps another is left out."""
    border = len(body)
    for begin, end, text in sorted(splices, key=_begin, reverse=True):
        if end <= border:
            body = body[:begin] + text + body[end:]
            border = begin
    return body


def _begin(splice: Splice) -> int:
    return splice[0]
