// Builds dist/: one script, the parts that are loaded when asked for, the style and the page; and what it was built from.
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { copyFile, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const at = (path) => fileURLToPath(new URL(path, import.meta.url));

await rm(at("dist"), { recursive: true, force: true });
await build({
  entryPoints: { viewer: at("src/main.js"), style: at("src/style.css"), sorter: at("src/splats/sorter.js") },
  outdir: at("dist"),
  bundle: true,
  splitting: true,
  format: "esm",
  target: "es2022",
  minify: true,
  legalComments: "eof",
  chunkNames: "[name]-[hash]",
  logLevel: "warning",
});
await copyFile(at("src/index.html"), at("dist/index.html"));

// So that a test can tell without Node.js whether dist/ is that of these sources.
const files = (await readdir(at("src"), { recursive: true, withFileTypes: true }))
  .filter((entry) => entry.isFile())
  .map((entry) => `${entry.parentPath}/${entry.name}`.slice(at("./").length));
const sums = {};
for (const file of [...files, "build.mjs", "package-lock.json"].sort()) {
  sums[file] = createHash("sha256").update(await readFile(at(file))).digest("hex");
}
await writeFile(at("dist/sources.json"), `${JSON.stringify(sums, null, 1)}\n`);
