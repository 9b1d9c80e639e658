"""`agcod emulator`: a local AGCOD server. The one file that imports the tools for tests."""

import asyncio
import json
import shlex
from argparse import ArgumentParser, Namespace
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

SUMMARY = "serve a local AGCOD to test against, until Ctrl-C"
MOVES_VALUE = False


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
        help="where Amazon's documents are silent: tombstone or reissue; not-found, noop or fence",
    )
    add("--json", action="store_true", help="print the address and environment as JSON")


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
        semantics=Semantics.from_text(arguments.semantics),
        faults=_faults(arguments.faults),
        seed=arguments.seed,
    )


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
