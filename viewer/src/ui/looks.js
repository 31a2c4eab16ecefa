// "Calibrate eyes": points to look at, one after the other, while the graph keeps what the eye cameras see.
import { h } from "./dom.js";

const SETTLE_MS = 700, KEEP_MS = 1300; // the eyes get there, and then stay
const WIDTH_CM = 53, DISTANCE_CM = 60; // a 24 inch screen at arm's length
const EDGE_PX = 24; // that a point stays away from the edge

/**
 * Where on a flat screen straight ahead a point lies that is seen at some angles, in the unit of the distance.
 * A person's left is the screen's left, and positive pitch is down.
 */
export function onScreen(yawDeg, pitchDeg, distance) {
  const yaw = (yawDeg * Math.PI) / 180, pitch = (pitchDeg * Math.PI) / 180;
  return { x: -distance * Math.tan(yaw), y: (distance * Math.tan(pitch)) / Math.cos(yaw) };
}

/** The largest share, up to 1, of all the angles that fits a screen of width x height. */
export function fitting(points, distance, width, height) {
  const fits = (share) => points.every(([yaw, pitch]) => {
    const { x, y } = onScreen(share * yaw, share * pitch, distance);
    return Math.abs(x) <= width / 2 && Math.abs(y) <= height / 2;
  });
  for (let steps = 20; steps > 2; steps--) if (fits(steps / 20)) return steps / 20;
  return 0.1;
}

export class LooksPage {
  pace = { settleMs: SETTLE_MS, keepMs: KEEP_MS };
  running = false;
  #turn = 0; // counts calibrations: one that was cancelled may still be waiting when the next begins
  #points = [];
  #width = h("input", { type: "number", min: 10, max: 300, value: WIDTH_CM, "aria-label": "width of the screen, cm" });
  #distance = h("input", { type: "number", min: 10, max: 500, value: DISTANCE_CM, "aria-label": "from eyes to screen, cm" });
  #dot = h("i", { class: "point", hidden: true });
  #card = h("div", { class: "card" });
  #inVr = null; // {show(yaw, pitch), hide()}: the points in a headset

  /** @param {{calibrate: (step: string) => void, lookAt: (yawDeg?: number, pitchDeg?: number) => void}} graph */
  constructor(graph) {
    this.graph = graph;
    this.element = h("div", { class: "looks", hidden: true }, this.#card, this.#dot);
    addEventListener("keydown", (event) => event.key === "Escape" && this.#close());
  }

  /** @param {[number, number][]} points yaw, pitch in degrees */
  name(points) {
    this.#points = points;
  }

  /** Asks for the screen's size, then begins. */
  open() {
    this.#tell("Sit straight before the screen, the headset's cameras on your eyes. Look at each point, without moving the head.",
      h("label", {}, "width of the screen, cm", this.#width),
      h("label", {}, "from eyes to screen, cm", this.#distance),
      h("button", { onclick: () => this.run() }, "Begin"), h("button", { class: "quiet", onclick: () => this.#close() }, "Cancel"));
  }

  /** Shows one point after the other. @param {{show: Function, hide: Function}|null} inVr  in place of the screen */
  async run(inVr = null) {
    if (this.running) return;
    this.running = true;
    const turn = ++this.#turn;
    this.#inVr = inVr;
    this.element.hidden = false;
    this.#card.hidden = true;
    const cm = screen.width / Number(this.#width.value || WIDTH_CM), distance = cm * Number(this.#distance.value || DISTANCE_CM);
    const share = inVr ? 1 : fitting(this.#points, distance, innerWidth - 2 * EDGE_PX, innerHeight - 2 * EDGE_PX);
    this.graph.calibrate("begin");
    for (const [yaw, pitch] of this.#points) {
      this.graph.lookAt();
      if (inVr) inVr.show(yaw, pitch);
      else this.#show(onScreen(share * yaw, share * pitch, distance));
      await wait(this.pace.settleMs);
      if (turn !== this.#turn) return;
      this.graph.lookAt(share * yaw, share * pitch);
      await wait(this.pace.keepMs);
      if (turn !== this.#turn) return;
    }
    this.graph.calibrate("end");
    this.#done();
  }

  /** The graph has written the file. */
  written({ path, looks, points }) {
    this.#tell(`${looks} looks at ${points} points are in ${path}. Make a calibration of them, and give it to the eye encoder:`,
      h("code", {}, `rtgraph calibrate eyes eyes.json --looks ${path}`),
      h("button", { onclick: () => this.#close() }, "Close"));
  }

  /** Something is wrong: the points go, and the page says what. */
  failed() {
    if (this.running) this.#close();
  }

  #show({ x, y }) {
    this.#dot.hidden = false;
    this.#dot.style.left = `${innerWidth / 2 + x}px`;
    this.#dot.style.top = `${innerHeight / 2 + y}px`;
  }

  #tell(text, ...rest) {
    this.element.hidden = this.#card.hidden = false;
    this.#card.replaceChildren(h("h2", {}, "calibrate eyes"), h("p", {}, text), ...rest);
  }

  #done() {
    this.running = false;
    this.#dot.hidden = true;
    this.#inVr?.hide();
    this.element.hidden = true; // until the file is written
  }

  #close() {
    if (this.running) this.graph.calibrate("cancel");
    this.#turn++;
    this.#done();
  }
}

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
