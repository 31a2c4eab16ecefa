// The 52 shapes: what the graph sends, and sliders that take one over.
import { h } from "./dom.js";

// In the order of a face from above; the first whose pattern matches takes the shape.
const GROUPS = [
  ["Brows", /^brow/],
  ["Lids", /^eye(Blink|Squint|Wide)/],
  ["Gaze", /^eyeLook/],
  ["Cheeks and nose", /^(cheek|nose)/],
  ["Jaw", /^jaw/],
  ["Mouth", /./],
];

export class Shapes {
  #rows = new Map();
  #list = h("div", { class: "shapes" });
  #release = h("button", { class: "quiet", onclick: () => this.#set({}), disabled: true }, "Release all");
  overrides = {};

  /** @param {(overrides: Record<string, number>) => void} told when the user has moved a slider */
  constructor(told) {
    this.told = told;
    const search = h("input", { type: "search", placeholder: "Find a shape", "aria-label": "Find a shape",
      oninput: () => this.#find(search.value.toLowerCase()) });
    this.element = h("section", { class: "page" }, h("div", { class: "tools" }, search, this.#release), this.#list);
  }

  /** @param {string[]} names of the shapes, in the order of a frame */
  name(names) {
    this.#rows.clear();
    const groups = GROUPS.map(([title]) => h("fieldset", {}, h("legend", {}, title)));
    names.forEach((name, index) => {
      const group = groups[GROUPS.findIndex(([, pattern]) => pattern.test(name))];
      const bar = h("i");
      const input = h("input", { type: "range", min: 0, max: 1, step: 0.01, value: 0, "aria-label": name,
        oninput: () => this.#set({ ...this.overrides, [name]: Number(input.value) }) });
      const row = h("label", { class: "shape", title: "drag to take over, double click to release",
        ondblclick: (event) => (event.preventDefault(), this.#free(name)) }, h("span", {}, spoken(name)), h("b", {}, bar, input));
      group.append(row);
      this.#rows.set(name, { index, row, bar, input });
    });
    this.#list.replaceChildren(...groups);
    this.show(this.overrides);
  }

  /** Set by another page: nobody is told. */
  show(overrides) {
    this.overrides = overrides;
    this.#release.disabled = Object.keys(overrides).length === 0;
    for (const [name, { row, input }] of this.#rows) {
      row.classList.toggle("held", name in overrides);
      if (name in overrides) input.value = overrides[name];
    }
  }

  /** Draw what the graph sends. @param {Float32Array} frame */
  draw(frame) {
    if (!this.element.offsetParent) return;
    for (const [name, { index, bar, input }] of this.#rows) {
      const value = frame[index];
      bar.style.transform = `scaleX(${value.toFixed(3)})`;
      if (!(name in this.overrides) && document.activeElement !== input) input.value = value;
    }
  }

  #set(overrides) {
    this.show(overrides);
    this.told(overrides);
  }

  #free(name) {
    const { [name]: _, ...rest } = this.overrides;
    this.#set(rest);
  }

  #find(text) {
    for (const [name, { row }] of this.#rows) row.hidden = !name.toLowerCase().includes(text) && !spoken(name).includes(text);
  }
}

// "mouthSmileLeft" -> "mouth smile left"
const spoken = (name) => name.replace(/([A-Z])/g, (letter) => ` ${letter.toLowerCase()}`);
