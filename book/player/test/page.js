// SPDX-License-Identifier: Apache-2.0
//
// A page without a browser, for tests.

import { parseHTML } from 'linkedom';

const { window, document } = parseHTML('<!doctype html><html><body></body></html>');
Object.assign(globalThis, {
  window,
  document,
  HTMLElement: window.HTMLElement,
  customElements: window.customElements,
  CustomEvent: window.CustomEvent,
});

/** Makes an element of our kind, given `data`, and puts it on the page. */
async function put(tag, property, data, listings) {
  await import(`../${tag}.js`);
  const element = document.createElement(tag);
  element[property] = data;
  element.listings = listings;
  document.body.append(element);
  await element.ready;
  const root = element.shadowRoot;
  return {
    element,
    player: element,
    /** The text of the first element that `selector` finds. */
    text: (selector) => root.querySelector(selector)?.textContent.trim(),
    all: (selector) => [...root.querySelectorAll(selector)],
    /** The button with this label. */
    button: (label) =>
      [...root.querySelectorAll('button')].find(
        (b) => (b.getAttribute('aria-label') ?? b.textContent).includes(label),
      ),
    key: (key) => {
      const event = new window.Event('keydown', { bubbles: true, cancelable: true });
      event.key = key;
      event.composedPath = () => [root.querySelector('.score')];
      root.querySelector('.score').dispatchEvent(event);
    },
    close: () => element.remove(),
  };
}

export const inPage = (recording, listings) =>
  put('interleaving-player', 'recording', recording, listings);

export const tryIt = (graph, listings) =>
  put('interleaving-tryit', 'graph', graph, listings);
