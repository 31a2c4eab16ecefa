// Prints what the page costs: npm run bench. Chromium draws in software, so pictures a second are those of the processor.
import { readdir, readFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { browser, run, until } from "./graph.mjs";

const LIMITS = { "page open, ms": 1000, "script of a frame, mesh, ms": 4, "script of a frame, splats, ms": 4, "bundle, gzip KB": 500 };
const OPENINGS = 3, SECONDS = 6;

const figures = { "bundle, gzip KB": await gzipKb((name) => !/^(splats|sorter)/.test(name)), "splats, gzip KB, when asked for": await gzipKb((name) => /^(splats|sorter)/.test(name)) };
const graph = await run();
const chrome = await browser();
try {
  const opened = [];
  for (let i = 0; i < OPENINGS; i++) {
    const page = await visit({ width: 96, height: 72 }, 0);
    opened.push(await page.evaluate(() => globalThis.openedMs));
    console.error(`opened in ${opened.at(-1).toFixed(0)} ms`);
    await page.close();
  }
  figures["page open, ms"] = median(opened);
  const page = await visit({ width: 96, height: 72 });
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("Performance.enable", { timeDomain: "threadTicks" }); // time on the processor: a busy machine counts for nothing
  for (const title of ["mesh", "splats"]) {
    await show(page, title);
    const loop = await page.evaluateHandle(() => viewer.stage.loop);
    await page.evaluate(() => viewer.stage.renderer.setAnimationLoop(null));
    const taken = await measure(page, cdp);
    const aFrame = taken.scriptMs / taken.frames; // its message alone
    await page.evaluate((loop) => viewer.stage.renderer.setAnimationLoop(loop), loop);
    const drawn = await measure(page, cdp);
    figures[`script of a frame, ${title}, ms`] = aFrame + Math.max(0, drawn.scriptMs - aFrame * drawn.frames) / drawn.pictures;
  }
  await page.close();
  const large = await visit({ width: 640, height: 480 });
  for (const title of ["mesh", "splats"]) {
    await show(large, title);
    figures[`pictures a second, 640 x 480, ${title}`] = (await measure(large)).rate;
  }
} finally {
  await chrome.close();
  await graph.stop();
}
let missed = 0;
for (const [name, value] of Object.entries(figures)) {
  const limit = LIMITS[name];
  missed += limit !== undefined && value >= limit;
  console.log(`${name.padEnd(44)}${value.toFixed(value < 10 ? 2 : 0).padStart(7)}${limit === undefined ? "" : `   of ${limit}`}`);
}
process.exitCode = missed ? 1 : 0;

// A page whose stage is of this size; `openedMs`: from the navigation to the head and the first frame of the graph.
async function visit({ width, height }, pictures = 2) {
  const page = await chrome.newPage({ viewport: { width: width + 300, height } });
  await page.addInitScript(() => {
    const look = () => (globalThis.viewer?.head.meshes && viewer.frame() ? (globalThis.openedMs = performance.now()) : setTimeout(look, 5));
    look();
  });
  await page.goto(graph.url, { waitUntil: "commit" });
  await until(page, (n) => globalThis.openedMs > 0 && viewer.stage.pictures >= n, pictures);
  return page;
}

// What the face is made of, once its shaders are compiled.
async function show(page, title) {
  await page.evaluate((title) => [...document.querySelectorAll(".choice button")].find((b) => b.textContent.toLowerCase() === title).click(), title);
  if (title === "splats") await until(page, () => !viewer.head.visible);
  await until(page, (n) => viewer.stage.pictures > n + 3, await page.evaluate(() => viewer.stage.pictures));
}

// What happens in some seconds: pictures, frames of the graph, and milliseconds of JavaScript.
async function measure(page, cdp) {
  const now = async () => {
    const { metrics } = cdp ? await cdp.send("Performance.getMetrics") : { metrics: [] };
    const script = metrics.find(({ name }) => name === "ScriptDuration")?.value ?? 0;
    return { scriptMs: 1000 * script, ...(await page.evaluate(() => ({ atMs: performance.now(), pictures: viewer.stage.pictures, frames: viewer.frames() }))) };
  };
  const before = await now();
  await page.waitForTimeout(SECONDS * 1000);
  const after = await now();
  const passed = Object.fromEntries(Object.keys(before).map((name) => [name, after[name] - before[name]]));
  console.error(passed);
  return { ...passed, rate: (1000 * passed.pictures) / passed.atMs };
}

async function gzipKb(wanted) {
  const folder = new URL("../dist/", import.meta.url);
  const names = (await readdir(folder)).filter((name) => /\.(js|css|html)$/.test(name) && wanted(name));
  const sizes = await Promise.all(names.map(async (name) => gzipSync(await readFile(new URL(name, folder)), { level: 9 }).length));
  return sizes.reduce((sum, size) => sum + size, 0) / 1000;
}

function median(values) {
  return values.sort((a, b) => a - b)[values.length >> 1];
}
