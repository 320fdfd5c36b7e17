// SPDX-License-Identifier: Apache-2.0
//
// Draws an interleaving as a score: time runs downwards, a lane for each
// thread, a bar beside the lane for each lock that is held, hatching where a
// thread cannot run.

import { baseName, couldGoOn } from './model.js';
import { h, showWithin } from './dom.js';

/** The number of the colour and pattern of each object that is ever held. */
export function lockColors(score) {
  const held = [...new Set(score.held.map((s) => s.object))].sort((a, b) => a - b);
  return new Map(held.map((object, i) => [object, i % 5]));
}

/** "line 8", or "bank.h:31" for a file that is not the reader's own. */
function placeText(at, mainFile) {
  if (!at) return '';
  return at.file === mainFile ? `line ${at.line}` : `${baseName(at.file)}:${at.line}`;
}

/** Side by side where a thread holds several at once: span -> slot. */
function slotsOf(held) {
  const slots = new Map();
  const ends = new Map();
  for (const span of [...held].sort((a, b) => a.from - b.from)) {
    const lane = ends.get(span.thread) ?? [];
    let slot = lane.findIndex((to) => to <= span.from);
    if (slot < 0) slot = lane.length;
    lane[slot] = span.to;
    ends.set(span.thread, lane);
    slots.set(span, slot);
  }
  return { slots, widths: new Map([...ends].map(([t, lane]) => [t, lane.length])) };
}

export class ScoreView {
  /**
   * @param {(rows: number) => void} onPick  called with the number of rows up
   *     to the one that was clicked
   */
  constructor(onPick) {
    this.onPick = onPick;
    this.element = h('div', {
      class: 'score', tabindex: 0, role: 'group', 'aria-label': 'Steps',
    });
  }

  /**
   * Draws `score`.
   * @param {import('./model.js').Score} score
   */
  draw(score) {
    // The lines of the file that is most often seen are just "line 8".
    const times = new Map();
    for (const { at } of score.rows) {
      if (at) times.set(at.file, (times.get(at.file) ?? 0) + 1);
    }
    const mainFile = [...times].sort((a, b) => b[1] - a[1])[0]?.[0];
    const lane = new Map(score.threads.map((t, i) => [t.id, i]));
    const colors = lockColors(score);
    const { slots, widths } = slotsOf(score.held);
    const last = score.rows.length;
    this.score = score;
    this.heads = score.threads.map((t) =>
      h('div', { class: 'head' }, h('b', {}, t.name), ' ', h('span', { class: 'life' })),
    );
    this.marks = [];
    const place = (thread, from, to) =>
      `grid-column:${lane.get(thread) + 2};grid-row:${from + 2}/${to + 2}`;

    // Drawn twice: the whole length faintly, and in full what has been played.
    const bars = (list, make) => {
      for (const span of list) {
        if (!lane.has(span.thread)) continue;
        for (const past of [false, true]) {
          const bar = make(span, past);
          this.marks.push({ bar, span, past });
        }
      }
    };
    bars(score.blocked, (span, past) =>
      h('div', { class: `blocked${past ? ' past' : ''}`, 'aria-hidden': true }),
    );
    bars(score.held, (span, past) => {
      const name = score.objects.get(span.object)?.name ?? '';
      return h(
        'div',
        {
          class: `held lock${colors.get(span.object)}${past ? ' past' : ''}`,
          'data-slot': slots.get(span), title: `holds ${name}`, 'aria-hidden': true,
        },
        h('span', {}, name),
      );
    });
    const lines = score.threads.map((t) => {
      const first = score.states.findIndex((s) => s.started.has(t.id));
      const end = score.states.findIndex((s) => s.ended.has(t.id));
      return h('div', {
        class: 'life-line', 'aria-hidden': true,
        style: place(t.id, Math.max(first - 1, 0), end < 0 ? last : end),
      });
    });
    this.steps = score.rows.map((row, i) => {
      const at = placeText(row.at, mainFile);
      const name = score.threads[lane.get(row.thread)].name;
      return h(
        'li',
        { class: `step${row.fails ? ' fails' : ''}${row.blocked ? ' waits' : ''}`,
          style: place(row.thread, i, i + 1) },
        h(
          'button',
          { type: 'button', tabindex: -1, click: () => this.onPick(i + 1) },
          h('span', { class: 'what' },
            row.fails ? h('span', { class: 'flag' }, '✗ ') : null,
            h('span', { class: 'sr' }, `${i + 1}. ${name} `),
            row.text),
          at ? h('span', { class: 'at' }, at) : null,
        ),
      );
    });
    this.numbers = score.rows.map((row, i) =>
      h('div', { class: `number${row.fails ? ' fails' : ''}`, 'aria-hidden': true,
        style: `grid-row:${i + 2}` }, String(i + 1)),
    );
    this.now = h('div', { class: 'now', 'aria-hidden': true });
    const grid = h(
      'div',
      { class: 'grid', style: `--lanes:${score.threads.length}` },
      h('div', { class: 'head corner' }),
      this.heads,
      lines,
      this.marks.map((m) => m.bar),
      this.now,
      this.numbers,
      h('ol', { role: 'list' }, this.steps),
    );
    for (const [thread, width] of widths) {
      if (lane.has(thread)) grid.style.setProperty(`--bars${lane.get(thread)}`, width);
    }
    this.steps.forEach((step, i) => {
      step.style.setProperty('--bars', widths.get(score.rows[i].thread) ?? 0);
    });
    this.place = place;
    this.element.replaceChildren(grid);
  }

  /** Shows the state after `position` rows. */
  show(position) {
    const { score } = this;
    const state = score.states[position];
    for (const { bar, span, past } of this.marks) {
      // The row that frees a lock belongs to the bar; the row in which a
      // thread goes on does not belong to the hatching.
      const frees = bar.dataset.slot !== undefined && span.to < score.rows.length;
      const to = Math.min(span.to + (frees ? 1 : 0), past ? position : Infinity);
      bar.hidden = to <= span.from;
      bar.style.cssText = this.place(span.thread, span.from, to) +
        (bar.dataset.slot === undefined ? '' : `;--slot:${bar.dataset.slot}`);
    }
    this.steps.forEach((step, i) => {
      step.classList.toggle('done', i < position);
      step.classList.toggle('current', i === position - 1);
      if (i === position - 1) step.setAttribute('aria-current', 'step');
      else step.removeAttribute('aria-current');
    });
    this.numbers.forEach((n, i) => n.classList.toggle('current', i === position - 1));
    this.now.hidden = position === 0;
    this.now.style.gridRow = `${position + 1}`;
    score.threads.forEach((t, i) => {
      const waits = state.waits.has(t.id) && !couldGoOn(state, t.id, score.objects);
      this.heads[i].querySelector('.life').textContent =
        state.ended.has(t.id) ? 'ended'
        : !state.started.has(t.id) ? 'not started'
        : waits ? 'waits'
        : '';
      this.heads[i].classList.toggle('asleep', waits);
    });
    showWithin(this.element, position === 0 ? this.heads[0] : this.steps[position - 1], 48);
  }
}
