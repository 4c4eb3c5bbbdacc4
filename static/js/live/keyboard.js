/* The panel by keyboard alone. Keys go by their place (event.code), because half of the people type in Russian.
   Nothing is taken while somebody types or a dialog is open. */
const PANES = ["waiting", "calls", "people"];

export function listenToKeys(panel) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    if (event.key === "Escape") return leave(panel, event, typing);
    if (typing) return;
    const action = ACTIONS[event.key] ?? ACTIONS[event.code];
    if (!action) return;
    event.preventDefault();
    action(panel);
  });
}

const ACTIONS = {
  "/": () => document.getElementById("search")?.focus(),
  Slash: () => document.getElementById("search")?.focus(),
  "?": (panel) => (panel.helping.value = true),
  KeyJ: () => move(1),
  ArrowDown: () => move(1),
  KeyK: () => move(-1),
  ArrowUp: () => move(-1),
  Digit1: (panel) => enter(panel, 0),
  Digit2: (panel) => enter(panel, 1),
  Digit3: (panel) => enter(panel, 2),
  KeyS: () => document.activeElement?.closest("[data-row]")?.querySelector("[data-past]")?.click(),
  KeyM: (panel) => panel.bell.toggle(),
  KeyD: () => document.querySelector("[data-toggle-density]")?.click(),
};

function enter(panel, place) {
  panel.pane.value = PANES[place];
  requestAnimationFrame(() => document.querySelector(`[data-pane="${PANES[place]}"] [data-row]`)?.focus());
}

function move(step) {
  const here = document.activeElement?.closest("[data-row]");
  const pane = here?.closest("[data-pane]") ?? document.querySelector("[data-pane]");
  const rows = [...pane.querySelectorAll("[data-row]")];
  const next = here ? rows[rows.indexOf(here) + step] : rows[0];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

function leave(panel, event, typing) {
  if (typing?.id === "search" && panel.filters.value.search) {
    event.preventDefault();
    panel.change({ search: "" });
  } else {
    document.activeElement?.blur();
  }
}
