"""Write the figures of docs/explanation/performance.md, and its charts, from benchmarks/results.

The text of the page is written by hand; what stands between `<!-- begin NAME -->` and `<!-- end
NAME -->` is written here, so that no figure is ever typed. `make bench` measures and runs this.
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from docs.chart_writer import Dot, Group, dot_chart
from docs.page_writer import table, write_files

DOCS = Path(__file__).parent
PAGE = DOCS / "explanation" / "performance.md"
CHARTS = DOCS / "explanation" / "charts"
RESULTS = DOCS.parent / "benchmarks" / "results"
OURS = "LocalPacer"
USED = "names and default transport"
CPU_RATE = "1000"
SAME = 0.005
"""Shares of the cap that differ by less than this are alike."""

Data = Mapping[str, Any]


def result(name: str) -> Data:
    """Return the answer to one question."""
    return dict(json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8")))


def times(ratio: Data) -> str:
    """Return a ratio and its spread."""
    return f"{ratio['median']:.2f} ({ratio['low']:.2f} to {ratio['high']:.2f})"


# --- tables --------------------------------------------------------------------------------------


def machine() -> str:
    """Say where and how the figures were taken."""
    rows = []
    for name in ("issuing", "elsewhere", "startup", "pacing", "tail", "storms", "growth"):
        data = result(name)
        load = f"{data['load']['before']:g} and {data['load']['after']:g}"
        kind = "quick" if data["quick"] else "whole"
        rows.append((f"`{name}`", kind, load, data.get("revision", "")))
    found = result("issuing")["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
    text = f"{found['cpu']}, {found['cores']} cores, {found['system']}, {found['python']}."
    return f"{text}\n\n{versions}.\n\n" + table(
        ("Run", "Kind", "Load before and after", "Revision"), rows
    )


def cost() -> str:
    """Show what a card costs each contender."""
    data = result("issuing")
    rows = [
        (
            name,
            times(one["times_bare"]),
            times(one["times_floor"]),
            f"{one['cpu_share']:.0%}",
            f"{one['mock_busy']:.0%}",
        )
        for name, one in contenders()
    ]
    heads = ("CPU a card", "x bare aiohttp", "x asyncio floor", "CPU of the time", "mock busy")
    mock = (
        f"{data['rounds']} rounds. The mock answers a request in {times(data['mock_of_floor'])} of"
        " the CPU time that the floor needs for it."
    )
    return f"{table(heads, rows)}\n\n{mock}"


def contenders() -> list[tuple[str, Data]]:
    """Return all contenders, the dearest first."""
    found = result("issuing")["contenders"].items()
    return sorted(found, key=lambda one: -one[1]["times_bare"]["median"])


def comparisons(name: str) -> str:
    """Show the ratios that were wanted, and whether the aims are reached."""
    rows = []
    for one in result(name)["comparisons"]:
        aim = f"at most {one['at_most']:g}" if one["at_most"] is not None else ""
        aim = f"at least {one['at_least']:g}" if one["at_least"] is not None else aim
        verdict = {True: "yes", False: "**no**", None: ""}[one["kept"]]
        verdict = "too close to tell" if one.get("close") else verdict
        rows.append((f"{one['of']} / {one['to']}", times(one["ratio"]), aim, verdict))
    return table(("Ratio", "Median (range)", "Aim", "Reached"), rows)


def elsewhere() -> str:
    """Show what a card costs over TLS and on uvloop, each beside bare aiohttp there."""
    found = {"plain, asyncio": dict(contenders()), **result("elsewhere")["conditions"]}
    names = [name for name, _ in contenders() if all(name in at for at in found.values())]
    rows = [(name, *(times(at[name]["times_bare"]) for at in found.values())) for name in names]
    busy = {name: max(at[name]["mock_busy"] for at in found.values()) for name in names}
    floor = busy.pop("asyncio floor")
    return table(("x bare aiohttp of the same column", *found), rows) + (
        f"\n\nThe mock was busy for {max(busy.values()):.0%} of the time at most, and for"
        f" {floor:.0%} with the floor, which could cost even less with a quicker one."
    )


def imports() -> str:
    """Show what imports cost."""
    found = result("startup")["imports"]
    httpx = found["httpx"]["median"]
    rows = [
        (
            f"`{name}`" if name in ("agcod_async", "httpx", "aiohttp") else name,
            f"{one['median']:.0f} ({one['low']:.0f} to {one['high']:.0f})",
            "" if name == "nothing" else f"{one['median'] / httpx:.2f}",
        )
        for name, one in found.items()
    ]
    return table(("Import", "CPU, ms (range)", "x `import httpx`"), rows)


def pacing() -> str:
    """Show the share that is used and the busiest second, by rate."""
    paces = result("pacing")["paces"]
    rows = [
        (name, *(f"{at[name]['share']:.3f} / {at[name]['busiest']:.2f}" for at in paces.values()))
        for name in next(iter(paces.values()))
    ]
    return table(("Share used / busiest second", *(f"{int(r):,}/s" for r in paces)), rows)


def jitter() -> str:
    """Show what a strict server throttles."""
    found = result("pacing")["with_jitter"]
    rows = [
        (
            name,
            *(f"{at[name]['throttled']:.1%} of {at[name]['share']:.3f}" for at in found.values()),
        )
        for name in next(iter(found.values()))
    ]
    return table(("Throttled, of the share sent", *found), rows)


def crowd() -> str:
    """Show what each of many waiters costs."""
    crowds = result("pacing")["crowds"]
    sizes = list(next(iter(crowds.values())))
    rows = [
        (name, *(_waiter(by_size[size], int(size)) for size in sizes))
        for name, by_size in crowds.items()
    ]
    return table(("x a bare task, each", *(f"{int(size):,} waiting" for size in sizes)), rows)


def _waiter(one: Data, size: int) -> str:
    if one["served"] < size:
        return f"{one['served'] / size:.0%} served in 30 s"
    return f"{one['micros'] / one['bare_micros']:.1f}"


def waits() -> str:
    """Show how long customers wait."""
    rows = []
    for where, both in result("tail")["waits"].items():
        for name, one in both.items():
            shown = (f"{one[share] * 1e3:,.0f} ms" for share in ("p50", "p99", "p99.9"))
            rows.append((where, name, *shown, f"{one['used']:.3f}"))
    return table(("Cap", "Lanes", "p50", "p99", "p99.9", "of the cap used"), rows)


def drains() -> str:
    """Show how long batches take under faults."""
    data = result("storms")
    rows = [
        (
            share,
            f"{one['until_99']:.2f}",
            f"{one['until_all']:.2f}",
            f"{one['requests']:.2f}",
            f"{one['issued']:.2%}",
        )
        for share, one in data["drains"].items()
    ]
    heads = (
        "Faults",
        "99 % done / (N / cap)",
        "all done / (N / cap)",
        "requests an order",
        "issued",
    )
    return f"N = {data['orders']:,}; the median over {data['seeds']} seed(s).\n\n" + table(
        heads, rows
    )


def sizes() -> str:
    """Show what an order costs as jobs grow."""
    found = result("growth")["sizes"]
    least = found[0]["cpu_micros"]
    rows = [
        (f"{one['orders']:,}", f"{one['mib']:.1f}", f"{one['cpu_micros'] / least:.2f}")
        for one in found
    ]
    heads = ("Orders", "MiB beyond the imports", "CPU an order, x the first row")
    return f"{table(heads, rows)}\n\n{comparisons('growth')}"


# --- where a peer is better -----------------------------------------------------------------------


def better_peers() -> str:
    """List every figure above in which somebody else does better."""
    lines = [
        *_cheaper_cards(),
        *_more_of_the_cap(),
        *_more_with_jitter(),
        *_cheaper_permits(),
        *_cheaper_queues(),
        *_quicker_imports(),
    ]
    return "\n".join(f"- {line}" for line in lines) or "In none of them."


def _cheaper_cards() -> Iterator[str]:
    for one in result("issuing")["comparisons"]:
        if one["of"].startswith("by hand") and one["ratio"]["median"] < 1:
            yield f"{one['of']} costs {times(one['ratio'])} of {one['to']}, and recovers nothing."


def _more_of_the_cap() -> Iterator[str]:
    for rate, at in result("pacing")["paces"].items():
        for name, one in at.items():
            is_more = one["share"] > at[OURS]["share"] + SAME and one["busiest"] <= 1 + SAME
            if is_more:
                used = f"{one['share']:.3f} against {at[OURS]['share']:.3f}"
                yield f"{name} uses more of {int(rate):,}/s without exceeding it: {used}."


def _more_with_jitter() -> Iterator[str]:
    for where, at in result("pacing")["with_jitter"].items():
        own = at[OURS]
        for name, one in at.items():
            if one["share"] > own["share"] + SAME and one["throttled"] <= own["throttled"]:
                used = f"{one['share']:.3f} against {own['share']:.3f}"
                yield f"With jitter ({where}) {name} is throttled no more and sends more: {used}."


def _cheaper_permits() -> Iterator[str]:
    at = result("pacing")["paces"][CPU_RATE]
    for name, one in at.items():
        if one["cpu_share"] < at[OURS]["cpu_share"] and name in _in_use(at):
            ratio = at[OURS]["cpu_share"] / max(one["cpu_share"], 1e-6)
            yield f"At {int(CPU_RATE):,}/s `{OURS}` takes {ratio:.1f} times the CPU of {name}."


def _in_use(at: Data) -> list[str]:
    """Return the limiters that get at least half of what can be got: idling is cheap."""
    return [name for name, one in at.items() if one["share"] > 1 / 2]


def _cheaper_queues() -> Iterator[str]:
    crowds = result("pacing")["crowds"]
    for size, own in crowds[OURS].items():
        for name, by_size in crowds.items():
            one = by_size[size]
            if one["served"] == int(size) and one["micros"] < own["micros"] and name != OURS:
                ratio = f"{own['micros'] / one['micros']:.1f}"
                yield f"With {int(size):,} waiting `{OURS}` takes {ratio} times the CPU of {name}."


def _quicker_imports() -> Iterator[str]:
    found = result("startup")["imports"]
    own = found[USED]["median"]
    for name, one in found.items():
        if name.startswith("by hand") and one["median"] < own:
            yield f"To import {name} costs {one['median'] / own:.2f} of our {USED}."


# --- charts --------------------------------------------------------------------------------------


def charts() -> dict[str, str]:
    """Return every chart by its name."""
    return {
        "cost": _cost_chart(),
        "pacing": _pacing_chart(),
        "throttled": _throttled_chart(),
        "waits": _waits_chart(),
        "imports": _imports_chart(),
    }


def _cost_chart() -> str:
    dots = [
        Dot(name, one["median"], one["low"], one["high"], f"x {one['median']:.2f}", "SDK" in name)
        for name, contender in contenders()
        for one in [contender["times_bare"]]
    ]
    axis = "client CPU a card, in multiples of bare aiohttp (logarithmic)"
    return dot_chart("What a card costs", axis, [Group("", dots)], logarithmic=True)


def _pacing_chart() -> str:
    groups = [
        Group(f"cap {int(rate):,}/s", [_share(name, one["share"]) for name, one in at.items()])
        for rate, at in result("pacing")["paces"].items()
    ]
    return dot_chart("How much of the cap is used", "share of the cap", groups)


def _throttled_chart() -> str:
    groups = [
        Group(f"cap {where} of way", [_share(name, one["throttled"]) for name, one in at.items()])
        for where, at in result("pacing")["with_jitter"].items()
    ]
    axis = "share of the requests that a strict server throttles"
    return dot_chart("What is throttled all the same", axis, groups)


def _share(name: str, share: float) -> Dot:
    return Dot(name, share, share, share, f"{share:.1%}", name == OURS)


def _waits_chart() -> str:
    groups = [
        Group(
            f"cap {where}",
            [
                Dot(
                    f"{name}, {share}",
                    seconds,
                    seconds,
                    seconds,
                    f"{seconds * 1e3:,.0f} ms",
                    name == "with lanes",
                )
                for name, one in both.items()
                for share, seconds in one.items()
                if share != "used"
            ],
        )
        for where, both in result("tail")["waits"].items()
    ]
    axis = "seconds that a customer waits behind a batch (logarithmic)"
    return dot_chart(
        "A customer's call while a batch uses all of the cap", axis, groups, logarithmic=True
    )


def _imports_chart() -> str:
    dots = [
        Dot(
            name,
            one["median"],
            one["low"],
            one["high"],
            f"{one['median']:.0f} ms",
            name in ("agcod_async", "names to issue a card", USED),
        )
        for name, one in result("startup")["imports"].items()
        if name != "nothing"
    ]
    return dot_chart(
        "What an import costs", "ms of CPU, beyond an interpreter's own", [Group("", dots)]
    )


# --- the page ------------------------------------------------------------------------------------

SECTIONS = {
    "machine": machine,
    "cost": cost,
    "issuing": lambda: comparisons("issuing"),
    "elsewhere": elsewhere,
    "imports": imports,
    "startup": lambda: comparisons("startup"),
    "pacing": pacing,
    "jitter": jitter,
    "crowd": crowd,
    "waits": waits,
    "drains": drains,
    "growth": sizes,
    "better": better_peers,
}
_SECTION = re.compile(r"(<!-- begin (?P<name>\w+) -->\n).*?(<!-- end (?P=name) -->)", re.DOTALL)


def page() -> str:
    """Return the page with its figures. Raises `ValueError` where a section has no place in it."""
    text = PAGE.read_text(encoding="utf-8")
    missing = set(SECTIONS) - {found["name"] for found in _SECTION.finditer(text)}
    if missing:
        raise ValueError(f"{PAGE.name} has no place for {', '.join(sorted(missing))}")
    return _SECTION.sub(
        lambda found: f"{found[1]}\n{SECTIONS[found['name']]()}\n\n{found[3]}", text
    )


def files() -> dict[Path, str]:
    """Return everything that is written here."""
    return {PAGE: page(), **{CHARTS / f"{name}.svg": svg for name, svg in charts().items()}}


if __name__ == "__main__":
    sys.exit(write_files(files, __doc__, make="bench"))
