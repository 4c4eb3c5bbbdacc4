/* Wakes the players of a page, also those htmx brings later. */
import { wake } from "../components/player.js";
import { review } from "../components/review.js";

wake();
review();
document.body.addEventListener("htmx:load", (event) => {
  wake(event.target);
  review();
});
