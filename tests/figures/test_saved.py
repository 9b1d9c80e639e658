import json
from dataclasses import fields, is_dataclass
from typing import Any, get_args, get_type_hints

import pytest

from agcod_async.figures import Figures, from_json, merged, to_json
from agcod_async.figures.figures import IN_DOUBT_LISTED_MAX, REFUSALS_MAX
from agcod_async.figures.saved import BYTES_MAX
from agcod_async.values import Hidden
from tests.figures.samples import EMPTY, FULL, RESUMED


@pytest.mark.parametrize("figures", [EMPTY, FULL, RESUMED, merged([FULL, RESUMED])])
def test_what_is_written_is_read_back_the_same(figures: Figures) -> None:
    text = to_json(figures)

    assert from_json(text) == figures
    assert to_json(from_json(text)) == text


def test_amounts_are_written_as_exact_text_and_times_in_utc() -> None:
    shown = json.loads(to_json(FULL))

    assert shown["verdicts"]["issued"] == {"orders": 46, "amounts": {"USD": "1150.00"}}
    assert shown["paces"][0]["started_at"] == "2026-03-04T09:15:02Z"
    assert shown["form"] == "agcod figures 1"


def changed(**members: Any) -> bytes:
    return json.dumps(json.loads(to_json(FULL)) | members).encode()


WORTH = {"orders": 1, "amounts": {"USD": "1.00"}}
AT = "2026-03-04T09:15:02Z"
PACE = json.loads(to_json(FULL))["paces"][0]


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{}",
        b"[" * 100_000,
        b'"\xff"',
        b" " * (BYTES_MAX + 1),
        changed(form="agcod figures 2"),
        changed(paces=[]),
        changed(paces=[PACE] * 100),
        changed(paces=[PACE | {"seconds": 1e300}]),
        changed(taken=WORTH | {"amounts": {"USD": "1e999999999"}}),
        changed(taken=WORTH | {"amounts": {"USD": "1" * 31}}),
        changed(taken=WORTH | {"amounts": {"USD": "NaN"}}),
        changed(taken=WORTH | {"amounts": {"<b>": "1"}}),
        changed(taken=WORTH | {"orders": 10**400}),
        changed(verdicts={"lost": WORTH}),
        changed(requests=-1),
        changed(retries={"Lost": -1}),
        changed(retries={"L" * 1000: 1}),
        changed(stopped="s" * 1000),
        changed(settled={"s" * 1000: AT}),
        changed(settled={f"s{n}": AT for n in range(IN_DOUBT_LISTED_MAX + 1)}),
        changed(settled={"s": "0001-01-01T00:00:00Z"}),
        changed(declined=[{"code": None, "error_type": "E" * 1000, "orders": 1}]),
        changed(declined=[{"code": None, "error_type": "E", "orders": 1}] * (REFUSALS_MAX + 2)),
        changed(
            in_doubt=[{"request_id": "E" * 1000, "next_safe_action": "replay_same_id", "at": AT}]
        ),
        changed(in_doubt=[{"request_id": "E", "next_safe_action": "send_anew", "at": AT}]),
    ],
    ids=lambda text: text[-24:].decode(errors="replace"),
)
def test_a_file_that_holds_no_figures_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  each says what is wrong in its own words
        from_json(text)


def test_there_is_no_place_for_a_claim_code_in_any_figure() -> None:
    seen: set[type] = set()

    def visit(kind: Any) -> None:
        for part in get_args(kind):
            visit(part)
        if is_dataclass(kind) and kind not in seen:
            seen.add(kind)  # type: ignore[arg-type]
            hints = get_type_hints(kind)
            for field in fields(kind):
                visit(hints[field.name])
        assert not (isinstance(kind, type) and issubclass(kind, Hidden))
        assert kind not in (object, Any)

    visit(Figures)

    assert len(seen) == 6
