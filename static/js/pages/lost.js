/* Lost calls: a number is copied with one press; the list is freshened only while nobody points at it. */
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(button.dataset.copy);
  const text = `${document.querySelector("[data-copied]").dataset.copied}: ${button.dataset.copy}`;
  document.dispatchEvent(new CustomEvent("toast", { detail: { text, tone: "good" } }));
});

/* Rows must not move away under the pointer, the focus or an open menu: the next look comes soon enough. */
document.addEventListener("htmx:beforeSwap", (event) => {
  const list = document.getElementById("lost-list");
  if (event.detail.target !== list) return;
  if (list.matches(":hover, :focus-within") || list.querySelector("details[open]")) event.detail.shouldSwap = false;
});

/* What somebody did to a row changes the figures above it. */
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.requestConfig?.verb === "post" && event.detail.successful) {
    document.body.dispatchEvent(new CustomEvent("lost-changed"));
  }
});
