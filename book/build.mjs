// SPDX-License-Identifier: Apache-2.0
//
// Builds the site into the folder that it is given. Shows what VitePress says
// only if that fails.

import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const book = path.dirname(fileURLToPath(import.meta.url))
const vitepress = fileURLToPath(import.meta.resolve('vitepress'))
const program = path.join(vitepress, '../../../bin/vitepress.js')
const run = spawnSync(
  process.execPath,
  [program, 'build', book, '--outDir', path.resolve(process.argv[2])],
  // In its own folder: VitePress searches the current one, and Bazel's has links
  // that lead round in circles.
  { cwd: book, encoding: 'utf8', env: { ...process.env, NODE_ENV: 'production', NO_COLOR: '1' } },
)
if (run.status !== 0) {
  console.error(run.error ?? `${run.stdout}\n${run.stderr}`)
  process.exit(1)
}
