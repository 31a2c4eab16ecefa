// The dock below the face: sound, both eyes, and where the time goes.
import { h } from "./dom.js";
import { Timing } from "./timing.js";

const SOUND_HZ = 16000;
const SHOWN_S = 2;
const COLUMNS = 240; // of the waveform, least and greatest sample of each
const GAZE_FULL_RAD = 0.6;

export class Dock {
  #wave = h("canvas", { width: COLUMNS * 2, height: 72 });
  #eyes = { left: eye("left eye"), right: eye("right eye") };
  #column = { low: 0, high: 0, samples: 0 };
  #columns = [];
  #sound = card("sound", this.#wave);
  // A person who faces us has the right eye on our left.
  #calibrate = h("button", { class: "quiet" }, "Calibrate eyes");
  #pictures = card("eyes", h("div", { class: "pair" }, this.#eyes.right.figure, this.#eyes.left.figure), this.#calibrate);
  #timing = new Timing();

  /** @param {() => void} calibrate what its button does */
  constructor(calibrate) {
    this.#calibrate.addEventListener("click", calibrate);
    this.element = h("footer", { class: "dock" }, this.#sound, this.#pictures, this.#timing.element);
    for (const part of [this.#sound, this.#pictures]) part.hidden = true; // until there is something
  }

  /** @param {Float32Array} samples */
  hear(samples) {
    this.#sound.hidden = false;
    const size = (SOUND_HZ * SHOWN_S) / COLUMNS;
    for (const sample of samples) {
      const column = this.#column;
      column.low = Math.min(column.low, sample);
      column.high = Math.max(column.high, sample);
      if (++column.samples < size) continue;
      this.#columns.push(column);
      if (this.#columns.length > COLUMNS) this.#columns.shift();
      this.#column = { low: 0, high: 0, samples: 0 };
    }
  }

  drawSound() {
    if (this.#sound.hidden) return;
    const { width, height } = this.#wave;
    const context = this.#wave.getContext("2d");
    context.clearRect(0, 0, width, height);
    context.fillStyle = "#7fc9c0";
    const offset = COLUMNS - this.#columns.length;
    this.#columns.forEach(({ low, high }, i) => {
      // The square root makes quiet speech visible.
      const top = (0.5 - 0.5 * Math.sqrt(high)) * height, bottom = (0.5 + 0.5 * Math.sqrt(-low)) * height;
      context.fillRect((offset + i) * 2, top, 1.4, Math.max(1, bottom - top));
    });
  }

  /** @param {"left"|"right"} side  @param {Uint8Array} pixels of rows x columns */
  see(side, pixels, rows, columns) {
    this.#pictures.hidden = false;
    const { canvas } = this.#eyes[side];
    if (canvas.width !== columns || canvas.height !== rows) Object.assign(canvas, { width: columns, height: rows });
    const context = canvas.getContext("2d");
    const image = context.createImageData(columns, rows);
    const words = new Uint32Array(image.data.buffer);
    for (let i = 0; i < pixels.length; i++) words[i] = 0xff000000 | (pixels[i] * 0x010101);
    context.putImageData(image, 0, 0);
  }

  /** @param {Float32Array} state [14]: of each eye gaze yaw, pitch, lid, squint, wide, pupil mm, confidence */
  gaze(state) {
    this.#pictures.hidden = false;
    ["left", "right"].forEach((side, i) => {
      const [yaw, pitch, lid, , , pupilMm, confidence] = state.subarray(7 * i, 7 * i + 7);
      const { dot, text } = this.#eyes[side];
      // The eye looks at us: its left is our right.
      const share = 50 / Math.max(GAZE_FULL_RAD, Math.hypot(yaw, pitch));
      dot.style.left = `${50 + share * yaw}%`;
      dot.style.top = `${50 + share * pitch}%`;
      dot.style.opacity = 0.15 + 0.85 * confidence;
      text.textContent = `lid ${lid.toFixed(2)} · ${pupilMm.toFixed(1)} mm`;
    });
  }

  /** @param {Parameters<Timing["show"]>[0]} timing */
  time(timing) {
    this.#timing.show(timing);
  }
}

function card(title, ...children) {
  return h("div", { class: `card ${title}` }, h("h2", {}, title), ...children);
}

function eye(name) {
  const canvas = h("canvas", { width: 1, height: 1, "aria-label": name });
  const dot = h("u");
  const text = h("small");
  return { canvas, dot, text, figure: h("figure", {}, h("div", { class: "eye" }, canvas, h("div", { class: "gaze", title: "where it looks" }, dot)), text) };
}
