// For tests: a graph that runs in a process of its own, and a browser that looks at its viewer.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const root = fileURLToPath(new URL("../..", import.meta.url));
const inVenv = `${root}.venv/bin/rtgraph`;
const rtgraph = existsSync(inVenv) ? inVenv : "rtgraph";
const CHROMIUM = ["/usr/bin/chromium", "/usr/bin/google-chrome"].find(existsSync);

/** A script that puts an emulated Quest 3 into a page, as `headset`. */
export const HEADSET = `${readFileSync(new URL("../node_modules/iwer/build/iwer.min.js", import.meta.url), "utf8")}
globalThis.headset = new IWER.XRDevice(IWER.metaQuest3);
headset.installRuntime({ forceInstall: true });`;

/** Runs a graph until it is stopped. @returns {Promise<{url: string, stop: () => Promise<void>}>} */
export async function run({ graph = "graphs/avatar_demo.yaml", port = 0, settings = {}, more = (process.env.VIEWER_TEST_ARGS ?? "").split(" ").filter(Boolean) } = {}) {
  const set = Object.entries({ "viewer.port": port, ...settings }).flatMap(([key, value]) => ["--set", `${key}=${value}`]);
  const child = spawn(rtgraph, ["run", graph, ...set, ...more], { cwd: root });
  let said = "";
  child.stderr.on("data", (data) => (said += data));
  const url = await new Promise((resolve, reject) => {
    child.stdout.on("data", (data) => {
      said += data;
      const address = said.match(/open (http:\S+)/);
      if (address) resolve(address[1]);
    });
    child.on("exit", () => reject(new Error(`the graph ended: ${said}`)));
  });
  const ended = once(child, "exit");
  return { url, stop: async () => (child.kill("SIGINT"), await ended) };
}

/** The file of a random person, until the test has ended. */
export function makeHead(t, seed) {
  const folder = mkdtempSync(join(tmpdir(), "head-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "head.rthead");
  execFileSync(rtgraph, ["avatar", "new", "--seed", seed, "-o", path]);
  return path;
}

/** A browser that draws in software. */
export const browser = () => chromium.launch({
  executablePath: CHROMIUM,
  args: ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"],
});

/** A page of the viewer, once it shows a head that moves. */
export async function open(context, url, { viewport = { width: 240, height: 200 }, script } = {}) {
  const page = await context.newPage({ viewport });
  const problems = [];
  page.on("pageerror", (error) => problems.push(error.message));
  page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
  if (script) await page.addInitScript(script);
  await page.goto(url, { waitUntil: "commit" });
  await until(page, () => Boolean(globalThis.viewer?.head.meshes && viewer.frame() && viewer.stage.pictures > 1));
  return Object.assign(page, { problems });
}

/** Waits in the page until a function is true there (the page's policy allows no waitForFunction). */
export async function until(page, predicate, argument, timeoutMs = 180000) {
  for (const begun = Date.now(); Date.now() - begun < timeoutMs; await page.waitForTimeout(50)) {
    if (await page.evaluate(predicate, argument)) return;
  }
  throw new Error(`not within ${timeoutMs} ms: ${predicate}`);
}
