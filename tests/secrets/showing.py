"""Every way in which a careless program shows, copies or saves an object."""

import copy
import dataclasses
import io
import json
import pickle
import pprint
from collections.abc import Callable

import msgspec
import rich.pretty
from rich.console import Console

from tests.secrets.net import Net


def _rich(value: object) -> str:
    out = io.StringIO()
    Console(file=out, width=200).print(rich.pretty.Pretty(value), value)
    return out.getvalue()


def _fields(value: object) -> str:
    slots = [name for kind in type(value).__mro__ for name in getattr(kind, "__slots__", ())]
    return repr({name: getattr(value, name, None) for name in (*vars_of(value), *slots)})


def vars_of(value: object) -> dict[str, object]:
    return getattr(value, "__dict__", {})


TEXTS: dict[str, Callable[[object], str]] = {
    "repr": repr,
    "str": str,
    "format": lambda value: f"{value} {value!r:>99}",
    "a container": lambda value: repr([value, {"a": (value,)}]),
    "its fields": _fields,
    "pprint": lambda value: pprint.pformat([value], width=1),
    "rich": _rich,
    "a copy": lambda value: repr(copy.copy(value)),
    "JSON with str": lambda value: json.dumps([value], default=str),
    "JSON with vars": lambda value: json.dumps([value], default=lambda one: repr(vars_of(one))),
}
COPIES: dict[str, Callable[[object], bytes | str]] = {
    "a deep copy": lambda value: repr(copy.deepcopy(value)),
    "asdict": lambda value: repr(dataclasses.asdict(value)),  # type: ignore[call-overload]  it may raise
    "JSON": json.dumps,
    "msgspec JSON": msgspec.json.encode,
    "msgspec builtins": lambda value: repr(msgspec.to_builtins(value)),
    "pickle": pickle.dumps,
}
"""These may refuse, with an exception that is looked at in its turn."""


def show(net: Net, where: str, value: object) -> None:
    """Show a value in every way there is."""
    for way, text in TEXTS.items():
        net.text(f"{where}, {way}", text(value))
    for way, made in COPIES.items():
        try:
            data = made(value)
        except Exception as error:  # noqa: BLE001  whatever refuses it
            net.error(f"{where}, {way} refused", error)
            continue
        net.data(f"{where}, {way}", data.encode() if isinstance(data, str) else data)
