// SPDX-License-Identifier: Apache-2.0
//
// Pictures of every page at the widths of a phone and a desktop, light and dark.
//
//   bazel run //book:screenshots -- FOLDER [PAGE...]     PAGE as /08_mutex/

import fs from 'node:fs'
import path from 'node:path'
import { open, pagesOf, settled } from './browser.mjs'

const [site, folder, ...wanted] = process.argv.slice(2)
if (!folder) {
  console.error('screenshots: say where to put them: bazel run //book:screenshots -- /tmp/pictures')
  process.exit(2)
}
const from = process.env.BUILD_WORKING_DIRECTORY ?? '.'
const out = path.resolve(from, folder)
fs.mkdirSync(out, { recursive: true })
const widths = { phone: { width: 390, height: 844 }, desktop: { width: 1440, height: 900 } }
const session = await open(site)
let count = 0
for (const [device, viewport] of Object.entries(widths)) {
  for (const colorScheme of ['light', 'dark']) {
    const context = await session.browser.newContext({
      colorScheme,
      reducedMotion: 'reduce',
      viewport,
    })
    const page = await context.newPage()
    for (const url of wanted.length ? wanted : pagesOf(site)) {
      await page.goto(session.base + url)
      await settled(page)
      const name = url.split('/').filter(Boolean).join('-') || 'cover'
      await page.screenshot({
        fullPage: true,
        path: path.join(out, `${name}-${device}-${colorScheme}.png`),
      })
      count++
    }
    await context.close()
  }
}
await session.close()
console.log(`${count} pictures in ${out}`)
