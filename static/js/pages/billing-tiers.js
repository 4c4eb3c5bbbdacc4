/* Tiers of a price list: one more row, one less. Without this script the rows that are there can be edited. */
const rows = document.querySelector("[data-tiers]");

function dress(row) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "btn btn-ghost btn-icon btn-sm";
  button.setAttribute("aria-label", rows.dataset.remove);
  button.title = rows.dataset.remove;
  button.innerHTML = `<svg class="icon" aria-hidden="true"><use href="${document.documentElement.dataset.icons}#i-close"></use></svg>`;
  button.addEventListener("click", () => {
    if (rows.children.length === 1) return;
    const next = row.nextElementSibling ?? row.previousElementSibling;
    row.remove();
    next.querySelector("input").focus();
  });
  row.append(button);
}

if (rows) {
  [...rows.children].forEach(dress);
  document.querySelector("[data-tier-more]").addEventListener("click", () => {
    const row = rows.lastElementChild.cloneNode(true);
    row.querySelector("button").remove();
    for (const input of row.querySelectorAll("input")) input.value = "";
    dress(row);
    rows.append(row);
    row.querySelector("input").focus();
  });
}
/* What was asked for stands beneath the form: bring it into sight. */
document.getElementById("preview-card")?.scrollIntoView({ block: "nearest" });
