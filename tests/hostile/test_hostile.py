"""No reply, however hostile, is judged wrongly: what is done is done, what is unclear is unclear.

The oracle is `reference`: another reader, of the standard library alone, with the rules stated
anew. The judges are the outcome functions of all fourteen legs, as the engine calls them. For each
of a million replies (each leg's honest ones, mutated where their members are, in JSON and XML):

* nothing is raised, and nothing is logged;
* "done" is only said where the reference reads an unambiguous SUCCESS for this very request,
  "refused" only where it reads a definite refusal, and so on for every kind of outcome;
* what is done has the reply's own code, gcId, amount;
* an honest reply is still believed when it was only printed otherwise;
* no outcome shows a claim code, a card number or an account.

The volume is run in processes of its own, without the measuring of coverage.
"""

import os
import re
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

import agcod_async
from agcod_async.core.outcomes import Applied, Reply, Unclear
from agcod_async.wire.port import REPLY_SIZE_MAX
from tests.hostile.campaign import HUNTED_MAX
from tests.hostile.campaign_of_mutants import hunted
from tests.hostile.hunting import BrokenPromiseError, batch, honest_kind, judge
from tests.hostile.mutants import MUTANTS
from tests.hostile.mutations import Generator
from tests.hostile.templates import JUDGES, TEMPLATES
from tests.providers.replies import card, reply
from tests.providers.samples import activity, xml
from tests.simulation.planting import Mutant, mutated
from tests.support.programs import output_of

PARTS: Final = 4
INPUTS: Final = int(os.environ.get("FUZZ_INPUTS", "1000000"))
CORPUS: Final = Path(__file__).parent / "corpus"
PACKAGE: Final = Path(agcod_async.__file__).parent


@pytest.mark.timeout(600)
@pytest.mark.parametrize("part", range(1, PARTS + 1))
def test_no_hostile_reply_is_judged_wrongly(part: int) -> None:
    words = ("--inputs", str(INPUTS), "--part", f"{part}/{PARTS}", "--workers", "1")
    result = output_of("tests.hostile", *words)

    judged = re.search(r"^(\d+) hostile replies, 0 judged wrongly", result, re.MULTILINE)
    assert judged is not None
    assert int(judged[1]) == pytest.approx(INPUTS / PARTS, abs=1_000)


@pytest.mark.parametrize("leg", TEMPLATES)
def test_every_honest_reply_is_judged_as_the_reference_judges_it(leg: str) -> None:
    for template in TEMPLATES[leg]:
        outcome = judge(leg, template.status, "application/json", template.body)
        assert type(outcome).__name__ == honest_kind(template), template.body


def test_the_same_seed_gives_the_same_replies() -> None:
    first, second = Generator(7), Generator(7)

    assert [first.next() for _ in range(500)] == [second.next() for _ in range(500)]
    assert Generator(8).next() != Generator(7).next()


def test_the_hunt_meets_every_kind_of_outcome() -> None:
    met = {kind for seed in range(12) for kind in batch(seed).kinds}

    assert met >= {"Applied", "AppliedDead", "Undone", "Found", "NotFound", "NothingToUndo"}
    assert met >= {"Refused", "Outdated", "Conflict", "Throttled", "UndoFirst", "Unclear"}


# --- what was found once -----------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted(CORPUS.glob("*.reply")), ids=lambda path: path.stem)
def test_what_was_judged_wrongly_once_is_judged_rightly(path: Path) -> None:
    head, _, body = path.read_bytes().partition(b"\n")
    leg, status, kind = head.decode().rsplit(" ", 2)

    assert type(judge(leg, int(status), "", body)).__name__ == kind


def test_the_corpus_is_there() -> None:
    assert len(list(CORPUS.glob("*.reply"))) >= 20


# --- the hunt finds what is planted ------------------------------------------------------------


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.bug)
def test_a_bug_fits_the_code_that_ships(mutant: Mutant) -> None:
    source = (PACKAGE / f"{mutant.module.replace('.', '/')}.py").read_text(encoding="utf-8")

    compile(mutated(mutant, source), mutant.module, "exec")


@pytest.mark.parametrize("number", range(len(MUTANTS)), ids=lambda number: MUTANTS[number].bug)
def test_a_planted_bug_is_noticed(number: int) -> None:
    found = hunted(number)

    assert found is not None
    assert 0 < int(found["inputs"]) <= HUNTED_MAX
    assert re.match(r"seed \d+ input \d+: ", str(found["seen"]))


def test_a_wrong_verdict_is_reported_with_its_seed_and_its_bytes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for leg in JUDGES:
        monkeypatch.setitem(JUDGES, leg, lambda _: Applied(None))

    (first, *_) = batch(3, 50).broken

    assert re.match(
        r"seed 3 input \d+: Applied where only .+ is justified\n  leg .+\n  b['\"]", first
    )


def test_a_judge_that_raises_is_reported_without_what_it_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def raising(answer: Reply) -> Unclear:
        raise RuntimeError(answer.body)

    monkeypatch.setitem(JUDGES, "create", raising)

    with pytest.raises(BrokenPromiseError, match=r"^raised RuntimeError$"):
        judge("create", 200, "", reply(card()).body)


# --- bounds --------------------------------------------------------------------------------------

_LIVE: Final = reply(card()).body
_LIVE_XML: Final = xml("CreateGiftCardResponse", card()).body
_PAGE_XML: Final = xml("GetGiftCardActivityPageResponse", activity()).body


def _filled(before: bytes, one: bytes, after: bytes) -> bytes:
    return before + one * ((REPLY_SIZE_MAX - len(before) - len(after)) // len(one)) + after


def _numbered(form: str, count: int) -> bytes:
    return "".join(form.format(number) for number in range(count)).encode()


_LARGE: Final[dict[str, Callable[[], bytes]]] = {
    "lists": lambda: _filled(_LIVE[:-1] + b',"x":[', b"[],", b"0]}"),
    "objects": lambda: _filled(_LIVE[:-1] + b',"x":[', b'{"a":1},', b"0]}"),
    "floats": lambda: _filled(_LIVE[:-1] + b',"x":[', b"1.1,", b"0]}"),
    "members": lambda: _LIVE[:-1] + _numbered(',"{:x}":1', 90_000) + b"}",
    "rows": lambda: _filled(b'{"status":"SUCCESS","cardActivityList":[', b"{},", b"{}]}"),
    "escapes": lambda: _filled(_LIVE[:-1] + b',"x":"', b"\\u0041", b'"}'),
    "digits": lambda: _LIVE.replace(b"12.5", b"1" * 900_000),
    "decimals": lambda: _LIVE.replace(b"12.5", b"12.5" + b"1" * 900_000),
    "message": lambda: _filled(b'{"message":"', b"not used ", b'"}'),
    "depth": lambda: b"[" * REPLY_SIZE_MAX,
    "elements": lambda: _LIVE_XML.replace(b"</Cr", _numbered("<a{:x}/>", 100_000) + b"</Cr"),
    "listed elements": lambda: _filled(_PAGE_XML[:-173], b"<a/>", _PAGE_XML[-173:]),
    "attributes": lambda: b"<a " + _numbered('a{:x}="" ', 80_000) + b"/>",
    "namespaces": lambda: b"<a " + _numbered('xmlns:a{:x}="u" ', 50_000) + b"/>",
    "references": lambda: b"<a>" + b"&#65;" * 200_000 + b"</a>",
    "depth in XML": lambda: b"<a>" * 300_000,
    "declaration": lambda: _filled(b"<?xml ", b"encoding= ", b"?><a/>"),
}
PEAK_MAX: Final = 128 * REPLY_SIZE_MAX


@pytest.mark.parametrize("name", _LARGE)
def test_the_largest_reply_takes_a_bounded_amount_of_memory(name: str) -> None:
    body = _LARGE[name]()
    assert len(body) <= REPLY_SIZE_MAX

    for leg in ("create", "activity"):
        tracemalloc.start()
        try:
            JUDGES[leg](Reply(200, "", body))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak <= PEAK_MAX
