/* What every page has: theme, density, menus that close, a confirm dialog for htmx, toasts.
   The pages work without it; it only makes them pleasant. */
import "htmx.org";
import { applyTheme, chooseDensity, chooseTheme, savedDensity, savedTheme } from "./looks.js";

function showChoices() {
  for (const button of document.querySelectorAll("[data-theme-choice]")) {
    button.setAttribute("aria-checked", String(button.dataset.themeChoice === savedTheme()));
  }
  for (const button of document.querySelectorAll("[data-toggle-density]")) {
    button.setAttribute("aria-pressed", String(document.documentElement.dataset.density === "dense"));
  }
}

function closeMenus(except) {
  for (const menu of document.querySelectorAll("details.pop[open]")) {
    if (menu !== except) menu.open = false;
  }
}

const here = document.querySelector(".nav [aria-current]");
if (here) here.closest(".nav").scrollLeft = here.offsetLeft - (here.closest(".nav").clientWidth - here.offsetWidth) / 2;

document.addEventListener("click", (event) => {
  const theme = event.target.closest("[data-theme-choice]");
  if (theme) {
    chooseTheme(theme.dataset.themeChoice);
    closeMenus(null);
  }
  if (event.target.closest("[data-toggle-density]")) {
    chooseDensity(savedDensity() === "dense" ? "roomy" : "dense");
  }
  closeMenus(event.target.closest("details.pop"));
  showChoices();
});

/* What was chosen in a menu is under way: the menu must not stand before what comes of it. */
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.successful && event.target.closest?.("details.pop")) closeMenus(null);
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const open = document.querySelector("details.pop[open]");
  if (!open) return;
  open.open = false;
  open.querySelector("summary").focus();
});

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => applyTheme(savedTheme()));

/* Asks in the page's own dialog, in the page's language, reachable by keyboard */
function ask(question, agreed) {
  const dialog = document.getElementById("confirm");
  document.getElementById("confirm-text").textContent = question;
  dialog.returnValue = "no";
  dialog.addEventListener("close", () => dialog.returnValue === "yes" && agreed(), { once: true });
  dialog.showModal();
}

document.addEventListener("htmx:confirm", (event) => {
  if (!event.detail.question) return;
  event.preventDefault();
  ask(event.detail.question, () => event.detail.issueRequest(true));
});

/* The same for forms the browser sends itself: data-confirm on the form, or on the button that sends it */
document.addEventListener("submit", (event) => {
  const form = event.target;
  const question = event.submitter?.dataset.confirm ?? form.dataset.confirm;
  if (!question || form.dataset.agreed) return;
  event.preventDefault();
  ask(question, () => {
    form.dataset.agreed = "yes";
    form.requestSubmit(event.submitter);
    delete form.dataset.agreed;
  });
});

export function toast(text, tone = "info") {
  const box = document.createElement("div");
  box.className = "toast";
  box.dataset.tone = tone;
  box.textContent = text;
  document.getElementById("toasts").append(box);
  setTimeout(() => box.remove(), 6000);
}

/* A server answer may carry HX-Trigger: {"toast": {"text": …, "tone": …}} */
document.addEventListener("toast", (event) => toast(event.detail.text, event.detail.tone));

showChoices();
