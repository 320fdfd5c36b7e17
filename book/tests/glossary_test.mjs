// SPDX-License-Identifier: Apache-2.0
//
// The glossary's back links, and its translation. (That each term is in bold in
// the chapter it names: //tools/literate:glossary_test.)
//
//   bazel test //book:glossary_test

import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import MarkdownIt from 'markdown-it'
import { glossaryTerms, headings, usesOf } from '../.vitepress/terms.mjs'
import { chapters, root } from '../.vitepress/tree.mjs'

test('the back links of a term lead at least to the chapter that introduces it', () => {
  assert.ok(glossaryTerms().length > 20)
  for (const term of glossaryTerms()) {
    const uses = usesOf(term).map((c) => c.name)
    assert.ok(term.chapter, `${term.term} does not say which chapter introduces it`)
    assert.ok(
      uses.includes(term.chapter),
      `"${term.term}" is not in ${term.chapter}, but in ${uses.join(', ') || 'none'}`,
    )
  }
})

test('the Chinese glossary explains terms of the English one', () => {
  const matched = glossaryTerms().filter((t) => t.zh).length
  const chinese = headings(path.join(root, 'book/zh/glossary.md'))
  assert.ok(chinese.length > 20)
  const unknown = chinese.filter((heading) => !glossaryTerms().some((t) => t.zh === heading))
  assert.deepEqual(unknown, [])
  assert.equal(matched, chinese.length)
})

test('a translated chapter has the parts, commands and pictures of the original', () => {
  const parts = ['heading_open', 'fence', 'tr_open', 'list_item_open']
  const outline = (file) =>
    new MarkdownIt()
      .parse(fs.readFileSync(file, 'utf8'), {})
      .filter((t) => parts.includes(t.type))
      .map((t) => `${t.tag} ${t.info}\n${t.content}`)
  for (const { name, file } of chapters()) {
    const translated = path.join(root, 'book/zh', `${name}.md`)
    if (!fs.existsSync(translated)) continue
    assert.deepEqual(outline(translated), outline(file), `${translated} is out of date`)
  }
})
