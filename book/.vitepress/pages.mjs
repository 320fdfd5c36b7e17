// SPDX-License-Identifier: Apache-2.0
//
// Turns a chapter's plain Markdown into a page of the book: a markdown-it
// plugin that works on the parser's tokens. It
//
//   - recognises invariants, predictions, checkpoints and pitfalls by the form
//     that tools/literate/README.md prescribes, and gives them a class;
//   - gives each listing, output and picture a caption;
//   - puts each recorded picture into a player, which without JavaScript shows
//     the picture as it stands in the page;
//   - points links into the tree at pages of the site.

import fs from 'node:fs'
import path from 'node:path'
import {
  chapters,
  infoString,
  linkedFile,
  plainText,
  recording,
  root,
  splitTitle,
} from './tree.mjs'
import { glossaryTerms, glossaryUrl, usesOf } from './terms.mjs'
import { chineseTitle } from './chinese.mjs'
import { words as allWords, wordsFor } from './words.mjs'

/** Files outside of the book that pages link to: url -> linkedFile(). */
export const sourceFiles = new Map()

/** The chapter that a page is, or is a translation of; null if it is none. */
export function chapterOf(file) {
  const parts = path.relative(root, file).split(path.sep)
  if (parts[0] === 'chapters') return parts[1]
  const name = path.basename(file, '.md')
  return parts[0] === 'book' && fs.existsSync(path.join(root, 'chapters', name, 'README.md'))
    ? name
    : null
}

/** The file that is being rendered; `env.path` may be its address instead. */
const fileOf = (env) => env.realPath ?? env.path

const readRecording = (file) => JSON.parse(fs.readFileSync(file, 'utf8'))

/** For each explored program of a page: the lines its recorded run touches. */
function markedLines(tokens, chapter) {
  const marks = new Map()
  for (const token of tokens) {
    if (token.type !== 'fence') continue
    const { schedule } = infoString(token.info).claims
    if (!schedule || schedule.includes(':')) continue
    const { file } = recording(chapter, schedule)
    const lines = new Set()
    for (const step of readRecording(file).steps) {
      if (step.at?.file === `${schedule}.cc`) lines.add(step.at.line)
    }
    marks.set(schedule, lines)
  }
  return marks
}

/** Gives the programs' fences their line numbers and marks, in page order. */
function annotateListings(tokens, chapter) {
  const marks = markedLines(tokens, chapter)
  const written = new Map()
  for (const token of tokens) {
    if (token.type !== 'fence') continue
    const { language, claims } = infoString(token.info)
    token.meta = { ...token.meta, language, claims }
    if (language !== 'cpp' || !claims.run) continue
    const before = written.get(claims.run) ?? 0
    const count = token.content.split('\n').length - 1
    written.set(claims.run, before + count)
    token.meta.continued = before > 0
    if (!marks.has(claims.run)) continue
    token.meta.firstLine = before + 1
    token.meta.marks = [...marks.get(claims.run)]
      .map((line) => line - before)
      .filter((line) => line >= 1 && line <= count)
      .sort((a, b) => a - b)
  }
}

/** Inline tokens that stand for an element around `children`. */
function wrapped(state, tag, attributes, children) {
  const open = new state.Token(`${tag}_open`, tag, 1)
  open.attrs = attributes
  return [open, ...children, new state.Token(`${tag}_close`, tag, -1)]
}

function text(state, content) {
  const token = new state.Token('text', '', 0)
  token.content = content
  return token
}

/** `08 · Mutex — 互斥锁`: the source's own title stands beside ours. */
function markTitle(state, inline) {
  const { label, title, sourceTitle } = splitTitle(plainText(inline.children))
  const parts = []
  if (label) {
    parts.push(...wrapped(state, 'span', [['class', 'chapter-number']], [text(state, label)]))
    parts.push(text(state, ' '))
  }
  parts.push(text(state, title))
  if (sourceTitle && sourceTitle !== title) {
    parts.push(text(state, ' '))
    parts.push(
      ...wrapped(
        state,
        'span',
        [
          ['class', 'source-title'],
          ['lang', /[\u3400-\u9fff]/.test(sourceTitle) ? 'zh' : 'en'],
        ],
        [text(state, sourceTitle)],
      ),
    )
  }
  inline.children = parts
}

const firstOfType = (inline, type) => {
  const child = inline.children.find((t) => t.content || t.type.endsWith('_open'))
  return child?.type === type
}

/** Classes for the parts that the workbook's chapters have. */
function markParts(state, env, chapter) {
  const { tokens } = state
  let part = ''
  let listDepth = 0
  let seenTitle = false
  let seenPromise = false
  tokens.forEach((token, i) => {
    const inline = tokens[i + 1]
    switch (token.type) {
      case 'heading_open':
        if (token.tag === 'h1') {
          seenTitle = true
          markTitle(state, inline)
        } else if (token.tag === 'h2') {
          part = plainText(inline.children).split(':')[0].trim()
        }
        break
      case 'paragraph_open': {
        if (!inline || listDepth > 0 || !chapter) break
        const words = plainText(inline.children)
        if (seenTitle && !seenPromise) {
          token.attrJoin('class', 'promise')
          seenPromise = true
        } else if (firstOfType(inline, 'strong_open')) {
          if (words.startsWith('Predict')) token.attrJoin('class', 'predict')
          else if (words.startsWith('Time:') || words.startsWith('用时：')) {
            token.attrJoin('class', 'facts')
          } else if (part === 'Tempting wrong versions') token.attrJoin('class', 'mistake')
        }
        break
      }
      case 'ordered_list_open':
        if (listDepth++ === 0) {
          if (part === 'Mental model') token.attrJoin('class', 'invariants')
          if (part === 'Checkpoint') token.attrJoin('class', 'checkpoint')
        }
        break
      case 'bullet_list_open':
        if (listDepth++ === 0 && part === 'When not to use it') token.attrJoin('class', 'pitfalls')
        break
      case 'ordered_list_close':
      case 'bullet_list_close':
        listDepth--
        break
      case 'list_item_open': {
        const item = tokens[i + 2]
        if (part === 'Mental model' && item?.type === 'inline') {
          const kind = plainText(item.children)
          if (kind.startsWith('Safety:')) token.attrJoin('class', 'safety')
          if (kind.startsWith('Liveness:')) token.attrJoin('class', 'liveness')
        }
        break
      }
      case 'html_block': {
        const kind = { Hints: 'hint', 'Solution and notes': 'notes' }[part] ?? 'answer'
        token.content = token.content.replace('<details>', `<details class="${kind}">`)
        break
      }
    }
  })
}

/** Turns `href` into the site's address, or null if the site has no such page. */
function siteLink(href, file, env) {
  if (/^[a-z]+:/.test(href) || href.startsWith('#') || href.startsWith('/')) return href
  const [target, fragment] = href.split('#')
  const hash = fragment ? `#${fragment}` : ''
  const absolute = path.resolve(path.dirname(file), decodeURI(target))
  const inTree = path.relative(root, absolute).split(path.sep).join('/')
  const page = /^(?:chapters|book)\/(.*)$/.exec(inTree)?.[1]
  if (inTree.startsWith('chapters/') && page.endsWith('/README.md')) {
    const name = page.slice(0, -'/README.md'.length)
    if (!fs.existsSync(absolute)) return null
    const translated = path.join(root, 'book/zh', `${name}.md`)
    return `${isChinese(env) && fs.existsSync(translated) ? '/zh' : ''}/${name}/${hash}`
  }
  if (inTree.startsWith('book/') && page.endsWith('.md')) {
    return `/${page.slice(0, -'.md'.length).replace(/(^|\/)index$/, '$1')}${page.endsWith('index.md') ? '' : '.html'}${hash}`
  }
  const found = linkedFile(absolute)
  if (!found) return null
  sourceFiles.set(found.url, { ...found, from: chapterOf(file) })
  return found.url
}

/** Links into the tree; first mentions of glossary terms. */
function markLinks(state, env) {
  const seen = new Set()
  for (const inline of state.tokens) {
    if (inline.type !== 'inline') continue
    const result = []
    const closers = []
    const children = inline.children
    for (let i = 0; i < children.length; i++) {
      const token = children[i]
      if (token.type === 'link_open') {
        const href = token.attrGet('href')
        const url = siteLink(href, fileOf(env), env)
        if (url === null) {
          const span = new state.Token('span_open', 'span', 1)
          span.attrs = [['class', 'in-checkout']]
          result.push(span)
          closers.push(href.replace(/^(\.\.\/)+/, ''))
          continue
        }
        token.attrSet('href', url)
        // The glossary names chapters by their folder.
        const named = chapters().find((c) => c.name === children[i + 1]?.content)
        if (named) children[i + 1].content = `${named.label} · ${titleFor(named, env)}`
        if (url.startsWith('/source/')) {
          token.attrSet('target', '_self')
          token.attrSet('class', 'source-link')
        }
        closers.push(null)
      } else if (token.type === 'link_close') {
        const where = closers.pop()
        if (where) {
          const code = new state.Token('code_inline', 'code', 0)
          code.content = where
          // The link's text may be the path already.
          if (children[i - 1]?.content !== where) {
            result.push(text(state, ` (${wordsFor(env).inCheckout} `), code, text(state, ')'))
          }
          result.push(new state.Token('span_close', 'span', -1))
          continue
        }
      } else if (
        token.type === 'strong_open' &&
        closers.length === 0 &&
        children[i + 1]?.type === 'text' &&
        children[i + 2]?.type === 'strong_close'
      ) {
        const url = glossaryUrl(children[i + 1].content, wordsFor(env))
        if (url && !seen.has(url)) {
          seen.add(url)
          result.push(
            ...wrapped(state, 'a', [['class', 'term'], ['href', url]], children.slice(i, i + 3)),
          )
          i += 2
          continue
        }
      }
      result.push(token)
    }
    inline.children = result
  }
}

/** Under each term of the glossary: the chapters that use it. */
function addBackLinks(state, env) {
  const result = []
  let term = null
  const flush = () => {
    if (!term) return
    const uses = usesOf(term)
    if (uses.length) {
      const block = new state.Token('html_block', '', 0)
      const links = uses.map(
        (c) =>
          `<a href="${c.url}" title="${state.md.utils.escapeHtml(titleFor(c, env))}"><span class="visually-hidden">${state.md.utils.escapeHtml(titleFor(c, env))}, </span>${c.label}</a>`,
      )
      block.content = `<p class="back-links">${wordsFor(env).alsoIn} ${links.join(' ')}</p>\n`
      result.push(block)
    }
    term = null
  }
  state.tokens.forEach((token, i) => {
    if (token.type === 'heading_open') {
      flush()
      if (token.tag === 'h2') {
        const words = plainText(state.tokens[i + 1].children)
        term = glossaryTerms().find((t) => t.term === words || t.zh === words)
        // Its English name is the anchor in both languages.
        if (term) token.attrSet('id', term.anchor)
      }
    }
    result.push(token)
  })
  flush()
  state.tokens = result
}

/** "Try it" before the folded answer that shows the picture of a graph. */
function addTryIt(state, env, chapter) {
  const result = []
  let details = -1
  for (const token of state.tokens) {
    if (token.type === 'html_block' && token.content.startsWith('<details')) {
      details = result.length
    }
    const claims = token.type === 'fence' ? infoString(token.info).claims : {}
    if (claims.graph && details >= 0) {
      const { url } = recording(chapter, claims.schedule, 'graphs')
      const block = new state.Token('html_block', '', 0)
      const words = wordsFor(env)
      block.content =
        `<div class="tryit"><interleaving-tryit src="${url}">` +
        `<p>${words.tryItWithoutScript}</p></interleaving-tryit></div>\n`
      result.splice(details, 0, block)
      details = -1
    }
    result.push(token)
  }
  state.tokens = result
}

const isChinese = (env) => wordsFor(env) === allWords.zh

const titleFor = (chapter, env) => (isChinese(env) ? chineseTitle(chapter).title : chapter.title)

/** A caption and a frame for what `body` shows. */
function figure(kind, caption, body) {
  return `<figure class="figure ${kind}"><figcaption>${caption}</figcaption>\n${body}</figure>\n`
}

/** Renders a fence with its frame; `render` renders the bare block. */
function renderFence(md, tokens, index, env, render) {
  const token = tokens[index]
  const { language, claims, continued, firstLine, marks } = token.meta ?? {}
  const words = wordsFor(env)
  const escape = md.utils.escapeHtml
  if (env.indexing) return ''
  if (!claims) return render()

  // What VitePress reads from an info string is not what the workbook means.
  token.info = language
  if (language === 'cpp' && claims.run) {
    let caption = `<code>${escape(claims.run)}.cc</code>`
    if (continued) caption += ` (${words.continued})`
    if (firstLine) {
      token.info = `cpp:line-numbers=${firstLine} {${marks.join(',')}}`
      if (marks.length === 0) token.info = `cpp:line-numbers=${firstLine}`
      else caption += ` <span class="legend">${words.linesOfSchedule}</span>`
    }
    return figure('listing', caption, render())
  }
  if (language === 'cpp' && claims.file) {
    return figure('listing', `${words.fileCaption} <code>${escape(claims.file)}</code>`, render())
  }
  if (claims.output) {
    const caption = claims.exit ? words.exitCaption(escape(claims.exit)) : words.outputCaption
    return figure('output', caption, render())
  }
  if (claims.not_started) return figure('grade', words.gradeCaption, render())
  if (claims.sketch) return figure('sketch', words.sketchCaption, render())
  if (claims.schedule) {
    const { file, url } = recording(chapterOf(fileOf(env)), claims.schedule)
    const { verdict } = readRecording(file)
    const caption = `<span class="verdict">${escape(verdict)}</span> ${words.scheduleCaption}`
    return figure(
      'schedule',
      caption,
      `<interleaving-player src="${escape(url)}">\n${render()}</interleaving-player>`,
    )
  }
  if (language === 'sh' || language === 'console') {
    return figure('command', words.commandCaption, render())
  }
  return render()
}

/** The plugin: `config` of VitePress's Markdown options. */
export function pages(md) {
  const known = () => new Set(chapters().map((c) => c.name))
  // Before headings get their anchors, which a glossary entry chooses itself.
  md.core.ruler.before('anchor', 'workbook', (state) => {
    const { env } = state
    if (!env.path) return
    const chapter = chapterOf(fileOf(env))
    if (chapter && known().has(chapter)) annotateListings(state.tokens, chapter)
    if (chapter && !env.indexing) addTryIt(state, env, chapter)
    markParts(state, env, chapter)
    markLinks(state, env)
    if (path.basename(fileOf(env)) === 'glossary.md') addBackLinks(state, env)
  })
  const fence = md.renderer.rules.fence
  md.renderer.rules.fence = (tokens, index, options, env, self) =>
    renderFence(md, tokens, index, env, () => fence(tokens, index, options, env, self))
}
