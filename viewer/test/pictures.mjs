// Takes the pictures of docs/viewer.md: node test/pictures.mjs FOLDER [page] [expressions] [surfaces]
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

const [folder = "pictures", ...wanted] = process.argv.slice(2);
await mkdir(folder, { recursive: true });
const chrome = await browser();
try {
  if (wanted.length === 0 || wanted.includes("page")) await takePage();
  if (wanted.length === 0 || wanted.includes("expressions")) await takeExpressions();
  if (wanted.length === 0 || wanted.includes("surfaces")) await takeSurfaces();
} finally {
  await chrome.close();
}

// What is drawn in software is drawn for a picture alone, so the loop is stopped.

async function takePage() {
  const graph = await run({ graph: "graphs/vr_audio_eye.yaml" });
  const page = await open(chrome, graph.url, { viewport: { width: 1180, height: 760 } });
  page.setDefaultTimeout(180000);
  // Sound, eyes and timing are there, and the mouth is open.
  await until(page, () => [...document.querySelectorAll(".dock > .card")].every((card) => !card.hidden));
  // The figures above the face: those of a small picture, for this one is drawn in software.
  await page.evaluate(() => viewer.stage.renderer.setSize(96, 64, false));
  await until(page, () => viewer.stage.pictures > 20);
  await page.waitForTimeout(3000);
  await until(page, () => viewer.frame()[viewer.places.jawOpen] > 0.2 && viewer.frame()[viewer.places.eyeBlinkLeft] < 0.1);
  await page.evaluate(() => viewer.stage.renderer.setAnimationLoop(null));
  const face = await page.evaluate(() => {
    const { clientWidth, clientHeight } = document.querySelector("main");
    viewer.stage.renderer.setSize(clientWidth, clientHeight, false);
    return viewer.stage.picture(1);
  });
  await page.evaluate((url) => {
    const image = Object.assign(new Image(), { src: url, className: "face", style: "width: 100%; height: 100%" });
    document.querySelector("canvas.face").replaceWith(image);
  }, face);
  // Drawing it has held the page up: the line comes back, and the figures are those of now.
  await until(page, () => document.querySelector(".state").dataset.state === "live");
  await page.waitForTimeout(3000);
  await page.screenshot({ path: `${folder}/viewer-page.jpg`, quality: 88, type: "jpeg" });
  await page.close();
  await graph.stop();
}

// Streamed vertices beside Gaussians.
async function takeSurfaces() {
  const graph = await run({ settings: { "tour.station": "smile" } });
  const page = await open(chrome, graph.url, { viewport: { width: SIDE, height: SIDE } });
  await square(page);
  const urls = [];
  for (const [kind, title] of [["vertices", "Streamed"], ["gaussians", "Splats"]]) {
    await page.evaluate((title) => [...document.querySelectorAll(".choice button")].find((b) => b.textContent === title).click(), title);
    if (kind === "gaussians") await until(page, () => !viewer.head.visible);
    else await until(page, () => viewer.head.given);
    urls.push([title.toLowerCase(), await page.evaluate(() => viewer.stage.picture(1))]);
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
