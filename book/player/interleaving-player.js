// SPDX-License-Identifier: Apache-2.0
//
// <interleaving-player>: steps through a failed schedule that lockstep has
// recorded. README.md in this folder says how a page uses it.

import { givenJson, givenListings, h, style, svg } from './dom.js';
import { baseName, readRecording } from './model.js';
import { StateView } from './state.js';
import { ScoreView } from './score.js';
import { SourceView } from './source.js';
import { css } from './style.js';

const PACE_MS = 1100;

const ICONS = {
  first: 'M4 3h2v10H4zM13 3v10L7 8z',
  back: 'M11 3v10L5 8z',
  play: 'M4 2l10 6-10 6z',
  pause: 'M4 3h3v10H4zM9 3h3v10H9z',
  forward: 'M5 3l6 5-6 5z',
  last: 'M10 3h2v10h-2zM3 3l6 5-6 5z',
};
const icon = (name) =>
  svg('svg', { viewBox: '0 0 16 16', 'aria-hidden': true }, svg('path', { d: ICONS[name] }));

const Base = globalThis.HTMLElement ?? class {};

export class InterleavingPlayer extends Base {
  #recording;
  #listings;
  #timer = null;
  #latest;

  /** The recording: an object, or its JSON. */
  get recording() { return this.#recording; }
  set recording(value) {
    this.#recording = value;
    if (this.isConnected) this.#load();
  }

  /** The sources, as an object {file: text}. */
  get listings() { return this.#listings; }
  set listings(value) {
    this.#listings = value;
    if (this.isConnected) this.#load();
  }

  /** How many steps have been played. */
  position = 0;

  static observedAttributes = ['src'];
  attributeChangedCallback() { if (this.#latest) this.#load(); }
  connectedCallback() { this.#load(); }
  disconnectedCallback() { this.pause(); }

  /** Resolves when the player is on the page (or has said why not). */
  ready = Promise.resolve();

  #load() {
    const load = (this.#latest = {});
    this.ready = (async () => {
      try {
        const recording = await givenJson(this, 'recording', this.#recording);
        if (load !== this.#latest) return;
        this.#build(recording, givenListings(this, this.#listings, recording));
      } catch (error) {
        // The static picture stays; whoever wrote the page wants to know why.
        console.error('interleaving-player:', error);
      }
    })();
  }

  #build(recording, listings) {
    const score = readRecording(recording);
    this.score = score;
    this.source = new SourceView(listings, score);
    this.scoreView = new ScoreView((n) => { this.pause(); this.goTo(n); });
    this.scoreView.draw(score);
    this.stateView = new StateView(score);

    const button = (name, label, act, extra = {}) =>
      h('button', { type: 'button', class: `control ${name}`, 'aria-label': label, title: label,
        click: act, ...extra }, icon(name));
    const stop = (n) => () => { this.pause(); this.goTo(n()); };
    this.slider = h('input', {
      type: 'range', min: 0, max: score.rows.length, step: 1, 'aria-label': 'Step',
      input: () => { this.pause(); this.goTo(Number(this.slider.value)); },
    });
    this.playButton = button('play', 'Play', () => this.toggle());
    this.backButtons = [
      button('first', 'To the beginning', stop(() => 0)),
      button('back', 'One step back', stop(() => this.position - 1)),
    ];
    this.forwardButtons = [
      button('forward', 'One step forward', stop(() => this.position + 1)),
      button('last', 'To the end', stop(() => score.rows.length)),
    ];
    this.count = h('span', { class: 'count' });
    this.said = h('p', { class: 'said', role: 'status', 'aria-live': 'polite' });

    const root = this.shadowRoot ?? this.attachShadow({ mode: 'open' });
    const box = h(
      'section',
      { class: `player lanes${Math.min(score.threads.length, 5)}`, role: 'group', lang: 'en',
        'aria-label': `A schedule, step by step: ${recording.verdict}`,
        keydown: (e) => this.#key(e) },
      h('div', { class: 'top' },
        h('strong', { class: 'verdict bad' }, recording.verdict),
        h('p', { class: 'message' }, recording.message || recording.rule)),
      h('div', { class: 'panes' },
        h('div', { class: 'left' }, this.scoreView.element),
        h('div', { class: 'desk' },
          this.said,
          h('div', { class: 'controls', role: 'toolbar', 'aria-label': 'Player' },
            this.backButtons, this.playButton, this.forwardButtons,
            this.slider, this.count,
            h('button', { type: 'button', class: 'to-failure', click: stop(() => score.failing) },
              '✗ Failing step'))),
        h('div', { class: 'right' }, this.source.element, this.stateView.element)),
      h('details', { class: 'text' },
        h('summary', {}, 'As text'), h('div', {}, h('slot', {}))),
    );
    root.replaceChildren(box);
    style(root, css);
    const start = this.getAttribute('start');
    this.goTo(start === 'end' ? score.rows.length : Number(start) || 0);
  }

  /** Shows the state after `position` steps; out of range means the nearest. */
  goTo(position) {
    const { score } = this;
    const n = Math.max(0, Math.min(score.rows.length, position));
    this.position = n;
    const row = n > 0 ? score.rows[n - 1] : null;
    this.scoreView.show(n);
    this.source.show(score.states[n], row, score.threads);
    this.stateView.show(score.states[n]);
    const text = this.describe(n);
    this.said.textContent = text;
    this.slider.value = n;
    this.slider.setAttribute('aria-valuetext', text);
    this.count.textContent = `${n} / ${score.rows.length}`;
    for (const b of this.backButtons) b.toggleAttribute('aria-disabled', n === 0);
    for (const b of this.forwardButtons) {
      b.toggleAttribute('aria-disabled', n === score.rows.length);
    }
    this.said.classList.toggle('fails', n >= score.failing);
    this.dispatchEvent(new CustomEvent('step', { detail: { position: n } }));
  }

  /** The step before `position`, in a sentence. */
  describe(position) {
    const { score } = this;
    if (position === 0) {
      return `Nothing has run yet: ${score.rows.length} steps. Press play, or the right arrow key.`;
    }
    const row = score.rows[position - 1];
    const name = score.threads.find((t) => t.id === row.thread).name;
    const line = row.at ? this.source.lineText(row.at) : '';
    const where = row.at ? ` ${baseName(row.at.file)}, line ${row.at.line}${line ? `: ${line}` : ''}` : '';
    const fails = position === score.failing ? ' This is the failing step.' : '';
    return `Step ${position} of ${score.rows.length}. ${name}${row.op ? '' : ':'} ${row.text.replace(/ ─ /g, ', ')}.${where}${fails}`;
  }

  play() {
    if (this.position === this.score.rows.length) this.goTo(0);
    this.#setPlaying(true);
    const tick = () => {
      this.goTo(this.position + 1);
      if (this.position < this.score.rows.length) this.#timer = setTimeout(tick, PACE_MS);
      else this.pause();
    };
    this.#timer = setTimeout(tick, PACE_MS / 3);
  }

  pause() {
    clearTimeout(this.#timer);
    this.#timer = null;
    if (this.playButton) this.#setPlaying(false);
  }

  toggle() {
    if (this.#timer === null) this.play();
    else this.pause();
  }

  #setPlaying(playing) {
    const label = playing ? 'Pause' : 'Play';
    this.playButton.setAttribute('aria-label', label);
    this.playButton.title = label;
    this.playButton.replaceChildren(icon(playing ? 'pause' : 'play'));
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const at = event.composedPath()[0];
    const onSlider = at === this.slider;
    const moves = {
      ArrowRight: this.position + 1,
      ArrowDown: this.position + 1,
      ArrowLeft: this.position - 1,
      ArrowUp: this.position - 1,
      Home: 0,
      End: this.score.rows.length,
    };
    if (event.key in moves && !onSlider) {
      this.pause();
      this.goTo(moves[event.key]);
    } else if (event.key === ' ' && !/^(BUTTON|SUMMARY)$/.test(at.tagName)) {
      this.toggle();
    } else {
      return;
    }
    event.preventDefault();
  }
}

if (globalThis.customElements && !customElements.get('interleaving-player')) {
  customElements.define('interleaving-player', InterleavingPlayer);
}
