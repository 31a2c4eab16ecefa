// Gaussians as sorted, lit, transparent discs: projected as in 3D Gaussian Splatting (Kerbl et al. 2023, section 4).
import {
  CustomBlending, DataTexture, FloatType, GLSL3, InstancedBufferAttribute, InstancedBufferGeometry, BufferAttribute, Mesh,
  OneFactor, OneMinusSrcAlphaFactor, RGFormat, ShaderMaterial, Vector2, Vector3,
} from "three";

// A Gaussian is 14 numbers: mean xyz, rotation wxyz, scale xyz, linear colour rgb, opacity: seven texels of two.
const COLUMNS = 14, TEXELS = 7, A_ROW = 128;
const THICKNESS = "0.3"; // of a disc whose roughness is 1, to its width

export class Splats extends Mesh {
  #sorter = new Worker("sorter.js", { type: "module" });
  #sorting = false;
  #spare = null;
  #count = 0;
  #data = null;

  constructor(studio) {
    super(quad(), new ShaderMaterial({
      glslVersion: GLSL3,
      vertexShader: VERTEX,
      fragmentShader: FRAGMENT,
      transparent: true,
      depthTest: false,
      depthWrite: false,
      blending: CustomBlending,
      blendSrc: OneFactor,
      blendDst: OneMinusSrcAlphaFactor,
      uniforms: {
        gaussians: { value: null },
        viewport: { value: new Vector2() },
        lightDirection: { value: Array.from({ length: 4 }, () => new Vector3()) },
        lightColour: { value: Array.from({ length: 4 }, () => new Vector3()) },
        ambient: { value: 0 },
      },
    }));
    this.frustumCulled = false;
    this.studio = studio;
    this.#sorter.onmessage = ({ data }) => {
      this.#sorting = false;
      this.#spare = data.means.buffer;
      if (data.order.length !== this.geometry.instanceCount) return; // of a set that is no longer there
      const order = this.geometry.getAttribute("order");
      order.array.set(data.order);
      order.needsUpdate = true;
      this.visible = true;
    };
  }

  /** The newest Gaussians. @param {Float32Array} data [count * 14]  @throws {Error} where they are none */
  show(data, camera) {
    const count = data.length / COLUMNS;
    if (!Number.isInteger(count))
      throw new Error(`the graph sends ${data.length} numbers as Gaussians of ${COLUMNS} each: connect those of face.avatar_decoder to the viewer`);
    if (count !== this.#count) this.#resize(count);
    this.#data = data;
    const { gaussians } = this.material.uniforms;
    gaussians.value.image.data.set(data);
    gaussians.value.needsUpdate = true;
    this.#sort(camera); // not when drawn only: until they are sorted they are not drawn
  }

  onBeforeRender = (renderer, scene, camera) => {
    const { viewport, lightDirection, lightColour, ambient } = this.material.uniforms;
    renderer.getDrawingBufferSize(viewport.value);
    const { key, fill, rims } = this.studio;
    [key, fill, ...rims].forEach((light, i) => {
      lightDirection.value[i].copy(light.position).normalize().transformDirection(camera.matrixWorldInverse);
      lightColour.value[i].set(light.color.r, light.color.g, light.color.b).multiplyScalar((1.2 * light.intensity) / Math.PI);
    });
    ambient.value = 0.62 * scene.environmentIntensity;
    this.#sort(camera);
  };

  dispose() {
    this.#sorter.terminate();
    this.material.uniforms.gaussians.value?.dispose();
    this.material.dispose();
    this.geometry.dispose();
  }

  #sort(camera) {
    if (this.#sorting || !this.#data) return;
    this.#sorting = true;
    const m = this.modelViewMatrix.multiplyMatrices(camera.matrixWorldInverse, this.matrixWorld).elements;
    const means = this.#spare?.byteLength === this.#data.byteLength ? new Float32Array(this.#spare) : new Float32Array(this.#data.length);
    means.set(this.#data);
    this.#sorter.postMessage({ means, stride: COLUMNS, towards: [-m[2], -m[6], -m[10]] }, [means.buffer]);
  }

  #resize(count) {
    const { gaussians } = this.material.uniforms;
    gaussians.value?.dispose();
    const rows = Math.ceil(count / A_ROW);
    gaussians.value = new DataTexture(new Float32Array(rows * A_ROW * COLUMNS), A_ROW * TEXELS, rows, RGFormat, FloatType);
    this.geometry.dispose();
    this.geometry = quad();
    this.geometry.setAttribute("order", new InstancedBufferAttribute(new Uint32Array(count), 1));
    this.geometry.instanceCount = count;
    this.#count = count;
    this.visible = false; // until they have been sorted
  }
}

function quad() {
  const geometry = new InstancedBufferGeometry();
  geometry.setAttribute("position", new BufferAttribute(new Float32Array([-1, -1, 0, 1, -1, 0, 1, 1, 0, -1, 1, 0]), 3));
  geometry.setIndex([0, 1, 2, 0, 2, 3]);
  geometry.instanceCount = 0;
  return geometry;
}

const VERTEX = `
precision highp float;
uniform highp sampler2D gaussians;
uniform vec2 viewport;
uniform vec3 lightDirection[4], lightColour[4];
uniform float ambient;
in uint order;
out vec2 at;
out vec4 colour;

mat3 turned(vec4 q) { // w x y z
  float w = q.x, x = q.y, y = q.z, z = q.w;
  return mat3(1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y + w * z), 2.0 * (x * z - w * y),
              2.0 * (x * y - w * z), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z + w * x),
              2.0 * (x * z + w * y), 2.0 * (y * z - w * x), 1.0 - 2.0 * (x * x + y * y));
}

void main() {
  ivec2 place = ivec2(int(order % ${A_ROW}u) * ${TEXELS}, int(order / ${A_ROW}u));
  vec2 t[${TEXELS}];
  for (int i = 0; i < ${TEXELS}; i++) t[i] = texelFetch(gaussians, place + ivec2(i, 0), 0).xy;
  vec3 mean = vec3(t[0], t[1].x), scale = vec3(t[3].y, t[4]);
  vec3 albedo = vec3(t[5], t[6].x);
  float opacity = t[6].y;
  vec4 centre = modelViewMatrix * vec4(mean, 1.0);
  mat3 axes = mat3(modelViewMatrix) * turned(vec4(t[1].y, t[2], t[3].x));

  // Discs are lit as the surface they lie on: their thinnest axis, towards us, is its normal. Long thin ones are hairs.
  vec3 normal = scale.x <= min(scale.y, scale.z) ? axes[0] : scale.y <= scale.z ? axes[1] : axes[2];
  normal = normalize(normal) * (dot(normal, centre.xyz) > 0.0 ? -1.0 : 1.0);
  bool hair = scale.x > 3.0 * max(scale.y, scale.z);
  // The flatter a disc, the smoother the surface; never so smooth that its light falls between two discs.
  float thinnest = min(scale.x, min(scale.y, scale.z)), widest = max(scale.x, max(scale.y, scale.z));
  float roughness = clamp(thinnest / (${THICKNESS} * widest), 0.28, 1.0), sharp = 2.0 / pow(roughness, 4.0) - 2.0;
  vec3 view = normalize(-centre.xyz);
  vec3 lit = albedo * ambient * (0.8 + 0.2 * normal.y);
  for (int i = 0; i < 4; i++) {
    vec3 l = lightDirection[i], between = normalize(l + view);
    if (hair) { // Kajiya and Kay 1989
      float facing = clamp((dot(normal, l) + 0.8) / 1.8, 0.0, 1.0), shine = length(cross(axes[0], between));
      lit += lightColour[i] * facing * (albedo * length(cross(axes[0], l)) + (0.02 + 0.2 * albedo) * pow(shine, 50.0));
    } else {
      vec3 wrap = vec3(0.32, 0.14, 0.09);
      vec3 soft = max((dot(normal, l) + wrap) / ((1.0 + wrap) * (1.0 + wrap)), 0.0);
      float shine = pow(max(dot(normal, between), 1e-3), sharp) * (sharp + 2.0) * max(dot(normal, l), 0.0);
      lit += lightColour[i] * (albedo * soft + 0.0028 * shine); // Blinn 1977, with the energy kept
    }
  }

  // Covariance in view space, then on the screen by the projection's Jacobian, in pixels.
  mat3 spread = axes * mat3(scale.x, 0, 0, 0, scale.y, 0, 0, 0, scale.z);
  mat3 covariance = spread * transpose(spread);
  float depth = -centre.z;
  vec2 focal = vec2(projectionMatrix[0][0], projectionMatrix[1][1]) * viewport * 0.5;
  mat3 jacobian = mat3(focal.x / depth, 0, 0, 0, focal.y / depth, 0,
                       focal.x * centre.x / (depth * depth), focal.y * centre.y / (depth * depth), 0);
  mat3 onScreen = jacobian * covariance * transpose(jacobian);
  float a = onScreen[0][0] + 0.3, b = onScreen[0][1], c = onScreen[1][1] + 0.3;
  // What is thinner than a pixel is drawn as wide as one, and fainter by as much (Yu et al. 2024).
  float thin = sqrt(clamp(((a - 0.3) * (c - 0.3) - b * b) / (a * c - b * b), 0.0, 1.0));
  colour = vec4(lit, opacity * thin);
  float middle = 0.5 * (a + c), radius = sqrt(max(0.25 * (a - c) * (a - c) + b * b, 1e-9));
  vec2 longest = abs(b) > 1e-6 ? normalize(vec2(b, middle + radius - a)) : a >= c ? vec2(1, 0) : vec2(0, 1);
  vec2 first = 3.0 * sqrt(middle + radius) * longest;
  vec2 second = 3.0 * sqrt(max(middle - radius, 0.05)) * vec2(-longest.y, longest.x);

  vec4 clip = projectionMatrix * centre;
  at = 3.0 * position.xy;
  gl_Position = depth < 0.02 ? vec4(2.0, 2.0, 2.0, 1.0)
    : clip + vec4((position.x * first + position.y * second) / viewport * 2.0 * clip.w, 0.0, 0.0);
}`;

const FRAGMENT = `
precision highp float;
in vec2 at;
in vec4 colour;
layout(location = 0) out highp vec4 pc_fragColor;
#define gl_FragColor pc_fragColor

void main() {
  float alpha = colour.a * exp(-0.5 * dot(at, at));
  if (alpha < 0.004) discard;
  gl_FragColor = vec4(colour.rgb, 1.0);
  #include <tonemapping_fragment>
  #include <colorspace_fragment>
  gl_FragColor *= alpha;
}`;
