// Counts what the line above the face tells: latency, frames and pictures a second.
export class Figures {
  #timestampMs = NaN;
  #latencies = [];
  #graph = [];
  #frames = 0;
  #scripts = [];
  #lastPictures = 0;
  #lastMs = performance.now();

  /** A frame has come. */
  frame(timestampMs, sentMs) {
    this.#timestampMs = timestampMs;
    this.#graph.push(sentMs - timestampMs);
    this.#frames++;
  }

  /** The newest frame has been drawn, at this time of the graph's clock. */
  drawn(nowMs) {
    if (Number.isNaN(this.#timestampMs)) return; // drawn before
    this.#latencies.push(nowMs - this.#timestampMs);
    this.#timestampMs = NaN;
  }

  /** The figures since the last time. */
  take(stage) {
    const passedS = (performance.now() - this.#lastMs) / 1000;
    const figures = {
      latencyMs: median(this.#latencies), graphMs: median(this.#graph), rateHz: this.#frames / passedS,
      pictures: (stage.pictures - this.#lastPictures) / passedS, scriptMs: stage.scriptMs,
    };
    this.#latencies = [];
    this.#graph = [];
    this.#frames = 0;
    this.#lastPictures = stage.pictures;
    this.#lastMs = performance.now();
    return figures;
  }
}

const median = (values) => (values.length ? values.sort((a, b) => a - b)[values.length >> 1] : NaN);
