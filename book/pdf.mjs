// SPDX-License-Identifier: Apache-2.0
//
// The whole book as one PDF for reading without a network, printed by Chromium
// from the pages of the site: contents, chapters, glossary.
//
//   bazel run //book:pdf -- lockstep.pdf

import path from 'node:path'
import { open } from './tests/browser.mjs'
import { chapters } from './.vitepress/tree.mjs'

const [site, file] = process.argv.slice(2)
if (!file) {
  console.error('pdf: say which file to write: bazel run //book:pdf -- lockstep.pdf')
  process.exit(2)
}
const out = path.resolve(process.env.BUILD_WORKING_DIRECTORY ?? '.', file)

/** Runs in the browser: puts the pages one after the other. */
async function assemble(urls) {
  // Printed on paper, as in the light scheme.
  document.documentElement.classList.remove('dark')
  const parts = []
  for (const url of urls) {
    const text = await (await fetch(url)).text()
    const page = new DOMParser().parseFromString(text, 'text/html')
    const part = page.querySelector('.vp-doc')
    const prefix = (id) => `${url.split('/').filter(Boolean)[0].replace('.html', '')}--${id}`
    part.id = prefix('top')
    for (const element of part.querySelectorAll('[id]')) element.id = prefix(element.id)
    for (const details of part.querySelectorAll('details')) details.open = true
    for (const extra of part.querySelectorAll('button, .header-anchor, .tryit, .lang')) extra.remove()
    for (const link of part.querySelectorAll('a[href]')) {
      const target = new URL(link.getAttribute('href'), new URL(url, location.href))
      const inBook = urls.find((other) => new URL(other, location.href).pathname === target.pathname)
      if (inBook) {
        const id = decodeURIComponent(target.hash.slice(1)) || 'top'
        link.href = `#${inBook.split('/').filter(Boolean)[0].replace('.html', '')}--${id}`
      } else if (target.host === location.host) {
        // A file of the tree: its name is enough on paper.
        link.replaceWith(...link.childNodes)
      }
    }
    parts.push(part)
  }
  const title = document.createElement('header')
  title.innerHTML = '<h1>Lockstep</h1><p>A workbook that teaches concurrency in C++20</p>'
  const contents = document.createElement('ol')
  for (const part of parts) {
    const entry = document.createElement('li')
    const link = document.createElement('a')
    link.href = `#${part.id}`
    link.textContent = part.querySelector('h1').textContent.trim()
    entry.append(link)
    contents.append(entry)
  }
  title.append(contents)
  title.className = 'title vp-doc'
  document.body.replaceChildren(title, ...parts)
  const style = document.createElement('style')
  style.textContent = `
    @page { size: A4; margin: 18mm 17mm 20mm; }
    html, body { background: none !important; min-height: 0; }
    .vp-doc { font-size: 10.5pt; break-before: page; }
    .title { break-before: auto; padding-top: 30mm; }
    .title ol { list-style: none; padding: 10mm 0 0; }
    .vp-doc h1 { font-size: 24pt; }
    .vp-doc h2 { font-size: 15pt; margin-top: 1.6em; }
    h1, h2, h3, figcaption { break-after: avoid; }
    .vp-doc .figure div[class*='language-'] code { font-size: 7.6pt; }
    .vp-doc .figure div[class*='language-'] pre { white-space: pre-wrap; }
    .vp-doc .figure { overflow: visible; }
    .vp-doc :not(pre) > code { font-size: 8.8pt; }`
  document.head.append(style)
  await document.fonts.ready
}

const session = await open(site)
try {
  const page = await session.browser.newPage({ colorScheme: 'light' })
  page.setDefaultTimeout(300_000)
  await page.goto(`${session.base}/`, { waitUntil: 'networkidle' })
  await page.evaluate(assemble, [...chapters().map((c) => c.url), '/glossary.html'])
  await page.pdf({
    path: out,
    preferCSSPageSize: true,
    printBackground: true,
    outline: true,
    tagged: true,
    displayHeaderFooter: true,
    headerTemplate: '<span></span>',
    footerTemplate:
      '<div style="width:100%;text-align:center;font:8pt sans-serif"><span class="pageNumber"></span></div>',
  })
} finally {
  await session.close()
}
console.log(`The book: ${out}`)
