// SPDX-License-Identifier: Apache-2.0
//
// The state between two steps, in words and as a drawing: who holds which
// lock, who waits for it, what the atomics contain.

import { h } from './dom.js';
import { couldGoOn } from './model.js';
import { lockColors } from './score.js';
import { drawWaits, layOut } from './waits.js';

const name = (score, id) => score.threads.find((t) => t.id === id)?.name ?? `T${id}`;

export class StateView {
  /** @param {import('./model.js').Score} score */
  constructor(score) {
    this.score = score;
    this.colors = lockColors(score);
    this.nodes = layOut(score);
    this.drawing = h('div', { class: 'drawing' });
    this.list = h('dl', { class: 'facts' });
    this.element = h('div', { class: 'state' }, this.list, this.nodes.length > 1 ? this.drawing : null);
    // Objects that ever matter, so that nothing jumps about while stepping.
    this.locks = [...score.objects.values()].filter((o) =>
      score.states.some((s) => s.holders.get(o.id)?.length || s.waiters.get(o.id)?.length));
    // What the program itself calls by no name is none of the reader's business:
    // reference counts, and what the standard library keeps for its waits.
    this.values = [...score.objects.values()].filter((o) =>
      !/^(atomic|memory) [A-Z]+$|::__|^guard variable/.test(o.name) &&
      score.states.some((s) => s.values.has(o.id)));
    this.element.hidden = !this.locks.length && !this.values.length && this.nodes.length < 2;
  }

  show(state) {
    const { score } = this;
    const names = (ids) => ids.map((id) => name(score, id)).join(', ');
    const fact = (object, text) => [
      h('dt', {},
        this.colors.has(object.id)
          ? h('span', { class: `swatch lock${this.colors.get(object.id)}`, 'aria-hidden': true })
          : null,
        object.name),
      h('dd', {}, text),
    ];
    this.list.replaceChildren(
      ...this.locks.flatMap((o) => {
        const holders = state.holders.get(o.id) ?? [];
        const waiters = [...state.waits].filter(([, w]) => w.object === o.id).map(([t]) => t);
        const isLock = this.colors.has(o.id);
        const held = holders.length ? `held by ${names(holders)}` : isLock ? 'free' : '';
        const ready = waiters.length > 0 && couldGoOn(state, waiters[0], score.objects);
        const waits = ready ? `${names(waiters)} may take it`
          : waiters.length ? `${names(waiters)} wait${waiters.length === 1 ? 's' : ''}`
          : isLock ? '' : 'nobody waits';
        return fact(o, [held, waits].filter(Boolean).join('; '));
      }),
      ...this.values.flatMap((o) => fact(o, state.values.has(o.id) ? `= ${state.values.get(o.id)}` : 'not read yet')),
    );
    if (this.nodes.length > 1) {
      this.drawing.replaceChildren(drawWaits(this.nodes, state, this.colors));
    }
  }
}
