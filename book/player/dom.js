// SPDX-License-Identifier: Apache-2.0
//
// Making elements, and reading what a page has put into one of ours.

/**
 * An HTML element. Attributes that are null, undefined or false are left out;
 * functions become event listeners.
 */
export function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** The same for SVG. */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  return fill(element, attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === 'function') element.addEventListener(name, value);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(...children.flat(9).filter((c) => c !== null && c !== undefined));
  return element;
}

/**
 * The JSON that an element was given: the property, the attribute NAME, the
 * file of the attribute `src`, or the text of a <script type="application/json">
 * in it, in this order.
 */
export async function givenJson(element, name, property) {
  if (property && typeof property === 'object') return property;
  const text = property || element.getAttribute(name);
  if (text) return JSON.parse(text);
  const src = element.getAttribute('src');
  if (src) {
    const answer = await fetch(src);
    if (!answer.ok) throw new Error(`${src}: ${answer.status}`);
    return answer.json();
  }
  const script = element.querySelector('script[type="application/json"]');
  if (!script) throw new Error('There is nothing to play: no recording was given.');
  return JSON.parse(script.textContent);
}

/**
 * The sources that an element was given, as file -> text: the property, the
 * attribute `listings` (JSON) or the field `listings` of `json`, and every
 * <script type="text/plain" data-file="..."> in it.
 */
export function givenListings(element, property, json) {
  const listings = new Map();
  const attribute = element.getAttribute('listings');
  const given = property ?? (attribute ? JSON.parse(attribute) : json.listings ?? {});
  for (const [file, text] of Object.entries(given)) listings.set(file, text);
  for (const script of element.querySelectorAll('script[data-file]')) {
    listings.set(script.dataset.file, script.textContent.replace(/^\n/, ''));
  }
  return listings;
}

const sheets = new Map();

/** Gives a shadow root its styles; parses each text once. */
export function style(root, css) {
  if (typeof CSSStyleSheet === 'function' && 'adoptedStyleSheets' in root) {
    if (!sheets.has(css)) {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(css);
      sheets.set(css, sheet);
    }
    root.adoptedStyleSheets = [sheets.get(css)];
  } else {
    root.append(h('style', {}, css));
  }
}

/** Scrolls `box`, and nothing around it, until `child` is in view. */
export function showWithin(box, child, margin = 0) {
  if (!child || !box.clientHeight) return;
  const outer = box.getBoundingClientRect();
  const inner = child.getBoundingClientRect();
  const above = inner.top - outer.top - margin;
  const below = inner.bottom - outer.bottom + box.clientHeight / 5;
  if (above < 0) box.scrollTop += above;
  else if (below > 0) box.scrollTop += Math.min(below, above);
}
