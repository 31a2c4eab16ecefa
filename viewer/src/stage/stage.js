// The picture: renderer, camera, the loop that draws, and how fine it draws on a slow machine.
import { CanvasTexture, NeutralToneMapping, PerspectiveCamera, Scene, SRGBColorSpace, WebGLRenderer } from "three";
import { OrbitControls } from "three/addons/controls/OrbitControls.js";
import { Studio } from "./studio.js";

const FINEST = 2; // device pixels a CSS pixel, at most
const SLOW_MS = 28, FAST_MS = 17.5; // medians of the time between two pictures
const COARSEST = 0.5;
const JUDGE_MS = 1500;

export class Stage {
  #canvas;
  #before;
  #fineness = Math.min(devicePixelRatio, FINEST);
  #paces = [];
  #lastMs = 0;
  #judgedMs = 0;

  /** @param {HTMLCanvasElement} canvas  @param {(nowMs: number) => void} before each picture */
  constructor(canvas, before) {
    this.#canvas = canvas;
    this.#before = before;
    this.renderer = new WebGLRenderer({ canvas, antialias: true, powerPreference: "high-performance" });
    this.renderer.toneMapping = NeutralToneMapping;
    this.renderer.xr.enabled = true;
    const gl = this.renderer.getContext();
    const name = gl.getParameter(gl.getExtension("WEBGL_debug_renderer_info")?.UNMASKED_RENDERER_WEBGL ?? gl.RENDERER);
    this.software = /swiftshader|llvmpipe|software/i.test(name);
    if (this.software) this.#fineness = COARSEST;
    this.scene = new Scene();
    this.scene.background = backdrop();
    this.camera = new PerspectiveCamera(24, 1, 0.05, 20);
    this.controls = new OrbitControls(this.camera, canvas);
    Object.assign(this.controls, { enableDamping: true, dampingFactor: 0.08, minDistance: 0.25, maxDistance: 3, zoomSpeed: 0.6 });
    this.studio = new Studio(this.renderer, this.scene);
    this.studio.shadows = !this.software;
    this.scene.add(this.studio);
    this.pictures = 0;
    this.scriptMs = 0; // of a picture on the main thread, averaged over the last dozen
    new ResizeObserver(() => this.#fit()).observe(canvas.parentElement);
    this.renderer.xr.addEventListener("sessionend", () => this.#fit()); // a session that failed to begin leaves no size
    this.#fit();
    this.loop = (nowMs) => {
      const begun = performance.now();
      if (!this.renderer.xr.isPresenting) {
        this.#keepPace(nowMs);
        this.controls.update();
      }
      this.#draw(nowMs);
      // The first pictures wait for shaders to be compiled.
      if (++this.pictures > 3) this.scriptMs += (performance.now() - begun - this.scriptMs) / Math.min(this.pictures - 3, 12);
    };
    this.renderer.setAnimationLoop(this.loop);
  }

  #draw(nowMs) {
    this.#before(nowMs);
    this.renderer.render(this.scene, this.camera);
  }

  /** Put the camera in front of a point of the face. */
  frame(point, distance = 0.8) {
    this.controls.target.copy(point).add({ x: 0, y: -0.03, z: 0 });
    this.camera.position.copy(this.controls.target).add({ x: 0.14, y: 0.02, z: distance });
    this.controls.update();
  }

  /** A picture of the face as it is now, with shadows, as the URL of a PNG. @param {number} fineness device pixels a CSS pixel */
  picture(fineness = FINEST) {
    const { shadows } = this.studio;
    this.studio.shadows = true;
    this.renderer.setPixelRatio(fineness);
    this.#draw(performance.now());
    const url = this.#canvas.toDataURL("image/png"); // at once: after this turn the buffer is empty
    this.studio.shadows = shadows;
    this.renderer.setPixelRatio(this.#fineness);
    return url;
  }

  #fit() {
    const { clientWidth: width, clientHeight: height } = this.#canvas.parentElement;
    if (width === 0 || height === 0) return;
    this.camera.aspect = width / height;
    // On a narrow window the face stays as wide.
    this.camera.fov = 24 * Math.max(1, 0.8 / this.camera.aspect);
    this.camera.updateProjectionMatrix();
    this.renderer.setPixelRatio(this.#fineness);
    this.renderer.setSize(width, height, false);
  }

  // Coarser pixels, and in the end no shadows, rather than fewer pictures a second: a face is in its motion.
  #keepPace(nowMs) {
    const pace = nowMs - this.#lastMs;
    this.#lastMs = nowMs;
    if (pace < 5000) this.#paces.push(pace); // longer: the tab was hidden
    if (nowMs - this.#judgedMs < JUDGE_MS || this.#paces.length < 3) return;
    this.#judgedMs = nowMs;
    const median = this.#paces.sort((a, b) => a - b)[this.#paces.length >> 1];
    this.#paces = [];
    if (median > SLOW_MS && this.#fineness <= COARSEST) this.studio.shadows = false;
    const finest = Math.min(devicePixelRatio, FINEST);
    const wanted = median > SLOW_MS ? Math.max(COARSEST, this.#fineness * (median > 2 * SLOW_MS ? 0.5 : 0.8))
      : median < FAST_MS ? Math.min(finest, this.#fineness * 1.1) : this.#fineness;
    if (wanted !== this.#fineness) {
      this.#fineness = wanted;
      this.#fit();
    }
  }
}

// A wall that the light falls on, far behind.
function backdrop() {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 256;
  const context = canvas.getContext("2d");
  const glow = context.createRadialGradient(128, 104, 0, 128, 128, 190);
  glow.addColorStop(0, "#2a3037");
  glow.addColorStop(0.5, "#171b20");
  glow.addColorStop(1, "#0a0c0f");
  context.fillStyle = glow;
  context.fillRect(0, 0, 256, 256);
  const texture = new CanvasTexture(canvas);
  texture.colorSpace = SRGBColorSpace;
  return texture;
}
