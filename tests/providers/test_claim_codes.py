"""A claim code is shown by nothing but `reveal()`, whatever goes wrong around it."""

import copy
import gc
import json
import logging
import pickle
import traceback
from dataclasses import asdict
from types import FrameType
from typing import NoReturn

import msgspec
import pytest

from agcod_async.core.outcomes import Applied, Outcome
from agcod_async.providers.agcod import balance_recovery, codec, envelope, judgement, recovery
from agcod_async.providers.agcod.envelope import Asked
from agcod_async.providers.agcod.messages import CreateGiftCardAnswer, GiftCard
from tests.providers.legs import OPERATION
from tests.providers.replies import CODE, card, card_info, create_leg, reply
from tests.providers.samples import LEGS, balance, load, xml

LIVE = reply(card()).body
SPOILT = [
    LIVE[:-1],
    LIVE[: LIVE.index(CODE.encode()) + 4],
    LIVE[: LIVE.index(CODE.encode()) + len(CODE)],
    LIVE + b"x",
    LIVE.replace(b"SUCCESS", b"SUCC\xffESS"),
    LIVE.replace(CODE.encode(), CODE.encode() + b"\xff"),
    LIVE.replace(b'"gcId"', b'"gcClaimCode"'),
    LIVE.replace(f'"{CODE}"'.encode(), f'["{CODE}"]'.encode()),
    LIVE.replace(f'"{CODE}"'.encode(), f'{{"{CODE}":"{CODE}"}}'.encode()),
    LIVE.replace(CODE.encode(), CODE.encode() + b" "),
    LIVE.replace(b"12.5", b'"' + CODE.encode() + b'"'),
    reply(card(cardInfo=card_info(CODE))).body,
    reply(card(creationRequestId=CODE)).body,
    reply(card(status=CODE)).body,
    reply(card(errorCode=CODE)).body,
    reply(card(errorType=CODE)).body,
    reply(card(errorCode="F200", errorType=CODE, message=CODE)).body,
    reply(card(errorCode="F400", errorType=CODE, message=CODE, status="RESEND")).body,
    reply(card(agcodResponse={"status": CODE}, __type=CODE)).body,
    f"<{CODE}><Message>{CODE}</Message></{CODE}>".encode(),
    f"<ThrottlingException><Message>{CODE}</Message></ThrottlingException>".encode(),
    CODE.encode(),
]
LIVE_XML = xml("CreateGiftCardResponse", card()).body
LIVE_LOAD = reply(balance(gcClaimCode=CODE)).body
SPOILT += [
    LIVE_XML[:-1],
    LIVE_XML[: LIVE_XML.index(CODE.encode()) + 4],
    LIVE_XML + b"x",
    LIVE_XML.replace(b"SUCCESS", b"SUCC\xffESS"),
    LIVE_XML.replace(b"SUCCESS", b"FAILURE"),
    LIVE_XML.replace(b"gcClaimCode", CODE.encode()),
    LIVE_XML.replace(CODE.encode(), f"<{CODE}>{CODE}</{CODE}>".encode()),
    LIVE_XML.replace(b"12.5", CODE.encode()),
    LIVE_XML.replace(b"<status>", b"<!-- " + CODE.encode() + b" --><status>"),
    b"<!DOCTYPE a [<!ENTITY a '" + CODE.encode() + b"'>]>" + LIVE_XML,
    xml("CreateGiftCardResponse", card(status=CODE, errorCode=CODE, message=CODE)).body,
    *(xml(f"{name}Response", card(cardInfo=CODE)).body for name in OPERATION.values()),
    xml("AGCODException", card(errorType=CODE)).body,
    reply(balance(gcClaimCode=f"{CODE} {CODE}")).body,
    reply(balance(gcClaimCode=CODE, amount={"value": CODE})).body,
    reply(balance(gcClaimCode=CODE, account={"id": CODE, "type": CODE})).body,
]


def _card() -> GiftCard:
    outcome = create_leg()(reply(LIVE))
    assert isinstance(outcome, Applied)
    assert isinstance(outcome.answer, GiftCard)
    return outcome.answer


def test_a_card_shows_its_code_to_nobody_who_does_not_ask() -> None:
    issued = _card()

    assert issued.claim_code.reveal() == CODE
    for shown in (repr(issued), str(issued), f"{issued}", f"{issued!r:>9}", repr([issued])):
        assert CODE not in shown
    assert CODE not in repr(asdict(issued))
    assert CODE not in repr(copy.deepcopy(issued))


def test_a_card_is_neither_pickled_nor_written_as_json() -> None:
    issued = _card()

    for write in (pickle.dumps, msgspec.json.encode, msgspec.msgpack.encode, json.dumps):
        with pytest.raises(TypeError) as caught:
            write(issued)
        assert CODE not in "".join(traceback.format_exception(caught.value))


def test_a_decoded_answer_does_not_hold_the_code_as_text() -> None:
    answer = codec.read(reply(LIVE), CreateGiftCardAnswer, Asked("CreateGiftCard"))

    assert isinstance(answer, CreateGiftCardAnswer)
    assert CODE not in repr(answer)
    assert CODE not in repr(msgspec.structs.asdict(answer))
    assert CODE not in gc.get_referents(answer)


def test_a_claim_code_is_never_sent() -> None:
    answer = codec.read(reply(LIVE), CreateGiftCardAnswer, Asked("CreateGiftCard"))
    assert isinstance(answer, CreateGiftCardAnswer)

    with pytest.raises(NotImplementedError) as caught:
        codec.encode(answer)

    assert CODE not in _shown(caught.value)


@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize("body", SPOILT)
def test_no_outcome_shows_the_code_of_a_spoilt_reply(body: bytes, status: int) -> None:
    for leg in LEGS.values():
        outcome = leg()(reply(body, status))
        assert CODE not in repr(outcome)
        assert CODE not in str(outcome)


def _shown(error: BaseException) -> str:
    whole = traceback.TracebackException.from_exception(error, capture_locals=True)
    return "".join(whole.format(chain=True))


def _shown_inside(error: BaseException) -> str:
    """Return the traceback with the locals of every frame but the test's own."""
    whole = traceback.TracebackException.from_exception(error, capture_locals=True)
    return "".join(f"{one.name} {one.locals}" for one in whole.stack if one.filename != __file__)


class _BreaksError(Exception):
    """Something that nobody has thought of."""


def _breaks(*_: object, **__: object) -> NoReturn:
    raise _BreaksError


@pytest.mark.parametrize(
    "where",
    [
        (recovery, "utc_time"),
        (recovery, "GiftCard"),
        (recovery, "_created"),
        (envelope, "says_success"),
        (envelope, "fault"),
        (judgement, "echoes"),
    ],
    ids=str,
)
@pytest.mark.parametrize("live", [LIVE, LIVE_XML])
def test_a_traceback_with_locals_does_not_show_the_code(
    where: tuple[object, str], live: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    holder, name = where
    monkeypatch.setattr(recovery if holder is judgement else holder, name, _breaks)
    received = reply(live if name != "fault" else live.replace(b"SUCCESS", b"FAILURE"))

    with pytest.raises(_BreaksError) as caught:
        create_leg()(received)

    shown = _shown_inside(caught.value)
    assert "Reply(status=200" in shown
    assert CODE not in shown


def test_a_traceback_of_a_load_does_not_show_the_code_either(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(balance_recovery, "BalanceLoad", _breaks)

    with pytest.raises(_BreaksError) as caught:
        load().legs(None).forward.outcome(reply(LIVE_LOAD))

    assert "codes" in _shown_inside(caught.value)
    assert CODE not in _shown_inside(caught.value)


def test_spoilt_replies_leave_no_exception_behind() -> None:
    outcomes: list[Outcome] = [leg()(reply(body)) for body in SPOILT for leg in LEGS.values()]
    gc.collect()
    living = gc.get_objects()

    assert outcomes
    errors = [found for found in living if isinstance(found, json.JSONDecodeError)]
    assert not any(CODE in found.doc for found in errors)
    frames = [found for found in living if isinstance(found, FrameType)]
    ours = ("codec.py", "envelope.py", "xml_form.py", "ElementTree.py")
    assert not any(frame.f_code.co_filename.endswith(ours) for frame in frames)


def test_nothing_is_logged_about_a_reply(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        for body in (LIVE, *SPOILT):
            for leg in LEGS.values():
                leg()(reply(body))

    assert caplog.records == []
