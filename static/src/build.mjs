// Builds ../dist from the sources beside this file: style sheet, scripts, fonts, icon, licences.
// The result is committed and must not depend on the machine: same sources and lock, same bytes.
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, "..", "dist");
const modules = join(here, "node_modules");

rmSync(dist, { recursive: true, force: true });
mkdirSync(join(dist, "fonts"), { recursive: true });

execFileSync(
  process.execPath,
  [join(modules, "@tailwindcss/cli/dist/index.mjs"), "-i", "css/app.css", "-o", join(dist, "app.css"), "--minify"],
  { cwd: here, stdio: ["ignore", "ignore", "inherit"] },
);

await build({
  absWorkingDir: here,
  entryPoints: { app: "js/app.js", charts: "js/charts.js", signature: "js/signature.js", smallcase: "js/smallcase.js" },
  outdir: dist,
  bundle: true,
  minify: true,
  format: "iife",
  target: ["es2022"],
  legalComments: "none",
  charset: "utf8",
  logLevel: "warning",
});

cpSync(join(modules, "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2"), join(dist, "fonts/inter-latin.woff2"));
cpSync(join(here, "fonts/inter-rupee.woff2"), join(dist, "fonts/inter-rupee.woff2"));
cpSync(join(here, "favicon.svg"), join(dist, "favicon.svg"));

// What we ship inside the bundles, with its licence text.
const shipped = ["htmx.org", "@alpinejs/csp", "echarts", "zrender", "tailwindcss", "daisyui", "@fontsource-variable/inter"];
const licence = (name) => {
  const { version, license } = JSON.parse(readFileSync(join(modules, name, "package.json"), "utf8"));
  for (const file of ["LICENSE", "LICENSE.md"]) {
    try {
      return `${name} ${version}\n\n${readFileSync(join(modules, name, file), "utf8").trim()}\n`;
    } catch {}
  }
  return `${name} ${version}\n\nLicence: ${license}\n`;
};
writeFileSync(join(dist, "LICENSES.txt"), shipped.map(licence).join(`\n${"-".repeat(80)}\n\n`));
