// SPDX-License-Identifier: Apache-2.0
//
// What a reader does: keys, buttons, words; and what a page's author may get
// wrong.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { waitCycle, readRecording } from '../model.js';
import { readGraph, Walk } from '../graph.js';
import { inPage, tryIt } from './page.js';

const read = (path) =>
  JSON.parse(readFileSync(new URL(`../../../chapters/${path}`, import.meta.url), 'utf8'));
const deadlock = read('09_deadlock/schedules/copy_and_fax.json');
const graph = read('09_deadlock/graphs/copy_and_fax.json');

test('keys step, jump and play', async () => {
  const { player, key, button, close } = await inPage(deadlock, {});
  const last = player.score.rows.length;
  for (const [name, position] of [
    ['ArrowRight', 1], ['ArrowDown', 2], ['ArrowLeft', 1], ['ArrowUp', 0],
    ['ArrowLeft', 0], ['End', last], ['ArrowRight', last], ['Home', 0], ['x', 0],
  ]) {
    key(name);
    assert.equal(player.position, position, name);
  }
  key(' ');
  assert.ok(button('Pause'));
  key(' ');
  assert.ok(button('Play'));
  assert.equal(button('Pause'), undefined);
  close();
});

test('playing goes on by itself and stops at the end', async (t) => {
  try {
    t.mock.timers.enable({ apis: ['setTimeout'] });
  } catch {
    t.mock.timers.enable(['setTimeout']);  // Node.js 18
  }
  const { player, button, close } = await inPage(deadlock, {});
  button('Play').click();
  for (let i = 0; i < 20; ++i) t.mock.timers.tick(2000);
  assert.equal(player.position, player.score.rows.length);
  assert.ok(button('Play'), 'it can be played again');
  button('Play').click();
  assert.equal(player.position, 0);
  button('One step forward').click();
  assert.ok(button('Play'), 'a step by hand stops it');
  close();
});

test('every control has a name, and what happens is announced', async () => {
  const { element, all, text, close } = await inPage(deadlock, {});
  for (const button of all('button, input')) {
    assert.ok(button.getAttribute('aria-label') || button.textContent.trim());
  }
  assert.equal(all('[aria-live=polite]').length, 1);
  element.goTo(5);
  assert.match(text('[aria-live]'),
    /^Step 5 of 5\. T1 waits for scanner, held by main\. copy_and_fax\.cc, line 14: /);
  assert.equal(all('input')[0].getAttribute('aria-valuetext'), text('[aria-live]'));
  close();
});

test('the program is shown, with all threads in it', async () => {
  const page = readFileSync(new URL('../../../chapters/09_deadlock/README.md', import.meta.url), 'utf8');
  const listing = /^```cpp run=copy_and_fax\n(.*?)^```$/ms.exec(page)[1];
  const { element, all, close } = await inPage(deadlock, { 'copy_and_fax.cc': listing });
  element.goTo(5);
  const here = all('.line.here').map((line) =>
    [...line.querySelectorAll('.chip')].map((c) => c.textContent).join() + line.querySelector('code').textContent.trim());
  assert.deepEqual(here, [
    'mainstd::lock_guard print(printer);', 'T1std::lock_guard scan(scanner);',
  ]);
  const together = await inPage({ ...deadlock, listings: { 'copy_and_fax.cc': listing } });
  assert.equal(together.all('.line').length, listing.trimEnd().split('\n').length);
  together.close();
  assert.equal(all('.line').length, listing.trimEnd().split('\n').length);
  assert.equal(all('.line').map((l) => l.querySelector('code').textContent).join(''), listing);
  close();
});

test('a deadlock is a circle, drawn and in words', async () => {
  const score = readRecording(deadlock);
  assert.deepEqual(score.states.map((s) => waitCycle(s).length), [0, 0, 0, 0, 0, 4]
    .slice(-score.states.length));
  const { element, all, text, close } = await inPage(deadlock, {});
  element.goTo(999);
  assert.equal(all('path.edge.round').length, 4);
  assert.match(text('.facts'), /scannerheld by main; T1 waits/);
  assert.match(text('.facts'), /printerheld by T1; main waits/);
  close();
});

test('without a recording the page stays as it is', async (t) => {
  const errors = t.mock.method(console, 'error', () => {});
  for (const bad of [{}, { version: 2, steps: [] }, '{', null]) {
    const element = document.createElement('interleaving-player');
    element.recording = bad;
    element.innerHTML = '<pre>picture</pre>';
    document.body.append(element);
    await element.ready;
    assert.equal(element.shadowRoot, null);
    element.remove();
  }
  assert.equal(errors.mock.callCount(), 4);
  assert.throws(() => readGraph({ version: 2 }), /no graph of lockstep/);
});

test('a walk refuses what cannot happen', () => {
  const walk = new Walk(readGraph(graph));
  assert.throws(() => walk.choose(7), RangeError);
  walk.choose(0);
  walk.undo();
  assert.deepEqual(walk.choices, []);
  assert.equal(walk.reason(1), 'cannot run'); // It can, so there is no reason.
});

test('a thread that cannot run says why, and cannot be chosen', async () => {
  const shelf = read('04_producer_consumer/graphs/one_condition.json');
  const { element, all, text, close } = await tryIt(shelf, {});
  // The producer puts one item on the shelf, and waits for room.
  element.choose(0);
  element.choose(0);
  const stuck = all('.move[aria-disabled]');
  assert.equal(stuck.length, 1);
  const before = [...element.walk.choices];
  for (const button of stuck) {
    assert.match(button.textContent, /waits (for|on)|ended/);
    button.click();
  }
  assert.deepEqual(element.walk.choices, before);
  assert.ok(text('.said').length > 0);
  close();
});
