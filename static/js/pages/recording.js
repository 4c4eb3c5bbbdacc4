/* Wakes the players of a page, also those htmx brings later. */
import { wake } from "../components/player.js";
import { review } from "../components/review.js";

wake();
review();
/* Who came by "listen" wants to hear, not to press once more; a browser that keeps quiet leaves the button in hand. */
if (location.hash === "#hear") {
  const first = document.querySelector("[data-player]");
  first?.scrollIntoView({ block: "center" });
  first?.querySelector("[data-do=play]")?.focus({ preventScroll: true });
  first?.player?.play();
}
document.body.addEventListener("htmx:load", (event) => {
  wake(event.target);
  review();
});
