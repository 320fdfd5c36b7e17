// SPDX-License-Identifier: Apache-2.0
//
// Holds "Try it" to every recorded graph: all its paths are walked, each ends,
// their numbers are those that the recording states, and a page plays them.

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readGraph, Walk } from '../graph.js';
import { tryIt } from './page.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '../../..');

const all = readdirSync(join(root, 'chapters')).flatMap((chapter) => {
  const folder = join(root, 'chapters', chapter, 'graphs');
  if (!existsSync(folder)) return [];
  return readdirSync(folder).map((file) => {
    const text = readFileSync(join(folder, file), 'utf8');
    return { name: relative(root, join(folder, file)), text, json: JSON.parse(text) };
  });
});

/** Walks every path; calls `visit` at every node. Returns how paths ended. */
function walkAll(graph, visit = () => {}) {
  const walk = new Walk(graph);
  const ends = [];
  const go = () => {
    visit(walk);
    const end = walk.end();
    if (end) ends.push({ verdict: end.verdict, choices: [...walk.choices] });
    walk.moves().forEach((_, i) => {
      walk.choose(i);
      go();
      walk.undo();
    });
  };
  go();
  return ends;
}

test('a lost update, a deadlock and a lost wake-up can be tried', () => {
  const verdicts = new Set(all.flatMap(({ json }) => json.nodes.map((n) => n.verdict)));
  for (const verdict of ['wrong result', 'deadlock', 'lost wake-up']) {
    assert.ok(verdicts.has(verdict), verdict);
  }
});

for (const { name, text, json } of all) {
  test(name, async () => {
    assert.ok(text.length < 60_000, `${text.length} bytes`);
    const graph = readGraph(json);
    const mutexes = new Set(json.objects.filter((o) => o.kind === 'mutex').map((o) => o.id));
    const ends = walkAll(graph, (walk) => {
      const state = walk.states.at(-1);
      for (const [object, threads] of state.holders) {
        if (mutexes.has(object)) assert.ok(threads.length <= 1);
      }
      const moves = walk.moves();
      const able = new Set(moves.map((m) => m.thread));
      assert.ok(walk.end() || moves.length >= 2, 'a node is an end or a choice');
      for (const thread of able) {
        assert.ok(state.started.has(thread) && !state.ended.has(thread));
      }
      // A thread that cannot run is waiting, has ended or has not begun, and
      // what it waits for is not free.
      for (const { id } of walk.end() ? [] : graph.threads) {
        if (able.has(id)) continue;
        assert.notEqual(walk.reason(id), 'cannot run');
        const wait = state.waits.get(id);
        if (wait && mutexes.has(wait.object)) {
          assert.ok(state.holders.get(wait.object)?.length > 0,
            `T${id} ${walk.reason(id)} after ${walk.choices}`);
        }
      }
      // Two moves never look alike.
      const labels = moves.map((m) => `${m.thread} ${walk.next(m)}`);
      assert.equal(new Set(labels).size, labels.length, labels.join('; '));
    });
    assert.equal(ends.length, json.schedules);
    const failing = ends.filter((e) => e.verdict !== 'passed');
    assert.equal(failing.length, json.failing);
    assert.deepEqual(graph.count(graph.root),
      { schedules: json.schedules, failing: json.failing });

    // On a page: break it, undo, and let another schedule pass.
    const { element, text: textOf, all: allOf, button, close } = await tryIt(json, {});
    try {
      const play = ({ choices }) => {
        button('Start again').click();
        for (const choice of choices) {
          const able = allOf('.move').filter((b) => !b.hasAttribute('aria-disabled'));
          // Buttons stand in the order of threads; moves in that of the graph.
          const move = element.walk.moves()[choice];
          const label = element.walk.next(move);
          able.find((b) => b.dataset.thread === String(move.thread) &&
            b.textContent.includes(label)).click();
        }
      };
      if (failing.length > 0) {
        play(failing[0]);
        assert.match(textOf('.message'), /^You broke it: /);
        assert.equal(textOf('.verdict'), failing[0].verdict);
        assert.ok(allOf('.step.fails').length > 0);
        assert.match(textOf('.found'), /you have seen 1 fail and 0 pass/);
        button('Undo').click();
        assert.equal(element.walk.end(), null);
      }
      const passing = ends.find((e) => e.verdict === 'passed');
      if (passing) {
        play(passing);
        assert.match(textOf('.message'), /^This schedule was fine/);
      }
      // The hints lead to a failure.
      button('Start again').click();
      for (let i = 0; failing.length > 0 && !element.walk.end() && i < 100; ++i) {
        button('Hint').click();
        assert.match(textOf('.said'), /^Hint: let /);
        allOf('.move.hinted')[0].click();
      }
      if (failing.length > 0) assert.match(textOf('.message'), /^You broke it: /);
    } finally {
      close();
    }
  });
}
