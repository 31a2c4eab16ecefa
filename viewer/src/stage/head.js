// The head: a GLB whose ARKit morph targets, neck and eyes follow an expression frame.
import { Box3, BufferAttribute, DoubleSide, Euler, Group, Vector3 } from "three";
import { GLTFLoader } from "three/addons/loaders/GLTFLoader.js";
import { agree } from "./drive.js";
import { materialFor, softEdges } from "./materials.js";

// glTF axes: yaw about +Y, then pitch about +X, then roll about +Z.
const ORDER = "YXZ";
const JOINTS = { head: "head", leftEye: "leftEye", rightEye: "rightEye" };

export class Head extends Group {
  #morphs = []; // [{influences, places: [place of each shape in influences, or -1]}]
  #joints = {};
  #names = [];
  #places = {}; // of a name in a frame
  #given = false; // whether vertices come from the graph
  given = false; // whether some have come

  /** In place of what is shown. @param {string} url of a GLB  @throws {Error} in words, where it cannot be shown */
  async load(url) {
    const response = await fetch(url);
    if (!response.ok) throw new Error(`the head cannot be had: ${response.status} ${await response.text()}`);
    const gltf = await new GLTFLoader().parseAsync(await response.arrayBuffer(), "");
    this.#drop();
    this.add(gltf.scene);
    const made = new Map();
    gltf.scene.traverse((object) => {
      if (!object.isMesh) return;
      if (!made.has(object.material)) made.set(object.material, materialFor(object.material));
      object.material = made.get(object.material);
      const hairy = object.material.side === DoubleSide;
      object.castShadow = !object.material.transparent;
      object.receiveShadow = !hairy;
      object.frustumCulled = false; // morph targets leave the neutral box
      this.meshes.push(object);
    });
    for (const mesh of this.meshes.filter(({ material }) => material.alphaTest > 0)) this.#soften(mesh);
    for (const [joint, name] of Object.entries(JOINTS)) {
      const node = gltf.scene.getObjectByName(name);
      if (node) this.#joints[joint] = { node, rest: node.quaternion.clone() };
    }
    this.bind(this.#names);
    return new Box3().setFromObject(gltf.scene);
  }

  #drop() {
    this.traverse(({ isMesh, geometry, material, skeleton }) => {
      if (!isMesh) return;
      geometry.dispose();
      for (const part of Object.values(material)) if (part?.isTexture) part.dispose();
      material.dispose();
      skeleton?.dispose(); // its bones are in a texture
    });
    this.clear();
    this.meshes = [];
    this.#joints = {};
    this.given = false;
  }

  // Hair once more, for its soft edges.
  #soften(mesh) {
    const soft = Object.assign(mesh.clone(), { material: softEdges(mesh.material), castShadow: false });
    soft.morphTargetInfluences = mesh.morphTargetInfluences;
    mesh.parent.add(soft);
  }

  /** Which names the numbers of a frame have. */
  bind(names) {
    this.#names = names;
    this.#places = Object.fromEntries(names.map((name, i) => [name, i]));
    this.#morphs = (this.meshes ?? [])
      .filter((mesh) => mesh.morphTargetDictionary)
      .map((mesh) => ({
        influences: mesh.morphTargetInfluences,
        places: names.map((name) => mesh.morphTargetDictionary[name] ?? -1),
      }));
  }

  /** Shapes of the frame that this head has. */
  get shapes() {
    return this.#names.filter((_, i) => this.#morphs.some((m) => m.places[i] >= 0));
  }

  /** @param {Float32Array} frame of the bound names: weights 0..1, and radians for the angles */
  pose(frame) {
    if (this.#given) return;
    const weights = agree(frame, this.#places);
    for (const { influences, places } of this.#morphs) {
      for (let i = 0; i < places.length; i++) if (places[i] >= 0) influences[places[i]] = weights[i];
    }
    const at = (name) => weights[this.#places[name]] ?? 0;
    for (const [joint, { node, rest }] of Object.entries(this.#joints)) {
      euler.set(at(`${joint}Pitch`), at(`${joint}Yaw`), at(`${joint}Roll`), ORDER);
      node.quaternion.setFromEuler(euler).premultiply(rest);
    }
  }

  /** Where the shape comes from: morph targets and joints, or vertices that are given. @param {"morphs"|"vertices"} what */
  follow(what) {
    this.#given = what === "vertices";
    if (this.#given) return this.#rest();
    for (const { geometry, userData } of this.meshes ?? []) Object.assign(geometry.attributes, userData.own);
  }

  /** @param {Float32Array} positions [V * 3] of the head's file  @throws {Error} where they are of another head */
  setVertices(positions) {
    this.#give("position", positions);
  }

  /** @param {Float32Array} normals [V * 3] */
  setNormals(normals) {
    this.#give("normal", normals);
  }

  /**
   * Become another person: what /person of the viewer answers.
   * @param {Float32Array} data vertices [V, 3], normals [V, 3], joint pivots [J, 3]
   * @param {Record<string, number[]>} tints linear RGB factors by material
   */
  become(data, tints) {
    const total = this.#total();
    const skeleton = this.meshes.find((mesh) => mesh.skeleton)?.skeleton;
    const joints = skeleton?.bones ?? [];
    if (data.length !== 3 * (2 * total + joints.length)) throw new Error("that person is of another head");
    let first = 0;
    for (const { geometry, userData, material } of this.meshes) {
      const { position, normal } = userData.own ?? geometry.attributes;
      const size = position.array.length;
      position.array.set(data.subarray(first, first + size));
      normal.array.set(data.subarray(3 * total + first, 3 * total + first + size));
      position.needsUpdate = normal.needsUpdate = true;
      first += size;
      material.userData.colour ??= material.color.clone();
      if (tints[material.name]) material.color.setRGB(...tints[material.name]).multiplyScalar(material.userData.shade ?? 1);
      else material.color.copy(material.userData.colour);
    }
    const pivot = joints.map((_, i) => new Vector3().fromArray(data, 3 * (2 * total + i)));
    joints.forEach((bone, i) => {
      const above = joints.indexOf(bone.parent);
      bone.position.copy(pivot[i]).sub(above >= 0 ? pivot[above] : new Vector3());
      skeleton.boneInverses[i].makeTranslation(pivot[i].clone().negate());
    });
  }

  #total() {
    return this.meshes.reduce((sum, { geometry }) => sum + geometry.attributes.position.count, 0);
  }

  // Given vertices have the expression, the neck and the eyes in them already.
  #rest() {
    for (const { influences } of this.#morphs) influences.fill(0);
    for (const { node, rest } of Object.values(this.#joints)) node.quaternion.copy(rest);
  }

  #give(name, values) {
    const total = this.#total();
    if (values.length !== 3 * total)
      throw new Error(`the graph sends ${values.length / 3} vertices, this head has ${total}: give the decoder and the viewer the same head`);
    let first = 0;
    for (const { geometry, userData } of this.meshes) {
      const { position, normal } = geometry.attributes;
      userData.own ??= { position, normal };
      if (geometry.attributes[name] === userData.own[name])
        geometry.attributes[name] = new BufferAttribute(new Float32Array(3 * position.count), 3);
      const attribute = geometry.attributes[name];
      attribute.array.set(values.subarray(first, (first += attribute.array.length)));
      attribute.needsUpdate = true;
    }
    this.given = true;
  }

  /** Between the eyes, in the world: where a camera looks. */
  focus() {
    const { leftEye, rightEye } = this.#joints;
    if (!leftEye || !rightEye) return new Box3().setFromObject(this).getCenter(new Vector3());
    return leftEye.node.getWorldPosition(new Vector3()).add(rightEye.node.getWorldPosition(new Vector3())).multiplyScalar(0.5);
  }
}

const euler = new Euler();
