// The page: a connection, a stage with a head on it, and the controls around it.
import { Connection } from "./net/connection.js";
import { Figures } from "./net/figures.js";
import { Kind } from "./net/message.js";
import { Head } from "./stage/head.js";
import { Stage } from "./stage/stage.js";
import { Surface } from "./stage/surface.js";
import { enterVr } from "./stage/vr.js";
import { Dock } from "./ui/dock.js";
import { h } from "./ui/dom.js";
import { LightPage } from "./ui/light.js";
import { LooksPage } from "./ui/looks.js";
import { PersonPage } from "./ui/person.js";
import { Panel } from "./ui/panel.js";
import { Shapes } from "./ui/shapes.js";
import { Status } from "./ui/status.js";
import { choice } from "./ui/choice.js";

const DRAW_PANEL_MS = 50;

const settings = { weights: {}, identity: {}, light: {} };
let frame = null; // the newest expression frame, Float32Array
let frames = 0; // that have come so far
let shown = null; // the frame with the sliders' weights in it
let hello = null;
let panelDrawnMs = 0;

const figures = new Figures();
const shapes = new Shapes((weights) => change({ weights }));
const light = new LightPage((values) => change({ light: values }));
const person = new PersonPage((identity) => change({ identity }));
const panel = new Panel({ Face: shapes.element, Person: person.element, Light: light.element });
const looks = new LooksPage({
  calibrate: (step) => connection.calibrate(step),
  lookAt: (...angles) => connection.lookAt(...angles),
});
const dock = new Dock(() => looks.open());
const canvas = h("canvas", { class: "face" });
const vrButton = h("button", { hidden: true }, "Enter VR");
const hide = h("button", { class: "quiet", title: "panels (H)", onclick: () => document.body.classList.toggle("bare") }, "☰");
const surfaces = choice({ morphs: "Mesh", vertices: "Streamed", gaussians: "Splats" }, (kind) => {
  surface.choose(kind);
  connection.show(kind);
});
const status = new Status(surfaces.element, vrButton, hide);
document.body.append(h("main", {}, canvas), status.element, panel.element, dock.element, looks.element);
addEventListener("keydown", (event) => {
  if (event.target instanceof HTMLInputElement) return;
  if (event.key === "h") document.body.classList.toggle("bare");
  if (event.key === "p") h("a", { href: stage.picture(), download: "rtgraph.png" }).click();
});

const stage = new Stage(canvas, draw);
const head = new Head();
stage.scene.add(head);
const surface = new Surface(stage, head, (text) => status.problem(text), () => surfaces.choose("morphs"));
enterVr(stage, head, vrButton, looks, (text) => status.problem(text));

const token = new URLSearchParams(location.search).get("token");
const secret = token ? `?token=${encodeURIComponent(token)}` : "";
const socket = new URL(`socket${secret}`, location.href);
socket.protocol = socket.protocol.replace("http", "ws");
const connection = new Connection(socket.href, {
  state: (state) => status.connection(state),
  hello: greeted,
  settings: adopt,
  message: received,
  looks: (written) => looks.written(written),
  problem: (text) => (looks.failed(), status.problem(text)),
});

setInterval(() => status.figures(figures.take(stage)), 1000);

function greeted(message) {
  if (JSON.stringify(hello?.frame) !== JSON.stringify(message.frame)) {
    shapes.name(message.frame.slice(0, message.shapes));
    head.bind(message.frame);
  }
  if (hello?.head !== message.head) person.name(message.identity);
  looks.name(message.look_points);
  hello = message;
}

function received(message) {
  const ofThisHead = hello.head === shownHead; // not while it is fetched
  for (const { kind, timestampMs, rows, columns, data } of message.sections) {
    if (kind === Kind.FRAME) {
      frame = data;
      frames++;
      figures.frame(timestampMs, message.sentMs);
    } else if (kind === Kind.VERTICES) ofThisHead && surface.vertices(data);
    else if (kind === Kind.NORMALS) ofThisHead && surface.normals(data);
    else if (kind === Kind.GAUSSIANS) surface.gaussians(data);
    else if (kind === Kind.AUDIO) dock.hear(data);
    else if (kind === Kind.LEFT_EYE) dock.see("left", data, rows, columns);
    else if (kind === Kind.RIGHT_EYE) dock.see("right", data, rows, columns);
    else if (kind === Kind.EYE_STATE) dock.gaze(data);
    else if (kind === Kind.TIMING) dock.time(JSON.parse(new TextDecoder().decode(data)));
  }
}

function draw(nowMs) {
  if (!frame) return;
  if (!shown || shown.length !== frame.length) shown = new Float32Array(frame.length);
  shown.set(frame);
  for (const [name, weight] of Object.entries(settings.weights)) shown[hello.frame.indexOf(name)] = weight;
  head.pose(shown);
  if (hello.live) figures.drawn(connection.nowMs());
  if (nowMs - panelDrawnMs < DRAW_PANEL_MS) return;
  panelDrawnMs = nowMs;
  shapes.draw(frame);
  dock.drawSound();
}

// From the controls of this page.
function change(part) {
  Object.assign(settings, part);
  if (part.light) stage.studio.set(part.light);
  if (part.identity) become();
  connection.share(settings);
}

// From another page, or from the graph at the beginning.
function adopt(given) {
  Object.assign(settings, given);
  shapes.show(settings.weights);
  light.show(settings.light);
  stage.studio.set(settings.light);
  person.show(settings.identity);
  become();
}

let becoming = Promise.resolve();
let shownHead = null; // the checksum of its GLB
let shownPerson = ""; // as the address asks for it; empty: as the GLB has it

// The newest head and person win: while one is fetched, those that came in between are left out. What failed is
// asked for again the next time.
function become() {
  becoming = becoming.then(async () => {
    const wantedHead = hello.head;
    if (wantedHead !== shownHead) {
      await head.load(`head.glb${secret}`);
      [shownHead, shownPerson] = [wantedHead, ""];
      stage.frame(head.focus());
    }
    const wanted = new URLSearchParams(Object.entries(settings.identity)).toString();
    if (wanted === shownPerson) return;
    const answer = await fetch(`person?${wanted}${secret.replace("?", "&")}`);
    if (!answer.ok) throw new Error(await answer.text());
    head.become(new Float32Array(await answer.arrayBuffer()), JSON.parse(answer.headers.get("Rtgraph-Tints")));
    shownPerson = wanted;
  }).catch((error) => status.problem(error.message));
}

// For the console, and for tests.
globalThis.viewer = { stage, head, surface, settings, looks, dock, frame: () => frame, frames: () => frames, get places() { return Object.fromEntries(hello.frame.map((name, i) => [name, i])); } };
