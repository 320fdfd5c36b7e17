// SPDX-License-Identifier: Apache-2.0
//
// Serves the built site on this computer only, and prints its address.
//
//   bazel run //book:serve [-- PORT]

import path from 'node:path'
import { preview } from 'vite'

const [site, port = '4173'] = process.argv.slice(2)
const server = await preview({
  appType: 'mpa',
  build: { outDir: path.resolve(site) },
  configFile: false,
  logLevel: 'warn',
  preview: { host: '127.0.0.1', port: Number(port) },
})
console.log(`The book: ${server.resolvedUrls.local[0]}   (Ctrl+C ends it)`)
