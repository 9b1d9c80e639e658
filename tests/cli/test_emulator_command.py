import json
import shlex
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from agcod_async.cli import emulator as command
from agcod_async.settings import Settings
from agcod_async.testing import (
    Emulator,
    EmulatorConfig,
    FaultKind,
    Semantics,
    ThrottleModel,
)
from agcod_async.testing.server import serve
from agcod_async.values import Money
from tests.cli.stage import Agcod

Started = list[EmulatorConfig]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Started:
    """Serve for real, note the configuration, and press Ctrl-C as soon as it is ready."""
    configs: Started = []

    async def until_ready(
        emulator: Emulator, *, host: str, port: int, on_ready: Callable[[str], None]
    ) -> None:
        configs.append(emulator.config)
        async with serve(emulator, host=host, port=port) as url:
            on_ready(url)
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "serve_forever", until_ready)
    return configs


def test_it_prints_the_address_and_a_complete_environment(agcod: Agcod, started: Started) -> None:
    run = agcod("emulator", "--port", "0", "--tps", "12.5", "--partner-id", "Testa")

    exports = [line for line in run.out.splitlines() if not line.startswith("#")]
    environment = dict(shlex.split(line)[1].split("=", 1) for line in exports)
    settings = Settings.from_env(environment)
    assert run.code == 0
    assert all(line.startswith("export ") for line in exports)
    assert settings.url.startswith("http://127.0.0.1:")
    assert settings.url in run.out.splitlines()[0]
    assert (settings.partner_id, settings.requests_per_second) == ("Testa", 12.5)
    assert settings.credentials in started[0].credentials


def test_the_defaults_are_the_strict_ones(agcod: Agcod, started: Started) -> None:
    agcod("emulator", "--port", "0")

    (config,) = started
    assert config == EmulatorConfig(funds=(Money("100000.00", "USD"),))


def test_every_option_reaches_the_emulator(agcod: Agcod, started: Started, tmp_path: Path) -> None:
    faults = tmp_path / "faults.json"
    faults.write_text('{"rules": [{"fault": "f400_after", "nth": 3}]}', encoding="utf-8")
    options = (
        "--tps 0 --throttle-model token-bucket --funds 7.50 --currency EUR --seed 3 "
        f"--semantics reissue,fence --faults {shlex.quote(str(faults))} --json --port 0 "
        "--operation-tps CreateGiftCard=2.5 --operation-tps GetAvailableFunds=0 "
        "--disable LoadAmazonBalance --disable VoidAmazonBalanceLoad"
    )

    run = agcod("emulator", *shlex.split(options))

    (config,) = started
    assert config.requests_per_second is None
    assert config.throttle_model is ThrottleModel.TOKEN_BUCKET
    assert config.funds == (Money("7.50", "EUR"),)
    assert config.seed == 3
    assert config.operation_caps == {"CreateGiftCard": 2.5, "GetGiftCardActivityPage": 1 / 60}
    assert config.disabled_operations == {"LoadAmazonBalance", "VoidAmazonBalanceLoad"}
    assert config.semantics.after_cancel.value == "reissue"
    assert config.semantics.unknown_cancel.value == "fence"
    assert config.faults.rules[0].fault is FaultKind.F400_AFTER
    assert "AGCOD_TPS" not in run.objects[0]["environment"]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("--funds", "1e6"), "amount:"),
        (("--currency", "dollars"), "currency:"),
        (("--semantics", "kind"), "semantics: 'kind' is unknown"),
        (("--partner-id", "no!"), "partner_id:"),
        (("--tps", "-1"), "requests_per_second:"),
        (("--operation-tps", "CreateGiftCard"), "--operation-tps: 'CreateGiftCard' is none"),
        (("--operation-tps", "Create=1"), "operation_caps: Create is unknown"),
        (("--disable", "Create"), "disabled_operations: Create is unknown"),
        (("--faults", "no-such-file.json"), "--faults: no-such-file.json: No such file"),
    ],
)
def test_a_bad_option_is_one_clear_line(
    options: tuple[str, ...], problem: str, agcod: Agcod
) -> None:
    run = agcod("emulator", *options)

    assert (run.code, run.out, run.err.count("\n")) == (2, "", 1)
    assert problem in run.err


def test_help_explains_every_word_of_the_semantics(agcod: Agcod) -> None:
    words = agcod("emulator", "--help").out.partition("words of --semantics")[2].split()

    for field in fields(Semantics):
        assert field.name in words
        assert {f"={choice.value}" for choice in type(field.default)} <= set(words)


def test_a_bad_fault_script_is_one_clear_line(agcod: Agcod, tmp_path: Path) -> None:
    faults = tmp_path / "faults.json"
    faults.write_text('{"rules": [{"fault": "explode"}]}', encoding="utf-8")

    run = agcod("emulator", "--faults", faults)

    assert (run.code, run.err.count("\n")) == (2, 1)
    assert "explode" in run.err


def test_a_port_that_is_taken_is_one_clear_line(agcod: Agcod) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        run = agcod("emulator", "--port", port)

    assert (run.code, run.out, run.err.count("\n")) == (2, "", 1)
    assert f"cannot listen on 127.0.0.1:{port}" in run.err


def test_the_process_serves_until_it_is_interrupted() -> None:
    arguments = (sys.executable, "-m", "agcod_async.cli", "emulator", "--port", "0", "--json")
    with subprocess.Popen(  # noqa: S603  our own command
        arguments, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            ready = json.loads(process.stdout.readline())
            health = asked(f"{ready['base_url']}/_emulator/health")
        finally:
            process.send_signal(2)
        code = process.wait(10)

    assert health["partner_id"] == ready["environment"]["AGCOD_PARTNER_ID"]
    assert code == 0


def asked(url: str) -> dict[str, Any]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=10) as answer:
        return dict(json.load(answer))
