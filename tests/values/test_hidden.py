"""A claim code or a secret key is seen by nobody who does not ask for it by name."""

import asyncio
import copy
import dataclasses
import io
import json
import logging
import pickle
import traceback
from collections.abc import Callable

import msgspec
import pytest

from agcod_async.errors import UsageError
from agcod_async.settings import Settings, key_from_env
from agcod_async.testing.clock import run
from agcod_async.values import ClaimCode, Credentials, InvalidValueError, SecretKey

TEXT = "AXLQ-9R4EXP-7YQ3"


@dataclasses.dataclass(frozen=True)
class Card:
    code: ClaimCode


def _logged(value: object) -> str:
    out = io.StringIO()
    log = logging.Logger("hidden")  # noqa: LOG001  one of its own, for this test alone
    log.addHandler(logging.StreamHandler(out))
    log.warning("%s %r", value, value)
    log.warning(value)
    return out.getvalue()


def _task_repr(value: object) -> str:
    async def main() -> str:
        async def give() -> object:
            return value

        task = asyncio.create_task(give())
        await task
        future: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        future.set_result(value)
        return f"{task!r} {future!r}"

    return run(main())


def _local_in_traceback(value: object) -> str:
    def fail(held: object) -> None:
        raise RuntimeError(f"about {held}")

    try:
        fail(value)
    except RuntimeError as error:
        shown = traceback.TracebackException.from_exception(error, capture_locals=True)
        return "".join(shown.format())
    raise AssertionError("it did not fail")


WAYS_TO_SHOW: dict[str, Callable[[object], object]] = {
    "repr": repr,
    "str": str,
    "format": format,
    "a format specification": lambda value: f"{value!s:>60}{value:>60}{value!r}",
    "%-format": lambda value: "%s %r" % (value, value),  # noqa: UP031  that way is tested too
    "a container": lambda value: repr([value, {value: value}, (value,)]),
    "a dataclass": lambda value: repr(Card(value)),
    "asdict": lambda value: repr(dataclasses.asdict(Card(value))),
    "logging": _logged,
    "copy": lambda value: repr((copy.copy(value), copy.deepcopy([value]))),
    "json with str for what it does not know": lambda value: json.dumps({"a": value}, default=str),
    "a task and a future": _task_repr,
    "a traceback with its locals": _local_in_traceback,
    "dir and vars": lambda value: repr((dir(value), getattr(value, "__dict__", None))),
}


@pytest.mark.parametrize("way", WAYS_TO_SHOW)
@pytest.mark.parametrize("kind", [ClaimCode, SecretKey])
def test_nothing_shows_what_is_hidden(kind: type[ClaimCode | SecretKey], way: str) -> None:
    shown = str(WAYS_TO_SHOW[way](kind(TEXT)))

    assert shown
    for part in TEXT.split("-"):
        assert part not in shown


WAYS_TO_SAVE: dict[str, Callable[[object], object]] = {
    "json": json.dumps,
    "msgspec json": msgspec.json.encode,
    "msgspec msgpack": msgspec.msgpack.encode,
    "msgspec builtins": msgspec.to_builtins,
    "msgspec of a dataclass": lambda value: msgspec.json.encode(Card(value)),
    **{
        f"pickle {protocol}": lambda value, protocol=protocol: pickle.dumps(value, protocol)
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
    },
    "pickle of a dataclass": lambda value: pickle.dumps(Card(value)),
}


@pytest.mark.parametrize("way", WAYS_TO_SAVE)
@pytest.mark.parametrize("kind", [ClaimCode, SecretKey])
def test_nothing_saves_what_is_hidden(kind: type[ClaimCode | SecretKey], way: str) -> None:
    with pytest.raises(TypeError) as caught:
        WAYS_TO_SAVE[way](kind(TEXT))

    assert TEXT not in str(caught.value)


def test_who_asks_for_it_by_name_gets_it() -> None:
    assert ClaimCode(TEXT).reveal() == TEXT
    for make in (copy.copy, copy.deepcopy):
        assert make(ClaimCode(TEXT)).reveal() == TEXT


def test_hidden_text_is_equal_to_its_own_kind_only() -> None:
    assert ClaimCode(TEXT) == ClaimCode(TEXT)
    assert hash(ClaimCode(TEXT)) == hash(ClaimCode(TEXT))
    assert ClaimCode(TEXT) != ClaimCode(TEXT + "x")
    assert ClaimCode(TEXT) != SecretKey(TEXT)
    assert ClaimCode(TEXT) != TEXT


def test_credentials_show_the_end_of_the_access_key_and_nothing_else() -> None:
    credentials = Credentials(access_key_id="AKIDEXAMPLE", secret_access_key=TEXT)

    assert repr(credentials) == str(credentials) == "Credentials(access_key_id='…MPLE')"
    assert credentials == Credentials(
        access_key_id="AKIDEXAMPLE", secret_access_key=SecretKey(TEXT)
    )
    assert copy.deepcopy(credentials).secret_access_key.reveal() == TEXT


@pytest.mark.parametrize("way", [way for way in WAYS_TO_SHOW if way != "a format specification"])
def test_settings_show_no_secret(way: str) -> None:
    credentials = Credentials(access_key_id="AKIDEXAMPLE", secret_access_key=TEXT)
    settings = Settings(credentials=credentials, partner_id="Toy")

    for value in (credentials, settings):
        assert TEXT not in str(WAYS_TO_SHOW[way](value))


@pytest.mark.parametrize("way", [way for way in WAYS_TO_SAVE if "msgspec" not in way])
def test_settings_are_not_saved_by_accident(way: str) -> None:
    credentials = Credentials(access_key_id="AKIDEXAMPLE", secret_access_key=TEXT)

    for value in (credentials, Settings(credentials=credentials, partner_id="Toy")):
        with pytest.raises(TypeError):
            WAYS_TO_SAVE[way](value)


@pytest.mark.parametrize("bad", ["", "a b", "a\n", " a", "ä"])
@pytest.mark.parametrize("field", ["access_key_id", "secret_access_key"])
def test_half_a_key_is_named_and_not_quoted(field: str, bad: str) -> None:
    halves = {"access_key_id": "AKIDEXAMPLE", "secret_access_key": TEXT, field: bad}

    with pytest.raises(InvalidValueError, match=f"^{field}: is empty or has a blank") as caught:
        Credentials(**halves)

    assert "AKIDEXAMPLE" not in str(caught.value)


def _shown_of_the_package(error: BaseException) -> str:
    """Return the traceback with the locals of every frame below the caller's own."""
    shown = traceback.TracebackException.from_exception(error, capture_locals=True)
    mine = __file__
    lines: list[str] = []
    seen: list[traceback.TracebackException | None] = [shown]
    while seen:
        one = seen.pop()
        if one is not None:
            seen += [one.__cause__, one.__context__]
            lines += [repr(frame.locals) for frame in one.stack if frame.filename != mine]
    return "\n".join(lines)


@pytest.mark.parametrize("secret", [TEXT + "\n", SecretKey(TEXT + " ")])
def test_a_secret_with_a_blank_is_in_no_frame_of_the_traceback(secret: str | SecretKey) -> None:
    with pytest.raises(InvalidValueError) as caught:
        Credentials(access_key_id="AKIDEXAMPLE", secret_access_key=secret)

    shown = _shown_of_the_package(caught.value)
    assert "is_whole" in shown
    assert TEXT not in shown


@pytest.mark.parametrize(
    "environ",
    [
        {"AGCOD_SECRET_ACCESS_KEY": TEXT, "AGCOD_ACCESS_KEY_ID": "AKIDEXAMPLE"},
        {"AGCOD_SECRET_ACCESS_KEY": TEXT},
        {"AGCOD_SECRET_ACCESS_KEY": TEXT + " ", "AGCOD_ACCESS_KEY_ID": "AKIDEXAMPLE"},
    ],
)
def test_a_missing_variable_does_not_bring_the_secret_into_a_traceback(
    environ: dict[str, str],
) -> None:
    with pytest.raises(UsageError) as caught:
        Settings.from_env(environ)

    shown = _shown_of_the_package(caught.value)
    assert shown
    assert TEXT not in shown


@pytest.mark.parametrize("missing", ["AGCOD_ACCESS_KEY_ID", "AGCOD_KEY_CREATED_AT"])
def test_a_key_that_cannot_be_read_does_not_bring_its_secret_into_a_traceback(missing: str) -> None:
    environ = {
        "AGCOD_SECRET_ACCESS_KEY": TEXT,
        "AGCOD_ACCESS_KEY_ID": "AKIDEXAMPLE",
        missing: "" if missing == "AGCOD_ACCESS_KEY_ID" else "last week",
    }

    with pytest.raises(UsageError, match=missing) as caught:
        key_from_env(environ)

    shown = _shown_of_the_package(caught.value)
    assert shown
    assert TEXT not in shown
