// The line to the graph: a WebSocket that comes back by itself, and the graph's clock as seen from here.
import { decode } from "./message.js";

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 4000;
const PING_MS = 1000;
const KEPT_PINGS = 8;

export class Connection {
  #socket = null;
  #wait = FIRST_WAIT_MS;
  #pings = [];
  #timer = 0;
  #surface = "morphs";

  /**
   * @param {string} url of the socket
   * @param {{state: (s: "connecting"|"live"|"lost") => void, hello: (h: object) => void, settings: (s: object) => void, looks: (l: {path: string, looks: number, points: number}) => void,
   *   message: (m: ReturnType<typeof decode>) => void, problem: (text: string) => void}} handlers
   */
  constructor(url, handlers) {
    this.url = url;
    this.handlers = handlers;
    this.#open();
    setInterval(() => this.#send({ type: "ping", at_ms: performance.now() }), PING_MS);
    // A phone that wakes up, or a network that is back: no need to wait for the next attempt.
    for (const event of ["online", "focus"]) addEventListener(event, () => this.#hurry());
  }

  /** Now on the graph's clock, ms; NaN until it is known. */
  nowMs() {
    if (this.#pings.length === 0) return NaN;
    const best = this.#pings.reduce((a, b) => (b.roundTrip < a.roundTrip ? b : a));
    return performance.now() + best.offset;
  }

  /** Tell the graph, and through it the other pages, what the sliders and lights are set to. */
  share(settings) {
    this.#send({ type: "settings", settings });
  }

  /** What the page draws; the graph sends the large arrays on demand. @param {"morphs"|"vertices"|"gaussians"} surface */
  show(surface) {
    this.#surface = surface;
    this.#send({ type: "show", surface });
  }

  /** The nine points of "Calibrate eyes". @param {"begin"|"cancel"|"end"} step */
  calibrate(step) {
    this.#send({ type: "calibrate", step });
  }

  /** Where the eyes look from now on; nothing: nowhere that is known. */
  lookAt(yaw_deg = null, pitch_deg = null) {
    this.#send({ type: "look_at", yaw_deg, pitch_deg });
  }

  #open() {
    this.handlers.state("connecting");
    const socket = new WebSocket(this.url);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.#wait = FIRST_WAIT_MS;
      this.#pings = [];
      this.handlers.state("live");
      this.#send({ type: "ping", at_ms: performance.now() });
      this.#send({ type: "show", surface: this.#surface });
    };
    socket.onmessage = ({ data }) => (typeof data === "string" ? this.#told(JSON.parse(data)) : this.#received(data));
    socket.onclose = () => {
      this.handlers.state("lost");
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#open(), this.#wait * (0.75 + Math.random() / 2));
      this.#wait = Math.min(2 * this.#wait, LONGEST_WAIT_MS);
    };
    this.#socket = socket;
  }

  #hurry() {
    if (this.#socket.readyState !== WebSocket.CLOSED) return;
    clearTimeout(this.#timer);
    this.#wait = FIRST_WAIT_MS;
    this.#open();
  }

  #received(buffer) {
    try {
      const message = decode(buffer);
      // Taken in, not drawn: the graph sends the next one while this one is being drawn.
      this.#send({ type: "ack", seq: message.seq });
      this.handlers.message(message);
    } catch (error) {
      this.handlers.problem(error.message);
    }
  }

  #told(message) {
    if (message.type === "pong") this.#tick(message);
    else if (message.type === "hello") this.handlers.hello(message), this.handlers.settings(message.settings);
    else if (message.type === "settings") this.handlers.settings(message.settings);
    else if (message.type === "looks") this.handlers.looks(message);
    else if (message.type === "error") this.handlers.problem(message.message);
  }

  // As NTP does it: the graph's answer is taken to be from the middle of the round trip; the shortest trip is believed.
  #tick({ at_ms, now_ns }) {
    const now = performance.now();
    this.#pings.push({ roundTrip: now - at_ms, offset: now_ns / 1e6 - (at_ms + now) / 2 });
    if (this.#pings.length > KEPT_PINGS) this.#pings.shift();
  }

  #send(message) {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }
}
