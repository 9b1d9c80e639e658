"""How the page looks, in light and in dark, on paper and on a telephone."""

from typing import Final

from agcod_async.cli.page.markup import Markup

STYLE: Final = Markup("""
:root {
  color-scheme: light dark;
  --ground: #f6f7f8; --card: #ffffff; --ink: #16191d; --soft: #59636e; --rule: #e2e6ea;
  --fill: #0d7a6f; --tint: #0d7a6f22; --cap: #b4400e; --mark: #16191d;
  --issued: #0d8074; --declined: #c77d0a; --reversed: #7657c9; --unavailable: #7b8794;
  --in-doubt: #cf3a3a; --open: #e58a8a;
  --good-ground: #e3f3ef; --good-ink: #0a5a52; --bad-ground: #fdebea; --bad-ink: #9c2525;
  --note-ground: #fdf3e0; --note-ink: #7a4c05;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0f1316; --card: #171c21; --ink: #e9edf0; --soft: #9ba7b2; --rule: #2b333b;
    --fill: #3fbfb0; --tint: #3fbfb026; --cap: #ff9a66; --mark: #e9edf0;
    --issued: #37b3a5; --declined: #e0a33c; --reversed: #a48bec; --unavailable: #8695a3;
    --in-doubt: #f0716e; --open: #a65452;
    --good-ground: #12332f; --good-ink: #7fdccf; --bad-ground: #3d1c1c; --bad-ink: #ffb3af;
    --note-ground: #37290f; --note-ink: #f2c878;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--ground); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
  font-variant-numeric: tabular-nums;
}
main { max-width: 940px; margin: 0 auto; padding: 44px 20px 56px; }
header { margin-bottom: 26px; }
.kind {
  margin: 0; color: var(--soft); font-size: 12px; font-weight: 600;
  letter-spacing: .09em; text-transform: uppercase;
}
h1 {
  margin: 4px 0 6px; font-size: 32px; line-height: 1.2; font-weight: 680; letter-spacing: -.02em;
}
h2 { margin: 0 0 4px; font-size: 17px; letter-spacing: -.005em; }
.lead, .about { margin: 0; color: var(--soft); }
.about { margin-bottom: 18px; max-width: 68ch; font-size: 14px; }
.state {
  display: inline-block; margin: 16px 0 0; padding: 7px 14px; border-radius: 8px;
  font-weight: 560; background: var(--good-ground); color: var(--good-ink);
}
.state.bad { background: var(--bad-ground); color: var(--bad-ink); }
.state.note { background: var(--note-ground); color: var(--note-ink); }
.tiles { display: grid; grid-template-columns: repeat(2, 1fr); gap: 12px; margin: 0 0 14px; }
.tile:first-child { grid-column: span 2; }
@media (min-width: 820px) {
  .tiles { grid-template-columns: 1.35fr .8fr 1fr 1.15fr 1.15fr; }
  .tile:first-child { grid-column: auto; }
}
.tile, section { background: var(--card); border: 1px solid var(--rule); border-radius: 12px; }
.tile { padding: 14px 16px 15px; }
.tile dt { color: var(--soft); font-size: 13px; }
.tile dd {
  margin: 2px 0 0; font-size: 22px; font-weight: 640; letter-spacing: -.015em; line-height: 1.3;
}
.tile dd.sub { font-size: 13px; font-weight: 400; letter-spacing: 0; color: var(--soft); }
section { padding: 22px 24px 24px; margin: 0 0 14px; }
.wide { position: relative; overflow-x: auto; }
.wide:focus-visible, summary:focus-visible { outline: 2px solid var(--fill); outline-offset: 3px; }
table { width: 100%; border-collapse: collapse; font-size: 14px; }
caption {
  position: absolute; width: 1px; height: 1px; overflow: hidden;
  clip-path: inset(50%); white-space: nowrap;
}
th, td {
  padding: 8px 16px 8px 0; text-align: left; vertical-align: top;
  border-bottom: 1px solid var(--rule);
}
th:last-child, td:last-child { padding-right: 0; }
thead th { color: var(--soft); font-size: 12.5px; font-weight: 560; white-space: nowrap; }
tbody th { font-weight: 560; }
td small, th small { display: block; color: var(--soft); font-size: 13px; font-weight: 400; }
.figure { text-align: right; white-space: nowrap; }
tbody tr:last-child > * { border-bottom: 0; }
tfoot td, tfoot th { border-bottom: 0; border-top: 2px solid var(--rule); font-weight: 640; }
code {
  font: 13px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace;
  overflow-wrap: break-word;
}
.check { margin: 12px 0 0; color: var(--good-ink); font-size: 14px; }
.check.bad { color: var(--bad-ink); font-weight: 600; }
.key { display: inline-block; width: 10px; height: 10px; border-radius: 3px; margin-right: 9px; }
.chart { display: block; width: 100%; min-width: 540px; height: auto; }
.chart.verdicts { min-width: 0; height: 20px; margin: 0 0 14px; border-radius: 5px; }
.chart text { fill: var(--soft); font-size: 11.5px; font-family: inherit; }
.chart text.name { fill: var(--ink); font-size: 13px; }
.grid { stroke: var(--rule); stroke-width: 1; }
.axis, .tick { stroke: var(--soft); stroke-width: 1; opacity: .6; }
.area { fill: var(--tint); }
.line { fill: none; stroke: var(--fill); stroke-width: 1.6; stroke-linejoin: round; }
.bar { fill: var(--fill); }
.cap { stroke: var(--cap); stroke-width: 1.4; stroke-dasharray: 5 4; }
.chart text.cap-label { fill: var(--cap); font-weight: 600; }
.mark { stroke: var(--mark); stroke-width: 1; stroke-dasharray: 2 3; opacity: .65; }
.chart text.mark-label { fill: var(--ink); font-weight: 600; }
.issued { fill: var(--issued); background: var(--issued); }
.declined { fill: var(--declined); background: var(--declined); }
.reversed { fill: var(--reversed); background: var(--reversed); }
.unavailable { fill: var(--unavailable); background: var(--unavailable); }
.in_doubt { fill: var(--in-doubt); background: var(--in-doubt); }
.open { fill: var(--open); background: var(--open); }
details { margin-top: 16px; }
summary { cursor: pointer; color: var(--soft); font-size: 13px; width: fit-content; }
details[open] summary { margin-bottom: 10px; }
footer { margin-top: 22px; color: var(--soft); font-size: 13px; }
@media (max-width: 560px) {
  main { padding: 26px 12px 40px; }
  h1 { font-size: 25px; }
  section { padding: 18px 16px 20px; }
  .tiles { gap: 8px; }
  .tile { padding: 11px 13px; }
  .tile dd { font-size: 18px; }
}
@media print {
  :root { --ground: #fff; }
  main { max-width: none; padding: 0; }
  section, .tile { break-inside: avoid; }
}
""")
