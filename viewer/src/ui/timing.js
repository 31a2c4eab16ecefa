// The card of time: what each node takes, what was too late, and how old what leaves the graph is.
import { h } from "./dom.js";

const NAMED = 4; // of the slowest nodes

export class Timing {
  #strip = h("div", { class: "strip" });
  #legend = h("div", { class: "legend" });
  #missed = h("p");
  #ages = h("table");
  element = h("div", { class: "card timing", hidden: true }, h("h2", {}, "time of a frame"), this.#strip, this.#legend, this.#missed, this.#ages);

  /**
   * @typedef {{name: string, native: boolean, p50_us: number, p99_us: number, missed: number}} Node
   * @typedef {{name: string, p50_ms: number, p95_ms: number}} Device
   * @typedef {{source: string, sink: string, p50_ms: number, p95_ms: number, p99_ms: number}} Path
   * @param {{nodes: Node[], devices: Device[], paths: Path[], budget_ms: number|null, missed: number, frames: number,
   *   frame_ms: number, look_ahead_ms: number}} timing  docs/viewer-messages.md
   */
  show(timing) {
    this.element.hidden = false;
    this.#showNodes(timing);
    this.#showMissed(timing);
    this.#showAges(timing);
  }

  #showNodes({ nodes, budget_ms }) {
    const total = nodes.reduce((sum, node) => sum + node.p50_us, 0);
    const whole = Math.max(total, budget_ms ? budget_ms * 1000 : 0) || 1;
    const hue = (node) => `--hue: ${(200 + 47 * nodes.indexOf(node)) % 360}`;
    this.#strip.replaceChildren(...nodes.map((node) => h("i", {
      style: `width: ${(100 * node.p50_us) / whole}%; ${hue(node)}`,
      class: node.native ? "native" : "python",
      title: `${node.name} (${node.native ? "native" : "Python"}): ${fromUs(node.p50_us)} ms, p99 ${fromUs(node.p99_us)} ms`,
    })));
    const slowest = [...nodes].sort((a, b) => b.p50_us - a.p50_us).slice(0, NAMED);
    this.#legend.replaceChildren(...slowest.map((node) => h("span", { style: hue(node) }, `${node.name} ${fromUs(node.p50_us)}`)));
  }

  #showMissed({ nodes, budget_ms, frames, frame_ms, missed }) {
    this.#missed.hidden = frames === 0;
    this.#missed.textContent = `frame ${fromMs(frame_ms)}` + (budget_ms ? ` of ${budget_ms} ms, ${missed} of ${frames} late${blamed(nodes)}` : " ms");
    this.#missed.title = "from the arrival of its last input to the frame; late ones by the node that took longest";
    this.#missed.classList.toggle("bad", missed > 0);
  }

  // A row for each source, a column for each place that the graph's work ends at.
  #showAges({ devices, paths, look_ahead_ms }) {
    this.#ages.hidden = paths.length === 0;
    const sinks = [...new Set(paths.map((path) => path.sink))], sources = [...new Set(paths.map((path) => path.source))];
    const held = new Map(devices.map((device) => [device.name, device]));
    const to = (source, sink) => paths.find((path) => path.source === source && path.sink === sink);
    const heads = [["capture to", "ms, median and 95 %"], [devices.length && "device", "what passed in the device is part of the rest"], ...sinks.map((sink) => [sink, ""])];
    this.#ages.replaceChildren(
      h("caption", { title: "what the graph waits for by design comes on top" }, `look-ahead ${fromMs(look_ahead_ms)} ms`),
      h("tr", {}, ...heads.filter(([name]) => name).map(([name, title]) => h("th", { title }, name))),
      ...sources.map((source) => h("tr", {}, h("th", {}, source), ...(devices.length ? [age(held.get(source))] : []), ...sinks.map((sink) => age(to(source, sink))))),
    );
  }
}

function blamed(nodes) {
  const late = nodes.filter((node) => node.missed).sort((a, b) => b.missed - a.missed);
  return late.length ? ` (${late.map((node) => `${node.name} ${node.missed}`).join(", ")})` : "";
}

function age(taken) {
  if (!taken) return h("td");
  const worst = taken.p99_ms === undefined ? "" : `, 99 % ${fromMs(taken.p99_ms)}`;
  return h("td", { title: `median ${fromMs(taken.p50_ms)} ms, 95 % ${fromMs(taken.p95_ms)}${worst}` }, fromMs(taken.p50_ms), h("small", {}, ` ${fromMs(taken.p95_ms)}`));
}

const fromUs = (us) => (us / 1000).toFixed(us < 1000 ? 3 : 2);
const fromMs = (ms) => (ms === 0 ? "0" : ms.toFixed(ms < 100 ? 1 : 0));
