// One picture of the film: `draw` sets everything that is seen, and returns once it is drawn.
const $ = (id) => document.getElementById(id);
const THEME = {
  background: "#00000000", foreground: "#e6edf3", cursor: "#e6edf3", black: "#3b4754", red: "#ff7b72", green: "#56d364",
  yellow: "#e3b341", blue: "#6cb6ff", magenta: "#d2a8ff", cyan: "#56d4dd", white: "#c9d5e0", brightBlack: "#8b9cad",
};
let terminals = {};
const drawn = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));

// A scene's panes: [{name, columns, rows, top, height}].
window.panes = async (wanted) => {
  await document.fonts.load('26px "Mono"');
  await document.fonts.load('40px "Sans"');
  for (const one of Object.values(terminals)) one.dispose();
  terminals = {};
  $("terminals").replaceChildren();
  for (const pane of wanted) {
    const box = document.createElement("div");
    box.className = "pane";
    box.style.top = `${pane.top}px`;
    box.style.height = `${pane.height}px`;
    $("terminals").append(box);
    const terminal = new Terminal({
      cols: pane.columns, rows: pane.rows, fontFamily: '"Mono", "DejaVu Sans Mono", monospace', fontSize: pane.size, lineHeight: 1.08,
      theme: THEME, scrollback: 0, cursorBlink: false, allowTransparency: true, cursorInactiveStyle: "block",
      minimumContrastRatio: 4.5,
    });
    terminal.open(box);
    terminals[pane.name] = terminal;
  }
  await drawn();
};

window.write = (pane, text) => new Promise((done) => terminals[pane].write(text, done));

window.svg = (text) => {
  $("picture").innerHTML = text;
  const drawing = $("picture").querySelector("svg");
  drawing.removeAttribute("width");
  drawing.removeAttribute("height");
  drawing.setAttribute("preserveAspectRatio", "xMidYMid meet");
};

window.draw = async (state) => {
  for (const id of ["terminals", "shot", "picture", "card"]) $(id).style.display = id === state.shown ? "" : "none";
  if (state.shown === "card") $("card").style.display = "flex";
  $("title").textContent = state.title ?? "";
  $("address").textContent = state.address ?? "";
  $("clock").textContent = state.clock ?? "";
  $("caption").textContent = state.caption ?? "";
  $("mark").textContent = state.mark ?? "";
  $("mark").style.display = state.mark ? "" : "none";
  $("done").style.width = `${(state.done ?? 0) * 100}%`;
  const pointer = state.shown === "shot" && state.pointer;
  $("pointer").style.display = pointer ? "" : "none";
  if (pointer) $("pointer").style.transform = `translate(${pointer[0] - 6}px, ${pointer[1] - 3}px)`;
  $("ring").style.display = state.ring ? "" : "none";
  if (state.ring) {
    $("ring").style.left = `${state.ring[0]}px`;
    $("ring").style.top = `${state.ring[1]}px`;
    $("ring").style.opacity = state.ring[2];
  }
  if (state.card) {
    const parts = [["number", "div"], ["title", "h1"], ["text", "p"]].filter(([name]) => state.card[name]);
    $("card").replaceChildren(...parts.map(([name, tag]) => {
      const part = document.createElement(tag);
      part.className = name;
      part.textContent = state.card[name];
      return part;
    }));
  }
  if (state.view) $("picture").querySelector("svg").setAttribute("viewBox", state.view.join(" "));
  if (state.shot && !$("shot").src.endsWith(state.shot)) {
    $("shot").src = state.shot;
    await $("shot").decode();
  }
  await drawn();
};
