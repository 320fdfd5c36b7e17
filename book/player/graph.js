// SPDX-License-Identifier: Apache-2.0
//
// All schedules of a program, as lockstep recorded them (lockstep/report/JSON.md),
// and a walk through them. Knows nothing of the page.

import { initialState, spansOf, stateAfter } from './model.js';

/**
 * @typedef {{thread: number, steps: number[], to: number}} Move
 * @typedef {{verdict: string, message: string}} End
 */

export class Graph {
  constructor(json) {
    this.threads = json.threads;
    this.objects = new Map(json.objects.map((o) => [o.id, o]));
    this.places = json.places;
    this.steps = json.steps;
    this.start = json.start;
    this.root = json.root;
    this.schedules = json.schedules;
    this.failing = json.failing;
    /** @type {(Move[]|End)[]} */
    this.nodes = json.nodes.map((n) =>
      Array.isArray(n) ? n.map(([thread, steps, to]) => ({ thread, steps, to })) : n);
    this.counts = new Map();
  }

  /** @returns {Move[]} of a node; none at an end */
  moves(node) {
    const n = this.nodes[node];
    return Array.isArray(n) ? n : [];
  }

  /** @returns {?End} */
  end(node) {
    const n = this.nodes[node];
    return Array.isArray(n) ? null : n;
  }

  /** How many schedules go on from a node, and how many of them fail. */
  count(node) {
    const known = this.counts.get(node);
    if (known) return known;
    const end = this.end(node);
    const sum = end
      ? { schedules: 1, failing: end.verdict === 'passed' ? 0 : 1 }
      : { schedules: 0, failing: 0 };
    for (const move of this.moves(node)) {
      const there = this.count(move.to);
      sum.schedules += there.schedules;
      sum.failing += there.failing;
    }
    this.counts.set(node, sum);
    return sum;
  }
}

/**
 * Reads a graph.
 * @throws {Error} with a sentence for the page's author, if it is none
 */
export function readGraph(json) {
  if (json?.version !== 1 || !Array.isArray(json.nodes)) {
    throw new Error('This is no graph of lockstep that this element can read.');
  }
  return new Graph(json);
}

/** A schedule that is being made, choice by choice. */
export class Walk {
  /** @param {Graph} graph */
  constructor(graph) {
    this.graph = graph;
    this.restart();
  }

  restart() {
    /** The numbers of the moves that were chosen. @type {number[]} */
    this.choices = [];
    this.#replay();
  }

  undo() {
    this.choices.pop();
    this.#replay();
  }

  /** Takes the move number `index` of moves(). */
  choose(index) {
    const move = this.moves()[index];
    if (!move) throw new RangeError(`there is no move ${index}`);
    this.choices.push(index);
    this.#take(move);
  }

  /** What can be chosen now. @returns {Move[]} */
  moves() { return this.graph.moves(this.node); }

  /** How it ended, or null. @returns {?End} */
  end() { return this.graph.end(this.node); }

  /** What a move begins with, in words. */
  next(move) {
    const own = move.steps.map((s) => this.graph.steps[s])
      .find((s) => s.thread === move.thread);
    return own ? own.text : 'goes on';
  }

  /** Why a thread cannot be chosen, in words. */
  reason(thread) {
    const state = this.states.at(-1);
    if (state.ended.has(thread)) return 'has ended';
    if (!state.started.has(thread)) return 'has not been started';
    const wait = state.waits.get(thread);
    if (!wait) return 'cannot run';
    const name = (id) => this.graph.threads.find((t) => t.id === id)?.name;
    if (wait.thread !== null) return `waits for ${name(wait.thread)} to end`;
    const holders = (state.holders.get(wait.object) ?? []).map(name);
    const text = wait.woken
      ? `waits for ${this.graph.objects.get(wait.object)?.name}`
      : wait.text.replace(/ ─ held by .*|, unlocking .*/, '').replace(/^wakes up, /, '');
    return holders.length ? `${text}, held by ${holders.join(', ')}` : text;
  }

  /** The last move, in sentences. */
  describeLast() {
    const from = this.turns.at(-1);
    return this.rows.slice(from).map((row) => {
      const name = this.graph.threads.find((t) => t.id === row.thread)?.name;
      return `${name}${row.op ? '' : ':'} ${row.text.replace(/ ─ /g, ', ')}.`;
    }).join(' ');
  }

  /** What the score shows. @returns {import('./model.js').Score} */
  score() {
    return {
      threads: this.graph.threads,
      objects: this.graph.objects,
      rows: this.rows,
      states: this.states,
      ...spansOf(this.states, this.graph.objects),
      failing: this.rows.length,
    };
  }

  #replay() {
    this.rows = [];
    this.states = [initialState()];
    this.node = this.graph.root;
    /** At how many rows each move began. @type {number[]} */
    this.turns = [];
    this.#play(this.graph.start);
    for (const index of this.choices) this.#take(this.moves()[index]);
  }

  #take(move) {
    this.turns.push(this.rows.length);
    this.node = move.to;
    this.#play(move.steps);
    const end = this.end();
    if (end && end.verdict !== 'passed') this.#markFailure(end);
  }

  #play(steps) {
    for (const number of steps) {
      const step = this.graph.steps[number];
      const other = step.other ?? null;
      const changes = (step.changes ?? []).map(([object, holders, waiters]) =>
        ({ object, holders, waiters }));
      const row = {
        thread: step.thread,
        text: step.text,
        at: step.at === undefined ? null : this.graph.places[step.at],
        blocked: step.blocked ?? false,
        fails: false,
        op: step.op,
        object: step.object ?? null,
        mutex: step.mutex ?? null,
      };
      const previous = this.rows.at(-1);
      if (row.op === 'spawn' && previous?.op === 'spawn' && row.thread === previous.thread) {
        const merged = { ...previous, text: `${previous.text}, ${row.text.replace(/^starts /, '')}` };
        this.rows.splice(-1, 1, merged);
        this.states.push(stateAfter(this.states.pop(), merged, other, changes));
      } else {
        this.rows.push(row);
        this.states.push(stateAfter(this.states.at(-1), row, other, changes));
      }
    }
  }

  /** The rows that show why it failed. */
  #markFailure(end) {
    if (['deadlock', 'lost wake-up'].includes(end.verdict)) {
      for (const [thread] of this.states.at(-1).waits) {
        const i = this.rows.findLastIndex((r) => r.thread === thread);
        this.rows[i] = { ...this.rows[i], fails: true };
      }
    } else {
      const last = this.rows.length - 1;
      this.rows[last] = { ...this.rows[last], fails: true };
    }
  }
}
