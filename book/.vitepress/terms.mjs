// SPDX-License-Identifier: Apache-2.0
//
// The glossary: which terms there are, and which chapters use them. Its source
// is glossary.md, one second-level heading for each term; the first link below
// it leads to the chapter that introduces the term.

import fs from 'node:fs'
import path from 'node:path'
import MarkdownIt from 'markdown-it'
import { chapters, plainText, root } from './tree.mjs'
import { words as allWords } from './words.mjs'

const parser = new MarkdownIt({ html: true })

/** A term's anchor, the same on both glossary pages. */
export const anchorOf = (term) =>
  term
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter(Boolean)
    .join('-')

function entries(file) {
  const found = []
  const tokens = parser.parse(fs.readFileSync(file, 'utf8'), {})
  tokens.forEach((token, i) => {
    if (token.type === 'heading_open' && token.tag === 'h2') {
      found.push({ heading: plainText(tokens[i + 1].children), chapter: null })
    }
    if (token.type !== 'inline' || !found.length || found.at(-1).chapter) return
    const link = token.children.find((t) => t.type === 'link_open')
    if (link) found.at(-1).chapter = link.attrGet('href').split('/').at(-2)
  })
  return found
}

/** The second-level headings of a page. */
export const headings = (file) => entries(file).map(({ heading }) => heading)

let cache = null

/**
 * The terms, in the glossary's order: {term, zh, anchor, chapter}. A heading of
 * the Chinese glossary is `数据竞争 data race`: the term after the last Chinese
 * character is the English one.
 */
export function glossaryTerms() {
  if (cache) return cache
  const chinese = new Map(
    entries(path.join(root, 'book/zh/glossary.md')).map(({ heading }) => [
      heading.split(/[\u3000-\u9fff\uff00-\uffef]/).at(-1).trim().toLowerCase(),
      heading,
    ]),
  )
  cache = entries(path.join(root, 'book/glossary.md')).map(({ heading, chapter }) => ({
    term: heading,
    zh: chinese.get(heading.toLowerCase()),
    anchor: anchorOf(heading),
    chapter,
  }))
  return cache
}

/** Where the glossary explains what a page sets in bold; null if nowhere. */
export function glossaryUrl(bold, words) {
  const wanted = bold.toLowerCase().replace(/[.:,]$/, '')
  const found = glossaryTerms().find(
    ({ term }) => term.toLowerCase() === wanted || `${term.toLowerCase()}s` === wanted,
  )
  if (!found) return null
  return `${words === allWords.zh ? '/zh' : ''}/glossary.html#${found.anchor}`
}

/** The words of a page, outside of code, in lower case. */
export function proseOf(markdown) {
  return parser
    .parse(markdown, {})
    .filter((t) => t.type === 'inline')
    .map((t) =>
      t.children
        .filter((c) => c.type !== 'code_inline' && c.type !== 'html_inline')
        .map((c) => (c.type === 'softbreak' ? ' ' : c.content))
        .join(''),
    )
    .join('\n')
    .toLowerCase()
}

/** Whether prose has the term as words of their own, possibly with an ending. */
export function mentions(prose, term) {
  const wanted = term.toLowerCase()
  for (let at = prose.indexOf(wanted); at >= 0; at = prose.indexOf(wanted, at + 1)) {
    const before = prose[at - 1] ?? ' '
    const after = prose.slice(at + wanted.length)
    if (!/[a-z-]/.test(before) && /^(s|es|ed|ing)?(?![a-z])/.test(after)) return true
  }
  return false
}

let prose = null

/** The chapters whose prose uses a term, in their order. */
export function usesOf({ term }) {
  prose ??= chapters().map((c) => ({ ...c, prose: proseOf(fs.readFileSync(c.file, 'utf8')) }))
  return prose.filter((c) => mentions(c.prose, term))
}
