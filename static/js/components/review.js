/* A review beside its player: a remark belongs to the second the hand stands at, a remark's time leads there. */
import { clock } from "./player-time.js";

export function review() {
  for (const form of document.querySelectorAll("[data-remark]:not([data-awake])")) {
    form.dataset.awake = "";
    const player = () => document.querySelector("[data-player]")?.player;
    const second = form.querySelector("[name=second]");
    const shown = form.querySelector("[data-clock]");
    const take = () => {
      second.value = (player()?.at ?? 0).toFixed(1);
      shown.textContent = clock(Number(second.value));
    };
    take();
    form.querySelector("[name=text]").addEventListener("focus", take);
    form.querySelector("[data-do=now]")?.addEventListener("click", take);
  }
  for (const link of document.querySelectorAll("[data-goto]:not([data-awake])")) {
    link.dataset.awake = "";
    link.textContent = clock(Number(link.dataset.goto));
    link.addEventListener("click", () => document.querySelector("[data-player]")?.player?.go(Number(link.dataset.goto), { play: true }));
  }
}
