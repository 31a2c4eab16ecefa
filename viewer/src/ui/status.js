// The line above the face: connection, latency, pictures a second, and what went wrong.
import { h } from "./dom.js";

const STATES = { connecting: "connecting", live: "live", lost: "connection lost, trying again" };
const PROBLEM_SHOWN_MS = 8000;

export class Status {
  #state = h("span", { class: "state" }, STATES.connecting);
  #latency = h("span", { class: "figure", title: "from the capture of the newest input to the drawing of its picture" });
  #pace = h("span", { class: "figure", title: "pictures a second, and script time of one" });
  #problem = h("div", { class: "problem", role: "alert", hidden: true });
  #timer = 0;

  constructor(...buttons) {
    this.element = h("header", {}, h("h1", {}, "rtgraph"), this.#state, this.#latency, this.#pace, h("span", { class: "gap" }), ...buttons, this.#problem);
  }

  connection(state) {
    this.#state.textContent = STATES[state];
    this.#state.dataset.state = state;
  }

  /** @param {{latencyMs: number, graphMs: number, rateHz: number, pictures: number, scriptMs: number, skipped: number}} f */
  figures({ latencyMs, graphMs, rateHz, pictures, scriptMs }) {
    this.#latency.textContent = Number.isFinite(latencyMs) ? `${latencyMs.toFixed(1)} ms latency (graph ${graphMs.toFixed(1)})` : "";
    this.#pace.textContent = `${rateHz.toFixed(0)} frames/s · ${pictures.toFixed(0)} pictures/s · script ${scriptMs.toFixed(1)} ms`;
  }

  problem(text) {
    this.#problem.textContent = text;
    this.#problem.hidden = false;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => (this.#problem.hidden = true), PROBLEM_SHOWN_MS);
  }
}
