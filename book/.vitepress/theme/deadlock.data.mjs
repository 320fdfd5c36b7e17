// SPDX-License-Identifier: Apache-2.0
//
// The deadlock on the cover: chapter 09's recorded run, and the circle of
// threads and locks it ends in.

import fs from 'node:fs'
import { recording } from '../tree.mjs'

const { file } = recording('09_deadlock', 'copy_and_fax')

/** Who waits for what, held by whom: from the last state of each lock. */
function circle({ threads, objects, steps }) {
  const locks = new Map()
  for (const { changes } of steps) {
    for (const change of changes) locks.set(change.object, change)
  }
  const name = (list, id) => list.find((entry) => entry.id === id).name
  const links = []
  let thread = threads[0].id
  do {
    const waited = [...locks.values()].find((lock) => lock.waiters.includes(thread))
    if (!waited) throw new Error(`${file}: ${name(threads, thread)} waits for nothing`)
    const [holder] = waited.holders
    links.push({
      waiter: name(threads, thread),
      lock: name(objects, waited.object),
      holder: name(threads, holder),
    })
    thread = holder
  } while (thread !== threads[0].id)
  return links
}

export default {
  load() {
    const run = JSON.parse(fs.readFileSync(file, 'utf8'))
    return {
      verdict: run.verdict,
      rule: run.rule,
      threads: run.threads.map((t) => t.name),
      steps: run.steps.map((s) => ({
        number: s.index + 1,
        thread: s.thread,
        op: s.op,
        blocked: s.blocked,
        text: s.text.replace(' ─ ', ', '),
        place: `${s.at.file}:${s.at.line}`,
      })),
      circle: circle(run),
    }
  },
}
