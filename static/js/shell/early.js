/* Runs before the first paint: takes the person's theme and density from this browser, so that nothing flashes.
   Kept apart from shell.js because a module would come too late. */
import { applyDensity, applyTheme, savedDensity, savedTheme } from "./looks.js";

applyTheme(savedTheme());
applyDensity(savedDensity());
