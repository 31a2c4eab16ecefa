// What the face is made of: the head's own morph targets, vertices from the graph, or Gaussians from the graph.
const NOT_SENT_MS = 4000;
const NEEDS = {
  vertices: "the graph sends no vertices: connect those of face.avatar_decoder to the viewer",
  gaussians: "the graph sends no Gaussians: connect those of face.avatar_decoder to the viewer",
};

export class Surface {
  #splats = null;
  #timer = 0;
  kind = "morphs";

  /** @param {(text: string) => void} problem  @param {() => void} giveUp chooses morphs, for all who need to know */
  constructor(stage, head, problem, giveUp) {
    Object.assign(this, { stage, head, problem, giveUp });
  }

  /** @param {"morphs"|"vertices"|"gaussians"} kind */
  choose(kind) {
    this.kind = kind;
    this.head.follow(kind === "vertices" ? "vertices" : "morphs");
    this.head.visible = true; // until the first Gaussians are there
    this.#splats?.removeFromParent();
    clearTimeout(this.#timer);
    if (NEEDS[kind]) this.#timer = setTimeout(() => this.problem(NEEDS[kind]), NOT_SENT_MS);
  }

  /** @param {Float32Array} positions [V * 3] */
  vertices(positions) {
    if (this.kind !== "vertices") return;
    clearTimeout(this.#timer);
    this.#tell("vertices", () => this.head.setVertices(positions));
  }

  /** @param {Float32Array} normals [V * 3] */
  normals(normals) {
    if (this.kind === "vertices") this.#tell("vertices", () => this.head.setNormals(normals));
  }

  /** @param {Float32Array} data [G * 14] */
  gaussians(data) {
    if (this.kind !== "gaussians") return;
    clearTimeout(this.#timer);
    this.#tell("gaussians", async () => {
      if (!this.#splats) {
        const { Splats } = await import("../splats/splats.js");
        if (this.kind !== "gaussians") return;
        this.#splats ??= new Splats(this.stage.studio);
      }
      this.stage.scene.add(this.#splats);
      this.#splats.position.copy(this.head.position); // in VR it is elsewhere
      this.#splats.updateMatrixWorld();
      this.#splats.show(data, this.stage.camera);
      this.head.visible = !this.#splats.visible;
    });
  }

  async #tell(kind, act) {
    try {
      await act();
    } catch (error) {
      if (this.kind !== kind) return; // told already, or no longer what is shown
      this.problem(error.message);
      this.giveUp();
    }
  }
}
