// SPDX-License-Identifier: Apache-2.0
//
// <interleaving-tryit>: the reader chooses who runs next and tries to break a
// program. Whatever can happen was recorded by lockstep: see graph.js.

import { givenJson, givenListings, h, style } from './dom.js';
import { readGraph, Walk } from './graph.js';
import { StateView } from './state.js';
import { ScoreView } from './score.js';
import { SourceView } from './source.js';
import { css } from './style.js';

const Base = globalThis.HTMLElement ?? class {};

const plural = (n, word) => `${n} ${word}${n === 1 ? '' : 's'}`;

export class InterleavingTryit extends Base {
  #given;
  #listings;
  #latest;

  /** The graph: an object, or its JSON. */
  get graph() { return this.#given; }
  set graph(value) {
    this.#given = value;
    if (this.isConnected) this.#load();
  }

  /** The sources, as an object {file: text}. */
  get listings() { return this.#listings; }
  set listings(value) {
    this.#listings = value;
    if (this.isConnected) this.#load();
  }

  /** Resolves when the element is on the page (or has said why not). */
  ready = Promise.resolve();

  static observedAttributes = ['src'];
  attributeChangedCallback() { if (this.#latest) this.#load(); }
  connectedCallback() { this.#load(); }

  #load() {
    const load = (this.#latest = {});
    this.ready = (async () => {
      try {
        const json = await givenJson(this, 'graph', this.#given);
        if (load !== this.#latest) return;
        this.#build(readGraph(json), givenListings(this, this.#listings, json));
      } catch (error) {
        console.error('interleaving-tryit:', error);
      }
    })();
  }

  #build(graph, listings) {
    this.walk = new Walk(graph);
    this.tried = new Set();
    this.broken = new Set();
    this.listingMap = listings;
    this.scoreView = new ScoreView(() => {});
    this.badge = h('strong', { class: 'verdict' });
    this.message = h('p', { class: 'message' });
    this.said = h('p', { class: 'said', role: 'status', 'aria-live': 'polite' });
    this.ask = h('p', { class: 'ask', id: 'ask' }, 'Who runs next?');
    this.moves = h('div', { class: 'moves', role: 'group', 'aria-labelledby': 'ask' });
    this.right = h('div', { class: 'right' });
    this.found = h('p', { class: 'found' });
    const tool = (label, act) => h('button', { type: 'button', class: 'tool', click: act }, label);
    this.undoButton = tool('↶ Undo', () => this.undo());
    this.restartButton = tool('↺ Start again', () => this.restart());
    this.hintButton = tool('Hint', () => this.hint());
    const root = this.shadowRoot ?? this.attachShadow({ mode: 'open' });
    root.replaceChildren(h(
      'section',
      { class: `tryit lanes${Math.min(graph.threads.length, 5)}`, role: 'group', lang: 'en',
        'aria-label': 'Try it: you choose who runs next',
        keydown: (e) => this.#key(e) },
      h('div', { class: 'top' }, this.badge, this.message),
      h('div', { class: 'panes' },
        h('div', { class: 'left' }, this.scoreView.element),
        h('div', { class: 'desk' },
          this.said,
          this.ask,
          this.moves,
          h('div', { class: 'controls' },
            this.undoButton, this.restartButton, this.hintButton, this.found)),
        this.right),
    ));
    style(root, css);
    this.#show();
  }

  /** Lets the reader's thread run: the move number `index` from here. */
  choose(index) {
    this.walk.choose(index);
    this.hinted = null;
    this.#show();
    // The button that was pressed is gone or means something else now; stay
    // with the same thread if it can go on.
    this.#focusMove(this.walk.rows.at(-1)?.thread);
  }

  undo() {
    this.walk.undo();
    this.hinted = null;
    this.#show();
  }

  restart() {
    this.walk.restart();
    this.hinted = null;
    this.#show();
  }

  /** Marks a move that can still lead to a failure. */
  hint() {
    const { walk } = this;
    const moves = walk.moves();
    const best = moves.findIndex((m) => walk.graph.count(m.to).failing > 0);
    if (best >= 0) {
      this.hinted = best;
      const { schedules, failing } = walk.graph.count(moves[best].to);
      this.#show();
      this.said.textContent =
        `Hint: let ${this.#name(moves[best].thread)} run. ` +
        (failing === schedules ? 'Then it fails, whatever comes after.'
          : `Of the ${schedules} schedules that begin so, ${failing} fail${failing === 1 ? 's' : ''}.`);
    } else {
      this.said.textContent = moves.length === 0
        ? 'This schedule has ended. Undo a choice, or start again.'
        : 'Nothing can go wrong any more from here. Undo a choice, or start again.';
    }
  }

  #name(thread) {
    return this.walk.graph.threads.find((t) => t.id === thread)?.name ?? `T${thread}`;
  }

  #show() {
    const { walk } = this;
    const { graph } = walk;
    const score = walk.score();
    const state = score.states.at(-1);
    this.scoreView.draw(score);
    this.scoreView.show(score.rows.length);
    const source = new SourceView(this.listingMap, score);
    const row = score.rows.at(-1) ?? null;
    this.stateView = new StateView(score);
    this.right.replaceChildren(source.element, this.stateView.element);
    source.show(state, row, graph.threads);
    this.stateView.show(state);

    const end = walk.end();
    if (end) {
      const key = walk.choices.join();
      this.tried.add(key);
      if (end.verdict !== 'passed') this.broken.add(key);
    }
    this.badge.textContent = end ? (end.verdict === 'passed' ? 'passed' : end.verdict) : 'Try it';
    this.badge.className = `verdict ${end ? (end.verdict === 'passed' ? 'good' : 'bad') : 'open'}`;
    const nothing = graph.failing === 0;
    this.message.textContent = !end
      ? (nothing ? 'You choose which thread runs next. Can you break this program?'
        : 'You choose which thread runs next. Break this program.')
      : end.verdict === 'passed'
        ? 'This schedule was fine. Other schedules are not: undo a choice, or start again.'
        : `You broke it: ${end.message}`;
    if (end?.verdict === 'passed' && nothing) {
      this.message.textContent = 'This schedule was fine, and so are all the others.';
    }
    const passed = this.tried.size - this.broken.size;
    this.found.textContent =
      `${graph.failing} of ${plural(graph.schedules, 'schedule')} fail` +
      (this.tried.size ? `; you have seen ${this.broken.size} fail and ${passed} pass` : '') + '.';
    this.said.textContent = walk.choices.length === 0
      ? 'Nothing has been decided yet.'
      : `${walk.describeLast()}${!end ? '' : end.verdict === 'passed' ? ' This schedule was fine.' : ` You broke it: ${end.verdict}.`}`;
    this.said.classList.toggle('fails', !!end && end.verdict !== 'passed');

    const moves = walk.moves();
    this.moves.hidden = this.ask.hidden = !!end;
    this.moves.replaceChildren(
      ...graph.threads.flatMap((t) => {
        const own = moves.map((m, i) => ({ m, i })).filter(({ m }) => m.thread === t.id);
        if (own.length === 0) {
          return [h('button', { type: 'button', class: 'move', 'aria-disabled': true, 'data-thread': t.id },
            h('b', {}, t.name), h('span', {}, walk.reason(t.id)))];
        }
        return own.map(({ m, i }) =>
          h('button', { type: 'button', class: `move${this.hinted === i ? ' hinted' : ''}`,
            'data-thread': t.id, click: () => this.choose(i) },
          h('b', {}, t.name), h('span', {}, walk.next(m)),
          this.hinted === i ? h('em', {}, 'hint') : null));
      }),
    );
    this.undoButton.toggleAttribute('disabled', walk.choices.length === 0);
    this.restartButton.toggleAttribute('disabled', walk.choices.length === 0);
    this.dispatchEvent(new CustomEvent('step', { detail: { choices: [...walk.choices], end } }));
  }

  #focusMove(thread) {
    const buttons = [...this.moves.querySelectorAll('button:not([aria-disabled])')];
    const target = this.moves.hidden
      ? this.restartButton
      : (buttons.find((b) => b.dataset.thread === String(thread)) ?? buttons[0]);
    target?.focus({ preventScroll: true });
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const buttons = [...this.moves.querySelectorAll('button')];
    const at = buttons.indexOf(event.composedPath()[0]);
    if (event.key === 'Backspace' || (event.key === 'ArrowUp' && at < 0)) {
      if (this.walk.choices.length === 0) return;
      this.undo();
      this.#focusMove();
    } else if (at >= 0 && (event.key === 'ArrowRight' || event.key === 'ArrowLeft')) {
      const step = event.key === 'ArrowRight' ? 1 : buttons.length - 1;
      buttons[(at + step) % buttons.length].focus({ preventScroll: true });
    } else {
      return;
    }
    event.preventDefault();
  }
}

if (globalThis.customElements && !customElements.get('interleaving-tryit')) {
  customElements.define('interleaving-tryit', InterleavingTryit);
}
