// The panel at the right: pages behind tabs.
import { h } from "./dom.js";

export class Panel {
  /** @param {Record<string, HTMLElement>} pages by title */
  constructor(pages) {
    const tabs = Object.entries(pages).map(([title, page]) => {
      const tab = h("button", { role: "tab", onclick: () => open(tab, page) }, title);
      return tab;
    });
    const open = (tab, page) => {
      for (const other of tabs) other.setAttribute("aria-selected", other === tab);
      for (const other of Object.values(pages)) other.hidden = other !== page;
    };
    this.element = h("aside", { class: "panel" }, h("nav", { role: "tablist" }, ...tabs), ...Object.values(pages));
    open(tabs[0], Object.values(pages)[0]);
  }
}
