// The page of the light's sliders.
import { DEFAULT_LIGHT } from "../stage/studio.js";
import { h, slider } from "./dom.js";

const RANGES = [
  ["exposure", "exposure", 0, 2, 0.01, ""],
  ["key", "key", 0, 3, 0.01, ""],
  ["azimuth_deg", "key from", -180, 180, 1, "°"],
  ["elevation_deg", "key height", -90, 90, 1, "°"],
  ["warmth", "key warmth", -1, 1, 0.01, ""],
  ["fill", "fill", 0, 3, 0.01, ""],
  ["rim", "rims", 0, 3, 0.01, ""],
  ["environment", "room", 0, 3, 0.01, ""],
];
const PRESETS = {
  Studio: {},
  Soft: { key: 0.6, fill: 2.2, rim: 0.5, environment: 1.7, azimuth_deg: 15, elevation_deg: 20 },
  Rembrandt: { key: 1.25, fill: 0.15, rim: 0.5, environment: 0.35, azimuth_deg: 52, elevation_deg: 42, warmth: 0.25 },
  Night: { key: 0.3, fill: 0.5, rim: 2.2, environment: 0.2, azimuth_deg: -60, elevation_deg: 10, warmth: -0.8 },
};

export class LightPage {
  #light = { ...DEFAULT_LIGHT };
  #sliders = {};

  /** @param {(light: typeof DEFAULT_LIGHT) => void} told when the user has changed it */
  constructor(told) {
    const change = (part) => (this.show({ ...this.#light, ...part }), told(this.#light));
    const buttons = Object.entries(PRESETS).map(([title, preset]) =>
      h("button", { class: "quiet", onclick: () => change({ ...DEFAULT_LIGHT, ...preset }) }, title));
    for (const [key, name, low, high, step, unit] of RANGES)
      this.#sliders[key] = slider({ name, low, high, step, unit, rest: DEFAULT_LIGHT[key], told: (value) => change({ [key]: value }) });
    this.element = h("section", { class: "page" }, h("div", { class: "tools" }, ...buttons), ...Object.values(this.#sliders).map((s) => s.row));
  }

  show(light) {
    this.#light = { ...DEFAULT_LIGHT, ...light };
    for (const [key, { show }] of Object.entries(this.#sliders)) show(this.#light[key]);
  }
}
