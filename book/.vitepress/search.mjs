// SPDX-License-Identifier: Apache-2.0
//
// Local search in two languages, an index for each. MiniSearch is given Chinese as
// single characters and pairs of neighbours, so that any part of a title is found
// without a dictionary.

import { chineseTitle } from './chinese.mjs'
import { chapters } from './tree.mjs'

/**
 * Splits text into search terms. VitePress sends this function to the browser
 * as text, so it uses nothing from outside itself.
 */
function tokenize(text) {
  const terms = []
  for (const word of text.split(/[\s\p{P}\p{S}]+/u)) {
    for (const run of word.match(/[\u3400-\u9fff]+|[^\u3400-\u9fff]+/gu) ?? []) {
      if (!/[\u3400-\u9fff]/.test(run)) {
        terms.push(run)
        continue
      }
      const characters = [...run]
      if (characters.length === 1) terms.push(run)
      for (let i = 0; i + 1 < characters.length; i++) {
        terms.push(characters[i] + characters[i + 1])
      }
    }
  }
  return terms
}

/**
 * The contents of the Chinese cover, for its index: most chapters are English, and
 * a Chinese title leads to the chapter's line there.
 */
function contents() {
  return chapters()
    .map((c) => {
      const title = [c.label, chineseTitle(c).title, c.sourceTitle, c.title].join(' · ')
      return `<h2 id="${c.name}">${title} <a href="#${c.name}">#</a></h2>`
    })
    .join('\n')
}

const translations = {
  en: {},
  zh: {
    button: { buttonText: '搜索', buttonAriaLabel: '搜索' },
    modal: {
      displayDetails: '显示详细列表',
      resetButtonTitle: '清除搜索',
      backButtonTitle: '关闭搜索',
      noResultsText: '没有找到',
      footer: {
        selectText: '选择',
        selectKeyAriaLabel: '回车',
        navigateText: '切换',
        navigateUpKeyAriaLabel: '上箭头',
        navigateDownKeyAriaLabel: '下箭头',
        closeText: '关闭',
        closeKeyAriaLabel: 'Esc',
      },
    },
  },
}

/** The search settings of the site in `language`. */
export function search(language) {
  return {
    provider: 'local',
    options: {
      translations: translations[language],
      // Listings and outputs are not prose: `env.indexing` leaves them out.
      _render(source, env, md) {
        env.indexing = true
        const html = md.render(source, env)
        return env.path.endsWith('book/zh/index.md') ? html + contents() : html
      },
      miniSearch: {
        options: { tokenize },
        searchOptions: {
          fuzzy: 0.2,
          prefix: true,
          boost: { title: 4, titles: 2, text: 1 },
          boostDocument: (id) => (/\/(\d\d_\w+\/#_\d\d-|zh\/#\d\d_)/.test(id) ? 8 : 1),
        },
      },
    },
  }
}
