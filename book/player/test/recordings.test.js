// SPDX-License-Identifier: Apache-2.0
//
// Holds the player to every recording of every chapter: it loads, plays to its
// end, reaches its failing step, and says what is true on the way.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync, existsSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readRecording } from '../model.js';
import { inPage } from './page.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '../../..');

function* recordings() {
  for (const chapter of readdirSync(join(root, 'chapters'))) {
    const folder = join(root, 'chapters', chapter, 'schedules');
    if (!existsSync(folder)) continue;
    for (const file of readdirSync(folder, { recursive: true })) {
      if (!file.endsWith('.json')) continue;
      const path = join(folder, file);
      yield { chapter, path, name: relative(root, path), recording: JSON.parse(readFileSync(path, 'utf8')) };
    }
  }
}

/** The program NAME of a chapter's page, as tools/literate puts it together. */
function listing(chapter, name) {
  const page = readFileSync(join(root, 'chapters', chapter, 'README.md'), 'utf8');
  const blocks = page.matchAll(/^```cpp run=(\w+)\n(.*?)^```$/gms);
  return [...blocks].filter((b) => b[1] === name).map((b) => b[2]).join('');
}

const all = [...recordings()];

test('there are recordings to hold it to', () => {
  assert.ok(all.length >= 30, `only ${all.length}`);
});

for (const { chapter, path, name, recording } of all) {
  test(name, async () => {
    const score = readRecording(recording);
    assert.equal(score.states.length, score.rows.length + 1);
    assert.ok(score.failing >= 1 && score.failing <= score.rows.length);
    assert.ok(score.rows[score.failing - 1].fails || recording.verdict === 'livelock',
      'the failing step is part of the failure');

    // Every place exists: in the listing, or in the tree.
    for (const { at } of score.rows) {
      if (!at) continue;
      const inTree = join(root, at.file);
      const text = existsSync(inTree)
        ? readFileSync(inTree, 'utf8')
        : listing(chapter, at.file.replace(/\.cc$/, ''));
      if (!text) continue; // The code of a library.
      // (Where a library is inlined, g++ may give its line under our file's
      // name; then there is no such line, and nothing is quoted.)
      const line = text.split('\n')[at.line - 1] ?? '';
      assert.equal(at.source, line.trim(), `${at.file}:${at.line}`);
    }

    // Nobody holds what another holds; whoever acts does not wait.
    const locks = new Set(recording.objects
      .filter((o) => /^(recursive )?mutex$/.test(o.kind)).map((o) => o.id));
    score.states.forEach((state, n) => {
      for (const [object, threads] of state.holders) {
        if (locks.has(object)) assert.ok(threads.length <= 1, `state ${n}`);
      }
      const row = score.rows[n - 1];
      if (row && !row.blocked) assert.ok(!state.waits.has(row.thread), `state ${n}`);
    });
    for (const span of [...score.held, ...score.blocked]) {
      assert.ok(span.from >= 0 && span.from < span.to && span.to <= score.rows.length);
    }

    // Played on a page: forward to the end, and to the failing step at once.
    const { player, text, button, close } = await inPage(recording, {});
    try {
      assert.equal(player.position, 0);
      for (const row of score.rows) {
        button('One step forward').click();
        assert.ok(text('.said').includes(row.text.replace(/ ─ /g, ', ')), text('.said'));
      }
      assert.equal(player.position, score.rows.length);
      button('To the beginning').click();
      assert.equal(player.position, 0);
      button('Failing step').click();
      assert.equal(player.position, score.failing);
      assert.match(text('.said'), /This is the failing step\.$/);
      const current = player.shadowRoot.querySelectorAll('.step.current');
      assert.equal(current.length, 1);
      assert.equal(current[0].getAttribute('aria-current'), 'step');
    } finally {
      close();
    }
    assert.ok(path);
  });
}
