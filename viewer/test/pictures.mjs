// Takes the pictures of docs/viewer.md: node test/pictures.mjs FOLDER [page] [expressions]
import { mkdir, writeFile } from "node:fs/promises";
import { browser, open, run } from "./graph.mjs";

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
} finally {
  await chrome.close();
}

// What is drawn in software is drawn for a picture alone, so the loop is stopped.

async function takePage() {
  const graph = await run({ settings: { "tour.station": "smile" } });
  const page = await open(chrome, graph.url, { viewport: { width: 1180, height: 760 } });
  page.setDefaultTimeout(180000);
  await page.waitForTimeout(2500); // the timing comes once a second
  await page.evaluate(() => viewer.stage.renderer.setAnimationLoop(null));
  const face = await page.evaluate(() => viewer.stage.picture(1));
  await page.evaluate((url) => {
    const image = Object.assign(new Image(), { src: url, className: "face", style: "width: 100%; height: 100%" });
    document.querySelector("canvas.face").replaceWith(image);
  }, face);
  await page.screenshot({ path: `${folder}/viewer-page.jpg`, quality: 88, type: "jpeg" });
  await page.close();
  await graph.stop();
}

async function takeExpressions() {
  const graph = await run({ settings: { "tour.station": "neutral" } });
  const page = await open(chrome, graph.url, { viewport: { width: SIDE, height: SIDE } });
  await page.evaluate((side) => {
    const { stage } = viewer;
    stage.renderer.setAnimationLoop(null);
    document.body.classList.add("bare");
    stage.renderer.setSize(side, side, false);
    stage.camera.aspect = 1;
    stage.camera.fov = 24;
    stage.camera.updateProjectionMatrix();
  }, SIDE);
  const urls = [];
  for (const [name, weights] of Object.entries(EXPRESSIONS)) {
    urls.push([name, await page.evaluate((w) => ((viewer.settings.weights = w), viewer.stage.picture(1)), weights)]);
  }
  const sheet = await page.evaluate(async ([urls, side]) => {
    const sheet = Object.assign(document.createElement("canvas"), { width: 3 * side, height: 2 * side });
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
  await writeFile(`${folder}/viewer-expressions.jpg`, Buffer.from(sheet.split(",")[1], "base64"));
  if (page.problems.length) console.error(page.problems.join("\n"));
  await page.close();
  await graph.stop();
}
