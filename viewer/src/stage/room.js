// The room that skin and eyes mirror: a gradient and round lamps, written as a prefiltered environment without sampling.
//
// three's PMREMGenerator takes hundreds of samples a texel, which a software renderer spends half a minute on. These lamps
// are simple enough to be blurred by formula: a rougher level has softer edges and the same energy.
import {
  BackSide, BoxGeometry, CubeCamera, HalfFloatType, LinearMipmapLinearFilter, LinearSRGBColorSpace, Mesh, NoBlending,
  PMREMGenerator, Scene, ShaderMaterial, WebGLCubeRenderTarget,
} from "three";

const SIZE = 128, SMALLEST = 8; // of the faces, sharpest and roughest level

// Direction, angular radius in radians, linear radiance: key soft box, fill strip, ceiling, and two behind.
const LAMPS = [
  [[0.58, 0.41, 0.7], 0.3, [15, 14, 12.6]],
  [[-0.85, 0.17, 0.5], 0.22, [5, 6, 7.2]],
  [[0, 0.99, 0.1], 0.42, [4, 4.2, 4.6]],
  [[-0.6, 0.36, -0.72], 0.26, [8, 9.5, 12]],
  [[0.65, 0.41, -0.65], 0.26, [10.5, 9, 7.8]],
];
const FLOOR = [0.2, 0.17, 0.15], CEILING = [0.42, 0.47, 0.55];

/** @returns {import("three").CubeTexture} for `scene.environment` */
export function room(renderer) {
  const target = new WebGLCubeRenderTarget(SIZE, {
    minFilter: LinearMipmapLinearFilter, generateMipmaps: false, type: HalfFloatType, colorSpace: LinearSRGBColorSpace,
    depthBuffer: false,
  });
  for (let size = SIZE; size >= SMALLEST; size /= 2) target.texture.mipmaps.push({ width: size, height: size });
  const roughest = target.texture.mipmaps.length - 1;
  const material = new ShaderMaterial({
    uniforms: { roughness: { value: 0 } }, vertexShader: VERTEX, fragmentShader: FRAGMENT,
    side: BackSide, blending: NoBlending, depthTest: false, depthWrite: false,
  });
  const scene = new Scene().add(new Mesh(new BoxGeometry(), material));
  const camera = new CubeCamera(0.1, 10, target);
  for (let level = 0; level <= roughest; level++) {
    material.uniforms.roughness.value = PMREMGenerator.lodToRoughness(level, roughest);
    camera.activeMipmapLevel = level;
    target.viewport.set(0, 0, SIZE >> level, SIZE >> level);
    camera.update(renderer, scene);
  }
  target.viewport.set(0, 0, SIZE, SIZE);
  material.dispose();
  target.texture.isPMREMTexture = true; // as three marks its own, so that it is not filtered again
  return target.texture;
}

const vec3 = (values) => `vec3(${values.map((v) => v.toFixed(3)).join(", ")})`;

const VERTEX = `
varying vec3 direction;
void main() {
  direction = (modelMatrix * vec4(position, 0.0)).xyz;
  gl_Position = projectionMatrix * modelViewMatrix * vec4(position, 1.0);
}`;

const FRAGMENT = `
uniform float roughness;
varying vec3 direction;

// A disc of radius a seen through a lobe of half width w: its edge is w soft, its energy stays.
float lamp(vec3 d, vec3 towards, float a, float w) {
  float angle = acos(clamp(dot(d, normalize(towards)), -1.0, 1.0));
  return (1.0 - smoothstep(max(a - w, 0.0), a + w, angle)) * a * a / (a * a + 0.6 * w * w);
}

void main() {
  vec3 d = normalize(direction);
  float w = 0.03 + 1.25 * roughness * roughness;
  vec3 light = mix(${vec3(FLOOR)}, ${vec3(CEILING)}, smoothstep(-0.7, 0.95, d.y));
  ${LAMPS.map(([towards, radius, colour]) => `light += ${vec3(colour)} * lamp(d, ${vec3(towards)}, ${radius.toFixed(3)}, w);`).join("\n  ")}
  gl_FragColor = vec4(light, 1.0);
}`;
