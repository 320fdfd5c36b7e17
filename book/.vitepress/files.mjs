// SPDX-License-Identifier: Apache-2.0
//
// The files of the site that are no pages: the recordings for the player, and a
// view of each file of the tree that a page links to.

import fs from 'node:fs'
import path from 'node:path'
import hljs from 'highlight.js/lib/core'
import cpp from 'highlight.js/lib/languages/cpp'
import { chapters, recordings, sourceOf } from './tree.mjs'
import { sourceFiles } from './pages.mjs'

/** A recording with the sources that its steps name, for the player. */
function withListings({ chapter, file }) {
  const recorded = JSON.parse(fs.readFileSync(file, 'utf8'))
  const names = new Set()
  JSON.stringify(recorded, (key, value) => {
    if (key === 'file') names.add(value.split('/').at(-1))
    return value
  })
  const listings = {}
  for (const name of names) {
    const source = sourceOf(chapter, name)
    if (source) listings[name] = source
  }
  return JSON.stringify({ ...recorded, picture: undefined, listings })
}

const escape = (text) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')

// Several hundred files: Shiki, which the pages use, takes ten times as long.
hljs.registerLanguage('cpp', cpp)

/**
 * Each line of highlighted code in an element of its own, with an anchor, L7.
 * An element that goes on over several lines, a long comment, is closed and
 * opened again at each end of line.
 */
function numbered(html) {
  let open = []
  return html
    .replace(/\n$/, '')
    .split('\n')
    .map((line, i) => {
      const before = open.join('')
      for (const tag of line.match(/<span[^>]*>|<\/span>/g) ?? []) {
        if (tag === '</span>') open = open.slice(0, -1)
        else open = [...open, tag]
      }
      return `<span class="line" id="L${i + 1}">${before}${line}${'</span>'.repeat(open.length)}</span>`
    })
    .join('\n')
}

/** A file of the tree as a page of its own: no script, one small style sheet. */
function sourcePage(entry, base) {
  const source = fs.readFileSync(entry.file, 'utf8')
  const isCpp = /\.(h|cc)$/.test(entry.path)
  const code = isCpp ? hljs.highlight(source, { language: 'cpp' }).value : escape(source)
  const chapter = chapters().find((c) => c.name === entry.from)
  const back = chapter
    ? `<a href="${base}${chapter.url.slice(1)}">${chapter.label} · ${escape(chapter.title)}</a>`
    : `<a href="${base}">Lockstep</a>`
  const name = entry.path.split('/').at(-1)
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>${escape(name)} · Lockstep</title>
<link rel="icon" href="${base}icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="${base}source.css">
<script>
const chosen = localStorage.getItem('vitepress-theme-appearance') || 'auto'
if (chosen === 'dark' || (chosen === 'auto' && matchMedia('(prefers-color-scheme: dark)').matches)) document.documentElement.classList.add('dark')
</script>
</head>
<body>
<header><nav aria-label="Back">${back}</nav><h1>${escape(entry.path)}</h1></header>
<main><pre tabindex="0"><code>${numbered(code)}</code></pre></main>
</body>
</html>
`
}

/** VitePress's `buildEnd`: writes the files beside the pages. */
export async function writeFiles({ outDir, site: { base } }) {
  const write = (url, content) => {
    const file = path.join(outDir, url)
    fs.mkdirSync(path.dirname(file), { recursive: true })
    fs.writeFileSync(file, content)
  }
  for (const entry of recordings()) write(entry.url, withListings(entry))
  for (const entry of sourceFiles.values()) write(entry.url, sourcePage(entry, base))
}

/** The recordings in `npm run dev`, which has no `buildEnd`. */
export function serveFiles() {
  return {
    name: 'lockstep:files',
    configureServer(server) {
      server.middlewares.use((request, response, next) => {
        const found = recordings().find(({ url }) => url === decodeURI(request.url.split('?')[0]))
        if (!found) return next()
        response.setHeader('Content-Type', 'application/json')
        response.end(withListings(found))
      })
    },
  }
}
