/* Orders a table by a column: numbers by what they are, not by how they look; what has no value stays last. */
const two = (a, b, sign) => {
  if (a === "" || b === "") return a === b ? 0 : a === "" ? 1 : -1;
  return sign * (Number(a) - Number(b));
};

export function order(values, descending) {
  const sign = descending ? -1 : 1;
  return values.map((value, place) => [value, place]).sort(([a, x], [b, y]) => two(a, b, sign) || x - y).map(([, place]) => place);
}

export function sortable(table) {
  const heads = [...table.tHead.rows[0].cells];
  table.tHead.addEventListener("click", (event) => {
    const button = event.target.closest(".stats-sort");
    if (!button) return;
    const head = button.closest("th");
    const column = heads.indexOf(head);
    const descending = head.getAttribute("aria-sort") !== "descending";
    for (const other of heads) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", descending ? "descending" : "ascending");
    const body = table.tBodies[0];
    const rows = [...body.rows];
    body.append(...order(rows.map((row) => row.cells[column].dataset.sort ?? ""), descending).map((place) => rows[place]));
  });
}
