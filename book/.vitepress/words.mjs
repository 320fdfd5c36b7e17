// SPDX-License-Identifier: Apache-2.0
//
// The words that the site adds to the pages, in its two languages.

export const words = {
  en: {
    commandCaption: 'Run in the workbook’s folder',
    continued: 'continued',
    fileCaption: 'from',
    gradeCaption: 'What the grader says',
    inCheckout: 'in your checkout:',
    linesOfSchedule: 'Marked: the lines that the schedule below passes through.',
    outputCaption: 'It prints',
    exitCaption: (status) => `It prints, and ends with status ${status}`,
    scheduleCaption: 'recorded run',
    sketchCaption: 'Sketch',
    alsoIn: 'Used in',
    tryItWithoutScript: 'With JavaScript, you could choose here which thread runs next.',
  },
  zh: {
    commandCaption: '在练习册的文件夹中运行',
    continued: '续',
    fileCaption: '摘自',
    gradeCaption: '评分器的输出',
    inCheckout: '在你的工作目录中：',
    linesOfSchedule: '标出的行是下面这次调度经过的代码。',
    outputCaption: '输出',
    exitCaption: (status) => `输出，并以状态 ${status} 结束`,
    scheduleCaption: '实际记录的一次运行',
    sketchCaption: '示意图',
    alsoIn: '出现于',
    tryItWithoutScript: '启用 JavaScript 后，可以在这里选择下一步由哪个线程执行。',
  },
}

export function wordsFor(env) {
  return env.relativePath?.startsWith('zh/') || (env.realPath ?? env.path)?.includes('/book/zh/')
    ? words.zh
    : words.en
}
