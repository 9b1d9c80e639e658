"""`agcod emulator`: a local AGCOD server. The one file that imports the tools for tests."""

import asyncio
import json
import shlex
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from contextlib import suppress
from pathlib import Path

from agcod_async.cli.amounts import money
from agcod_async.cli.exits import ExitCode
from agcod_async.core.outcomes import Reason
from agcod_async.errors import UsageError
from agcod_async.testing import (
    EMULATOR_PARTNER_ID,
    Emulator,
    EmulatorConfig,
    FaultScript,
    Semantics,
    ThrottleModel,
)
from agcod_async.testing.server import LOOPBACK, serve_forever

MOVES_VALUE = False

_SEMANTICS = """\
words of --semantics, the default of each first; the first two need no name before them:
  after_cancel         a create under a cancelled ID
    =tombstone           SUCCESS with the dead card, as recorded from the sandbox
    =reissue             a new live card
  unknown_cancel       a cancel, deactivation or void of an ID that was never used
    =not-found           refused
    =noop                SUCCESS; what arrives later still has its effect
    =fence               SUCCESS; what arrives later never has one
  after_deactivate     an activation under a deactivated ID
  after_void           a load under a void ID
    =hidden              SUCCESS as at first, and no effect
    =reissue             activated, or loaded, once more
    =refuse              F2013, F2038: the ID has been used
  repeated_deactivate  deactivating once more
    =refuse              F2012: already deactivated
    =success             SUCCESS
  repeated_load        which load under a used ID is the same load, and answered again
    =same-load           the same account and amount
    =same-request        the same request in every member, the timestamp too
    =none                none: F2038
such as: --semantics reissue,noop,after_deactivate=refuse,repeated_load=none
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Add what the command takes."""
    add = parser.add_argument
    add("--host", default=LOOPBACK, help=f"address to listen on (default: {LOOPBACK})")
    add("--port", type=int, default=8080, help="0 takes a free one (default: 8080)")
    add(
        "--tps",
        type=float,
        default=10.0,
        metavar="RATE",
        help="requests a second that the account may send; 0 for no cap (default: 10)",
    )
    add(
        "--throttle-model",
        choices=[model.value for model in ThrottleModel],
        default=ThrottleModel.SLIDING_WINDOW.value,
        help="how the requests of a second are counted (default: sliding-window, the strictest)",
    )
    add(
        "--operation-tps",
        action="append",
        default=[],
        metavar="OPERATION=RATE",
        help="a further cap of one operation, 0 for none; may be given several times"
        " (default: GetAvailableFunds=1, GetGiftCardActivityPage=0.0167)",
    )
    add(
        "--disable",
        action="append",
        default=[],
        metavar="OPERATION",
        help="what the partner may not call (F3006, F3008); may be given several times",
    )
    add("--funds", default="100000.00", metavar="AMOUNT", help="prepaid (default: 100000.00)")
    add("--currency", default="USD", help="the account's currency (default: USD)")
    add("--seed", type=int, default=0, metavar="N", help="decides the codes (default: 0)")
    add("--faults", type=Path, metavar="FILE.json", help="what goes wrong: rules and chances")
    add(
        "--partner-id",
        default=EMULATOR_PARTNER_ID,
        metavar="ID",
        help=f"what request IDs begin with (default: {EMULATOR_PARTNER_ID})",
    )
    add(
        "--semantics",
        default="tombstone",
        metavar="WORDS",
        help="where Amazon's documents are silent: words from the list below, with commas between",
    )
    add("--json", action="store_true", help="print the address and environment as JSON")
    parser.epilog = _SEMANTICS
    parser.formatter_class = RawDescriptionHelpFormatter


def run(arguments: Namespace) -> ExitCode:
    """Serve until Ctrl-C."""
    emulator = Emulator(_config(arguments))

    def ready(url: str) -> None:
        _print_ready(url, emulator.config, as_json=arguments.json)

    serving = serve_forever(emulator, host=arguments.host, port=arguments.port, on_ready=ready)
    try:
        with suppress(KeyboardInterrupt):
            asyncio.run(serving)
    except OSError as error:
        where = f"{arguments.host}:{arguments.port}"
        raise UsageError(Reason(f"cannot listen on {where}: {error.strerror}")) from error
    return ExitCode.DONE


def _config(arguments: Namespace) -> EmulatorConfig:
    return EmulatorConfig(
        partner_id=arguments.partner_id,
        funds=(money(arguments.funds, arguments.currency),),
        requests_per_second=arguments.tps or None,
        throttle_model=ThrottleModel(arguments.throttle_model),
        operation_caps=_operation_caps(arguments.operation_tps),
        disabled_operations=frozenset(arguments.disable),
        semantics=Semantics.from_text(arguments.semantics),
        faults=_faults(arguments.faults),
        seed=arguments.seed,
    )


def _operation_caps(given: list[str]) -> dict[str, float]:
    caps = dict(EmulatorConfig().operation_caps)
    for text in given:
        operation, _, rate = text.partition("=")
        try:
            caps[operation] = float(rate)
        except ValueError:
            problem = f"--operation-tps: {text!r} is none, such as GetAvailableFunds=1"
            raise UsageError(Reason(problem)) from None
    return {operation: rate for operation, rate in caps.items() if rate}


def _faults(path: Path | None) -> FaultScript:
    if path is None:
        return FaultScript()
    try:
        return FaultScript.from_json(path.read_bytes())
    except OSError as error:
        raise UsageError(Reason(f"--faults: {path}: {error.strerror}")) from error


def _print_ready(url: str, config: EmulatorConfig, *, as_json: bool) -> None:
    key = config.credentials[0]
    environment = {
        "AGCOD_BASE_URL": url,
        "AGCOD_ACCESS_KEY_ID": key.access_key_id,
        # Not a secret: everybody has it, and it opens nothing but the emulator.
        "AGCOD_SECRET_ACCESS_KEY": key.secret_access_key.reveal(),
        "AGCOD_PARTNER_ID": config.partner_id,
    }
    if config.requests_per_second is not None:
        environment["AGCOD_TPS"] = f"{config.requests_per_second:g}"
    if as_json:
        print(json.dumps({"base_url": url, "environment": environment}), flush=True)
        return
    print(f"# The emulator listens on {url} until Ctrl-C. In another shell:")
    for name, value in environment.items():
        print(f"export {name}={shlex.quote(value)}")
    print(f"# The books: {url}/_emulator/ledger", flush=True)
