// Film 1: a web page's journey, from the tap to the picture, in four steps and one sum.
"use strict";
const END = 80;

// Opening
words(640, 300, "A page in one minute", { kind: "huge", show: [[0.2, 5.6]] });
words(640, 366, "what happens between the tap and the picture", { kind: "sub", show: [[1, 5.6]] });

// The reader's phone stays on stage until the sum
const reader = node("g");
phone(reader);
for (const [n, wide] of [72, 90, 60, 84, 90, 50].entries()) {
  const row = node("rect", { x: -46, y: -62 + n * 26, width: wide, height: 12, rx: 6, fill: n ? "var(--line)" : "var(--accent)" }, reader);
  actor(row, { draw: (t) => { row.style.opacity = part(t, 61.5 + n * 0.5, 62 + n * 0.5); } });
}
actor(reader, { show: [[6, 67]], at: [[6, 170, 360], [7, 170, 360]] });
words(170, 520, "you", { kind: "label", show: [[6.3, 67]] });

// 1 The address
title("1  Ask for the address", 6.3, 20.5);
const names = node("g");
book(names);
actor(names, { show: [[8.5, 20.5]], at: [[8, 1010, 350], [9, 1010, 350]] });
words(1010, 470, "the name system", { kind: "label", show: [[8.8, 20.5]] });
words(1010, 508, "(DNS)", { show: [[8.8, 20.5]] });
wire([[250, 350], [900, 350]], { show: [[9.5, 20.5]], from: 9.5, to: 10.5 });
chip("library.example ?", { show: [[10.5, 14.2]], at: [[10.5, 330, 300], [11.2, 330, 300], [13.6, 800, 300]] });
chip("203.0.113.10", { quiet: true, show: [[14.4, 20.5]], at: [[14.6, 800, 402], [17, 420, 402]] });

// 2 Packets
title("2  Cut the question into packets", 21, 38);
const far = node("g");
server(far);
actor(far, { show: [[21.5, 38]], at: [[21, 1110, 350], [22, 1110, 350]] });
words(1110, 470, "203.0.113.10", { kind: "mono", show: [[22, 38]] });
const routers = [[470, 260], [470, 450], [690, 230], [720, 360], [690, 490], [920, 270], [920, 450]];
const roads = [[[250, 350], [470, 260], [690, 230], [920, 270], [1030, 340]], [[250, 350], [470, 450], [720, 360], [920, 270], [1030, 340]],
  [[250, 350], [470, 450], [690, 490], [920, 450], [1030, 360]]];
for (const road of roads) wire(road, { show: [[22, 38]], from: 22, to: 24 });
for (const [x, y] of routers) {
  const dot = node("circle", { cx: x, cy: y, r: 13, fill: "var(--paper)", stroke: "var(--ink)", "stroke-width": 5 });
  actor(dot, { show: [[23, 38]] });
}
function along(road, start, step = 0.95) { return road.map(([x, y], n) => [start + n * step, x, y]); }
function packet(text, road, start, { end = null, stop = 99 } = {}) {
  const group = node("g");
  node("rect", { x: -27, y: -27, width: 54, height: 54, rx: 10, fill: "var(--accent)" }, group);
  node("text", { y: 11, class: "label middle", style: "fill:#fffcf5" }, group, text);
  return actor(group, { show: [[start - 0.5, end ?? stop]], at: along(road, start) });
}
packet("1", roads[0], 25, { end: 29.3 });
packet("2", roads[1].slice(0, 3), 26, { end: 28.6 });
packet("3", roads[2], 27, { end: 31.3 });
const lost = node("g");
cross(lost).setAttribute("transform", "scale(.55)");
actor(lost, { show: [[28.2, 31.5]], at: [[28, 720, 360], [29, 720, 360]] });
words(720, 425, "lost", { kind: "label", extra: "accent", show: [[28.4, 31.5]] });
packet("2", roads[0], 32, { end: 36.3 });
words(640, 560, "packet 2 is sent again, by another road", { show: [[32, 38]] });

// 3 Inside
title("3  Through the front door", 38.5, 56);
const door = node("g"); gate(door);
actor(door, { show: [[39, 56]], at: [[38, 470, 350], [39, 470, 350]] });
words(470, 478, "load balancer", { kind: "label", show: [[39.3, 56]] });
const app = node("g"); server(app);
actor(app, { show: [[43, 56]], at: [[42, 770, 350], [43, 770, 350]] });
words(770, 478, "app server", { kind: "label", show: [[43.3, 56]] });
const data = node("g"); database(data);
actor(data, { show: [[47, 56]], at: [[46, 1080, 350], [47, 1080, 350]] });
words(1080, 478, "database", { kind: "label", show: [[47.3, 56]] });
wire([[245, 350], [390, 350]], { show: [[39.5, 56]], from: 39.5, to: 40.3 });
wire([[552, 350], [690, 350]], { show: [[43.3, 56]], from: 43.3, to: 44 });
wire([[850, 350], [1006, 350]], { show: [[47.3, 56]], from: 47.3, to: 48 });
chip("GET /books", { show: [[40, 46.6]], at: [[40.5, 320, 222], [42, 470, 222], [43.5, 470, 222], [45, 770, 222]] });
chip("which books?", { show: [[48, 51.4]], at: [[48.3, 800, 222], [50.3, 1050, 222]] });
chip("42 rows", { quiet: true, show: [[51.6, 56]], at: [[51.8, 1050, 222], [53.6, 790, 222]] });

// 4 The answer
title("4  The answer comes home", 56.5, 67);
const back = node("g"); server(back);
actor(back, { show: [[56.8, 67]], at: [[56, 1050, 350], [57, 1050, 350]] });
words(1050, 478, "app server", { kind: "label", show: [[57, 67]] });
wire([[960, 350], [250, 350]], { show: [[57.3, 67]], from: 57.3, to: 58.3 });
chip("200 OK   <html> …", { show: [[57.8, 62]], at: [[58.2, 860, 290], [61.2, 400, 290]] });
words(640, 470, "the phone draws the page\nwhile it is still arriving", { show: [[62, 67]] });

// The sum
title("And how long did it take?", 67.5, END + 2);
const steps = [["address", 20], ["connection", 40], ["server and database", 80], ["answer", 30]];
let left = 0;
steps.forEach(([name, ms], n) => {
  const x = 90 + left * 6.2, wide = ms * 6.2 - 6, y = 176 + n * 76, start = 68.6 + n * 1.3;
  left += ms;
  const bar = node("rect", { x, y, width: wide, height: 52, rx: 8, fill: n === 2 ? "var(--accent)" : "var(--ink)" });
  actor(bar, { show: [[start, END + 2]], draw: (t) => bar.setAttribute("width", (wide * part(t, start, start + 1)).toFixed(1)) });
  const right = n < 2;
  words(right ? x + wide + 18 : x - 18, y + 37, `${name}  ${ms} ms`, { kind: "label", align: right ? "" : "end", show: [[start + 0.7, END + 2]] });
});
words(1140, 560, "170 ms", { kind: "number", align: "end", extra: "accent", show: [[74.4, END + 2]] });

premiere(END, [
  [0.6, "You tap a link. A fifth of a second later a page is there. What happened in between?"],
  [6.4, "Your phone knows a name. To send anything, it needs an address made of numbers."],
  [11, "So it asks the name system, the phone book of the internet: where is library.example?"],
  [15.6, "The answer is an IP address. The phone keeps it, and need not ask again for the next page."],
  [21.2, "Now it can ask for the page. Messages travel as packets of about 1,400 bytes."],
  [26, "Each packet finds its own way, from router to router. None of them sees the whole message."],
  [31.4, "A lost packet is not confirmed, so it is sent once more."],
  [35.2, "The far side puts them in order."],
  [39.2, "Behind the address stands a load balancer. It picks one server of several."],
  [44, "The app server reads the question: somebody wants the list of books."],
  [48, "It keeps no books itself, so it asks the database, and gets 42 rows."],
  [53.4, "Out of the rows the server writes a page."],
  [57, "The page goes back the way it came: the number 200 says that all went well."],
  [61.6, "The phone does not wait for the end. It draws each part as soon as it arrives."],
  [67.6, "Add it up: the address, the connection, the work on the server, the way back."],
  [73.4, "170 thousandths of a second, about as long as a blink. Now let us open each box."],
]);
