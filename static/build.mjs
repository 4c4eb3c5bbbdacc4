/* Bundles the pages' CSS and JS into static/dist: what the browser gets comes from the lock file and these sources alone.
   Tabler is cut down to the classes our templates and scripts really name; icons become one sprite. */
import { build, context } from "esbuild";
import { copyFile, mkdir, readFile, rm, watch as watchFolder, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { PurgeCSS } from "purgecss";
import { ICONS } from "./icons.mjs";

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = dirname(HERE);
const DIST = join(HERE, "dist");
const MADE = join(DIST, "made");
const watching = process.argv.includes("--watch");

async function cutTabler() {
  const [{ css }] = await new PurgeCSS().purge({
    css: [join(ROOT, "node_modules/@tabler/core/dist/css/tabler.css")],
    content: ["templates", "tenants", "monitoring", "billing", "ccenter"]
      .flatMap((room) => [`${ROOT}/${room}/**/*.html`, `${ROOT}/${room}/**/*.py`])
      .concat(`${HERE}/js/**/*.js`),
    defaultExtractor: (text) => text.match(/[\w-/:.]+(?<!:)/g) ?? [],
    safelist: { standard: ["html", "body", "is-invalid", "invalid-feedback", "active", "disabled", "show"] },
    fontFace: true,
    keyframes: true,
    variables: false,
  });
  await writeFile(join(MADE, "tabler.css"), css.replace(/\/\*# sourceMappingURL.*$/m, ""));
}

async function iconSprite() {
  const symbols = await Promise.all(
    Object.entries(ICONS).map(async ([name, source]) => {
      const svg = await readFile(join(ROOT, "node_modules/@tabler/icons/icons", `${source}.svg`), "utf8");
      const [, attributes, body] = svg.match(/<svg([^>]*)>([\s\S]*)<\/svg>/);
      const paint = attributes.includes('fill="currentColor"')
        ? 'fill="currentColor"'
        : 'fill="none" stroke="currentColor" stroke-width="1.9" stroke-linecap="round" stroke-linejoin="round"';
      return `<symbol id="i-${name}" viewBox="0 0 24 24" ${paint}>${body.replace(/\s+/g, " ").trim()}</symbol>`;
    }),
  );
  await writeFile(join(DIST, "icons.svg"), `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("\n")}</svg>\n`);
}

const options = {
  absWorkingDir: ROOT,
  entryPoints: {
    app: join(HERE, "css/app.css"),
    early: join(HERE, "js/shell/early.js"),
    shell: join(HERE, "js/shell/shell.js"),
    live: join(HERE, "js/pages/live.js"),
    statistics: join(HERE, "js/pages/statistics.js"),
    recording: join(HERE, "js/pages/recording.js"),
    profile: join(HERE, "js/pages/profile.js"),
    journal: join(HERE, "js/pages/journal.js"),
    call: join(HERE, "js/pages/call.js"),
    lost: join(HERE, "js/pages/lost.js"),
    "billing-usage": join(HERE, "js/pages/billing-usage.js"),
    "billing-tiers": join(HERE, "js/pages/billing-tiers.js"),
    "billing-lists": join(HERE, "js/pages/billing-lists.js"),
  },
  outdir: DIST,
  assetNames: "fonts/[name]-[hash]",
  loader: { ".woff2": "file" },
  bundle: true,
  format: "esm",
  target: ["es2022"],
  minify: !watching,
  sourcemap: watching ? "linked" : false,
  legalComments: "none",
  logLevel: "warning",
};

await rm(DIST, { recursive: true, force: true });
await mkdir(MADE, { recursive: true });
await Promise.all([cutTabler(), iconSprite(), copyFile(join(HERE, "mark.svg"), join(DIST, "mark.svg"))]);

if (watching) {
  const running = await context(options);
  await running.watch();
  if (Number(process.versions.node.split(".")[0]) >= 20) {
    // Node 18 cannot watch folders within folders on Linux: there a new Tabler class needs a restart
    for await (const change of watchFolder(join(ROOT, "templates"), { recursive: true })) {
      if (change.filename?.endsWith(".html")) await cutTabler();
    }
  }
} else {
  await build(options);
}
