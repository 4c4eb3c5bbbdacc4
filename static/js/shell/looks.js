/* Theme and density: where they are kept and how they reach the page.
   A browser may refuse storage (private mode); then the choice lasts for the page. */
const read = (key) => {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
};
const write = (key, value) => {
  try {
    localStorage.setItem(key, value);
  } catch {
    /* the choice still holds for this page */
  }
};

export const savedTheme = () => (["light", "dark"].includes(read("theme")) ? read("theme") : "auto");
export const savedDensity = () => (read("density") === "dense" ? "dense" : "roomy");

export function applyTheme(theme) {
  const root = document.documentElement;
  const dark = theme === "dark" || (theme === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
  root.dataset.theme = theme;
  root.dataset.bsTheme = dark ? "dark" : "light";
}

export function applyDensity(density) {
  document.documentElement.dataset.density = density;
}

export function chooseTheme(theme) {
  write("theme", theme);
  applyTheme(theme);
}

export function chooseDensity(density) {
  write("density", density);
  applyDensity(density);
}
