// SPDX-License-Identifier: Apache-2.0
//
// The chapters' Chinese titles: of a translated page, its own; otherwise that
// of titles.json, or else the source's.

import fs from 'node:fs'
import path from 'node:path'
import { pageFacts, root } from './tree.mjs'

const folder = path.join(root, 'book/zh')
const titles = JSON.parse(fs.readFileSync(path.join(folder, 'titles.json'), 'utf8'))

/** A chapter's Chinese title, and the address of its page for that reader. */
export function chineseTitle(chapter) {
  const page = path.join(folder, `${chapter.name}.md`)
  if (fs.existsSync(page)) {
    const { title } = pageFacts(fs.readFileSync(page, 'utf8'))
    return { title, url: `/zh/${chapter.name}/`, translated: true }
  }
  return {
    title: titles[chapter.name] ?? (chapter.sourceTitle || chapter.title),
    url: chapter.url,
    translated: false,
  }
}
