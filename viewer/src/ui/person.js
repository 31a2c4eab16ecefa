// The page of the identity: sliders of the numbers that make a person, and a dice.
import { h, slider } from "./dom.js";

const SHARED_PEOPLES = "ethnicity"; // these numbers are shares of one whole

export class PersonPage {
  #sliders = new Map();
  #numbers = [];
  #code = {};
  #list = h("div");

  /** @param {(code: Record<string, number>) => void} told when the user has changed it */
  constructor(told) {
    this.told = told;
    this.element = h("section", { class: "page" },
      h("div", { class: "tools" },
        h("button", { class: "quiet", onclick: () => this.#change(this.#random()) }, "Somebody else"),
        h("button", { class: "quiet", onclick: () => this.#change({}) }, "Default")),
      this.#list);
  }

  /** @param {{name: string, group: string, low: number, high: number}[]} numbers */
  name(numbers) {
    this.#numbers = numbers;
    this.#sliders.clear();
    const groups = new Map();
    for (const { name, group, low, high } of numbers) {
      if (!groups.has(group)) groups.set(group, h("fieldset", {}, h("legend", {}, group)));
      const made = slider({ name: spoken(name, group), low, high, step: 0.01, rest: 0, told: (value) => this.#change({ ...this.#code, [name]: value }) });
      groups.get(group).append(made.row);
      this.#sliders.set(name, made);
    }
    this.#list.replaceChildren(...groups.values());
    if (numbers.length === 0) this.#list.append("This head is a file of its own and cannot become another person.");
    this.show(this.#code);
  }

  show(code) {
    this.#code = code;
    for (const [name, { show }] of this.#sliders) show(code[name] ?? 0);
  }

  #change(code) {
    const kept = Object.fromEntries(Object.entries(code).filter(([, value]) => value !== 0));
    this.show(kept);
    this.told(kept);
  }

  #random() {
    const code = {};
    const peoples = this.#numbers.filter(({ group }) => group === SHARED_PEOPLES).map(() => Math.random() ** 3);
    const whole = peoples.reduce((sum, share) => sum + share, 0) || 1;
    for (const { name, group, low, high } of this.#numbers) {
      // Two draws averaged: most people are near the middle.
      const draw = (Math.random() + Math.random()) / 2;
      code[name] = group === SHARED_PEOPLES ? peoples.pop() / whole
        : low < 0 ? round((low + (high - low) * draw) * 0.8) : round(Math.max(0, draw * 2 - 1.2) * high);
    }
    return code;
  }
}

const round = (value) => Math.round(value * 100) / 100;

// "noseWidth" of the group "nose" -> "width"
function spoken(name, group) {
  const words = name.replace(/([A-Z])/g, (letter) => ` ${letter.toLowerCase()}`);
  const stem = group.replace(/s$/, "");
  return words.startsWith(`${stem} `) ? words.slice(stem.length + 1) : words;
}
