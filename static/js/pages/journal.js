/* The journal by keyboard and touch: a row opens its call, j and k walk, typing days lets go of the preset.
   Everything works without it; it only spares reaching for the small link. */
const rows = () => [...document.querySelectorAll(".journal-open")];

document.addEventListener("click", (event) => {
  const row = event.target.closest(".journal-row");
  if (!row || event.target.closest("a, button, input, select, label") || String(getSelection())) return;
  const link = row.querySelector(".journal-open");
  if (event.ctrlKey || event.metaKey) open(link.href, "_blank", "noopener");
  else location.assign(link.href);
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (event.target.closest("input, textarea, select, summary, [contenteditable]")) return;
  if (event.key === "/") {
    event.preventDefault();
    document.getElementById("f-number")?.focus();
    return;
  }
  const step = { KeyJ: 1, ArrowDown: 1, KeyK: -1, ArrowUp: -1 }[event.code];
  if (!step) return;
  const links = rows();
  const here = links.indexOf(document.activeElement?.closest(".journal-row")?.querySelector(".journal-open"));
  const next = links[here < 0 ? 0 : here + step];
  if (!next) return;
  event.preventDefault();
  next.focus();
  next.closest(".journal-row").scrollIntoView({ block: "nearest" });
});

/* Days typed in and a preset are two ways to say one thing: the last one said holds. */
document.addEventListener("input", (event) => {
  const form = event.target.closest("#filters");
  if (!form) return;
  if (event.target.type === "date") for (const preset of form.querySelectorAll("[name=period]")) preset.checked = false;
  if (event.target.name === "period") for (const day of form.querySelectorAll("[type=date]")) day.value = "";
}, true);

/* An empty field asks for nothing, so it does not stand in the address either. */
document.addEventListener("htmx:configRequest", (event) => {
  if (event.target.id !== "filters") return;
  for (const [name, value] of [...event.detail.formData.entries()]) if (value === "") event.detail.formData.delete(name);
});
document.addEventListener("submit", (event) => {
  if (event.target.id !== "filters") return;
  for (const field of event.target.elements) if (field.name && field.value === "") field.disabled = true;
});

/* What is exported and saved is what is shown, also after the filters have changed without a new page. */
document.addEventListener("htmx:pushedIntoHistory", () => {
  const query = location.search.slice(1);
  for (const field of document.querySelectorAll("[name=query]")) field.value = query;
});
