// SPDX-License-Identifier: Apache-2.0
//
// The files of the site that are no pages: the recordings for the player, and a
// view of each file of the tree that a page links to.

import fs from 'node:fs'
import path from 'node:path'
import hljs from 'highlight.js/lib/core'
import cpp from 'highlight.js/lib/languages/cpp'
import { chapters, root } from './tree.mjs'
import { sourceFiles } from './pages.mjs'

function recordings() {
  const found = []
  for (const { name } of chapters()) {
    const folder = path.join(root, 'chapters', name, 'schedules')
    if (!fs.existsSync(folder)) continue
    for (const file of fs.readdirSync(folder, { recursive: true })) {
      if (!file.endsWith('.json')) continue
      const url = `/recordings/${name}/${file.split(path.sep).join('/')}`
      found.push({ file: path.join(folder, file), url })
    }
  }
  return found
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
  // The player reads the steps; the picture and the sites stand in the page.
  for (const { file, url } of recordings()) write(url, fs.readFileSync(file))
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
        fs.createReadStream(found.file).pipe(response)
      })
    },
  }
}
