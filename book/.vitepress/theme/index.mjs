// SPDX-License-Identifier: Apache-2.0
//
// The look of the book: VitePress's default theme for its navigation and
// search, with our own cover, chapter heads, type and colours.

import DefaultTheme from 'vitepress/theme-without-fonts'
import '@fontsource/source-serif-4/latin-400.css'
import '@fontsource/source-serif-4/latin-400-italic.css'
import '@fontsource/source-serif-4/latin-600.css'
import '@fontsource/jetbrains-mono/latin-400.css'
import './colours.css'
import './type.css'
import './parts.css'
import './frame.css'
import Layout from './Layout.vue'
import Cover from './Cover.vue'

export default {
  extends: DefaultTheme,
  Layout,
  enhanceApp({ app }) {
    app.component('Cover', Cover)
  },
}
