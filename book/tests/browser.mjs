// SPDX-License-Identifier: Apache-2.0
//
// Serves the built site on loopback and opens it in Debian's Chromium.

import fs from 'node:fs'
import path from 'node:path'
import { chromium } from 'playwright-core'
import { preview } from 'vite'

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

/** All pages below `site` that a reader can open, as addresses: /08_mutex/. */
export function pagesOf(site) {
  return fs
    .readdirSync(site, { recursive: true })
    .filter((file) => file.endsWith('.html') && !file.startsWith('source'))
    .map((file) => `/${file.split(path.sep).join('/')}`.replace(/\/index\.html$/, '/'))
    .sort()
}

export const isChapter = (url) => /\/\d\d_\w+\/$/.test(url)

/** Starts both; `close()` ends both. */
export async function open(site) {
  const executablePath = CHROMIUM.find((file) => fs.existsSync(file))
  if (!executablePath) {
    throw new Error('there is no Chromium; on Debian: apt-get install chromium')
  }
  const server = await preview({
    appType: 'mpa',
    build: { outDir: path.resolve(site) },
    configFile: false,
    logLevel: 'error',
    preview: { host: '127.0.0.1', port: 0, strictPort: false },
  })
  const browser = await chromium.launch({
    executablePath,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--disable-dev-shm-usage',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
  const { port } = server.httpServer.address()
  return {
    base: `http://127.0.0.1:${port}`,
    browser,
    async close() {
      await browser.close()
      await server.close()
    },
  }
}

/** Resolves when the page is interactive and its players are drawn. */
export async function settled(page) {
  await page.waitForLoadState('networkidle')
  await page.evaluate(async () => {
    await document.fonts.ready
    for (const player of document.querySelectorAll('interleaving-player, interleaving-tryit')) {
      await customElements.whenDefined(player.localName)
      await player.ready
    }
  })
}
