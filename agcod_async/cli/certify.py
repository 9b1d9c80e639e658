"""`agcod certify`: carry out Amazon's test plan against a sandbox, and report on it."""

import asyncio
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from agcod_async.cli.certification.calls import Means
from agcod_async.cli.certification.cases import Section
from agcod_async.cli.certification.document import Certificate, fields, markdown
from agcod_async.cli.certification.progress import Progress
from agcod_async.cli.certification.results import Result
from agcod_async.cli.certification.running import certification
from agcod_async.cli.certification.sections import SECTIONS, plan
from agcod_async.cli.exits import ExitCode
from agcod_async.cli.printing import json_line
from agcod_async.clock import Clock
from agcod_async.core.outcomes import Reason
from agcod_async.errors import UsageError
from agcod_async.providers.agcod.recipients import Account, CardNumber
from agcod_async.settings import Settings
from agcod_async.values import Money
from agcod_async.wire.port import Transport

MOVES_VALUE = False


def add_arguments(parser: ArgumentParser) -> None:
    """Add what the command takes."""
    add = parser.add_argument
    words = ", ".join(section.word for section in SECTIONS)
    add("--currency", required=True, help="the account's, such as USD")
    add("--only", metavar="WORDS", help=f"some of {words}, with commas between (default: all)")
    add("--probes", action="store_true", help="also ask what Amazon's documents leave open")
    add("--run", metavar="NAME", help="the same name repeats the request IDs (default: the time)")
    add("--program-id", metavar="ID", help="for resellers")
    add("--card-number", metavar="DIGITS", help="a card that may be activated and deactivated")
    add("--card-amount", default="25.00", metavar="AMOUNT", help="its value (default: 25.00)")
    add("--account", metavar="TYPE:ID", help="a customer's account that may be loaded, as 1:851…")
    add("--wire-format", choices=("json", "xml"), help="of requests and answers (default: json)")
    add("--output", type=Path, metavar="FILE", help="write the report there, not to the output")
    add("--json", action="store_true", help="report as one JSON object, not as Markdown")


def run(arguments: Namespace) -> ExitCode:
    """Carry out the plan. Raises `UsageError` for production, before anything is sent."""
    settings, clock = Settings.from_env(), Clock()
    if not settings.mock_ids_allowed:
        raise UsageError(Reason("this is a production endpoint: the plan is for a sandbox"))
    if arguments.wire_format is not None:
        settings = replace(settings, wire_format=arguments.wire_format)
    sections = plan(_words(arguments.only), with_probes=arguments.probes)
    means = _means(arguments, settings, datetime.fromtimestamp(clock.wall(), UTC))
    with ExitStack() as closing:
        output = _opened(arguments.output, closing)
        certificate = asyncio.run(certified(settings, means, sections, clock=clock))
        report = json_line(fields(certificate)) if arguments.json else markdown(certificate)
        print(report.rstrip("\n"), file=output, flush=True)
    return certificate.exit_code


async def certified(
    settings: Settings,
    means: Means,
    sections: Sequence[Section],
    *,
    clock: Clock,
    transport: Transport | None = None,
) -> Certificate:
    """Carry out `sections`, with progress on standard error."""
    progress = Progress(means.run, sum(len(one.cases) for one in sections), clock)
    done: dict[Section, tuple[Result, ...]] = {}
    async with certification(settings, means, clock=clock, transport=transport) as running:
        try:
            for section in sections:
                done[section] = tuple(await running.carry_out(section, progress.ended))
        finally:  # also after Ctrl-C
            undone = tuple(await running.take_back())
            progress.over(undone)
    return Certificate(
        settings=settings,
        means=means,
        ended_at=datetime.fromtimestamp(clock.wall(), UTC),
        sections=tuple(done.items()),
        undone=undone,
    )


def _words(only: str | None) -> frozenset[str]:
    words = frozenset(filter(None, (only or "").replace(" ", "").split(",")))
    known = [section.word for section in SECTIONS]
    unknown = ", ".join(sorted(words.difference(known)))
    if unknown:
        raise UsageError(Reason(f"--only: {unknown} is unknown ({', '.join(known)})"))
    return words


def _means(arguments: Namespace, settings: Settings, now: datetime) -> Means:
    number, account = arguments.card_number, arguments.account
    Money(arguments.card_amount, arguments.currency)  # refused here if it is none
    return Means(
        run=arguments.run or f"{now:%Y%m%dT%H%M%S}.{now.microsecond:06d}Z",
        partner_id=settings.partner_id,
        now=now,
        currency=arguments.currency,
        program_id=arguments.program_id,
        card_number=None if number is None else CardNumber(number),
        card_amount=arguments.card_amount,
        account=None if account is None else _account(account),
    )


def _account(text: str) -> Account:
    kind, colon, account_id = text.partition(":")
    if not colon or not kind.isdecimal():
        raise UsageError(Reason("--account: is no TYPE:ID, such as 1:851…"))
    return Account(id=account_id, type=int(kind))


def _opened(path: Path | None, closing: ExitStack) -> TextIO:
    if path is None:
        return sys.stdout
    try:
        return closing.enter_context(path.open("w", encoding="utf-8"))
    except OSError as error:
        raise UsageError(Reason(f"--output: {path}: {error.strerror}")) from error
