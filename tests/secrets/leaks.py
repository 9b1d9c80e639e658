"""Leaks for the net to catch: each lets out a secret in one of the ways that people know.

`python -m tests.secrets.leaks NUMBER` plants one and prints where it was caught.
"""

import sys

from tests.simulation.planting import Mutant, plant

ISSUANCES = 400

LEAKS = (
    Mutant(
        "log",
        "the reply in a line of the log",
        "engine.attempt",
        "    outcome = _understood(message, exchanged)",
        '    _log.debug("got %s", exchanged.body)\n    outcome = _understood(message, exchanged)',
    ),
    Mutant(
        "log",
        "the text of a transport's exception in the log",
        "engine.attempt",
        '_log.warning("the transport raised %s instead of answering; taken as lost", name)',
        '_log.warning("the transport raised %s", error)',
    ),
    Mutant(
        "log",
        "a traceback with its variables in the log",
        "engine.attempt",
        '_log.warning("the transport raised %s instead of answering; taken as lost", name)',
        '_log.warning("the transport raised %s", name, exc_info=True)',
    ),
    Mutant(
        "log",
        "the signed headers in the log",
        "engine.attempt",
        "    permit.sending()\n",
        '    permit.sending()\n    _log.debug("sending %s", dict(headers))\n',
    ),
    Mutant(
        "log",
        "the secret key in the log",
        "wire.sigv4",
        "        prepared = self._operations.get(operation) or self._prepare(operation)",
        "        import logging\n"
        "        logging.getLogger('x').debug(self._credentials.secret_access_key.reveal())\n"
        "        prepared = self._operations.get(operation) or self._prepare(operation)",
    ),
    Mutant(
        "error",
        "the message of the reply in the exception",
        "providers.agcod.envelope",
        "name=_shown(envelope.error_type or exception, _NAME),",
        "name=message,",
    ),
    Mutant(
        "event",
        "what cannot be read is quoted",
        "providers.agcod.codec",
        'return Unreadable(f"a reply that cannot be read, with HTTP status {reply.status}")',
        'return Unreadable(f"a reply that cannot be read: {reply.body!r}")',
    ),
    Mutant(
        "event",
        "the exception of the transport is quoted",
        "engine.attempt",
        'return Lost(Reason(f"the transport failed with {name}"))',
        'return Lost(Reason(f"the transport failed with {error}"))',
    ),
    Mutant(
        "entry",
        "the code in the journal",
        "providers.agcod.recovery",
        "        reference=answer.gc_id,",
        "        reference=answer.gc_claim_code.reveal(),",
    ),
    Mutant(
        "Issued",
        "the code in the repr",
        "hidden",
        'return f"{type(self).__name__}(<hidden>)"',
        'return f"{type(self).__name__}({self._text})"',
    ),
    Mutant(
        "Issued",
        "the code in a pickle",
        "hidden",
        '        raise TypeError(f"{type(self).__name__} does not leave the process: '
        'it cannot be pickled")',
        "        return type(self), (self._text,)",
    ),
)


def main(number: int) -> None:
    """Plant a leak in this process, issue some cards, and print where it was caught."""
    plant(LEAKS[number])
    from tests.secrets.issuing import issued  # noqa: PLC0415  it imports the leak
    from tests.secrets.net import MARK, Net  # noqa: PLC0415  as above

    net = Net()
    issued(net, ISSUANCES, seed=1)
    for where in net.caught:
        print(where.replace(MARK, "…"))  # noqa: T201  for the parent


if __name__ == "__main__":
    main(int(sys.argv[1]))
