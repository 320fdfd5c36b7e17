// SPDX-License-Identifier: Apache-2.0
//
// VitePress's settings. The pages are the chapters' own README.md files and the
// few pages in book/; their order and titles come from the folders.

import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitepress'
import { chapters } from './tree.mjs'
import { pages } from './pages.mjs'
import { writeFiles, serveFiles } from './files.mjs'
import { search } from './search.mjs'
import { shades } from './shades.mjs'
import { chineseTitle } from './chinese.mjs'

const list = chapters()
const last = Math.max(...list.map((c) => c.number))

const sidebar = [
  {
    text: 'Chapters',
    items: list.map((c) => ({ text: `${c.label} · ${c.title}`, link: c.url })),
  },
  { text: 'At the back', items: [{ text: 'Glossary', link: '/glossary.html' }] },
]

const sidebarZh = [
  {
    text: '章节',
    items: list.map((c) => {
      const { title, url } = chineseTitle(c)
      return { text: `${c.label} · ${title}`, link: url }
    }),
  },
  { text: '附录', items: [{ text: '术语表', link: '/zh/glossary.html' }] },
]

/** The chapters lie outside of book/, where node_modules/ is not found. */
function resolveFromHere() {
  const here = fileURLToPath(import.meta.url)
  return {
    name: 'lockstep:resolve-from-here',
    enforce: 'pre',
    resolveId(source, importer, options) {
      if (!importer?.endsWith('.md') || (source !== 'vue' && !source.startsWith('vue/'))) return null
      return this.resolve(source, here, { ...options, skipSelf: true })
    },
  }
}

export default defineConfig({
  title: 'Lockstep',
  titleTemplate: ':title · Lockstep',
  description: 'A workbook that teaches concurrency in C++20 and draws the schedule that breaks your program.',
  srcDir: '..',
  // Everything but the chapters' pages and the book's own.
  srcExclude: [
    '*.md',
    '!(chapters|book)/**',
    'chapters/*/!(README).md',
    'chapters/*/*/**',
    'book/{README,LICENSE}.md',
    'book/{player,tests,node_modules}/**',
  ],
  rewrites: {
    'chapters/:chapter/README.md': ':chapter/index.md',
    'book/index.md': 'index.md',
    'book/glossary.md': 'glossary.md',
    'book/zh/index.md': 'zh/index.md',
    'book/zh/glossary.md': 'zh/glossary.md',
    'book/zh/:chapter.md': 'zh/:chapter/index.md',
  },
  head: [
    ['link', { rel: 'icon', href: '/icon.svg', type: 'image/svg+xml' }],
    ['meta', { name: 'theme-color', content: '#fbfaf6', media: '(prefers-color-scheme: light)' }],
    ['meta', { name: 'theme-color', content: '#12161b', media: '(prefers-color-scheme: dark)' }],
  ],
  markdown: {
    theme: shades,
    // A page's own `{...}` and `#` are C++, not markup of VitePress.
    attrs: { disable: true },
    headers: { level: [2, 3] },
    config: pages,
  },
  vite: {
    publicDir: new URL('../public', import.meta.url).pathname,
    plugins: [resolveFromHere(), serveFiles()],
    build: { chunkSizeWarningLimit: 2000 },
  },
  // The sidebar links to every chapter: fetching them ahead would double what a
  // page weighs.
  router: { prefetchLinks: false },
  vue: {
    template: { compilerOptions: { isCustomElement: (tag) => tag.startsWith('interleaving-') } },
  },
  buildEnd: writeFiles,
  transformPageData(page) {
    const name = page.filePath.startsWith('chapters/')
      ? page.filePath.split('/')[1]
      : page.filePath.startsWith('book/zh/')
        ? page.filePath.slice('book/zh/'.length, -'.md'.length)
        : null
    if (page.filePath === 'book/zh/index.md') {
      page.frontmatter.titles = Object.fromEntries(list.map((c) => [c.name, chineseTitle(c)]))
    }
    const chapter = list.find((c) => c.name === name)
    if (!chapter) return
    const { label, number, title, sourceTitle, minutes } = chapter
    page.title = page.filePath.startsWith('book/zh/') ? chineseTitle(chapter).title : title
    page.frontmatter.chapter = { name, label, number, last, title, sourceTitle, minutes }
  },
  locales: {
    root: {
      label: 'English',
      lang: 'en',
      themeConfig: {
        search: search('en'),
        nav: [
          { text: 'Start here', link: '/00_start_here/' },
          { text: 'Glossary', link: '/glossary.html' },
        ],
        sidebar,
      },
    },
    zh: {
      label: '中文',
      lang: 'zh-CN',
      link: '/zh/',
      title: 'Lockstep',
      description: '一本 C++20 并发练习册：它画出让你的程序出错的那一次调度。',
      themeConfig: {
        search: search('zh'),
        nav: [
          { text: '从这里开始', link: '/zh/00_start_here/' },
          { text: '术语表', link: '/zh/glossary.html' },
        ],
        sidebar: sidebarZh,
        outline: { level: [2, 2], label: '本页内容' },
        docFooter: { prev: '上一章', next: '下一章' },
        sidebarMenuLabel: '目录',
        returnToTopLabel: '回到顶部',
        darkModeSwitchLabel: '外观',
        lightModeSwitchTitle: '切换到浅色',
        darkModeSwitchTitle: '切换到深色',
        langMenuLabel: '切换语言',
        skipToContentLabel: '跳到正文',
        notFound: {
          title: '没有这一页',
          quote: '链接可能写错了，或者这一章还没有写。',
          linkLabel: '回到封面',
          linkText: '回到封面',
        },
      },
    },
  },
  themeConfig: {
    logo: '/icon.svg',
    search: search('en'),
    outline: { level: [2, 2], label: 'On this page' },
    docFooter: { prev: 'Previous', next: 'Next' },
    externalLinkIcon: false,
    sidebarMenuLabel: 'Chapters',
    skipToContentLabel: 'Skip to content',
    i18nRouting: false,
    chapters: list.map(({ name, label, number, title, sourceTitle, minutes, url }) => ({
      name,
      label,
      number,
      title,
      sourceTitle,
      minutes,
      url,
    })),
    notFound: {
      quote: 'The address may be misspelt, or the chapter is not written yet.',
      linkLabel: 'To the cover',
      linkText: 'To the cover',
    },
  },
})
