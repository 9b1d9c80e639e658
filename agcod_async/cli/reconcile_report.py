"""What `agcod reconcile` tells: what it has finished, audited and found. No claim code is in it."""

import sys
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Final

from agcod_async.cli.exits import ExitCode, of_error
from agcod_async.cli.printing import Shown, error_fields, plain, print_json, print_table
from agcod_async.engine.auditing import Audited, AuditResult
from agcod_async.engine.reconciling import Reconciled
from agcod_async.errors import DeclinedError, InDoubtError, ReversedError
from agcod_async.reconciliation.findings import NEXT_ACTIONS, Finding, Kind, Totals

_CERTAIN: Final = (DeclinedError, ReversedError)
"""How a call may end for certain without a card: nobody has to act on it here."""


class Report(ABC):
    """Counts what it is told of; how it is shown is up to those that follow."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.totals = Totals()
        self.calls: Counter[str] = Counter()
        self.audits: Counter[AuditResult] = Counter()
        self.settled = 0
        self._codes: Counter[ExitCode] = Counter()
        self._in_doubt: set[tuple[str, str]] = set()
        self._to_be_read: set[tuple[str, str]] = set()

    def ended(self, ended: Reconciled) -> None:
        """Tell of an open call that has been worked at."""
        error = ended.error
        verdict = "issued" if error is None else type(error).__name__.removesuffix("Error")
        self.calls[verdict] += 1
        if isinstance(error, InDoubtError):
            self._in_doubt.add((ended.operation, ended.request_id))
        elif error is not None and not isinstance(error, _CERTAIN):
            self._codes[of_error(error)] += 1
        self.show_ended(ended, verdict)

    def audited(self, audited: Audited) -> None:
        """Tell of a card that was looked at once more."""
        self.audits[audited.result] += 1
        if audited.result is AuditResult.DIED:
            self._codes[ExitCode.DECLINED] += 1
        elif audited.result is AuditResult.IN_DOUBT:
            self._codes[ExitCode.IN_DOUBT] += 1
        elif audited.result is AuditResult.ONLY_BY_READING:
            self._to_be_read.add((audited.operation, audited.request_id))
        if audited.result not in (AuditResult.LIVES, AuditResult.UNDONE):
            self.show_audited(audited)

    def found(self, finding: Finding, *, is_settled: bool) -> None:
        """Tell of a finding; `is_settled` says that its proof has been put on record."""
        self.totals.add(finding)
        self.settled += is_settled
        key = finding.operation, finding.request_id
        if finding.kind is not Kind.STILL_OPEN:
            self._in_doubt.discard(key)
            self._to_be_read.discard(key)
        if not finding.kind.agrees:
            self.show_found(finding)

    @property
    def exit_code(self) -> ExitCode:
        """How the command ends: in doubt matters more than what needs a person."""
        if self._in_doubt or self._codes[ExitCode.IN_DOUBT] or self.totals.counts[Kind.STILL_OPEN]:
            return ExitCode.IN_DOUBT
        needs_a_person = any(kind.needs_a_person for kind in self.totals.counts)
        if needs_a_person or self._to_be_read or self._codes[ExitCode.DECLINED]:
            return ExitCode.DECLINED
        return ExitCode.UNAVAILABLE if self._codes[ExitCode.UNAVAILABLE] else ExitCode.DONE

    @abstractmethod
    def show_ended(self, ended: Reconciled, verdict: str) -> None:
        """Show a call that was worked at."""

    @abstractmethod
    def show_audited(self, audited: Audited) -> None:
        """Show an audit that somebody may have to act on."""

    @abstractmethod
    def show_found(self, finding: Finding) -> None:
        """Show a finding that is more than agreement."""

    @abstractmethod
    def finish(self) -> None:
        """Show the sums."""


class LineReport(Report):
    """One line for each, and a table in the end."""

    def show_ended(self, ended: Reconciled, verdict: str) -> None:
        """Print the verdict."""
        why = "" if ended.error is None else f": {ended.error.reason}"
        _print(f"{_in_words(verdict):17} {ended.request_id}{why}")

    def show_audited(self, audited: Audited) -> None:
        """Print the result."""
        words = _AUDIT_WORDS[audited.result]
        _print(f"{words:17} {audited.request_id}  gcId {audited.gc_id or 'unknown'}")

    def show_found(self, finding: Finding) -> None:
        """Print both sides."""
        ours = "nothing" if finding.recorded is None else str(finding.recorded)
        theirs = " + ".join(map(str, finding.booked)) or "nothing"
        note = f"  ({finding.note})" if finding.note else ""
        kind = finding.kind.value.replace("_", " ")
        _print(f"{kind:17} {finding.request_id}  journal {ours}, Amazon {theirs}{note}")

    def finish(self) -> None:
        """Print the table, and what to do about each kind."""
        rows = [(f"calls ended {_in_words(name)}", str(n)) for name, n in self.calls.items()]
        rows += [(f"audit: {_AUDIT_WORDS[one]}", str(n)) for one, n in self.audits.items()]
        rows += list(self._sums())
        print_table(rows or [("nothing was open", "0")])
        for kind in self.totals.counts:
            if not kind.agrees:
                _print(f"{kind.value.replace('_', ' ')}: {NEXT_ACTIONS[kind].words}")
        if self.audits[AuditResult.DIED]:
            _print("died: the code that was handed out is dead; the same call tells what lives now")
        if self._to_be_read:
            _print("to be read: too old to be sent again; compare with --activity or --portal-csv")
        sys.stdout.flush()

    def _sums(self) -> Iterator[tuple[str, str]]:
        for kind, count in self.totals.counts.items():
            name = kind.value.replace("_", " ")
            yield name, str(count)
            for side, sums in (("journal", self.totals.recorded), ("Amazon", self.totals.booked)):
                for (of_kind, currency), total in sorted(sums.items(), key=lambda one: one[0][1]):
                    if of_kind is kind:
                        yield f"  {side}, {currency}", f"{total:,}"


class JsonReport(Report):
    """One JSON object a line."""

    def show_ended(self, ended: Reconciled, verdict: str) -> None:
        """Print the verdict."""
        shown: Shown = {
            "kind": "call",
            "request_id": ended.request_id,
            "operation": ended.operation,
            "verdict": _in_words(verdict).replace(" ", "_"),
        }
        print_json(shown | ({} if ended.error is None else error_fields(ended.error)))

    def show_audited(self, audited: Audited) -> None:
        """Print the result."""
        print_json(
            {
                "kind": "audit",
                "request_id": audited.request_id,
                "operation": audited.operation,
                "live_request_id": audited.live_id,
                "gc_id": audited.gc_id,
                "result": audited.result.value,
                "replaced_by": audited.replaced_by,
            }
        )

    def show_found(self, finding: Finding) -> None:
        """Print both sides."""
        recorded = finding.recorded
        print_json(
            {
                "kind": "finding",
                "finding": finding.kind.value,
                "request_id": finding.request_id,
                "operation": finding.operation,
                "recorded": None if recorded is None else str(recorded),
                "booked": [str(amount) for amount in finding.booked],
                "gc_ids": list(finding.gc_ids),
                "note": finding.note,
                "next_action": finding.action.value,
            }
        )

    def finish(self) -> None:
        """Print the sums."""
        print_json(
            {
                "kind": "summary",
                "calls": {_in_words(name): count for name, count in self.calls.items()},
                "audits": {result.value: count for result, count in self.audits.items()},
                "findings": {kind.value: count for kind, count in self.totals.counts.items()},
                "settled": self.settled,
                "recorded": _amounts(self.totals.recorded),
                "booked": _amounts(self.totals.booked),
                "exit_code": int(self.exit_code),
            }
        )


_AUDIT_WORDS: Final = {
    AuditResult.LIVES: "lives",
    AuditResult.DIED: "died",
    AuditResult.UNDONE: "undone by you",
    AuditResult.NOT_DUE: "not due yet",
    AuditResult.ONLY_BY_READING: "to be read",
    AuditResult.IN_DOUBT: "not answered",
}


def _amounts(sums: Mapping[tuple[Kind, str], Decimal]) -> dict[str, dict[str, str]]:
    shown: dict[str, dict[str, str]] = {}
    for (kind, currency), total in sums.items():
        shown.setdefault(kind.value, {})[currency] = str(total)
    return shown


def _in_words(verdict: str) -> str:
    return "".join(f" {one.lower()}" if one.isupper() else one for one in verdict).strip()


def _print(line: str) -> None:
    print(plain(line))
