// Film 3: one bad afternoon. What a backup gives back, what it does not, and how long it takes.
"use strict";
const END = 72;

words(640, 300, "The bad afternoon", { kind: "huge", show: [[0.2, 5.2]] });
words(640, 366, "what a backup is worth", { kind: "sub", show: [[1, 5.2]] });

// The day as a line; x of an hour
const hour = (h) => 110 + (h / 24) * 1060;
const Y = 430;
title("Thursday", 5.6, 49);
wire([[110, Y], [1170, Y]], { show: [[5.8, 49]], from: 5.8, to: 7.2 });
for (const h of [0, 6, 12, 18, 24]) {
  const g = node("g");
  node("line", { x1: hour(h), x2: hour(h), y1: Y - 12, y2: Y + 12, stroke: "var(--ink)", "stroke-width": 5, "stroke-linecap": "round" }, g);
  node("text", { x: hour(h), y: Y + 54, class: "sub middle" }, g, `${h}:00`);
  actor(g, { show: [[6.2 + h / 24, 49]] });
}

// The working database follows the clock
const now = [[7, hour(0)], [9.5, hour(3)], [13, hour(3)], [17.5, hour(14.33)], [30, hour(14.33)], [31, hour(15)]];
const live = node("g");
database(live, { scale: 0.72 });
actor(live, { show: [[7, 24.2], [33.6, 49]], draw: (t) => live.setAttribute("transform", `translate(${between(now, t)[0].toFixed(1)} 320)`) });

// 3:00 the backup
const copy = node("g");
database(copy, { scale: 0.5 });
node("circle", { cx: 0, cy: 52, r: 0, fill: "none" }, copy);
actor(copy, { show: [[9.8, 49]], at: [[10, hour(3), 320], [11.5, hour(3), 190]] });
words(hour(3) + 52, 186, "backup, 3:00", { kind: "label", align: "", show: [[11.3, 49]] });
words(hour(3) + 52, 222, "kept elsewhere", { align: "", show: [[11.6, 24]] });

// Work of the morning
const changes = node("g");
for (let n = 0; n < 34; n++) {
  const x = hour(3.4 + n * 0.32);
  const tick = node("line", { x1: x, x2: x, y1: Y - 34, y2: Y - 8, stroke: "var(--muted)", "stroke-width": 5, "stroke-linecap": "round" }, changes);
  actor(tick, { draw: (t) => { tick.style.opacity = part(t, 13.2 + n * 0.13, 13.5 + n * 0.13); tick.setAttribute("stroke", t > 37.2 + n * 0.11 && t < 60 ? "var(--good)" : t > 24.4 ? "var(--accent)" : "var(--muted)"); } });
}
actor(changes, { show: [[13, 49]] });

// 14:20
chip("DELETE FROM marks;", { show: [[18, 24.2]], at: [[18, hour(14.33) + 60, 220], [19, hour(14.33) + 20, 230]] });
const bang = node("g"); cross(bang).setAttribute("transform", "scale(.8)");
actor(bang, { show: [[20, 24.2]], at: [[0, hour(14.33), 320], [1, hour(14.33), 320]] });
words(hour(14.33) + 14, 520, "14:20", { kind: "label", extra: "accent", show: [[18.4, 49]] });
const mark = node("line", { x1: hour(14.33), x2: hour(14.33), y1: Y - 46, y2: Y + 20, stroke: "var(--accent)", "stroke-width": 6 });
actor(mark, { show: [[18.4, 49]] });

// How much is lost
const span = node("g");
node("path", { d: `M${hour(3)},${Y - 58} v-16 H${hour(14.33)} v16`, fill: "none", stroke: "var(--accent)", "stroke-width": 5 }, span);
actor(span, { show: [[24.6, 36.4]] });
words((hour(3) + hour(14.33)) / 2, Y - 92, "11 h 20 min of work lost", { kind: "label", extra: "accent", show: [[25, 36.4]] });

// How long it takes
const repair = node("rect", { x: hour(14.33), y: Y - 34, width: 10, height: 26, rx: 5, fill: "var(--ink)" });
actor(repair, { show: [[31, 36.4], [42, 49]], draw: (t) => repair.setAttribute("width", ((hour(15) - hour(14.33)) * part(t, 31, 33)).toFixed(1)) });
words(hour(15) + 56, 308, "back at 15:00", { kind: "label", align: "", show: [[32.6, 49]] });
words(hour(15) + 56, 346, "40 min to restore", { align: "", show: [[33, 49]] });

// The log
words(hour(3) + 52, 222, "plus the log of every change since", { align: "", show: [[37, 49]] });
words((hour(3) + hour(14.33)) / 2, Y - 64, "replayed up to 14:19", { kind: "label", extra: "good", show: [[41, 49]] });

// Two numbers
title("Two numbers to agree on beforehand", 49.4, 61);
words(100, 280, "RPO", { kind: "number", align: "", extra: "accent", show: [[50, 61]] });
words(290, 262, "how much work may be lost", { kind: "label", align: "", show: [[50.4, 61]] });
words(290, 302, "here 11 hours with the backup, 1 minute with the log", { align: "", show: [[51, 61]] });
words(100, 440, "RTO", { kind: "number", align: "", extra: "accent", show: [[54.4, 61]] });
words(290, 422, "how long it may take until all works again", { kind: "label", align: "", show: [[54.8, 61]] });
words(290, 462, "here 40 minutes, because somebody had practised it", { align: "", show: [[55.4, 61]] });

// Practice
words(640, 270, "A backup that nobody", { kind: "huge", show: [[61.6, END + 2]] });
words(640, 360, "has restored is a hope.", { kind: "huge", show: [[61.6, END + 2]] });
words(640, 450, "Restore one, on an ordinary day, and write down the time.", { kind: "label", extra: "accent", show: [[64.6, END + 2]] });

premiere(END, [
  [0.6, "Everybody has backups. This is about the afternoon on which you need one."],
  [5.8, "It is Thursday. The database of a school holds the marks of the term."],
  [10, "At three in the morning a copy is made and kept in another place."],
  [13.4, "From then on people work. Every mark entered is a change the copy does not have."],
  [18, "Twenty past two: a command in the wrong window. The marks are gone."],
  [22, "The database only did what it was told."],
  [25, "The copy from three o'clock is safe. But eleven hours of work are not in it."],
  [30.6, "Restoring takes time as well: start a new database from the copy. Forty minutes."],
  [36.6, "Can we lose less? Yes: a database also writes a log of each change it makes."],
  [41, "Put the copy back, then replay the log, and stop one minute before the mistake."],
  [45.2, "That is called point-in-time recovery. One minute is lost instead of half a day."],
  [49.6, "So there are two numbers. The recovery point: how much work may we lose?"],
  [54.6, "And the recovery time: how long may we be away? Both are agreed on before the bad day."],
  [61.2, "Neither number is true until somebody has tried."],
  [64.6, "Pick an ordinary day, restore last night's backup, look at the clock, and write it down."],
]);
