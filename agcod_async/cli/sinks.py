"""Where claim codes go: to a command, a function or a URL that the user names, and nowhere else.

Rules of this file:

1. A sink is found and started before the first order is sent, so that a misspelt one costs nothing.
2. A secret is named by its environment variable: other users can read a command line.
"""

import importlib
import inspect
import shlex
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from agcod_async.batch import Order
from agcod_async.core.outcomes import Reason
from agcod_async.delivery import (
    CommandPerCardSink,
    CommandSink,
    DeliveryPolicy,
    FunctionSink,
    Sink,
    WebhookSink,
    secret_from_env,
)
from agcod_async.errors import UsageError
from agcod_async.providers.agcod.messages import GiftCard

ATTEMPTS_MAX = DeliveryPolicy().attempts_max
TIMEOUT_SECONDS = DeliveryPolicy().attempt_seconds_max

_GRACE_SECONDS = 1.0
"""So much longer waits the line than the sink, which knows more of what went wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkOptions:
    """What the command line says of the sink. At most one of the first three is given."""

    command: str | None
    function: str | None
    webhook: str | None
    acknowledgement: Literal["line", "exit"] | None
    secret_variable: str | None
    attempts_max: int
    timeout_seconds: float

    @property
    def is_given(self) -> bool:
        """Whether there is a sink at all."""
        return not (self.command is None and self.function is None and self.webhook is None)

    @property
    def policy(self) -> DeliveryPolicy:
        """The limits of the line; raises `UsageError` where one cannot be kept."""
        if self.attempts_max < 1:
            raise UsageError(Reason(f"--deliver-attempts: {self.attempts_max} is below 1"))
        if not self.timeout_seconds > 0:
            raise UsageError(Reason(f"--deliver-timeout: {self.timeout_seconds} is not above 0"))
        return DeliveryPolicy(
            attempts_max=self.attempts_max,
            attempt_seconds_max=self.timeout_seconds + _GRACE_SECONDS,
        )


def add_sink_arguments(parser: ArgumentParser) -> None:
    """Add the options that begin with `--deliver`."""
    sinks = parser.add_mutually_exclusive_group()
    sinks.add_argument(
        "--deliver-command",
        metavar="CMD",
        help="run CMD, without a shell; it reads a line of JSON for each card, answers its ID",
    )
    sinks.add_argument(
        "--deliver-to",
        metavar="MODULE:FUNCTION",
        help="call function(card, order) for each card; it may be async",
    )
    sinks.add_argument(
        "--deliver-webhook", metavar="URL", help="POST each card to URL, signed; 2xx takes it"
    )
    parser.add_argument(
        "--deliver-ack",
        choices=("line", "exit"),
        help="how CMD takes a card: by the line (default), or by exit status 0, run for each card",
    )
    parser.add_argument(
        "--deliver-secret-env",
        metavar="NAME",
        help="the environment variable with the secret that signs what goes to the webhook",
    )
    parser.add_argument(
        "--deliver-attempts",
        type=int,
        default=ATTEMPTS_MAX,
        metavar="N",
        help=f"hand a card over so often at most (default: {ATTEMPTS_MAX})",
    )
    parser.add_argument(
        "--deliver-timeout",
        type=float,
        default=TIMEOUT_SECONDS,
        metavar="SECONDS",
        help=f"the time for one delivery (default: {TIMEOUT_SECONDS:.0f})",
    )


def sink_options(arguments: Namespace) -> SinkOptions:
    """Return what the command line says; raises `UsageError` where it does not fit together."""
    options = SinkOptions(
        command=arguments.deliver_command,
        function=arguments.deliver_to,
        webhook=arguments.deliver_webhook,
        acknowledgement=arguments.deliver_ack,
        secret_variable=arguments.deliver_secret_env,
        attempts_max=arguments.deliver_attempts,
        timeout_seconds=arguments.deliver_timeout,
    )
    if options.acknowledgement is not None and options.command is None:
        raise UsageError(Reason("--deliver-ack: goes with --deliver-command"))
    if (options.secret_variable is None) != (options.webhook is None):
        raise UsageError(Reason("--deliver-webhook and --deliver-secret-env go together"))
    return options


async def open_sink(options: SinkOptions) -> Sink | None:
    """Find and start the sink; raises `UsageError` where that cannot be done."""
    if options.command is not None:
        words = _words(options.command)
        seconds = options.timeout_seconds
        try:
            if options.acknowledgement == "exit":
                return CommandPerCardSink(*words, end_seconds_max=seconds)
            return await CommandSink.start(*words, answer_seconds_max=seconds)
        except UsageError as error:
            raise UsageError(Reason(f"--deliver-command: {error.reason}")) from error
    if options.function is not None:
        return FunctionSink(_function(options.function))
    if options.webhook is not None and options.secret_variable is not None:
        return WebhookSink(
            options.webhook,
            secret=secret_from_env(options.secret_variable),
            reply_seconds_max=options.timeout_seconds,
        )
    return None


def _words(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError as error:
        raise UsageError(Reason(f"--deliver-command: {error}")) from error


def _function(name: str) -> Callable[[GiftCard, Order], object]:
    """Import "module:function"; raises `UsageError` where that is none."""
    module_name, _, function_name = name.partition(":")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.append(here)
    try:
        function: Callable[[GiftCard, Order], object] = getattr(
            importlib.import_module(module_name), function_name
        )
        inspect.signature(function).bind(None, None)
    except Exception as error:  # the module is the user's, and may raise anything
        problem = f"--deliver-to: {name!r} is no function(card, order): {error}"
        raise UsageError(Reason(problem)) from error
    return function
