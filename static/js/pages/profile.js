/* The profile's form: figures are put in order by dragging or by two buttons; the page sends them as they stand.
   Also prints. Without this script the form works, in the order it came in. */
for (const button of document.querySelectorAll("[data-print]")) button.addEventListener("click", () => print());

const says = document.querySelector("[data-picker-says]");

function arrow(kind, label, what) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "btn btn-ghost btn-icon btn-sm";
  button.dataset.move = kind;
  button.title = label;
  button.setAttribute("aria-label", `${label}: ${what}`);
  button.innerHTML = `<svg class="icon" aria-hidden="true"><use href="${document.documentElement.dataset.icons}#i-${kind}"></use></svg>`;
  return button;
}

function move(row, to, list) {
  const place = to === "up" ? row.previousElementSibling : row.nextElementSibling?.nextElementSibling;
  if (to === "up" && !place) return;
  if (to === "down" && !row.nextElementSibling) return;
  list.insertBefore(row, place ?? null);
  tell(row, list);
}

function tell(row, list) {
  const rows = [...list.children];
  says.textContent = list.dataset.said
    .replace("{what}", row.querySelector("label").textContent.trim())
    .replace("{n}", rows.indexOf(row) + 1)
    .replace("{all}", rows.length);
}

for (const list of document.querySelectorAll("[data-picker]")) {
  for (const row of list.children) {
    const what = row.querySelector("label").textContent.trim();
    row.draggable = true;
    row.append(arrow("up", list.dataset.up, what), arrow("down", list.dataset.down, what));
  }
  list.addEventListener("click", (event) => {
    const button = event.target.closest("[data-move]");
    if (!button) return;
    move(button.closest("li"), button.dataset.move, list);
    button.focus(); // moving an element takes the focus off it
  });
  let dragged = null;
  list.addEventListener("dragstart", (event) => {
    dragged = event.target.closest("li");
    event.dataTransfer.effectAllowed = "move";
    dragged.dataset.dragged = "yes";
  });
  list.addEventListener("dragover", (event) => {
    const over = event.target.closest("li");
    if (!dragged || !over || over === dragged) return;
    event.preventDefault();
    const { top, height } = over.getBoundingClientRect();
    list.insertBefore(dragged, event.clientY < top + height / 2 ? over : over.nextElementSibling);
  });
  list.addEventListener("drop", (event) => event.preventDefault());
  list.addEventListener("dragend", () => {
    delete dragged.dataset.dragged;
    tell(dragged, list);
    dragged = null;
  });
}
