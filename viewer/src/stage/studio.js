// The studio's lights: a key, a fill and two rims in a room.
import { Color, DirectionalLight, Group, PCFShadowMap } from "three";
import { room } from "./room.js";

/** The same numbers as Settings.light of sink.viewer. */
export const DEFAULT_LIGHT = Object.freeze({
  exposure: 1, key: 1, fill: 1, rim: 1, environment: 1, azimuth_deg: 35, elevation_deg: 30, warmth: 0,
});

const KEY = 2.2, FILL = 0.35, RIM = 1.2, ROOM = 0.6;

export class Studio extends Group {
  constructor(renderer, scene) {
    super();
    this.renderer = renderer;
    this.scene = scene;
    renderer.shadowMap.enabled = true;
    renderer.shadowMap.type = PCFShadowMap;

    this.key = new DirectionalLight();
    this.key.castShadow = true;
    this.key.shadow.mapSize.set(1024, 1024);
    this.key.shadow.radius = 5;
    this.key.shadow.bias = -0.0006;
    this.key.shadow.normalBias = 0.004;
    Object.assign(this.key.shadow.camera, { left: -0.22, right: 0.22, top: 0.22, bottom: -0.26, near: 0.2, far: 2.2 });
    this.fill = new DirectionalLight();
    this.fill.position.set(-0.9, 0.1, 0.8);
    this.rims = [new DirectionalLight(), new DirectionalLight()];
    this.rims[0].position.set(-0.9, 0.5, -0.9);
    this.rims[1].position.set(0.9, 0.7, -0.8);
    // Without shadows of their own the rims would shine on the inside of lips, which the whole head is before.
    for (const rim of this.rims) {
      rim.castShadow = true;
      rim.shadow.mapSize.set(512, 512);
      rim.shadow.radius = 3;
      rim.shadow.bias = -0.001;
      rim.shadow.normalBias = 0.006;
      Object.assign(rim.shadow.camera, { left: -0.22, right: 0.22, top: 0.26, bottom: -0.22, near: 0.2, far: 2.6 });
    }
    this.add(this.key, this.key.target, this.fill, ...this.rims);
    for (const target of [this.fill, ...this.rims]) this.add(target.target);

    scene.environment = room(renderer);
    this.set(DEFAULT_LIGHT);
  }

  /** Whether key and rims throw shadows. */
  get shadows() {
    return this.key.castShadow;
  }

  set shadows(on) {
    for (const light of [this.key, ...this.rims]) light.castShadow = on;
  }

  /** @param {typeof DEFAULT_LIGHT} light */
  set(light) {
    const warm = new Color(1, 0.955, 0.89).lerp(new Color(light.warmth > 0 ? "#ffb060" : "#8fb8ff"), 0.6 * Math.abs(light.warmth));
    this.renderer.toneMappingExposure = light.exposure;
    this.key.color.copy(warm);
    this.key.intensity = KEY * light.key;
    this.fill.color.set(0.75, 0.86, 1);
    this.fill.intensity = FILL * light.fill;
    this.rims[0].color.set(0.62, 0.8, 1);
    this.rims[1].color.set(1, 0.86, 0.7);
    for (const rim of this.rims) rim.intensity = RIM * light.rim;
    this.scene.environmentIntensity = ROOM * light.environment;
    const a = (light.azimuth_deg * Math.PI) / 180, e = (light.elevation_deg * Math.PI) / 180;
    this.key.position.set(Math.sin(a) * Math.cos(e), Math.sin(e), Math.cos(a) * Math.cos(e));
  }
}
