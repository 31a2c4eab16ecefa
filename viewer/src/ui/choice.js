// One of a few, side by side.
import { h } from "./dom.js";

/** @param {Record<string, string>} titles by value  @param {(value: string) => void} told */
export function choice(titles, told) {
  const buttons = Object.entries(titles).map(([value, title]) =>
    h("button", { "aria-pressed": false, onclick: () => (press(value), told(value)) }, title));
  const press = (chosen) => Object.keys(titles).forEach((value, i) => buttons[i].setAttribute("aria-pressed", value === chosen));
  press(Object.keys(titles)[0]);
  return h("span", { class: "choice", role: "group" }, ...buttons);
}
