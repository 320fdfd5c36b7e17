// SPDX-License-Identifier: Apache-2.0
//
// The built site in a real browser: every page loads, reads, links, searches,
// plays and can be used by anybody.
//
//   bazel test //book:site_test

import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { createRequire } from 'node:module'
import { after, before, describe, test } from 'node:test'
import { isChapter, open, pagesOf, settled } from './browser.mjs'
import { chapters } from '../.vitepress/tree.mjs'
import { glossaryTerms } from '../.vitepress/terms.mjs'

// What a chapter may send over the network, compressed, in bytes. With its
// three fonts, the search index left out until somebody searches.
const MOST_BYTES = 300_000

const site = path.resolve(process.argv[2])
const pages = pagesOf(site)
const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js')
let session

before(async () => {
  session = await open(site)
})
after(() => session.close())

/** Runs `body(page)` in a fresh browser profile. */
async function inPage(options, body) {
  const context = await session.browser.newContext({ reducedMotion: 'reduce', ...options })
  const page = await context.newPage()
  page.setDefaultTimeout(60_000)
  try {
    return await body(page)
  } finally {
    await context.close()
  }
}

/** Collects what goes wrong in a page from now on. */
function problemsOf(page) {
  const problems = []
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) {
      problems.push(`${message.text()} ${message.location().url}`)
    }
  })
  page.on('pageerror', (error) => problems.push(error.message))
  page.on('response', (response) => {
    if (response.status() >= 400) problems.push(`${response.status()} ${response.url()}`)
  })
  return problems
}

test('there is a page for every chapter', () => {
  for (const { url } of chapters()) assert.ok(pages.includes(url), url)
  assert.ok(pages.includes('/zh/00_start_here/'))
})

describe('every page loads, and is accessible', { concurrency: 2 }, () => {
  for (const url of pages) {
    for (const colorScheme of ['light', 'dark']) {
      test(`${url} ${colorScheme}`, () =>
        inPage({ colorScheme, viewport: { width: 1440, height: 900 } }, async (page) => {
          const problems = problemsOf(page)
          await page.goto(session.base + url)
          await settled(page)
          // What is folded away is read too.
          await page.evaluate(() => {
            for (const details of document.querySelectorAll('details')) details.open = true
          })
          assert.equal(await page.locator('h1').count(), 1, 'one heading of the first level')
          await page.addScriptTag({ path: axe })
          const faults = await page.evaluate(async () => {
            const { violations } = await globalThis.axe.run(document, {
              resultTypes: ['violations'],
            })
            return violations
              .filter(({ impact }) => impact === 'serious' || impact === 'critical')
              .map(({ id, nodes }) => [id, ...nodes.slice(0, 3).map((n) => `${n.target} ${n.failureSummary}`)])
          })
          assert.deepEqual(faults, [])
          assert.deepEqual(problems, [])
        }))
    }
  }
})

test('no page is wider than a phone', async () => {
  await inPage({ viewport: { width: 360, height: 740 } }, async (page) => {
    for (const url of pages) {
      await page.goto(session.base + url)
      await settled(page)
      const width = await page.evaluate(() => document.scrollingElement.scrollWidth)
      assert.ok(width <= 360, `${url} is ${width} pixels wide`)
    }
  })
})

test('every link leads somewhere', async () => {
  const anchors = new Map()
  const links = []
  const files = fs
    .readdirSync(site, { recursive: true })
    .filter((file) => file.endsWith('.html'))
    .map((file) => `/${file.split(path.sep).join('/')}`)
  await inPage({ javaScriptEnabled: false }, async (page) => {
    for (const file of files) {
      await page.setContent(fs.readFileSync(path.join(site, file), 'utf8'), {
        waitUntil: 'commit',
      })
      anchors.set(file, new Set(await page.$$eval('[id]', (all) => all.map((e) => e.id))))
      for (const href of await page.$$eval('a[href]', (all) => all.map((a) => a.getAttribute('href')))) {
        links.push({ file, href })
      }
    }
  })
  const broken = []
  for (const { file, href } of links) {
    const url = new URL(href, `http://site${file}`)
    if (url.host !== 'site') continue
    const target = decodeURI(url.pathname).replace(/\/$/, '/index.html')
    const fragment = decodeURIComponent(url.hash.slice(1))
    if (!anchors.has(target)) {
      if (!fs.existsSync(path.join(site, target))) broken.push(`${file}: ${href}`)
    } else if (fragment && !anchors.get(target).has(fragment)) {
      broken.push(`${file}: ${href} (no such place on the page)`)
    }
  }
  assert.ok(links.length > 1000, `${links.length} links`)
  assert.deepEqual(broken, [])
})

describe('search', () => {
  /** The addresses that a search on the page finds. */
  async function find(page, text) {
    await page.keyboard.press('Control+k')
    const field = page.locator('#localsearch-input')
    await field.fill(text)
    await page.waitForFunction(
      () => document.querySelectorAll('.VPLocalSearchBox .result').length > 0,
    )
    await page.waitForTimeout(400)
    const found = await page.$$eval('.VPLocalSearchBox .result', (all) =>
      all.map((a) => a.getAttribute('href')),
    )
    await page.keyboard.press('Escape')
    await page.locator('.VPLocalSearchBox').waitFor({ state: 'detached' })
    return found
  }

  test('finds a term of each chapter, and each chapter by its title', () =>
    inPage({}, async (page) => {
      await page.goto(`${session.base}/`)
      await settled(page)
      for (const chapter of chapters()) {
        const term = glossaryTerms().find((t) => t.chapter === chapter.name)?.term
        const wanted = [chapter.title, chapter.sourceTitle, term].filter(Boolean)
        for (const text of wanted) {
          const found = await find(page, text)
          assert.ok(
            found.some((href) => href.startsWith(chapter.url)),
            `"${text}" finds ${found}, and not ${chapter.url}`,
          )
        }
      }
    }))

  // From /zh/, a title leads to the line of the contents, in Chinese.
  test('finds part of a Chinese title', () =>
    inPage({}, async (page) => {
      for (const [start, goal] of [
        ['/', '/08_mutex/'],
        ['/zh/', '/zh/#08_mutex'],
      ]) {
        await page.goto(session.base + start)
        await settled(page)
        const found = await find(page, '斥锁')
        assert.ok(
          found.some((href) => href.startsWith(goal)),
          `${start}: ${found}`,
        )
      }
    }))
})

describe('players', { concurrency: 2 }, () => {
  for (const { name, url } of chapters()) {
    test(`${name}: each goes to the failing step`, () =>
      inPage({ viewport: { width: 1280, height: 900 } }, async (page) => {
        await page.goto(session.base + url)
        await settled(page)
        await page.evaluate(() => {
          for (const details of document.querySelectorAll('details')) details.open = true
        })
        const players = await page.locator('interleaving-player').all()
        const pictures = await page.locator('.figure.schedule').count()
        assert.equal(players.length, pictures)
        for (const player of players) {
          const src = await player.getAttribute('src')
          const recorded = JSON.parse(fs.readFileSync(path.join(site, src), 'utf8'))
          // By keyboard, with the focus on a control.
          await player.locator('button.play').focus()
          await page.keyboard.press('Home')
          await page.keyboard.press('ArrowRight')
          assert.equal(await player.evaluate((p) => p.position), 1, src)
          await page.keyboard.press('End')
          await player.getByRole('button', { name: /failing step/i }).click()
          const shown = await player.evaluate((p) => p.shadowRoot.textContent)
          assert.match(shown, /This is the failing step/, src)
          assert.ok(shown.includes(recorded.verdict), `${src} does not say ${recorded.verdict}`)
        }
      }))
  }

  test('"Try it" offers a choice, and can be broken', () =>
    inPage({}, async (page) => {
      await page.goto(`${session.base}/09_deadlock/`)
      await settled(page)
      const element = page.locator('interleaving-tryit').first()
      const ending = await element.evaluate((e) => {
        // One schedule after another, until one ends badly.
        for (let schedule = 0; schedule < 200; schedule++) {
          e.restart()
          for (let rest = schedule; !e.walk.end(); rest = Math.floor(rest / 2)) {
            e.choose(rest % e.walk.moves().length)
          }
          if (e.walk.end().verdict !== 'passed') return e.walk.end().verdict
        }
        return null
      })
      assert.equal(ending, 'deadlock')
    }))
})

test('the keyboard is enough', () =>
  inPage({ viewport: { width: 1440, height: 900 } }, async (page) => {
    const focused = () =>
      page.evaluate(() => {
        const e = document.activeElement
        return { id: e.id, tag: e.localName, text: e.textContent.trim(), open: e.parentElement?.open }
      })
    await page.goto(`${session.base}/08_mutex/`)
    await settled(page)
    await page.keyboard.press('Tab')
    assert.equal((await focused()).text, 'Skip to content')
    await page.keyboard.press('Enter')
    assert.equal((await focused()).id, 'VPContent')
    // On to the answer of the prediction, and open it.
    for (let i = 0; i < 200 && (await focused()).tag !== 'summary'; i++) {
      await page.keyboard.press('Tab')
    }
    assert.equal((await focused()).text, 'Answer')
    await page.keyboard.press('Enter')
    assert.equal((await focused()).open, true)
    // Search, and leave it.
    await page.locator('body').press('Control+k')
    await page.waitForFunction(() => document.activeElement.id === 'localsearch-input')
    await page.keyboard.press('Escape')
    await page.locator('.VPLocalSearchBox').waitFor({ state: 'detached' })
  }))

test('pages can be read without JavaScript', () =>
  inPage({ javaScriptEnabled: false, viewport: { width: 390, height: 844 } }, async (page) => {
    for (const url of pages) {
      if (url === '/404.html') continue
      await page.goto(session.base + url)
      assert.ok(await page.locator('h1').isVisible(), url)
      if (!isChapter(url)) continue
      const text = await page.locator('main').innerText()
      assert.ok(text.length > 1500, `${url}: ${text.length} characters`)
      const pictures = page.locator('.figure.schedule')
      for (let i = 0; i < (await pictures.count()); i++) {
        assert.match(await pictures.nth(i).locator('pre').textContent(), /^ *1 {2}/m, url)
      }
      assert.ok((await page.locator('.pager-link').count()) > 0, url)
    }
  }))

test('a chapter is light', async (t) => {
  const heaviest = { bytes: 0 }
  for (const url of pages.filter(isChapter)) {
    const bytes = await inPage({}, async (page) => {
      const client = await page.context().newCDPSession(page)
      let sum = 0
      await client.send('Network.enable')
      client.on('Network.loadingFinished', ({ encodedDataLength }) => (sum += encodedDataLength))
      await page.goto(session.base + url)
      await settled(page)
      return sum
    })
    t.diagnostic(`${url} ${Math.round(bytes / 1000)} kB`)
    if (bytes > heaviest.bytes) Object.assign(heaviest, { bytes, url })
  }
  assert.ok(heaviest.bytes < MOST_BYTES, `${heaviest.url} weighs ${heaviest.bytes} bytes`)
})
