// One of a few, side by side.
import { h } from "./dom.js";

/** `choose` presses one as a click does. @param {Record<string, string>} titles by value  @param {(value: string) => void} told */
export function choice(titles, told) {
  const buttons = Object.entries(titles).map(([value, title]) =>
    h("button", { "aria-pressed": false, onclick: () => choose(value) }, title));
  const press = (chosen) => Object.keys(titles).forEach((value, i) => buttons[i].setAttribute("aria-pressed", value === chosen));
  const choose = (value) => (press(value), told(value));
  press(Object.keys(titles)[0]);
  return { element: h("span", { class: "choice", role: "group" }, ...buttons), choose };
}
