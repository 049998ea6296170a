"""The reports' style sheet: light, dark and paper; nothing is fetched, not even a font."""

from __future__ import annotations

CSS = """
:root {
  color-scheme: light dark;
  --ground: #f6f5f2; --card: #fff; --ink: #1b1f24; --soft: #57606a; --line: #dcdad4;
  --chart-blue: #1f6fb2; --chart-orange: #b5500d;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #101317; --card: #181c21; --ink: #e8eaed; --soft: #a2abb5; --line: #313840;
    --chart-blue: #6db3f2; --chart-orange: #f0975a;
  }
}
* { box-sizing: border-box; }
html { background: var(--ground); color: var(--ink); -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; max-width: 68rem; padding: 2.5rem 1.25rem 4rem;
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", "Noto Sans", sans-serif; }
h1, h2, h3 { line-height: 1.2; text-wrap: balance; overflow-wrap: anywhere; }
h1 { font-size: clamp(1.6rem, 5vw, 2.4rem); letter-spacing: -.02em; margin: 0 0 .4rem; }
h2 { font-size: 1.25rem; margin: 3rem 0 .8rem; }
h3 { font-size: 1rem; margin: 0 0 .6rem; }
p { margin: 0 0 .8rem; max-width: 44rem; }
.soft, figcaption, caption { color: var(--soft); }
.tags { display: flex; flex-wrap: wrap; gap: .4rem; margin: 0; padding: 0; list-style: none; }
.tags li { border: 1px solid var(--line); border-radius: 1rem; padding: .1rem .75rem;
  font-size: .875rem; color: var(--soft); overflow-wrap: anywhere; }
.card, figure { background: var(--card); border: 1px solid var(--line); border-radius: .75rem;
  padding: 1.25rem; margin: 0; min-width: 0; }
.headline { margin-top: 1.75rem; display: grid; gap: 1.5rem 2.5rem; align-items: center;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 19rem), 1fr)); }
.headline p { font-size: 1.06rem; }
.headline p:last-child { margin: 0; }
.headline .note { font-size: .85rem; padding-top: .8rem; }
.big { display: block; font-size: clamp(2.8rem, 11vw, 4.2rem); font-weight: 700; line-height: 1;
  letter-spacing: -.04em; margin-bottom: .75rem;
  color: var(--chart-blue); font-variant-numeric: tabular-nums; }
.bars { display: grid; gap: .9rem; margin: 0; padding: 0; list-style: none; }
.bars span { display: flex; justify-content: space-between; gap: 1rem; font-size: .925rem; }
.bars b { font-variant-numeric: tabular-nums; white-space: nowrap; }
.bars i { display: block; position: relative; height: .8rem; margin-top: .3rem;
  background: var(--line); border-radius: .2rem; overflow: hidden; }
.bars i::before { content: ""; position: absolute; inset: 0 auto 0 0; width: var(--share);
  background: var(--soft); }
.bars li:first-child i::before { background: var(--chart-blue); }
.bars i::after { content: ""; position: absolute; inset: 0 calc(100% - var(--high)) 0 var(--low);
  background: var(--card); opacity: .55; }
.grid { display: grid; gap: 1.25rem; align-items: start;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 25rem), 1fr)); }
.chart { display: block; width: 100%; height: auto; max-width: 32rem; margin: 0 auto; }
figcaption { font-size: .9rem; margin-top: .75rem; }
details { margin-top: .75rem; font-size: .9rem; }
summary { cursor: pointer; color: var(--chart-blue); padding: .2rem 0; }
:focus-visible { outline: 2px solid var(--chart-blue); outline-offset: 2px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .925rem;
  font-variant-numeric: tabular-nums; }
caption { text-align: start; padding-bottom: .4rem; }
th, td { padding: .4rem .75rem .4rem 0; text-align: end; vertical-align: top;
  border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { text-align: start; }
th:last-child, td:last-child { padding-right: 0; }
thead th { color: var(--soft); font-weight: 600; }
tbody th { font-weight: 500; overflow-wrap: anywhere; min-width: 6rem; }
.facts td { text-align: start; overflow-wrap: anywhere; min-width: 9rem; }
.facts th { width: 38%; color: var(--soft); }
.mistakes { display: grid; gap: 1rem; padding: 0; margin: 0; list-style: none; }
.mistakes p { margin: 0; font-size: .925rem; max-width: none; }
blockquote { margin: .6rem 0 0; padding: .1rem 0 .1rem 1rem; border-inline-start: 3px solid
  var(--chart-orange); overflow-wrap: anywhere; white-space: pre-line; max-width: 52rem; }
@media (max-width: 30rem) {
  body { padding: 1.5rem .75rem 3rem; }
  .card, figure { padding: .9rem .75rem; }
  .grid { gap: .75rem; }
  th, td { padding-right: .5rem; }
  tbody th { min-width: 4.5rem; }
}
bdi { overflow-wrap: anywhere; }
@media print {
  :root { color-scheme: light; --ground: #fff; --card: #fff; --ink: #000; --soft: #444;
    --line: #bbb; --chart-blue: #1f6fb2; --chart-orange: #b5500d; }
  body { max-width: none; padding: 0; font-size: 10pt; }
  .card, figure, .mistakes li { break-inside: avoid; border-radius: 0; }
  .bars i::before, .bars i { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  h2, h3 { break-after: avoid; }
  .scroll { overflow: visible; }
}
"""

WRITING_CSS = """
:root { --copied: rgb(181 80 13 / .17); --agreed: rgb(31 111 178 / .15); }
@media (prefers-color-scheme: dark) {
  :root { --copied: rgb(240 151 90 / .26); --agreed: rgb(109 179 242 / .22); }
}
.samples { display: grid; gap: 1.25rem; align-items: start;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 18rem), 1fr)); }
.samples h3, .remembered h3 { margin: 0; }
.samples p, .remembered p { font-size: .9rem; margin: .2rem 0 0; }
.remembered .writing + p { margin-top: 1.2rem; }
.writing { white-space: pre-wrap; unicode-bidi: plaintext; text-align: start; line-height: 1.6;
  border-color: var(--line); margin-top: .9rem; }
.writing.soft { margin-top: .5rem; }
mark, .agreed { color: inherit; border-radius: .15rem; text-decoration: underline;
  text-decoration-thickness: 2px; text-underline-offset: .2em; text-decoration-skip-ink: none;
  -webkit-box-decoration-break: clone; box-decoration-break: clone; }
mark { background: var(--copied); text-decoration-color: var(--chart-orange); }
.agreed { background: var(--agreed); text-decoration-color: var(--chart-blue); }
.departed { text-decoration: underline dotted var(--chart-orange) 2px;
  text-underline-offset: .2em; text-decoration-skip-ink: none; }
.remembered .key { display: flex; flex-wrap: wrap; gap: .2rem 1.25rem; margin: .3rem 0 0;
  padding: 0; list-style: none; font-size: .9rem; }
.spread { margin-top: 1rem; }
.spread li:first-child i::before { background: var(--soft); }
.alphabet { display: flex; flex-wrap: wrap; gap: .4rem; margin: 0; padding: 0; list-style: none; }
.alphabet li { display: flex; align-items: baseline; gap: .5rem; border: 1px solid var(--line);
  border-radius: .4rem; padding: .1rem .55rem; min-width: 0; }
.alphabet b { font-size: 1.06rem; font-weight: 600; overflow-wrap: anywhere; }
.alphabet .named { font-size: .875rem; font-weight: 400; font-style: italic; }
.alphabet span { font-size: .8rem; color: var(--soft); font-variant-numeric: tabular-nums; }
@media print {
  :root { --copied: rgb(181 80 13 / .17); --agreed: rgb(31 111 178 / .15); }
  mark, .agreed { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""
