// "Calibrate eyes": where the points stand, and in a real browser the whole of it, to the file.
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { browser, HEADSET, open, run, until } from "./graph.mjs";
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

test("cancelled and begun again it runs once, and tells of each point while that one is shown", async (t) => {
  const graph = await run();
  t.after(graph.stop);
  const page = await open(chrome, graph.url);
  const { steps, points } = await page.evaluate(async () => {
    const { looks, stage } = viewer, steps = [];
    stage.renderer.setAnimationLoop(null);
    looks.pace = { settleMs: 40, keepMs: 40 };
    let shown;
    const point = { show: (...angles) => (shown = angles), hide() {} };
    let first;
    const begun = new Promise((resolve) => {
      looks.graph = {
        calibrate: (step) => steps.push(step),
        lookAt: (...angles) => {
          if (angles.length === 0) return;
          steps.push(`${angles} at ${shown}`);
          resolve();
        },
      };
      first = looks.run(point);
    });
    await begun;
    dispatchEvent(new KeyboardEvent("keydown", { key: "Escape" }));
    await Promise.all([first, looks.run(point)]);
    return { steps, points: new Set(steps.filter((step) => step.includes(" at "))).size };
  });
  assert.equal(points, 9);
  assert.deepEqual(steps.filter((step) => !step.includes(" at ")), ["begin", "cancel", "begin", "end"]);
  assert.equal(steps.length, 4 + 1 + 9, `each point once, but the first, which was cancelled: ${steps.join(", ")}`);
  for (const step of steps.slice(4, -1)) assert.match(step, /^(.+) at \1$/);
  await page.close();
});

test("in a headset the trigger starts it, and the points stand at their angles before the eyes", async (t) => {
  const file = join(folder, "vr.npz");
  const graph = await run({ graph: "graphs/vr_eye_only.yaml", settings: { "viewer.looks": file } });
  t.after(graph.stop);
  const page = await open(chrome, graph.url, { script: HEADSET, viewport: { width: 160, height: 120 } });
  await page.evaluate(() => [...document.querySelectorAll("button")].find((b) => b.textContent === "Enter VR").click());
  await until(page, () => viewer.stage.renderer.xr.isPresenting);
  // Who wears it has turned, leans, and stands somewhere.
  await page.evaluate(() => {
    headset.position.set(0.3, 1.2, -0.4);
    headset.quaternion.set(0.1, 0.35, -0.15, 1).normalize();
  });
  await until(page, (n) => viewer.stage.pictures > n + 2, await page.evaluate(() => viewer.stage.pictures));
  await page.evaluate(() => {
    viewer.looks.pace = { settleMs: 100, keepMs: 600 };
    globalThis.seen = [];
    const { stage, looks } = viewer, told = looks.graph.lookAt;
    looks.graph.lookAt = (...angles) => {
      told(...angles);
      if (angles.length === 0) return;
      const point = stage.scene.children.find((child) => child.visible && child.renderOrder === 1);
      point.onBeforeRender(stage.renderer, stage.scene, stage.renderer.xr.getCamera());
      const eyes = point.position.clone().setFromMatrixPosition(stage.renderer.xr.getCamera().matrixWorld);
      const away = point.position.clone().sub(eyes);
      const { x, y, z, w } = headset.quaternion;
      const ahead = away.clone().applyQuaternion(stage.camera.quaternion.clone().set(-x, -y, -z, w));
      const degrees = 180 / Math.PI;
      seen.push([angles, [Math.atan2(-ahead.x, -ahead.z) * degrees, Math.atan2(-ahead.y, Math.hypot(ahead.x, ahead.z)) * degrees], away.length()]);
    };
  });
  // The trigger, by the emulator's own controller: pressed until the page has seen it.
  await page.evaluate(() => headset.controllers.right.updateButtonValue("trigger", 1));
  await until(page, (n) => viewer.stage.pictures > n + 1, await page.evaluate(() => viewer.stage.pictures));
  await page.evaluate(() => headset.controllers.right.updateButtonValue("trigger", 0));
  await until(page, () => viewer.looks.running);
  await until(page, () => !viewer.looks.running && document.querySelector(".looks code"));
  const seen = await page.evaluate(() => seen);
  assert.equal(seen.length, 9);
  for (const [told, shown, distance] of seen) {
    assert.ok(Math.abs(told[0] - shown[0]) < 0.05 && Math.abs(told[1] - shown[1]) < 0.05, `${told} is shown at ${shown}`);
    assert.ok(Math.abs(distance - 8) < 0.05);
  }
  assert.equal(new Set(seen.map(([told]) => `${told}`)).size, 9);
  assert.ok(existsSync(file));
  assert.deepEqual(page.problems, []);
  await page.close();
});
