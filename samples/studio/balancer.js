// Film 2: one server too few, a load balancer, a failure, a replacement. Dots are requests.
"use strict";
const END = 76;
const inkDot = { r: 13, fill: "var(--accent)" };

words(640, 300, "Sharing the work", { kind: "huge", show: [[0.2, 5.2]] });
words(640, 366, "why there is never only one server", { kind: "sub", show: [[1, 5.2]] });

function dot(frames, show) { actor(node("circle", inkDot), { show, at: frames }); }
function place(make, x, y, label, show) {
  const g = node("g"); make(g);
  actor(g, { show, at: [[0, x, y], [1, x, y]] });
  if (label) words(x, y + 122, label, { kind: "label", show });
  return g;
}

// One server
title("One server", 5.6, 22);
place(server, 1010, 330, "10 requests a second", [[5.8, 22]]);
words(220, 500, "readers", { kind: "label", show: [[6, 22]] });
wire([[330, 330], [925, 330]], { show: [[6, 22]], from: 6, to: 7 });
for (const [n, y] of [[0, 230], [1, 330], [2, 410]]) {
  const g = node("g"); phone(g).setAttribute("transform", "scale(.4)");
  actor(g, { show: [[6 + n * 0.2, 22]], at: [[0, [160, 270, 170][n], y]] });
}
// calm: six requests pass one by one
for (let n = 0; n < 6; n++) dot([[7 + n * 0.75, 330, 330], [8.4 + n * 0.75, 925, 330]], [[6.8 + n * 0.75, 8.5 + n * 0.75]]);
// rush: fifteen come a second, ten leave; the rest queue up from the server backwards
const QUEUE = 24;
for (let n = 0; n < QUEUE; n++) {
  const start = 12.4 + n * 0.26, column = n % 12, row = Math.floor(n / 12);
  dot([[start, 330, 330 + (n % 3 - 1) * 34], [start + 1.2, 900 - column * 46, 312 + row * 40]], [[start - 0.2, 22]]);
}
words(640, 540, "15 a second arrive, 10 are answered", { kind: "label", show: [[12.6, 22]] });
const waiting = words(1190, 170, "0 waiting", { kind: "number", align: "end", extra: "accent", show: [[13.2, 22]] });
actor(waiting, { show: [[13.2, 22]], draw: (t) => { waiting.firstChild.textContent = `${Math.floor(clamp((t - 13) / 8) * 40)} waiting`; } });

// Load balancer and two servers
title("Two servers and a load balancer", 22.4, 37);
place(gate, 480, 350, "load balancer", [[22.8, 58.5]]);
place(server, 960, 240, "", [[24, 66]]);
words(1050, 250, "A", { kind: "number", align: "", show: [[24, 66]] });
const second = place(server, 960, 470, "", [[24.6, 50]]);
words(1050, 480, "B", { kind: "number", align: "", show: [[24.6, 50]] });
wire([[150, 350], [400, 350]], { show: [[23, 58.5]], from: 23, to: 24 });
wire([[560, 340], [875, 245]], { show: [[24.4, 58.5]], from: 24.4, to: 25.4 });
wire([[560, 360], [875, 465]], { show: [[25, 46]], from: 25, to: 26 });
wire([[560, 360], [875, 465]], { show: [[45.6, 50]], dashed: true });
function pass(start, up, last = null) {
  const target = up ? [870, 246] : [870, 464];
  dot([[start, 150, 350], [start + 1.1, 400, 350], [start + 1.6, 560, up ? 340 : 360], [start + 2.6, ...target]], [[start - 0.2, last ?? start + 2.8]]);
}
for (let n = 0; n < 13; n++) pass(26 + n * 0.75, n % 2 === 0);
words(720, 226, "one half", { kind: "label", show: [[28, 36.8]] });
words(720, 504, "the other half", { kind: "label", show: [[28, 36.8]] });

// Failure
title("Server B stops answering", 37.4, 50);
const broken = node("g"); cross(broken);
actor(broken, { show: [[38, 50]], at: [[0, 960, 470], [1, 960, 470]] });
function ask(t0, y, good) {
  chip("well?", { quiet: true, show: [[t0, t0 + 2.6]], at: [[t0, 600, y === 240 ? 320 : 380], [t0 + 1.2, 800, y === 240 ? 262 : 448]] });
  words(800, y === 240 ? 200 : 560, good ? "200 OK" : "no answer", { kind: "label", extra: good ? "good" : "accent", show: [[t0 + 1.3, t0 + 3]] });
}
ask(39.2, 240, true); ask(39.2, 470, false); ask(43, 240, true); ask(43, 470, false);
words(150, 230, "health check every 10 s", { align: "", show: [[39.4, 50]] });
words(150, 480, "two misses:", { align: "", show: [[45.4, 50]] });
words(150, 520, "taken out", { align: "", kind: "label", extra: "accent", show: [[45.8, 50]] });
for (let n = 0; n < 9; n++) pass(46.2 + n * 0.75, true);

// Replacement
title("A new server takes its place", 50.4, 66);
place(server, 960, 470, "", [[52, 66]]);
words(1050, 480, "C", { kind: "number", align: "", extra: "accent", show: [[52, 66]] });
wire([[560, 360], [875, 465]], { show: [[54.4, 58.5]], from: 54.4, to: 55.4, dashed: true });
chip("well?", { quiet: true, show: [[53.4, 55.4]], at: [[53.4, 600, 380], [54.6, 800, 448]] });
words(800, 560, "200 OK", { kind: "label", extra: "good", show: [[54.8, 57.4]] });
place(gate, 480, 350, "load balancer", [[58, 66]]);
wire([[150, 350], [400, 350]], { show: [[58, 66]] });
wire([[560, 340], [875, 245]], { show: [[58, 66]] });
wire([[560, 360], [875, 465]], { show: [[57.6, 66]], from: 57.6, to: 58.2 });
for (let n = 0; n < 9; n++) pass(56.6 + n * 0.75, n % 2 === 0);

// Sum
title("Three jobs of a load balancer", 66.4, END + 2);
[["Share", "every request goes to a server that has time"], ["Check", "it asks each server how it is, all the time"],
  ["Replace", "what fails is taken out; readers never notice"]].forEach(([head, text], n) => {
  const y = 225 + n * 120, show = [[67.2 + n * 1.6, END + 2]];
  const bar = node("rect", { x: 90, y: y - 44, width: 8, height: 74, fill: "var(--accent)" });
  actor(bar, { show });
  words(124, y, head, { kind: "title", align: "", show });
  words(360, y - 2, text, { kind: "label", align: "", show });
});

premiere(END, [
  [0.6, "One good server can do a great deal. So why does nobody run a busy site on only one?"],
  [5.8, "This one answers ten requests a second. While fewer arrive, nobody has to wait."],
  [12.4, "Then the bell rings, and fifteen readers a second arrive. Five too many, every second."],
  [17.2, "Nobody is turned away, but the queue grows. After eight seconds forty people are waiting."],
  [22.6, "A second server doubles the hands. But a browser knows only one address."],
  [27.2, "So a load balancer takes that address, and passes each request on to one of the two."],
  [31.8, "Each server now gets half the requests. A third server would simply join in."],
  [37.2, "Now server B breaks down: a full disk, a bad release, a power cut."],
  [41, "The load balancer notices: every ten seconds it asks each server how it is."],
  [45.8, "After two missed answers B gets no more requests. A carries all of them for a while."],
  [50.6, "Meanwhile the group of servers starts a new one, C, from the same recipe as B."],
  [54.8, "C gets no reader until it has answered its health check. Then it joins."],
  [59.6, "B is thrown away. Nobody repaired it at night, because nothing was kept on it."],
  [66.4, "Share, check, replace. That works only if servers keep nothing of their own."],
  [70.8, "Whatever must last is kept elsewhere: in the database. That is the next lesson."],
]);
