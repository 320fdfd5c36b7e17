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
 * What tools/literate recorded for a page's picture: `schedule=lost_update` or
 * `schedule=mistakes/no_lock.h:Suite.Test`; kind is schedules or graphs.
 * @returns {{file: string, url: string}} the file and its address on the site
 */
export function recording(chapter, schedule, kind = 'schedules') {
  const [source, test] = schedule.split(':')
  const name = test ? `${source.replace(/\.h$/, '')}/${test}` : source
  const file = path.join(root, 'chapters', chapter, kind, `${name}.json`)
  if (!fs.existsSync(file)) {
    throw new Error(`${file} is missing: run bazel run //chapters/${chapter}:update`)
  }
  return { file, url: `/recordings/${chapter}/${kind}/${name}.json` }
}

/** All that was recorded: {chapter, file, url}. */
export function recordings() {
  const found = []
  for (const { name } of chapters()) {
    for (const kind of ['schedules', 'graphs']) {
      const folder = path.join(root, 'chapters', name, kind)
      if (!fs.existsSync(folder)) continue
      for (const file of fs.readdirSync(folder, { recursive: true })) {
        if (!file.endsWith('.json')) continue
        const url = `/recordings/${name}/${kind}/${file.split(path.sep).join('/')}`
        found.push({ chapter: name, file: path.join(folder, file), url })
      }
    }
  }
  return found
}

/** Splits an info string, `cpp run=guard exit=3`, into language and claims. */
export function infoString(info) {
  const [language = '', ...words] = info.match(/(?:[^\s"]|"[^"]*")+/g) ?? []
  const claims = {}
  for (const word of words) {
    const [key, ...value] = word.split('=')
    claims[key] = value.length ? value.join('=').replaceAll('"', '') : true
  }
  return { language, claims }
}

const programsOf = new Map()

/** A page's programs: {guard: '#include ...'}, their blocks put together. */
function programs(chapter) {
  if (!programsOf.has(chapter)) {
    const found = {}
    const page = fs.readFileSync(path.join(root, 'chapters', chapter, 'README.md'), 'utf8')
    for (const token of parser.parse(page, {})) {
      if (token.type !== 'fence') continue
      const { run } = infoString(token.info).claims
      if (run) found[run] = (found[run] ?? '') + token.content
    }
    programsOf.set(chapter, found)
  }
  return programsOf.get(chapter)
}

/** The text of a file as a recording names it, lost_update.cc; undefined if
 * it is none of the chapter's, as the driver of the explored programs. */
export function sourceOf(chapter, name) {
  const program = programs(chapter)[name.replace(/\.cc$/, '')]
  if (program) return program
  const tests = path.join(root, 'tests', chapter)
  const file = [path.join(tests, 'mistakes', name), path.join(tests, name)].find(fs.existsSync)
  return file && fs.readFileSync(file, 'utf8')
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
