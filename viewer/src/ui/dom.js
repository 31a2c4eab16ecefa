// Makes elements: h("button", {class: "x", onclick: f}, "text", child).
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** A slider with its name and its value; `show` sets it without telling. */
export function slider({ name, low, high, step, rest, unit = "", told }) {
  const output = h("output");
  const input = h("input", { type: "range", min: low, max: high, step, value: rest, "aria-label": name });
  const show = (value) => {
    input.value = value;
    output.textContent = `${Number(value).toFixed(step < 1 ? 2 : 0)}${unit}`;
    row.classList.toggle("changed", Math.abs(value - rest) > step / 2);
  };
  input.addEventListener("input", () => (show(Number(input.value)), told(Number(input.value))));
  input.addEventListener("dblclick", () => (show(rest), told(rest)));
  const row = h("label", { class: "row", title: "double click: back to the default" }, h("span", {}, name), input, output);
  show(rest);
  return { row, show };
}
