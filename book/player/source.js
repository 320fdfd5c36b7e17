// SPDX-License-Identifier: Apache-2.0
//
// Shows the program beside the score, with the lines where the threads are.

import { baseName } from './model.js';
import { h, showWithin } from './dom.js';

const TOKEN =
  /(\/\/.*$)|("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|^(\s*#\w+)|\b(alignas|auto|bool|break|case|catch|char|class|const|constexpr|continue|default|delete|do|double|else|enum|explicit|false|final|for|friend|if|inline|int|long|mutable|namespace|new|noexcept|nullptr|operator|override|private|protected|public|return|short|signed|sizeof|static|struct|switch|template|this|throw|true|try|typename|unsigned|using|virtual|void|while)\b/g;

/** A line of C++ with its comments, strings and keywords marked. */
export function highlight(line) {
  const parts = [];
  let end = 0;
  for (const m of line.matchAll(TOKEN)) {
    if (m.index > end) parts.push(line.slice(end, m.index));
    const kind = m[1] ? 'comment' : m[2] ? 'string' : 'keyword';
    parts.push(h('span', { class: kind }, m[0]));
    end = m.index + m[0].length;
  }
  if (end < line.length) parts.push(line.slice(end));
  return parts;
}

export class SourceView {
  /**
   * @param {Map<string, string>} listings  file -> text
   * @param {import('./model.js').Score} score
   */
  constructor(listings, score) {
    this.listings = listings;
    this.file = null;
    this.title = h('div', { class: 'file' });
    this.lines = h('div', { class: 'lines', tabindex: 0, role: 'group' });
    this.element = h('div', { class: 'source' }, this.title, this.lines);
    // As wide as the names of all threads that are ever at one line.
    const letters = (state) => {
      const lines = new Map();
      for (const [thread, at] of state.at) {
        const key = listings.size ? `${at.file}:${at.line}` : thread;
        const name = score.threads.find((t) => t.id === thread)?.name ?? '';
        lines.set(key, (lines.get(key) ?? 0) + name.length + (lines.has(key) ? 2 : 0));
      }
      return Math.max(4, ...lines.values());
    };
    const widest = Math.min(Math.max(4, ...score.states.map(letters)), 8);
    this.lines.style.setProperty('--who', widest);
  }

  /** The text of a place's line: from the listing, else from the recording. */
  lineText(at) {
    const text = this.listings.get(at.file)?.split('\n')[at.line - 1];
    return (text ?? at.source ?? '').trim();
  }

  /**
   * @param {import('./model.js').State} state
   * @param {?import('./model.js').Row} row  the row that has just been played
   * @param {{id: number, name: string}[]} threads
   */
  show(state, row, threads) {
    const wanted = row?.at?.file;
    const file =
      wanted && this.listings.has(wanted) ? wanted
      : (this.file ?? this.listings.keys().next().value);
    if (file === undefined) {
      this.showSingleLines(state, row, threads);
      return;
    }
    if (file !== this.file) {
      this.file = file;
      this.title.textContent = baseName(file);
      this.lines.setAttribute('aria-label', `Source of ${baseName(file)}`);
      const text = this.listings.get(file).replace(/\n$/, '');
      this.rows = text.split('\n').map((line, i) =>
        h('div', { class: 'line' },
          h('span', { class: 'who' }),
          h('span', { class: 'no' }, String(i + 1)),
          h('code', {}, highlight(line), '\n')),
      );
      this.lines.replaceChildren(...this.rows);
    }
    this.rows.forEach((line, i) => {
      const here = threads.filter((t) => {
        const at = state.at.get(t.id);
        return at && at.file === file && at.line === i + 1;
      });
      const acting = row?.at?.file === file && row.at.line === i + 1;
      line.className = `line${here.length ? ' here' : ''}${acting ? ' acting' : ''}`;
      line.firstChild.replaceChildren(
        ...here.map((t) =>
          h('span', { class: `chip${acting && row.thread === t.id ? ' acting' : ''}` }, t.name)),
      );
    });
    if (row?.at?.file === file) {
      showWithin(this.lines, this.rows[row.at.line - 1], 40);
    } else if (!row) {
      this.lines.scrollTop = 0;
    }
  }

  /** Without a listing: the line of each thread, as the recording has it. */
  showSingleLines(state, row, threads) {
    this.title.textContent = 'Where the threads are';
    this.lines.setAttribute('aria-label', 'Where the threads are');
    this.lines.replaceChildren(
      ...threads.map((t) => {
        const at = state.at.get(t.id);
        const acting = row?.thread === t.id;
        return h(
          'div',
          { class: `line single${at ? ' here' : ''}${acting ? ' acting' : ''}` },
          h('span', { class: 'who' },
            h('span', { class: `chip${acting ? ' acting' : ''}` }, t.name)),
          h('span', { class: 'no' }, at ? `${baseName(at.file)}:${at.line}` : ''),
          h('code', {}, at?.source ? highlight(at.source) : '', '\n'),
        );
      }),
    );
  }
}
