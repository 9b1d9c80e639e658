"""The report of a run: what a partner sends to Amazon's integration team.

There is no claim code in it, no secret key, no account and of a card number only its end.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from agcod_async._version import __version__
from agcod_async.cli.certification.calls import Means
from agcod_async.cli.certification.cases import Section
from agcod_async.cli.certification.results import Result, Status, Undone
from agcod_async.cli.exits import ExitCode
from agcod_async.cli.printing import Shown, plain
from agcod_async.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """Everything that a run has shown."""

    settings: Settings
    means: Means
    ended_at: datetime
    sections: tuple[tuple[Section, tuple[Result, ...]], ...]
    undone: tuple[Undone, ...]

    @property
    def results(self) -> Iterator[Result]:
        """Every result, in the order of the plan."""
        for _, results in self.sections:
            yield from results

    @property
    def counts(self) -> Mapping[Status, int]:
        """How many cases have which result."""
        return Counter(result.status for result in self.results)

    @property
    def left(self) -> tuple[Undone, ...]:
        """What was issued, or may have been, and is not known to be taken back."""
        return tuple(one for one in self.undone if one.is_left)

    @property
    def exit_code(self) -> ExitCode:
        """The worst of it: in doubt, failed, not reached, done."""
        if any(one.seen.ending == "InDoubtError" for one in self.left):
            return ExitCode.IN_DOUBT
        if self.left or self.counts.get(Status.FAILED):
            return ExitCode.DECLINED
        unreached = (one.seen is not None and one.seen.is_unreached for one in self.results)
        return ExitCode.UNAVAILABLE if any(unreached) else ExitCode.DONE

    @property
    def account(self) -> Mapping[str, str]:
        """Who was asked, by whom, how and when."""
        settings, requests = self.settings, sum(one.requests for one in self.results)
        return {
            "client": f"agcod-async {__version__}",
            "partner ID": settings.partner_id,
            "endpoint": f"{settings.endpoint.value}, {settings.url}",
            "wire format": settings.wire_format.upper(),
            "run": self.means.run,
            "began": _time(self.means.now),
            "ended": _time(self.ended_at),
            "requests": f"{requests}, at most {settings.requests_per_second:g} a second",
        }


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


# --- Markdown ------------------------------------------------------------------------------------

_STATUSES: Final = tuple(Status)


def markdown(certificate: Certificate) -> str:
    """Return the report as a page."""
    return "\n".join(_lines(certificate)) + "\n"


def _lines(certificate: Certificate) -> Iterator[str]:
    yield "# Certification of an Incentives API client"
    yield ""
    yield from _table(("", ""), certificate.account.items())
    yield ""
    yield "## Summary"
    yield ""
    yield from _table(("cases", "all", *(status.value for status in _STATUSES)), _sums(certificate))
    for section, results in certificate.sections:
        yield ""
        yield f"## {section.title}"
        yield ""
        yield from _table(_HEAD, (_row(result) for result in results))
    yield ""
    yield "## What was taken back"
    yield ""
    yield from _taken_back(certificate)


_HEAD: Final = (
    *("case", "source", "operation", "request ID", "began (UTC)", "ms"),
    *("expected", "seen", "result"),
)


def _sums(certificate: Certificate) -> Iterator[tuple[str, ...]]:
    for section, results in certificate.sections:
        counts = Counter(result.status for result in results)
        yield section.title, str(len(results)), *(str(counts[one]) for one in _STATUSES)


def _row(result: Result) -> tuple[str, ...]:
    case = result.case
    note = f": {result.note}" if result.note else ""
    return (
        case.name,
        case.source,
        case.operation,
        _id(result),
        _time(result.started_at),
        str(round(result.seconds * 1000)),
        "(open)" if case.expected is None else str(case.expected),
        "not sent" if result.seen is None else str(result.seen),
        f"{result.status.value}{note}",
    )


def _id(result: Result) -> str:
    mock, request_id = result.case.asked.mock, result.request_id
    if request_id is None:
        return ""
    return request_id if mock in (None, request_id) else f"{request_id}, account {mock}"


def _taken_back(certificate: Certificate) -> Iterator[str]:
    if not certificate.undone:
        yield "Nothing was left to take back."
        return
    rows = (
        (one.operation, one.request_id, str(one.seen), "left" if one.is_left else "taken back")
        for one in certificate.undone
    )
    yield from _table(("operation", "request ID", "seen", "result"), rows)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield _line(head)
    yield _line(("---",) * len(head))
    for row in rows:
        yield _line(row)


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(plain(cell).replace('|', '/') for cell in cells)} |"


# --- JSON ----------------------------------------------------------------------------------------


def fields(certificate: Certificate) -> Shown:
    """Return the report as JSON has it."""
    account = {name.replace(" ", "_").lower(): said for name, said in certificate.account.items()}
    counts = certificate.counts
    return {
        **account,
        "cases": [_fields(result) for result in certificate.results],
        "taken_back": [
            {
                "operation": one.operation,
                "request_id": one.request_id,
                "seen": str(one.seen),
                "left": one.is_left,
            }
            for one in certificate.undone
        ],
        "summary": {one.value.replace(" ", "_"): counts.get(one, 0) for one in _STATUSES},
        "exit_code": int(certificate.exit_code),
    }


def _fields(result: Result) -> Shown:
    case, seen = result.case, result.seen
    return {
        "name": case.name,
        "source": case.source,
        "operation": case.operation,
        "request_id": result.request_id,
        "mock": case.asked.mock,
        "began": _time(result.started_at),
        "seconds": round(result.seconds, 3),
        "requests": result.requests,
        "expected": None if case.expected is None else str(case.expected),
        "seen": None if seen is None else str(seen),
        "ending": None if seen is None else seen.ending,
        "code": None if seen is None else seen.code,
        "error_type": None if seen is None else seen.error_type,
        "result": result.status.value.replace(" ", "_"),
        "note": result.note,
    }
