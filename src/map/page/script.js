"use strict";
(() => {
const data = JSON.parse(document.getElementById("data").textContent);
const $ = id => document.getElementById(id);
const canvas = $("map"), stage = $("stage"), card = $("card"), pen = canvas.getContext("2d");
const count = data.names.length, SPAN = 65535, TURN = 2.399963229728653, WIDEST = 22;
// What is seen: a place (x, y) of the map is drawn at (x * zoom + left, y * zoom + top), in pixels of the page.
let zoom = 1, left = 0, top = 0, fitted = 1, wide = 1, high = 1, ratio = 1;
let column = data.columns[data.coloured], only = null, matches = null, over = -1, kept = -1, colors = {}, sprites = [], waiting = false;

// ---- places -------------------------------------------------------------------------------------------------------
const lowest = [Infinity, Infinity], highest = [-Infinity, -Infinity];
const extend = (x, y) => {
  lowest[0] = Math.min(lowest[0], x); lowest[1] = Math.min(lowest[1], y);
  highest[0] = Math.max(highest[0], x); highest[1] = Math.max(highest[1], y);
};
for (let at = 0; at < count; at++) extend(data.x[at], data.y[at]);
for (const one of data.newcomers) extend(one.x, one.y);
const radius = () => Math.max(data.radius, Math.min(5.5, data.radius * Math.pow(Math.max(1, zoom / fitted), 0.6)));
const asideX = [], asideY = [];
function spread() {
  const size = radius();
  for (let at = 0; at < count; at++) {
    const step = Math.min(1.7 * size, WIDEST / Math.sqrt(data.equal[at])) * Math.sqrt(data.before[at]);
    asideX[at] = step * Math.cos(TURN * data.before[at]);
    asideY[at] = step * Math.sin(TURN * data.before[at]);
  }
}
const screenX = at => data.x[at] * zoom + left + asideX[at];
const screenY = at => data.y[at] * zoom + top + asideY[at];

// Points by cells of a grid, so that the one under the pointer is found at once.
const CELLS = 128, cellOf = value => Math.min(CELLS - 1, Math.max(0, Math.floor(value / (SPAN + 1) * CELLS)));
const starts = new Uint32Array(CELLS * CELLS + 1), inCells = new Uint32Array(count);
{
  const cell = at => cellOf(data.y[at]) * CELLS + cellOf(data.x[at]);
  for (let at = 0; at < count; at++) starts[cell(at) + 1]++;
  for (let c = 0; c < CELLS * CELLS; c++) starts[c + 1] += starts[c];
  const next = starts.slice();
  for (let at = 0; at < count; at++) inCells[next[cell(at)]++] = at;
}

function nearest(x, y) {
  const reach = 8 + radius(), far = reach + WIDEST;
  const from = [cellOf((x - far - left) / zoom), cellOf((y - far - top) / zoom)];
  const to = [cellOf((x + far - left) / zoom), cellOf((y + far - top) / zoom)];
  let best = -1, least = reach * reach;
  const offer = (at, px, py) => {
    const distance = (px - x) ** 2 + (py - y) ** 2;
    if (distance < least) { least = distance; best = at; }
  };
  for (let row = from[1]; row <= to[1]; row++)
    for (let cell = row * CELLS + from[0]; cell <= row * CELLS + to[0]; cell++)
      for (let entry = starts[cell]; entry < starts[cell + 1]; entry++)
        if (isShown(inCells[entry])) offer(inCells[entry], screenX(inCells[entry]), screenY(inCells[entry]));
  data.newcomers.forEach((one, number) => offer(count + number, one.x * zoom + left, one.y * zoom + top));
  return best;
}

// ---- drawing ------------------------------------------------------------------------------------------------------
const classOf = at => column.classes.charCodeAt(at) - 65;
const isShown = at => (only === null || classOf(at) === only) && (matches === null || matches[at] === 1);

function trace(context, shape, x, y, size) {
  context.beginPath();
  if (shape === "square") { const half = 0.89 * size; context.rect(x - half, y - half, 2 * half, 2 * half); }
  else if (shape === "triangle") {
    const half = 1.25 * size, tall = 2.2 * size;
    context.moveTo(x, y - 0.62 * tall); context.lineTo(x + half, y + 0.38 * tall); context.lineTo(x - half, y + 0.38 * tall); context.closePath();
  } else if (shape === "diamond") {
    const half = 1.25 * size;
    context.moveTo(x, y - half); context.lineTo(x + half, y); context.lineTo(x, y + half); context.lineTo(x - half, y); context.closePath();
  } else context.arc(x, y, size, 0, 2 * Math.PI);
}

function readColors() {
  const style = getComputedStyle(document.documentElement);
  colors = { classes: data.shapes.map((_, c) => style.getPropertyValue("--c" + c).trim()) };
  for (const name of ["paper", "ink", "soft"]) colors[name] = style.getPropertyValue("--" + name).trim();
  sprites = [];
}

// Each class is drawn once and copied to its places: 100,000 points stay smooth.
function sprite(c, faint) {
  const key = c * 2 + (faint ? 1 : 0);
  if (sprites[key]) return sprites[key];
  const size = radius(), room = Math.ceil(size * 1.5 + 2);
  const image = document.createElement("canvas");
  image.width = image.height = Math.ceil(2 * room * ratio);
  const context = image.getContext("2d");
  context.scale(ratio, ratio);
  trace(context, data.shapes[c], room, room, size);
  context.fillStyle = colors.classes[faint ? data.missing : c];
  context.globalAlpha = faint ? 0.55 : count > 20000 ? 0.85 : 0.95;
  context.fill();
  if (!faint && size > 1.4) { context.lineWidth = Math.min(1, size * 0.25); context.strokeStyle = colors.paper; context.stroke(); }
  return sprites[key] = { image, room };
}

function draw() {
  waiting = false;
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, wide, high);
  const put = (at, faint) => {
    const { image, room } = sprite(classOf(at), faint), x = screenX(at), y = screenY(at);
    if (x > -room && y > -room && x < wide + room && y < high + room) pen.drawImage(image, x - room, y - room, 2 * room, 2 * room);
  };
  if (only !== null || matches !== null) for (let at = 0; at < count; at++) if (!isShown(at)) put(at, true);
  for (const c of column.drawn) for (const at of byClass[c]) if (isShown(at)) put(at, false);
  for (const one of data.newcomers) {
    const x = one.x * zoom + left, y = one.y * zoom + top;
    pen.strokeStyle = colors.ink; pen.lineWidth = 2;
    for (const size of [9, 2]) { pen.beginPath(); pen.arc(x, y, size, 0, 2 * Math.PI); pen.stroke(); }
    pen.font = "600 13px system-ui,sans-serif"; pen.textBaseline = "middle"; pen.textAlign = x > wide - 220 ? "right" : "left";
    const text = (one.name.length > 32 ? one.name.slice(0, 31) + "\u2026" : one.name) + " (approximate)", to = x > wide - 220 ? x - 14 : x + 14;
    pen.lineWidth = 4; pen.strokeStyle = colors.paper; pen.lineJoin = "round"; pen.strokeText(text, to, y);
    pen.fillStyle = colors.ink; pen.fillText(text, to, y);
  }
  const marked = kept >= 0 ? kept : over;
  if (marked >= 0 && marked < count) {
    trace(pen, "circle", screenX(marked), screenY(marked), radius() + 4);
    pen.strokeStyle = colors.ink; pen.lineWidth = 2; pen.stroke();
  }
}
const redraw = () => { if (!waiting) { waiting = true; requestAnimationFrame(draw); } };

let byClass = [];
function sortByClass() {
  byClass = data.shapes.map(() => []);
  for (let at = 0; at < count; at++) byClass[classOf(at)].push(at);
}

// ---- moving -------------------------------------------------------------------------------------------------------
function fit(points) {
  let low = lowest, top_ = highest;
  if (points) {
    low = [Infinity, Infinity]; top_ = [-Infinity, -Infinity];
    for (const at of points) {
      low = [Math.min(low[0], data.x[at]), Math.min(low[1], data.y[at])];
      top_ = [Math.max(top_[0], data.x[at]), Math.max(top_[1], data.y[at])];
    }
  }
  const margin = 34, size = [Math.max(top_[0] - low[0], SPAN / 60), Math.max(top_[1] - low[1], SPAN / 60)];
  const next = Math.min((wide - 2 * margin) / size[0], (high - 2 * margin) / size[1]);
  if (!points) fitted = next;
  zoom = Math.max(next, 1e-6);
  left = wide / 2 - (low[0] + top_[0]) / 2 * zoom;
  top = high / 2 - (low[1] + top_[1]) / 2 * zoom;
  moved();
}
function moved() { sprites = []; spread(); showCard(); redraw(); }
function zoomAt(x, y, factor) {
  const next = Math.min(fitted * 400, Math.max(fitted * 0.5, zoom * factor));
  left = x - (x - left) * next / zoom; top = y - (y - top) * next / zoom; zoom = next;
  moved();
}
function resize() {
  const box = stage.getBoundingClientRect(), was = [wide, high];
  wide = Math.max(1, box.width); high = Math.max(1, box.height); ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(wide * ratio); canvas.height = Math.round(high * ratio);
  if (was[0] === 1) fit(); else { left += (wide - was[0]) / 2; top += (high - was[1]) / 2; moved(); }
}

const pointers = new Map();
let travelled = 0;
const place = event => { const box = canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
canvas.addEventListener("pointerdown", event => {
  pointers.set(event.pointerId, place(event)); travelled = 0;
  try { canvas.setPointerCapture(event.pointerId); } catch (_) { /* a pointer that is gone already */ }
});
canvas.addEventListener("pointermove", event => {
  const now = place(event), before = pointers.get(event.pointerId);
  if (!before) { point(now); return; }
  if (pointers.size === 1) {
    left += now[0] - before[0]; top += now[1] - before[1];
    canvas.classList.add("moving");
  } else {
    const other = [...pointers].find(([id]) => id !== event.pointerId)[1];
    const length = p => Math.hypot(p[0] - other[0], p[1] - other[1]);
    zoomAt((now[0] + other[0]) / 2, (now[1] + other[1]) / 2, length(now) / Math.max(1, length(before)));
  }
  travelled += Math.abs(now[0] - before[0]) + Math.abs(now[1] - before[1]);
  pointers.set(event.pointerId, now);
  moved();
});
const lift = event => {
  const was = pointers.delete(event.pointerId);
  canvas.classList.remove("moving");
  if (was && event.type === "pointerup" && travelled < 5) {
    point(place(event));
    kept = over === kept ? -1 : over;
    showCard(); redraw();
  }
};
canvas.addEventListener("pointerup", lift);
canvas.addEventListener("pointercancel", lift);
canvas.addEventListener("pointerleave", () => { if (!pointers.size) { over = -1; showCard(); redraw(); } });
canvas.addEventListener("wheel", event => {
  event.preventDefault();
  const lines = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 400 : 1;
  zoomAt(...place(event), Math.exp(-event.deltaY * lines * 0.0016));
}, { passive: false });
canvas.addEventListener("dblclick", event => zoomAt(...place(event), 2));
canvas.addEventListener("keydown", event => {
  const step = 60, keys = {
    ArrowLeft: () => left += step, ArrowRight: () => left -= step, ArrowUp: () => top += step, ArrowDown: () => top -= step,
    "+": () => zoomAt(wide / 2, high / 2, 1.4), "=": () => zoomAt(wide / 2, high / 2, 1.4),
    "-": () => zoomAt(wide / 2, high / 2, 1 / 1.4), 0: () => fit(), Escape: () => { kept = -1; only = null; $("find").value = ""; find(); legend(); },
  };
  if (keys[event.key] && !event.ctrlKey && !event.metaKey) { keys[event.key](); moved(); event.preventDefault(); }
});
$("in").onclick = () => zoomAt(wide / 2, high / 2, 1.6);
$("out").onclick = () => zoomAt(wide / 2, high / 2, 1 / 1.6);
$("all").onclick = () => fit();

function point(at) {
  const found = nearest(...at);
  canvas.classList.toggle("over", found >= 0);
  if (found !== over) { over = found; showCard(); redraw(); }
}

// ---- the card -----------------------------------------------------------------------------------------------------
function digits(value) {
  if (!value) return "0";
  return value.toFixed(Math.max(0, Math.min(9, 2 - Math.floor(Math.log10(Math.abs(value))))));
}
function scaled(value, units) {
  let use = units[0];
  for (const unit of units) if (Math.abs(value) >= 0.9995 * unit[0]) use = unit;
  return digits(value / use[0]) + " " + use[1];
}
const SHOWN = {
  bytes: value => scaled(value, [[1, "B"], [1024, "KiB"], [1048576, "MiB"], [1073741824, "GiB"]]),
  seconds: value => scaled(value, [[1, "s"], [60, "min"], [3600, "h"], [86400, "d"]]),
  cores: value => digits(value) + " cores", machines: value => digits(value) + " machines",
};
const unitOf = name => (data.columns.find(one => one.name === name) || {}).unit || (name === "cpu" ? "cores" : "bytes");
const value = (one, at) => one.values[at] === null || one.values[at] === undefined ? null : one.unit === "words" ? one.words[one.values[at]] : SHOWN[one.unit](one.values[at]);

function element(name, text, kind) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (kind) made.className = kind;
  return made;
}
function drawn(name, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const key in attributes) made.setAttribute(key, attributes[key]);
  return made;
}
const level = c => c >= 97 ? c - 61 : c >= 65 ? c - 55 : c - 48;
function sparkline(title, most, steps, unit, kind) {
  const figure = element("figure", undefined, kind), caption = element("figcaption");
  caption.append(element("span", title), element("span", "at most " + SHOWN[unit](most)));
  const svg = drawn("svg", { viewBox: "0 0 100 34", preserveAspectRatio: "none", "aria-hidden": "true" });
  let line = "", area = "", begun = null;
  const close = x => { if (begun !== null) area += "L" + x + " 34L" + begun + " 34Z"; begun = null; };
  for (let step = 0; step < steps.length; step++) {
    const from = (step / steps.length * 100).toFixed(2), to = ((step + 1) / steps.length * 100).toFixed(2);
    if (steps[step] === "-") { close(from); continue; }
    const y = (32 - level(steps.charCodeAt(step)) / 61 * 30).toFixed(1), path = (begun === null ? "M" : "L") + from + " " + y + "H" + to;
    if (begun === null) begun = from;
    line += path; area += path;
  }
  close(100);
  svg.append(drawn("path", { class: "area", d: area }), drawn("path", { class: "line", d: line }));
  figure.append(caption, svg);
  return figure;
}
function outline(into, found, over_) {
  if (!found) return;
  if (found[0] !== null && found[1]) into.append(sparkline("CPU over " + over_, found[0], found[1], unitOf("cpu"), "cpu"));
  if (found[2] !== null && found[3]) into.append(sparkline("memory over " + over_, found[2], found[3], unitOf("memory"), "memory"));
}
function showCard() {
  const at = kept >= 0 ? kept : over;
  card.hidden = at < 0;
  if (at < 0) return;
  card.classList.toggle("kept", kept >= 0);
  const parts = document.createDocumentFragment(), list = element("dl");
  const row = (name, text) => { if (text !== null) list.append(element("dt", name), element("dd", text)); };
  let x, y;
  if (at < count) {
    [x, y] = [screenX(at), screenY(at)];
    parts.append(element("h3", data.names[at]));
    if (data.equal[at] > 1) parts.append(element("p", data.equal[at] + " workloads have this fingerprint", "note"));
    let life = null;
    for (const one of data.columns) {
      if (one.unit !== "none") row(one.name, value(one, at));
      if (one.name === "lifetime" && one.unit === "seconds") life = value(one, at);
    }
    parts.append(list);
    outline(parts, data.outlines[at], life || "its life");
  } else {
    const one = data.newcomers[at - count];
    [x, y] = [one.x * zoom + left, one.y * zoom + top];
    parts.append(element("h3", one.name), element("p", "not in the store, placed approximately among its nearest", "note"));
    one.nearest.slice(0, 5).forEach((name, number) => row(number ? "" : "nearest", name));
    parts.append(list);
    outline(parts, one.outline, "what was seen");
  }
  card.replaceChildren(parts);
  const box = card.getBoundingClientRect(), room = 16;
  const beside = x + room + box.width < wide ? x + room : x - room - box.width;
  card.style.left = Math.max(4, Math.min(beside, wide - box.width - 4)) + "px";
  card.style.top = Math.max(4, Math.min(y - box.height / 2, high - box.height - 4)) + "px";
}

// ---- colours and words --------------------------------------------------------------------------------------------
function legend() {
  $("legend-title").textContent = column.name;
  $("legend").replaceChildren(...column.legend.map(entry => {
    const item = element("li"), button = element("button"), mark = drawn("svg", { viewBox: "0 0 18 18", "aria-hidden": "true" });
    const shape = data.shapes[entry.class], fill = { fill: `var(--c${entry.class})` };
    mark.append(shape === "square" ? drawn("rect", { x: 4, y: 4, width: 10, height: 10, ...fill })
      : shape === "triangle" ? drawn("path", { d: "M9 2.5l6.6 11.8H2.4z", ...fill })
      : shape === "diamond" ? drawn("path", { d: "M9 2l7 7-7 7-7-7z", ...fill }) : drawn("circle", { cx: 9, cy: 9, r: 5.6, ...fill }));
    const label = element("span", entry.label, "label");
    label.title = entry.label;
    button.type = "button";
    button.setAttribute("aria-pressed", String(only === entry.class));
    button.append(mark, label, element("span", entry.count.toLocaleString("en"), "count"));
    button.onclick = () => { only = only === entry.class ? null : entry.class; kept = over = -1; legend(); showCard(); redraw(); };
    item.append(button);
    return item;
  }));
}
function find() {
  const wanted = $("find").value.trim().toLowerCase();
  matches = null;
  $("found").textContent = "";
  if (wanted) {
    matches = new Uint8Array(count);
    const columns = data.columns.filter(one => one.unit === "words");
    const words = columns.map(one => one.words.map(word => word.toLowerCase().includes(wanted)));
    let total = 0;
    for (let at = 0; at < count; at++) {
      const fits = data.names[at].toLowerCase().includes(wanted) || columns.some((one, c) => one.values[at] !== null && words[c][one.values[at]]);
      if (fits) { matches[at] = 1; total++; }
    }
    $("found").textContent = total.toLocaleString("en") + (total === 1 ? " workload" : " workloads") + (total ? ", Enter shows them" : "");
  }
  redraw();
}
data.columns.forEach((one, number) => {
  const option = element("option", one.name);
  option.value = number;
  $("by").append(option);
});
$("by").value = data.coloured;
$("by").onchange = event => { column = data.columns[event.target.value]; only = null; sortByClass(); legend(); redraw(); };
$("find").oninput = () => { kept = over = -1; showCard(); find(); };
$("find").onkeydown = event => {
  if (event.key === "Escape") { $("find").value = ""; find(); }
  if (event.key === "Enter" && matches) {
    const all = [];
    for (let at = 0; at < count; at++) if (matches[at]) all.push(at);
    if (all.length) { fit(all); zoomAt(wide / 2, high / 2, 0.85); }
  }
};
const dark = matchMedia("(prefers-color-scheme: dark)");
const recolor = () => { readColors(); redraw(); };
dark.addEventListener("change", recolor);
$("theme").onclick = () => {
  const root = document.documentElement, isDark = root.dataset.theme ? root.dataset.theme === "dark" : dark.matches;
  root.dataset.theme = isDark ? "light" : "dark";
  recolor();
};

readColors();
sortByClass();
legend();
new ResizeObserver(resize).observe(stage);
resize();
})();
