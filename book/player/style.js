// SPDX-License-Identifier: Apache-2.0
//
// The looks of both elements. A site themes them through the custom properties
// --ip-*, which cross the border of the shadow tree; README.md lists them.

export const css = `
:host {
  display: block;
  margin: 1.5rem 0;
  container-type: inline-size;
  --bg: var(--ip-bg, light-dark(#fff, #16181d));
  --panel: var(--ip-panel, light-dark(#f6f5f1, #1d2027));
  --ink: var(--ip-ink, light-dark(#1d2430, #e7e9ee));
  --soft: var(--ip-soft, light-dark(#59616e, #a4acba));
  --line: var(--ip-line, light-dark(#d8d6cf, #373c47));
  --accent: var(--ip-accent, light-dark(#2a52be, #9db6ff));
  --tint: var(--ip-tint, light-dark(#e4eafb, #252f4d));
  --bad: var(--ip-bad, light-dark(#b3261e, #ff9a90));
  --bad-tint: var(--ip-bad-tint, light-dark(#fbe7e5, #46211f));
  --good: var(--ip-good, light-dark(#17693a, #82d99f));
  --good-tint: var(--ip-good-tint, light-dark(#e0f3e6, #16382a));
  --on-lock: var(--ip-on-lock, light-dark(#fff, #14161a));
  --l0: var(--ip-lock-0, light-dark(#0b6b6b, #58cdc9));
  --l1: var(--ip-lock-1, light-dark(#8a4f00, #eab95c));
  --l2: var(--ip-lock-2, light-dark(#7b3a9c, #cfa2f7));
  --l3: var(--ip-lock-3, light-dark(#1f5fa8, #86bdf7));
  --l4: var(--ip-lock-4, light-dark(#9c2660, #f594bf));
  --sans: var(--ip-font, inherit);
  --mono: var(--ip-mono, ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace);
}
:host([hidden]), [hidden] { display: none !important; }
* { box-sizing: border-box; }
.sr {
  position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden;
  clip-path: inset(50%); white-space: nowrap;
}
section {
  font-family: var(--sans); font-size: 0.875rem; line-height: 1.45;
  color: var(--ink); background: var(--bg);
  border: 1px solid var(--line); border-radius: 12px; overflow: clip;
}
button { font: inherit; color: inherit; cursor: pointer; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.score:focus-visible, .lines:focus-visible { outline-offset: -2px; }

/* What went wrong. */
.top {
  display: flex; flex-wrap: wrap; align-items: baseline; gap: 0.2rem 0.75rem;
  padding: 0.7rem 0.9rem; border-bottom: 1px solid var(--line); background: var(--panel);
}
.verdict {
  font-weight: 650; padding: 0.05rem 0.55rem; border-radius: 99px; white-space: nowrap;
  border: 1px solid currentColor;
}
.verdict.bad { color: var(--bad); background: var(--bad-tint); }
.verdict.bad::before { content: "✗ "; }
.verdict.good { color: var(--good); background: var(--good-tint); }
.verdict.good::before { content: "✓ "; }
.message { margin: 0; flex: 1 1 14rem; color: var(--ink); overflow-wrap: anywhere; white-space: pre-line; }

/* The score. */
.panes { display: grid; grid-template-columns: minmax(0, 1fr); }
.left, .right, .desk { min-width: 0; }
.score { max-height: 25rem; overflow: auto; position: relative; scrollbar-width: thin; }
.grid {
  display: grid; position: relative; padding-bottom: 0.6rem;
  grid-template-columns: 2rem repeat(var(--lanes), minmax(5.6rem, 1fr));
  grid-auto-rows: minmax(1.9rem, auto);
}
ol { display: contents; list-style: none; margin: 0; padding: 0; }
.head {
  position: sticky; top: 0; z-index: 4; grid-row: 1;
  padding: 0.45rem 0.5rem 0.4rem; background: var(--bg);
  border-bottom: 1px solid var(--line); font-family: var(--mono); font-size: 0.8125rem;
  display: flex; flex-wrap: wrap; gap: 0 0.5rem; align-items: baseline;
}
.life { font-family: var(--sans); font-size: 0.75rem; color: var(--soft); }
.asleep .life { color: var(--bad); }
.number {
  grid-column: 1; padding: 0.4rem 0.35rem 0 0; text-align: right;
  font: 0.6875rem/1.5 var(--mono); color: var(--soft); font-variant-numeric: tabular-nums;
}
.number.current { color: var(--accent); font-weight: 700; }
.number.fails { color: var(--bad); font-weight: 700; }
.life-line {
  width: 1px; background: var(--line); margin-left: 0.25rem; justify-self: start;
}
.step {
  z-index: 2; min-width: 0; margin: 0;
  padding: 2px 4px 2px calc(0.55rem + var(--bars) * 1.2rem);
}
.step button {
  display: flex; flex-wrap: wrap; column-gap: 0.5rem; align-items: baseline;
  width: 100%; height: 100%; min-height: 1.75rem; text-align: left;
  padding: 0.2rem 0.45rem; border: 1px solid transparent; border-radius: 6px;
  background: none; color: var(--soft); overflow-wrap: anywhere;
}
.step button:hover { border-color: var(--line); background: var(--panel); }
.step .at { font: 0.6875rem/1.6 var(--mono); color: var(--soft); }
.step.done button { color: var(--ink); }
.step.current button {
  background: var(--tint); border-color: var(--accent); color: var(--ink);
  box-shadow: inset 3px 0 0 var(--accent);
}
.flag { color: var(--bad); font-weight: 700; }
.step.fails.done button { font-weight: 600; }
.step.fails.current button {
  background: var(--bad-tint); border-color: var(--bad); box-shadow: inset 3px 0 0 var(--bad);
}
.now {
  grid-column: 1 / -1; align-self: end; z-index: 1; height: 0;
  border-bottom: 1.5px solid var(--accent); opacity: 0.55; transform: translateY(1px);
}

/* A lock that is held. Its name runs along the bar. */
.held {
  width: 1.05rem; margin: 2px 0 2px calc(0.55rem + var(--slot) * 1.2rem);
  justify-self: start; z-index: 1; border-radius: 4px; overflow: clip;
  border: 1px solid var(--c); color: transparent; opacity: 0.4;
  font: 600 0.6875rem/1rem var(--mono); writing-mode: vertical-rl;
  display: flex; align-items: center; justify-content: flex-start;
}
.held span {
  white-space: nowrap; padding: 3px 0; max-height: 100%; overflow: hidden; text-overflow: ellipsis;
  position: sticky; top: 2.3rem;
}
.held.past { background: var(--c); color: var(--on-lock); opacity: 1; }
.lock0 { --c: var(--l0); } .lock1 { --c: var(--l1); } .lock2 { --c: var(--l2); }
.lock3 { --c: var(--l3); } .lock4 { --c: var(--l4); }

/* A thread that cannot run. */
.blocked {
  margin: 2px 4px 2px 1px; border-radius: 6px; z-index: 0; opacity: 0.35;
  background: repeating-linear-gradient(-45deg, transparent 0 6px,
    color-mix(in srgb, var(--soft) 16%, transparent) 6px 7.5px);
  border: 1px dashed color-mix(in srgb, var(--soft) 40%, transparent);
}
.blocked.past { opacity: 1; }

/* The program. */
.source { border-top: 1px solid var(--line); background: var(--panel); min-width: 0; }
.file {
  padding: 0.45rem 0.9rem 0.2rem; font: 0.75rem/1.5 var(--mono); color: var(--soft);
}
.lines { max-height: 16rem; overflow: auto; padding-bottom: 0.5rem; scrollbar-width: thin; position: relative; }
.line {
  display: grid; grid-template-columns: calc(var(--who, 4) * 0.55rem + 0.9rem) 1.35rem minmax(0, 1fr);
  column-gap: 0.4rem; font: 0.72rem/1.65 var(--mono); padding-right: 0.5rem;
  border-left: 3px solid transparent;
}
.line .who { display: flex; flex-wrap: wrap; justify-content: flex-end; gap: 2px; padding-left: 0.4rem; }
.line .no { text-align: right; color: var(--soft); user-select: none; }
.line code {
  font: inherit; white-space: pre-wrap; overflow-wrap: anywhere; tab-size: 2;
  padding-left: 2ch; text-indent: -2ch;
}
.line.here { background: color-mix(in srgb, var(--tint) 55%, transparent); }
.line.acting { background: var(--tint); border-left-color: var(--accent); }
.line.single { grid-template-columns: calc(var(--who, 4) * 0.55rem + 0.9rem) minmax(0, auto) minmax(0, 1fr); }
.line.single .no { text-align: left; overflow-wrap: anywhere; }
.chip {
  font: 600 0.6875rem/1.05rem var(--mono); padding: 0 0.3rem; border-radius: 4px;
  border: 1px solid var(--accent); color: var(--accent); background: var(--bg); align-self: center;
}
.chip.acting { background: var(--accent); color: var(--bg); }
.keyword { color: var(--ip-keyword, light-dark(#7a2f8f, #d3a6f0)); }
.string { color: var(--ip-string, light-dark(#17693a, #8fd6a4)); }
.comment { color: var(--soft); font-style: italic; }

/* Who holds, who waits, what is stored. */
.state {
  display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; align-items: center;
  padding: 0.6rem 0.9rem; border-top: 1px solid var(--line);
}
.facts {
  flex: 1 1 11rem; margin: 0; display: grid; align-content: start;
  grid-template-columns: fit-content(55%) minmax(0, 1fr); gap: 0.15rem 0.75rem;
}
dt { font: 0.8125rem/1.5 var(--mono); overflow-wrap: anywhere; }
dd { margin: 0; }
.swatch {
  display: inline-block; width: 0.7em; height: 0.7em; border-radius: 2px; margin-right: 0.4em;
  background: var(--c);
}
.drawing { flex: 1 1 13rem; max-width: 20rem; margin: 0 auto; }
.waits-for { display: block; width: 100%; height: auto; overflow: visible; }
.node rect { fill: var(--bg); stroke: var(--soft); stroke-width: 1.3; }
.node.object rect[class^="lock"] { fill: var(--c); stroke: var(--c); }
.node text { font: 600 12px var(--mono); fill: var(--ink); text-anchor: middle; dominant-baseline: central; }
.node.object rect[class^="lock"] + text { fill: var(--on-lock); }
.node.round rect { stroke: var(--bad); stroke-width: 2.4; }
.edge { fill: none; stroke: var(--soft); stroke-width: 1.4; }
.edge.waits { stroke-dasharray: 5 3.5; }
.edge.round { stroke: var(--bad); stroke-width: 2.2; }
.label {
  font-family: var(--sans); font-size: 11px; fill: var(--soft); text-anchor: middle; dominant-baseline: central;
  paint-order: stroke; stroke: var(--bg); stroke-width: 4px; stroke-linejoin: round;
}
.label.round { fill: var(--bad); }
marker path { fill: var(--soft); }
#tip-round path { fill: var(--bad); }

/* What has just happened, and the controls. */
.said {
  margin: 0; padding: 0.5rem 0.9rem; border-top: 1px solid var(--line);
  min-height: calc(2.9em + 1rem); overflow-wrap: anywhere;
}
.said.fails { color: var(--bad); }
.controls {
  display: flex; flex-wrap: wrap; align-items: center; gap: 0.3rem;
  padding: 0.45rem 0.7rem; border-top: 1px solid var(--line); background: var(--panel);
}
.control {
  width: 2.25rem; height: 2.25rem; padding: 0; border: 1px solid transparent; border-radius: 8px;
  background: none; display: grid; place-items: center;
}
.control svg { width: 1rem; height: 1rem; fill: currentColor; }
.control.play { background: var(--accent); color: var(--bg); border-radius: 99px; }
.control.play:hover { background: var(--accent); filter: brightness(1.1); }
.control:hover { background: var(--tint); border-color: var(--line); }
.control[aria-disabled] { color: var(--soft); opacity: 0.45; cursor: default; }
.controls input { flex: 1 1 5rem; min-width: 4rem; accent-color: var(--accent); margin: 0 0.4rem; height: 1.5rem; }
.count { font: 0.75rem var(--mono); color: var(--soft); font-variant-numeric: tabular-nums; min-width: 4.2em; text-align: right; }
.to-failure {
  padding: 0.35rem 0.7rem; border-radius: 8px; border: 1px solid var(--bad); color: var(--bad);
  background: var(--bg); font-weight: 600;
}
.to-failure:hover { background: var(--bad-tint); }

/* Try it. */
.verdict.open { color: var(--accent); background: var(--tint); }
.verdict.open::before { content: "▸ "; }
.ask { margin: 0; padding: 0 0.9rem 0.35rem; font-weight: 600; }
.tryit .said { min-height: calc(1.45em + 1rem); }
.tryit .step button { pointer-events: none; }
.moves {
  display: grid; gap: 0.4rem; padding: 0.1rem 0.9rem 0.7rem;
  grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr));
}
.move {
  display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 0.5rem; text-align: left;
  padding: 0.5rem 0.7rem; min-height: 2.75rem; border-radius: 8px;
  border: 1px solid var(--accent); background: var(--bg); overflow-wrap: anywhere;
}
.move b { font-family: var(--mono); font-size: 0.8125rem; color: var(--accent); }
.move b::after { content: ":"; }
.move:not([aria-disabled]):hover { background: var(--tint); }
.move:not([aria-disabled]):active { transform: translateY(1px); }
.move[aria-disabled] {
  cursor: not-allowed; color: var(--soft); border: 1px dashed var(--line);
  background: repeating-linear-gradient(-45deg, transparent 0 6px,
    color-mix(in srgb, var(--soft) 10%, transparent) 6px 7.5px);
}
.move[aria-disabled] b { color: var(--soft); }
.move.hinted { box-shadow: 0 0 0 2px var(--accent); background: var(--tint); }
.move em { color: var(--accent); font-weight: 600; margin-left: auto; }
.tool {
  padding: 0.35rem 0.7rem; border-radius: 8px; border: 1px solid var(--line);
  background: var(--bg); min-height: 2.25rem;
}
.tool:hover:not([disabled]) { background: var(--tint); border-color: var(--accent); }
.tool[disabled] { color: var(--soft); opacity: 0.55; cursor: default; }
.found { margin: 0 0 0 auto; color: var(--soft); font-size: 0.8125rem; text-align: right; flex: 1 1 12rem; }

.text { border-top: 1px solid var(--line); background: var(--panel); }
.text summary { padding: 0.35rem 0.9rem; cursor: pointer; color: var(--soft); font-size: 0.8125rem; }
.text div { padding: 0 0.9rem 0.4rem; overflow-x: auto; }
::slotted(*) { overflow-x: auto; }

/* Wide enough for the score and the program side by side. */
@container (min-width: 620px) {
  .lanes1 .panes, .lanes2 .panes {
    grid-template: "left right" auto "desk desk" auto / minmax(0, 1.08fr) minmax(0, 1fr);
  }
  :is(.lanes1, .lanes2) .left { grid-area: left; }
  :is(.lanes1, .lanes2) .desk { grid-area: desk; }
  :is(.lanes1, .lanes2) .right { grid-area: right; border-left: 1px solid var(--line); }
  :is(.lanes1, .lanes2) .source { border-top: 0; }
  :is(.lanes1, .lanes2) .score { max-height: 33rem; }
  :is(.lanes1, .lanes2) .lines { max-height: 19rem; }
}
@container (min-width: 860px) {
  .panes {
    grid-template: "left right" auto "desk desk" auto / minmax(0, 1.35fr) minmax(0, 1fr);
  }
  .left { grid-area: left; }
  .desk { grid-area: desk; }
  .right { grid-area: right; border-left: 1px solid var(--line); }
  .source { border-top: 0; }
  .score { max-height: 33rem; }
  .lines { max-height: 19rem; }
}
@container (max-width: 420px) {
  section { font-size: 0.8125rem; }
  .grid { grid-template-columns: 1.5rem repeat(var(--lanes), minmax(5.2rem, 1fr)); }
  .step button { padding: 0.2rem 0.25rem; }
  .step { padding-right: 2px; }
  .score { max-height: 20rem; }
  .lines { max-height: 11rem; }
  .said { min-height: calc(4.35em + 1rem); }
  .controls input { order: 2; flex-basis: 9rem; }
  .count { order: 2; }
  .to-failure { order: 1; margin-left: auto; }
}
@media (prefers-reduced-motion: no-preference) {
  .step button { transition: background-color 0.15s, border-color 0.15s; }
  .line { transition: background-color 0.15s; }
}
@media (forced-colors: active) {
  .line { border-left-color: Canvas; }
  .line.acting { border-left-color: Highlight; }
  .held.past { border: 3px double CanvasText; color: CanvasText; }
  .step.current button { outline: 2px solid Highlight; }
}
@media print {
  .controls, .text { display: none; }
  .score, .lines { max-height: none; }
}
`;
