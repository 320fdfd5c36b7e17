// SPDX-License-Identifier: Apache-2.0
//
// What the book is made of: finds the chapters, their titles, times and
// recordings in the folders of the workbook. No list names them.

import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import MarkdownIt from 'markdown-it'

/** The workbook's root folder. */
export const root = path.resolve(fileURLToPath(import.meta.url), '../../..')

const parser = new MarkdownIt({ html: true })

/** The text of inline tokens, without their markup. */
export function plainText(children) {
  return children
    .map((t) =>
      t.type === 'softbreak' || t.type === 'hardbreak' ? ' ' : t.content,
    )
    .join('')
}

/** Splits a title, `08 · Mutex — 互斥锁`, into its three parts. */
export function splitTitle(text) {
  const [label, rest] = text.includes(' · ') ? text.split(' · ') : ['', text]
  const [title, sourceTitle] = rest.split(' — ')
  return { label, title, sourceTitle: sourceTitle ?? '' }
}

/** What the first lines of a page say: title and minutes. */
export function pageFacts(markdown) {
  const tokens = parser.parse(markdown, {})
  const facts = { ...splitTitle(''), minutes: 0 }
  const heading = tokens.findIndex((t) => t.type === 'heading_open')
  if (heading >= 0) {
    Object.assign(facts, splitTitle(plainText(tokens[heading + 1].children)))
  }
  for (const token of tokens) {
    if (token.type !== 'inline') continue
    const text = plainText(token.children)
    if (text.startsWith('Time:') || text.startsWith('用时：')) {
      facts.minutes = parseInt(text.slice(text.search(/\d/)), 10)
      break
    }
  }
  return facts
}

/**
 * The chapters in their order. `label` is the number as the title has it, 08;
 * `url` is the page's address below the site's base.
 */
export function chapters() {
  return (found ??= findChapters())
}

let found = null

function findChapters() {
  const folder = path.join(root, 'chapters')
  return fs
    .readdirSync(folder)
    .sort()
    .filter((name) => fs.existsSync(path.join(folder, name, 'README.md')))
    .map((name) => {
      const file = path.join(folder, name, 'README.md')
      const facts = pageFacts(fs.readFileSync(file, 'utf8'))
      return { name, file, url: `/${name}/`, number: Number(facts.label), ...facts }
    })
}

/**
 * The recording that a page's picture comes from, as tools/literate names it:
 * `schedule=lost_update` or `schedule=mistakes/no_lock.h:Suite.Test`.
 * @returns {{file: string, url: string}} the file and its address on the site
 */
export function recording(chapter, schedule) {
  const [source, test] = schedule.split(':')
  const name = test ? `${source.replace(/\.h$/, '')}/${test}` : source
  return {
    file: path.join(root, 'chapters', chapter, 'schedules', `${name}.json`),
    url: `/recordings/${chapter}/${name}.json`,
  }
}

/**
 * The file that a link of a page leads to, or null if the site does not have
 * it: exercises are shown as they are handed out, solutions never.
 */
export function linkedFile(file) {
  const inTree = path.relative(root, file)
  const parts = inTree.split(path.sep)
  if (parts[0] === '..' || parts[0] === 'solutions') return null
  const stored =
    parts[0] === 'exercises'
      ? path.join(root, 'tests', parts[1], 'skeleton', ...parts.slice(2))
      : file
  if (!fs.existsSync(stored) || !fs.statSync(stored).isFile()) return null
  return { path: parts.join('/'), file: stored, url: `/source/${parts.join('/')}.html` }
}
