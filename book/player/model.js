// SPDX-License-Identifier: Apache-2.0
//
// From a recording of lockstep (lockstep/report/JSON.md) to what the player
// shows: the rows of the score, and the state before and after each of them.
// Knows nothing of the page; everything here can be tested without a browser.

/**
 * @typedef {{file: string, line: number, function: string, source: string}} Place
 *
 * A row of the score: one step of one thread.
 * @typedef {object} Row
 * @property {number} thread
 * @property {string} text     the step in words
 * @property {?Place} at
 * @property {boolean} blocked the thread goes to sleep here
 * @property {boolean} fails   part of the failure
 * @property {string} op
 * @property {?number} object
 * @property {?number} mutex   the mutex that a wait releases
 *
 * What is true at one moment. Every state is a value of its own.
 * @typedef {object} State
 * @property {Map<number, number[]>} holders  object -> threads
 * @property {Map<number, number[]>} waiters  object -> threads
 * @property {Map<number, {object: ?number, thread: ?number, text: string,
 *     mutex: ?number, woken: boolean}>} waits
 *     thread that sleeps -> what it waits for
 * @property {Map<number, string>} values     object -> its value, if known
 * @property {Map<number, Place>} at          thread -> where it is
 * @property {Set<number>} started
 * @property {Set<number>} ended
 *
 * Something that lasts from row `from` to before row `to`.
 * @typedef {{thread: number, object: ?number, from: number, to: number}} Span
 *
 * @typedef {object} Score
 * @property {{id: number, name: string}[]} threads  those that do something
 * @property {Map<number, {id: number, kind: string, name: string}>} objects
 * @property {Row[]} rows
 * @property {State[]} states  states[n] is the state after n rows
 * @property {Span[]} held     a thread holds an object
 * @property {Span[]} blocked  a thread cannot run
 * @property {number} failing  how many rows lead to the failure
 */

/** The state before anything has run. @returns {State} */
export function initialState() {
  return {
    holders: new Map(),
    waiters: new Map(),
    waits: new Map(),
    values: new Map(),
    at: new Map(),
    started: new Set([0]),
    ended: new Set(),
  };
}

/** @param {State} s @returns {State} */
export function copyState(s) {
  return {
    holders: new Map(s.holders),
    waiters: new Map(s.waiters),
    waits: new Map(s.waits),
    values: new Map(s.values),
    at: new Map(s.at),
    started: new Set(s.started),
    ended: new Set(s.ended),
  };
}

const samePlace = (a, b) =>
  a === b || (!!a && !!b && a.file === b.file && a.line === b.line);

/** The steps that are rows, and rows for what happens between steps. */
function rowsOf(recording) {
  const rows = [];
  const subjects = new Set(recording.sites.map((s) => s.object));
  const waits = ['deadlock', 'lost wake-up'].includes(recording.verdict);
  const lastOf = new Map();
  for (const step of recording.steps) lastOf.set(step.thread, step);
  for (const step of recording.steps) {
    // Plain memory accesses are shown only where they are the point, and that
    // a thread begins goes without saying.
    const plain = ['read', 'write', 'free'].includes(step.op);
    const shown = step.op !== 'start' && (!plain || subjects.has(step.object));
    rows.push({
      thread: step.thread,
      text: step.text,
      at: step.at,
      blocked: step.blocked,
      fails: waits && step.blocked && lastOf.get(step.thread) === step,
      op: step.op,
      object: step.object,
      mutex: step.mutex,
      step,
      shown,
    });
  }
  const siteRow = (site, text) => ({
    thread: site.thread,
    text,
    at: site.at,
    blocked: false,
    fails: true,
    op: '',
    object: site.object,
    mutex: null,
    step: null,
    shown: true,
  });
  if (['data race', 'use after free'].includes(recording.verdict)) {
    // The last access of each side is the failure. Plain accesses are not
    // steps, but it is known which steps they came after.
    for (const site of recording.sites) {
      const row = rows.findLast(
        (r) =>
          r.thread === site.thread && r.object === site.object &&
          r.object !== null && samePlace(r.at, site.at),
      );
      if (row) {
        row.fails = true;
        row.shown = true;
      } else if (site.thread !== null) {
        const object = recording.objects.find((o) => o.id === site.object);
        const named = !object || site.what.includes(object.name);
        const text = named ? site.what : `${site.what} of ${object.name}`;
        const next = rows.findIndex(
          (r) => r.step && site.step !== null && r.step.index >= site.step,
        );
        rows.splice(next < 0 ? rows.length : next, 0, siteRow(site, text));
      }
    }
  } else if (
    !waits && recording.verdict !== 'livelock' &&
    recording.sites.length > 0 && recording.sites[0].thread !== null
  ) {
    const site = recording.sites[0];
    const text =
      recording.verdict === 'wrong result'
        ? 'the expectation fails'
        : (site.what || recording.verdict).split('\n')[0];
    const last = rows.at(-1);
    if (last && last.text === text && last.thread === site.thread) {
      last.fails = true;
    } else {
      rows.push(siteRow(site, text));
    }
  }
  return rows;
}

/** "reads visits = 0": the value, or undefined. */
function valueIn(row) {
  if (!['load', 'store', 'read_modify_write'].includes(row.op)) return undefined;
  return /(?: = | to )(-?\d+)$/.exec(row.text)?.[1];
}

/**
 * The state after `row`.
 * @param {State} before
 * @param {Row} row
 * @param {?number} other   the thread that the step is about, if any
 * @param {{object: number, holders: number[], waiters: number[]}[]} changes
 * @returns {State}
 */
export function stateAfter(before, row, other, changes) {
  const state = copyState(before);
  for (const change of changes) {
    state.holders.set(change.object, change.holders);
    state.waiters.set(change.object, change.waiters);
  }
  state.waits.delete(row.thread);
  if (row.blocked) {
    state.waits.set(row.thread, {
      object: row.object,
      // Who holds an object is found in `holders`, as it changes.
      thread: row.op === 'join' ? other : null,
      text: row.text,
      mutex: row.mutex,
      woken: false,
    });
  }
  if (row.op === 'notify_one' || row.op === 'notify_all') {
    // Whoever is woken waits for the mutex, like everybody else who wants it.
    for (const [thread, wait] of state.waits) {
      const told = row.op === 'notify_all' || thread === other;
      if (told && wait.object === row.object && wait.mutex !== null) {
        state.waits.set(thread, { ...wait, object: wait.mutex, woken: true });
      }
    }
  }
  if (row.at) state.at.set(row.thread, row.at);
  state.started.add(row.thread);
  if (row.op === 'spawn' && other !== null) state.started.add(other);
  if (row.op === 'end') {
    state.ended.add(row.thread);
    state.at.delete(row.thread);
    // Whoever waited for this can run again.
    for (const [thread, wait] of state.waits) {
      if (wait.thread === row.thread) state.waits.delete(thread);
    }
  }
  const value = valueIn(row);
  if (value !== undefined && row.object !== null) {
    state.values.set(row.object, value);
  }
  return state;
}

/**
 * Whether a thread that waits could go on at once: for a lock that has been
 * freed. (That is no step: it shows only when the thread runs. And a thread in
 * absl::Mutex::Await waits for its condition, not for the lock.)
 * @param {State} state
 * @param {Map<number, {kind: string}>} objects
 */
export function couldGoOn(state, thread, objects) {
  const wait = state.waits.get(thread);
  return !!wait && wait.object !== null &&
    /mutex/i.test(objects.get(wait.object)?.kind ?? '') &&
    !state.holders.get(wait.object)?.length && !/condition/.test(wait.text);
}

/**
 * How long locks are held and threads blocked, from the states.
 * @param {State[]} states
 * @param {Map<number, {kind: string}>} objects
 * @returns {{held: Span[], blocked: Span[]}}
 */
export function spansOf(states, objects) {
  const held = [];
  const blocked = [];
  const open = new Map();
  states.forEach((state, n) => {
    const now = new Map();
    for (const [object, threads] of state.holders) {
      for (const thread of threads) {
        now.set(`h ${thread} ${object}`, { list: held, thread, object });
      }
    }
    for (const [thread, { object }] of state.waits) {
      if (couldGoOn(state, thread, objects)) continue;
      // (Woken by a notification, it waits for the mutex: one stretch.)
      now.set(`b ${thread}`, { list: blocked, thread, object });
    }
    for (const [key, span] of open) {
      if (!now.has(key)) {
        span.to = n - 1;
        open.delete(key);
      }
    }
    for (const [key, { list, thread, object }] of now) {
      if (open.has(key)) continue;
      // State n is that after row n - 1, where this began.
      const span = { thread, object, from: n - 1, to: states.length - 1 };
      open.set(key, span);
      list.push(span);
    }
  });
  return { held, blocked };
}

/**
 * Reads a recording.
 * @param {object} recording  as in lockstep/report/JSON.md
 * @returns {Score}
 * @throws {Error} with a sentence for the page's author, if it is none
 */
export function readRecording(recording) {
  if (recording?.version !== 1 || !Array.isArray(recording.steps)) {
    throw new Error('This is no recording of lockstep that this player can read.');
  }
  const rows = [];
  const states = [initialState()];
  const used = new Set();
  let changes = [];
  for (const row of rowsOf(recording)) {
    changes = changes.concat(row.step?.changes ?? []);
    const other = row.step?.other ?? null;
    if (!row.shown) continue;
    const { step, shown, ...kept } = row;
    for (const c of changes) used.add(c.object);
    if (kept.object !== null) used.add(kept.object);
    const previous = rows.at(-1);
    if (
      kept.op === 'spawn' && previous?.op === 'spawn' &&
      kept.thread === previous.thread
    ) {
      // "starts T1, T2": one row.
      previous.text += `, ${kept.text.replace(/^starts /, '')}`;
      states.push(stateAfter(states.pop(), previous, other, changes));
    } else {
      rows.push(kept);
      states.push(stateAfter(states.at(-1), kept, other, changes));
    }
    changes = [];
  }
  const acting = new Set(rows.map((r) => r.thread));
  const objects = new Map(
    recording.objects.filter((o) => used.has(o.id)).map((o) => [o.id, o]),
  );
  return {
    threads: recording.threads.filter((t) => acting.has(t.id)),
    objects,
    rows,
    states,
    ...spansOf(states, objects),
    failing: rows.findLastIndex((r) => r.fails) + 1 || rows.length,
  };
}

/**
 * The threads and objects of a circle of waiting, in its order, or [].
 * A thread waits for an object or a thread; an object for its holders.
 * @param {State} state
 * @returns {string[]} "t0", "o1", "t1", ...
 */
export function waitCycle(state) {
  for (const first of state.waits.keys()) {
    const path = [];
    const visit = (node) => {
      if (path.includes(node)) return path.slice(path.indexOf(node));
      path.push(node);
      for (const next of waitEdges(state).get(node) ?? []) {
        const cycle = visit(next);
        if (cycle) return cycle;
      }
      path.pop();
      return null;
    };
    const cycle = visit(`t${first}`);
    if (cycle) return cycle;
  }
  return [];
}

/**
 * Who waits for what, and what is held by whom.
 * @param {State} state
 * @returns {Map<string, string[]>}
 */
export function waitEdges(state) {
  const edges = new Map();
  const add = (from, to) => edges.set(from, [...(edges.get(from) ?? []), to]);
  for (const [thread, wait] of state.waits) {
    if (wait.object !== null) add(`t${thread}`, `o${wait.object}`);
    if (wait.thread !== null) add(`t${thread}`, `t${wait.thread}`);
  }
  for (const [object, threads] of state.holders) {
    for (const thread of threads) add(`o${object}`, `t${thread}`);
  }
  return edges;
}

/** "lost_update.cc" of a path. */
export const baseName = (path) => path.slice(path.lastIndexOf('/') + 1);
