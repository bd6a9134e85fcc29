// A stage whose picture depends on nothing but the time: `seek(t)` draws second t. So a frame can be taken in any order,
// twice the same, and a film is made again by one command.
"use strict";

const svg = document.querySelector("#stage");
const tracks = [];
window.film = { seconds: 0, cues: [] };

function node(tag, attributes = {}, parent = svg, text = null) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== null) made.textContent = text;
  parent.append(made);
  return made;
}

const clamp = (x) => Math.min(1, Math.max(0, x));
const ease = (x) => x * x * (3 - 2 * x);
/** How far t is from a to b, from 0 to 1, slow at both ends. */
const part = (t, a, b) => ease(clamp((t - a) / (b - a)));

/** The values at t of frames [[time, value, …], …], eased between neighbours. */
function between(frames, t) {
  if (t <= frames[0][0]) return frames[0].slice(1);
  for (let i = 1; i < frames.length; i++) {
    const [start, end] = [frames[i - 1], frames[i]];
    if (t <= end[0]) {
      const u = part(t, start[0], end[0]);
      return start.slice(1).map((from, n) => from + (end[n + 1] - from) * u);
    }
  }
  return frames[frames.length - 1].slice(1);
}

/** Opacity at t for spans [[in, out], …] with half a second of fading inside each end. */
function shown(spans, t) {
  let most = 0;
  for (const [from, to] of spans) {
    if (t >= from && t <= to) most = Math.max(most, Math.min(clamp((t - from) / 0.5), clamp((to - t) / 0.4)));
  }
  return ease(most);
}

/** Something on stage: `show` spans, `at` frames [t, x, y], `draw(t)` for anything else. */
function actor(group, { show = null, at = null, draw = null } = {}) {
  tracks.push((t) => {
    const opacity = show ? shown(show, t) : 1;
    group.style.display = opacity <= 0.001 ? "none" : "";
    group.style.opacity = opacity;
    if (at) group.setAttribute("transform", `translate(${between(at, t).map((v) => v.toFixed(2)).join(" ")})`);
    if (draw) draw(t, group);
  });
  return group;
}

function words(x, y, text, { kind = "sub", align = "middle", show, at, extra = "" } = {}) {
  const group = node("g");
  text.split("\n").forEach((line, n) =>
    node("text", { x, y: y + n * 38, class: `${kind} ${align} ${extra}` }, group, line));
  return actor(group, { show, at });
}

const title = (text, from, to) => words(80, 100, text, { kind: "title", align: "", show: [[from, to]] });

/** A line that is drawn from its first point to its last between two times. */
function wire(points, { show, from, to, dashed = false, accent = false } = {}) {
  const group = node("g");
  const line = node("polyline", {
    points: points.map((p) => p.join(",")).join(" "), fill: "none",
    stroke: accent ? "var(--accent)" : "var(--line)", "stroke-width": 5, "stroke-linecap": "round", "stroke-linejoin": "round",
  }, group);
  const length = line.getTotalLength();
  return actor(group, {
    show,
    draw: (t) => {
      const u = from === undefined ? 1 : part(t, from, to);
      line.style.strokeDasharray = dashed && u === 1 ? "4 16" : `${length * u} ${length + 10}`;
    },
  });
}

/** A labelled piece of paper that travels: the accent marks what the film is about. */
function chip(text, { show, at, quiet = false, width = null, mono = true } = {}) {
  const group = node("g");
  const wide = width ?? text.length * (mono ? 17 : 15) + 44;
  node("rect", {
    x: -wide / 2, y: -29, width: wide, height: 58, rx: 12,
    fill: quiet ? "var(--surface)" : "var(--accent)", stroke: "var(--accent)", "stroke-width": 3,
  }, group);
  const label = node("text", { y: 10, class: `${mono ? "mono" : "label"} middle` }, group, text);
  label.style.fill = quiet ? "var(--ink)" : "#fffcf5";
  return actor(group, { show, at });
}

// Things one can point at, each drawn around its own middle.

const line = { fill: "var(--surface)", stroke: "var(--ink)", "stroke-width": 5, "stroke-linejoin": "round" };

function phone(parent) {
  const g = node("g", {}, parent);
  node("rect", { x: -62, y: -112, width: 124, height: 224, rx: 20, ...line }, g);
  node("rect", { x: -20, y: -98, width: 40, height: 7, rx: 3, fill: "var(--ink)" }, g);
  return g;
}

function server(parent, { x = 0, y = 0 } = {}) {
  const g = node("g", { transform: `translate(${x} ${y})` }, parent);
  for (const row of [-1, 0, 1]) {
    node("rect", { x: -68, y: row * 48 - 22, width: 136, height: 44, rx: 9, ...line }, g);
    node("circle", { cx: -44, cy: row * 48, r: 7, fill: "var(--ink)" }, g);
    node("line", { x1: -16, x2: 48, y1: row * 48, y2: row * 48, stroke: "var(--line)", "stroke-width": 6, "stroke-linecap": "round" }, g);
  }
  return g;
}

function database(parent, { x = 0, y = 0, scale = 1 } = {}) {
  const g = node("g", { transform: `translate(${x} ${y}) scale(${scale})` }, parent);
  node("path", { d: "M-62,-52 V52 A62,22 0 0 0 62,52 V-52", ...line }, g);
  node("path", { d: "M-62,0 A62,22 0 0 0 62,0", ...line, fill: "none" }, g);
  node("ellipse", { cx: 0, cy: -52, rx: 62, ry: 22, ...line }, g);
  return g;
}

function book(parent) {
  const g = node("g", {}, parent);
  node("path", { d: "M0,-52 C-28,-74 -66,-74 -88,-62 V58 C-66,46 -28,46 0,66 C28,46 66,46 88,58 V-62 C66,-74 28,-74 0,-52 Z", ...line }, g);
  node("path", { d: "M0,-52 V66", ...line }, g);
  for (const y of [-30, -4, 22]) {
    node("path", { d: `M-66,${y - 8} Q-42,${y - 12} -22,${y} M22,${y} Q42,${y - 12} 66,${y - 8}`, fill: "none", stroke: "var(--line)", "stroke-width": 5, "stroke-linecap": "round" }, g);
  }
  return g;
}

function gate(parent) {
  const g = node("g", {}, parent);
  node("path", { d: "M-70,74 V-14 A70,70 0 0 1 70,-14 V74 Z", ...line }, g);
  node("path", { d: "M0,60 V6 M0,6 L-30,-26 M0,6 L30,-26", fill: "none", stroke: "var(--accent)", "stroke-width": 8, "stroke-linecap": "round" }, g);
  return g;
}

function cross(parent) {
  return node("path", { d: "M-58,-58 L58,58 M58,-58 L-58,58", stroke: "var(--accent)", "stroke-width": 14, "stroke-linecap": "round", fill: "none" }, parent);
}

/** Ends the script of a film: its length in seconds and its captions [[start, text], …], each until the next. */
function premiere(seconds, cues) {
  window.film = { seconds, cues };
  window.seek = (t) => { for (const track of tracks) track(t); };
  window.seek(Number(new URLSearchParams(location.search).get("t") ?? 0));
  if (new URLSearchParams(location.search).has("play")) {
    const start = performance.now();
    const next = () => { window.seek(((performance.now() - start) / 1000) % seconds); requestAnimationFrame(next); };
    next();
  }
}
