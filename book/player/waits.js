// SPDX-License-Identifier: Apache-2.0
//
// Draws who waits for what and who holds it (a resource-allocation graph, as
// Holt drew them): threads are round, objects are square, an arrow leads from
// whoever waits to what it waits for, and from a lock to the thread that has
// it. A deadlock is a circle.

import { svg } from './dom.js';
import { waitCycle, waitEdges } from './model.js';

const WIDTH = 300;
const HEIGHT = 200;

const cut = (name) => (name.length > 16 ? `${name.slice(0, 15)}…` : name);
const widthOf = (name) => Math.max(40, name.length * 7.4 + 20);

/**
 * Where each thread and object stands, so that it stays there while one steps
 * through `score`: a circle of waiting, if there is one, is a circle of the
 * drawing; else threads stand on the left and what they wait for on the right.
 * @returns {{id: string, name: string, kind: string, x: number, y: number,
 *     w: number, center: ?number}[]}  center: of the circle that it is part of
 */
export function layOut(score) {
  const seen = new Set();
  for (const state of score.states) {
    for (const [from, to] of waitEdges(state)) [from, ...to].forEach((id) => seen.add(id));
  }
  const cycle = score.states.map(waitCycle).findLast((c) => c.length > 0) ?? [];
  const node = (id, x, y) => {
    const number = Number(id.slice(1));
    const thread = id[0] === 't';
    const name = cut(
      thread
        ? (score.threads.find((t) => t.id === number)?.name ?? `T${number}`)
        : (score.objects.get(number)?.name ?? '?'),
    );
    return { id, name, kind: thread ? 'thread' : 'object', x, y, w: widthOf(name) };
  };
  const rest = [...seen].filter((id) => !cycle.includes(id)).sort();
  if (cycle.length > 2) {
    // The others stand beside it, on the left.
    const center = WIDTH / 2 + (rest.length ? 36 : 0);
    const turn = cycle.length % 2 ? Math.PI / 2 : Math.PI;
    const ring = cycle.map((id, i) => {
      const angle = (i / cycle.length) * 2 * Math.PI - turn;
      return {
        ...node(id, center + Math.cos(angle) * (rest.length ? 74 : 92),
          HEIGHT / 2 + Math.sin(angle) * (HEIGHT / 2 - 24)),
        center,
      };
    });
    const beside = rest.map((id, i) =>
      node(id, 34, (HEIGHT * (i + 0.5)) / Math.max(2, rest.length)));
    return [...ring, ...beside];
  }
  const column = (ids, x) =>
    ids.map((id, i) => node(id, x, (HEIGHT * (i + 0.5)) / ids.length));
  const all = [...seen].sort();
  return [
    ...column(all.filter((id) => id[0] === 't'), 70),
    ...column(all.filter((id) => id[0] === 'o'), WIDTH - 66),
  ];
}

/** Where the line from a to b leaves the box around a. */
function border(a, b) {
  const dx = b.x - a.x;
  const dy = b.y - a.y;
  const scale = Math.min(
    dx === 0 ? Infinity : (a.w / 2 + 5) / Math.abs(dx),
    dy === 0 ? Infinity : 19 / Math.abs(dy),
  );
  return { x: a.x + dx * scale, y: a.y + dy * scale };
}

/**
 * The drawing of `state`.
 * @param {ReturnType<typeof layOut>} nodes
 * @param {import('./model.js').State} state
 * @param {Map<number, number>} colors  of objects, as in score.js
 */
export function drawWaits(nodes, state, colors) {
  const edges = waitEdges(state);
  const cycle = waitCycle(state);
  const find = (id) => nodes.find((n) => n.id === id);
  const inCycle = (from, to) => {
    const i = cycle.indexOf(from);
    return i >= 0 && cycle[(i + 1) % cycle.length] === to;
  };
  const lines = [];
  for (const [from, targets] of edges) {
    for (const to of targets) {
      const a = find(from);
      const b = find(to);
      if (!a || !b) continue;
      const ring = a.center !== undefined && b.center !== undefined;
      // From thread to thread in one column: around those in between.
      const aside = !ring && a.x === b.x;
      const start = aside ? { x: a.x - a.w / 2 - 2, y: a.y } : border(a, b);
      const end = aside ? { x: b.x - b.w / 2 - 5, y: b.y } : border(b, a);
      // Bent outwards a little, so that a circle looks round.
      const mx = (start.x + end.x) / 2;
      const my = (start.y + end.y) / 2;
      const cx = aside ? 6 : mx + (ring ? (mx - a.center) * 0.3 : 0);
      const cy = my + (ring ? (my - HEIGHT / 2) * 0.45 : 0);
      // The label: beside a round line, on a straight one.
      const out = ring ? 0.42 : 0;
      const kind = from[0] === 't' ? 'waits' : 'holds';
      const round = inCycle(from, to);
      const near = round || kind === 'holds' ? 0.5 : 0.36;
      const along = (p, q, r) =>
        (1 - near) ** 2 * p + 2 * near * (1 - near) * q + near ** 2 * r;
      lines.push(
        svg('path', {
          d: `M${start.x.toFixed(1)} ${start.y.toFixed(1)}Q${cx.toFixed(1)} ${cy.toFixed(1)} ${end.x.toFixed(1)} ${end.y.toFixed(1)}`,
          class: `edge ${kind}${round ? ' round' : ''}`,
          'marker-end': `url(#${round ? 'tip-round' : 'tip'})`,
        }),
        aside ? null : svg('text', {
          x: (along(start.x, cx, end.x) + (ring ? out * (mx - a.center) : 0)).toFixed(1),
          y: (along(start.y, cy, end.y) + out * (my - HEIGHT / 2)).toFixed(1),
          class: `label${round ? ' round' : ''}`,
        }, kind === 'waits' ? 'waits for' : 'held by'),
      );
    }
  }
  const boxes = nodes.map((n) =>
    svg(
      'g',
      { class: `node ${n.kind}${cycle.includes(n.id) ? ' round' : ''}`,
        transform: `translate(${n.x.toFixed(1)} ${n.y.toFixed(1)})` },
      svg('rect', {
        x: -n.w / 2, y: -14, width: n.w, height: 28, rx: n.kind === 'thread' ? 14 : 3,
        class: n.kind === 'object' && colors.has(Number(n.id.slice(1)))
          ? `lock${colors.get(Number(n.id.slice(1)))}` : null,
      }),
      svg('text', {}, n.name),
    ),
  );
  const tip = (id) =>
    svg('marker', { id, viewBox: '0 0 8 8', refX: 7, refY: 4, markerWidth: 7,
      markerHeight: 7, orient: 'auto-start-reverse' },
    svg('path', { d: 'M0 0L8 4L0 8z' }));
  return svg(
    'svg',
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: 'waits-for', 'aria-hidden': true },
    svg('defs', {}, tip('tip'), tip('tip-round')),
    lines.filter(Boolean),
    boxes,
  );
}
