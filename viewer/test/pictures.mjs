// Takes the pictures of docs/viewer.md: node test/pictures.mjs FOLDER [page] [eyes_demo] [expressions] [surfaces]
import { mkdir, writeFile } from "node:fs/promises";
import { browser, open, run, until } from "./graph.mjs";

const both = (name, weight) => ({ [`${name}Left`]: weight, [`${name}Right`]: weight });
const EXPRESSIONS = {
  neutral: {},
  smile: { ...both("mouthSmile", 0.85), ...both("cheekSquint", 0.5), ...both("eyeSquint", 0.25), ...both("mouthDimple", 0.2), jawOpen: 0.04 },
  ah: { jawOpen: 0.6, ...both("mouthLowerDown", 0.15), ...both("mouthUpperUp", 0.1) },
  oo: { mouthPucker: 0.75, mouthFunnel: 0.35, jawOpen: 0.12 },
  blink: both("eyeBlink", 1),
  "look left": { eyeLookOutLeft: 0.85, eyeLookInRight: 0.85 },
};
const SIDE = 400;
// From between the eyes, metres, and how far away the camera is.
const VIEWS = { head: [0, -0.03, 0, 0.72], eye: [0.03, 0.006, 0.01, 0.24], mouth: [0, -0.066, 0.01, 0.28] };

const [folder = "pictures", ...wanted] = process.argv.slice(2);
await mkdir(folder, { recursive: true });
const chrome = await browser();
try {
  if (wanted.length === 0 || wanted.includes("page")) {
    await takePage("graphs/vr_audio_eye.yaml", "viewer-page.jpg", () => viewer.frame()[viewer.places.jawOpen] > 0.2 && viewer.frame()[viewer.places.eyeBlinkLeft] < 0.1);
  }
  if (wanted.length === 0 || wanted.includes("eyes_demo")) {
    await takePage("graphs/eyes_demo.yaml", "eyes_demo.jpg", () => Math.abs(viewer.frame()[viewer.places.leftEyeYaw]) > 0.25 && viewer.frame()[viewer.places.eyeBlinkLeft] < 0.1);
  }
  if (wanted.length === 0 || wanted.includes("expressions")) await takeExpressions();
  if (wanted.length === 0 || wanted.includes("surfaces")) await takeSurfaces();
} finally {
  await chrome.close();
}

// What is drawn in software is drawn for a picture alone, so the loop is stopped.

// The whole page as it is at a moment: face, cameras, sound and figures of the same time.
async function takePage(name, file, moment) {
  const graph = await run({ graph: name });
  // Drawn in software, a large page would take the time of the graph: until the moment it is a small one.
  const page = await open(chrome, graph.url, { viewport: { width: 160, height: 120 } });
  page.setDefaultTimeout(180000);
  await until(page, () => viewer.stage.pictures > 20 && !document.querySelector(".timing").hidden);
  await page.waitForTimeout(8000);
  await until(page, () => / ms latency/.test(document.querySelector("header").textContent));
  await page.evaluate(() => {
    viewer.stage.renderer.setAnimationLoop(null);
    const header = document.querySelector("header"); // its figures are those of the small page
    header.replaceWith(header.cloneNode(true));
  });
  await page.setViewportSize({ width: 1400, height: 820 });
  const face = await takenAt(page, moment);
  await page.evaluate((url) => {
    const image = Object.assign(new Image(), { src: url, className: "face", style: "width: 100%; height: 100%" });
    document.querySelector("canvas.face").replaceWith(image);
  }, face);
  await page.screenshot({ path: `${folder}/${file}`, quality: 88, type: "jpeg" });
  await page.close();
  await graph.stop();
}

// The face, as soon as it is what is waited for; the rest of the page stands still from then on.
async function takenAt(page, moment) {
  const take = () => {
    const url = viewer.stage.picture(1);
    Object.assign(viewer.dock, { hear() {}, see() {}, gaze() {}, time() {} });
    return url;
  };
  for (const begun = Date.now(); Date.now() - begun < 120000; await page.waitForTimeout(20)) {
    const url = await page.evaluate(`(${moment})() ? (${take})() : null`);
    if (url) return url;
  }
  throw new Error(`not within two minutes: ${moment}`);
}

// Above the mesh, below the Gaussians: the head, an eye, the mouth.
async function takeSurfaces() {
  const graph = await run({ settings: { "tour.station": "smile" } });
  const page = await open(chrome, graph.url, { viewport: { width: SIDE, height: SIDE } });
  await square(page);
  const urls = [];
  for (const title of ["Mesh", "Splats"]) {
    await page.evaluate((title) => [...document.querySelectorAll(".choice button")].find((b) => b.textContent === title).click(), title);
    if (title === "Splats") await until(page, () => !viewer.head.visible);
    for (const [place, look] of Object.entries(VIEWS)) {
      await page.evaluate(([x, y, z, distance]) => {
        const { camera, controls } = viewer.stage, middle = viewer.head.focus();
        controls.target.set(x, y, z).add(middle);
        camera.position.copy(controls.target).add({ x: 0.18 * distance, y: 0.02 * distance, z: 0.98 * distance });
        controls.update();
        camera.updateMatrixWorld();
        viewer.stage.picture(1); // the Gaussians are sorted for this view
      }, look);
      await page.waitForTimeout(1000);
      urls.push([`${title.toLowerCase()}, ${place}`, await page.evaluate(() => viewer.stage.picture(1))]);
    }
  }
  await sheet(page, urls, "viewer-surfaces.jpg");
  await page.close();
  await graph.stop();
}

async function takeExpressions() {
  const graph = await run({ settings: { "tour.station": "neutral" } });
  const page = await open(chrome, graph.url, { viewport: { width: SIDE, height: SIDE } });
  await square(page);
  const urls = [];
  for (const [name, weights] of Object.entries(EXPRESSIONS)) {
    urls.push([name, await page.evaluate((w) => ((viewer.settings.weights = w), viewer.stage.picture(1)), weights)]);
  }
  await sheet(page, urls, "viewer-expressions.jpg");
  if (page.problems.length) console.error(page.problems.join("\n"));
  await page.close();
  await graph.stop();
}

// Nothing but the face, in a square that is drawn when it is asked for.
async function square(page) {
  await page.evaluate((side) => {
    const { stage } = viewer;
    stage.renderer.setAnimationLoop(null);
    document.body.classList.add("bare");
    stage.renderer.setSize(side, side, false);
    stage.camera.aspect = 1;
    stage.camera.fov = 24;
    stage.camera.updateProjectionMatrix();
  }, SIDE);
}

// Pictures side by side, three in a row, with their names.
async function sheet(page, urls, name) {
  const url = await page.evaluate(async ([urls, side]) => {
    const sheet = Object.assign(document.createElement("canvas"), { width: Math.min(urls.length, 3) * side, height: Math.ceil(urls.length / 3) * side });
    const context = sheet.getContext("2d");
    context.font = "15px sans-serif";
    context.fillStyle = "#9aa2ad";
    for (const [i, [name, url]] of urls.entries()) {
      const picture = Object.assign(new Image(), { src: url });
      await picture.decode();
      context.drawImage(picture, (i % 3) * side, Math.floor(i / 3) * side);
      context.fillText(name, (i % 3) * side + 14, Math.floor(i / 3) * side + 24);
    }
    return sheet.toDataURL("image/jpeg", 0.88);
  }, [urls, SIDE]);
  await writeFile(`${folder}/${name}`, Buffer.from(url.split(",")[1], "base64"));
}
