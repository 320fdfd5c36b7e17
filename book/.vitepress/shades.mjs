// SPDX-License-Identifier: Apache-2.0
//
// A Shiki theme whose colours are the site's CSS variables, so that code
// follows light and dark without being highlighted twice.

const rule = (color, scope, fontStyle) => ({
  scope,
  settings: { foreground: `var(--code-${color})`, ...(fontStyle && { fontStyle }) },
})

export const shades = {
  name: 'lockstep',
  type: 'light',
  fg: 'var(--code-text)',
  bg: 'transparent',
  settings: [
    { settings: { foreground: 'var(--code-text)', background: 'transparent' } },
    rule('comment', ['comment', 'punctuation.definition.comment'], 'italic'),
    rule('string', [
      'string',
      'punctuation.definition.string',
      'constant.character.escape',
      'string.quoted.other.lt-gt.include',
    ]),
    rule('number', ['constant.numeric', 'constant.language', 'keyword.other.unit']),
    rule('keyword', [
      'keyword.control',
      'keyword.other',
      'storage.modifier',
      'storage.type.class',
      'storage.type.struct',
      'storage.type.template',
      'keyword.operator.new',
      'keyword.operator.delete',
      'keyword.operator.sizeof',
      'variable.language.this',
    ]),
    rule('type', [
      'storage.type',
      'entity.name.type',
      'support.type',
      'entity.name.scope-resolution',
      'support.class',
    ]),
    rule('function', ['entity.name.function', 'support.function']),
    rule('comment', ['punctuation', 'keyword.operator.assignment'], ''),
    rule('text', ['punctuation.section', 'punctuation.terminator', 'punctuation.separator', 'keyword.operator']),
  ],
}
