// "Calibrate eyes": where the points stand, and in a real browser the whole of it, to the file.
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { browser, open, run, until } from "./graph.mjs";
import { fitting, onScreen } from "../src/ui/looks.js";

const close = (a, b) => assert.ok(Math.abs(a - b) < 1e-9, `${a} is not ${b}`);

test("a point stands where the angles lead", () => {
  const { x, y } = onScreen(20, 15, 60);
  assert.ok(x < 0 && y > 0); // a person's left, and down
  // The other way round: yaw and pitch of the line from the eyes to the point.
  close(Math.atan2(-x, 60), (20 * Math.PI) / 180);
  close(Math.atan2(y, Math.hypot(x, 60)), (15 * Math.PI) / 180);
  assert.deepEqual(onScreen(0, 0, 60), { x: -0, y: 0 });
});

test("a small screen gets smaller angles", () => {
  const points = [[0, 0], [20, 0], [-20, 15]];
  assert.equal(fitting(points, 60, 60, 40), 1);
  const share = fitting(points, 60, 30, 40);
  assert.ok(share < 1 && share > 0.5);
  assert.ok(Math.abs(onScreen(20 * share, 0, 60).x) <= 15);
});

let chrome, folder;
before(async () => {
  chrome = await browser();
  folder = mkdtempSync(join(tmpdir(), "looks-"));
});
after(async () => {
  await chrome.close();
  rmSync(folder, { recursive: true });
});

test("the button leads to a file, and the page names it", async (t) => {
  const file = join(folder, "looks.npz");
  const graph = await run({ graph: "graphs/vr_eye_only.yaml", settings: { "viewer.looks": file } });
  t.after(graph.stop);
  const page = await open(chrome, graph.url);
  await until(page, () => !document.querySelector(".pair").closest(".card").hidden);
  await page.evaluate(() => {
    viewer.stage.renderer.setAnimationLoop(null); // drawn in software, it would take all the time there is
    viewer.looks.pace = { settleMs: 100, keepMs: 500 };
    globalThis.shown = new Set();
    const note = () => {
      const { left, top } = document.querySelector(".looks .point").style;
      if (left) shown.add(`${left} ${top}`);
      if (viewer.looks.running) setTimeout(note, 20);
    };
    [...document.querySelectorAll("button")].find((b) => b.textContent === "Calibrate eyes").click();
    [...document.querySelectorAll(".looks button")].find((b) => b.textContent === "Begin").click();
    note();
  });
  await until(page, () => document.querySelector(".looks code"));
  assert.equal(await page.evaluate(() => shown.size), 9);
  assert.ok(existsSync(file));
  assert.match(await page.textContent(".looks"), /looks at 9 points.*rtgraph calibrate eyes eyes\.json --looks .*looks\.npz/);
  assert.deepEqual(page.problems, []);
  await page.close();
});
