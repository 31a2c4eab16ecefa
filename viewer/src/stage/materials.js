// How the head's parts answer light: skin, eyes, teeth, tongue and hair, by the names of the file's materials.
import { Color, DoubleSide, MeshPhysicalMaterial, MeshStandardMaterial } from "three";

// How far light bleeds past the terminator, for red, green and blue: the wrapped diffuse of a thin, blood-filled layer.
const SKIN_WRAP = [0.25, 0.1, 0.06];

/**
 * The material a part is drawn with, made from the one of the file.
 * @param {MeshStandardMaterial} given
 */
export function materialFor(given) {
  const name = given.name.toLowerCase();
  if (/cornea|eye_?wet|tear/.test(name)) return cornea(given);
  if (/skin|face|head|body/.test(name)) return skin(given);
  if (/teeth|tooth/.test(name)) return shaded(wet(given, { roughness: 0.22, clearcoat: 0.3, clearcoatRoughness: 0.15, envMapIntensity: 0.5 }), 0.8);
  if (/gum|tongue|mouth/.test(name)) return shaded(wet(given, { roughness: 0.42, clearcoat: 0.3, clearcoatRoughness: 0.25, envMapIntensity: 0.4 }), 0.7);
  if (/hair/.test(name)) return hair(given);
  if (/lash|brow/.test(name)) return fine(given);
  if (/eye|sclera|iris/.test(name)) return wet(given, { roughness: 0.35, clearcoat: 1, clearcoatRoughness: 0.03 });
  return given;
}

function physical(given, settings) {
  const material = new MeshPhysicalMaterial();
  MeshStandardMaterial.prototype.copy.call(material, given);
  material.defines = { STANDARD: "", PHYSICAL: "" };
  return Object.assign(material, settings);
}

function skin(given) {
  const material = physical(given, {
    roughness: given.roughnessMap ? 1 : 0.5,
    metalness: 0,
    clearcoat: 0.16, // the film of oil over the rougher skin: the second lobe of its highlight
    clearcoatRoughness: 0.32,
    ior: 1.4,
    specularIntensity: 0.9,
  });
  material.normalScale.multiplyScalar(0.65);
  const scattered = scatter(SKIN_WRAP);
  material.onBeforeCompile = (shader) => {
    scattered(shader);
    // Cloth and a shaven scalp, which are rough, have no oil on them.
    shader.fragmentShader = shader.fragmentShader.replace("#include <lights_physical_fragment>",
      `#include <lights_physical_fragment>
      material.clearcoat *= 1.0 - smoothstep(0.68, 0.85, material.roughness);
      #ifdef USE_ROUGHNESSMAP
      lit = texture2D(roughnessMap, vRoughnessMapUv).r; // the inside of a mouth has little of any light
      #endif`);
  };
  material.customProgramCacheKey = () => "skin";
  return material;
}

function wet(given, settings) {
  const material = physical(given, { metalness: 0, ior: 1.38, ...settings });
  material.onBeforeCompile = scatter([0.2, 0.1, 0.08]);
  material.customProgramCacheKey = () => "wet";
  return material;
}

// Lips and cheeks keep the room's light out of a mouth, and all that comes from behind.
function shaded(material, share) {
  const { onBeforeCompile } = material;
  material.onBeforeCompile = (shader) => {
    onBeforeCompile(shader);
    shader.fragmentShader = shader.fragmentShader.replace("light.color *= lit;", "light.color *= smoothstep(-0.1, 0.3, light.direction.z);");
  };
  material.customProgramCacheKey = () => "inside";
  material.userData.shade = share;
  material.color.multiplyScalar(share);
  return material;
}

// Nothing but its highlight is seen of a cornea.
function cornea(given) {
  return physical(given, {
    color: new Color(0, 0, 0), map: null, metalness: 0, roughness: 0.03, ior: 1.376, opacity: 0.08,
    transparent: true, depthWrite: false, envMapIntensity: 1.6,
  });
}

// Strands that run along the texture's v: dense in the middle, soft at the edges (see softEdges).
function hair(given) {
  const material = given.clone();
  Object.assign(material, { side: DoubleSide, roughness: 1, envMapIntensity: 0.7, alphaTest: 0.55, transparent: false, depthWrite: true });
  material.onBeforeCompile = strands;
  material.customProgramCacheKey = () => "hair";
  return material;
}

/** The material of hair's second pass: the edges that the first one leaves out, over what is there already. */
export function softEdges(solid) {
  const material = solid.clone();
  Object.assign(material, { alphaTest: 0.02, transparent: true, depthWrite: false, color: solid.color });
  material.onBeforeCompile = strands;
  material.customProgramCacheKey = () => "hair";
  return material;
}

// Single hairs on the skin.
function fine(given) {
  const material = given.clone();
  return Object.assign(material, { side: DoubleSide, roughness: 1, envMapIntensity: 0.5, transparent: true, depthWrite: false });
}

// Light on hairs by the angle to them, not to a surface (Kajiya and Kay 1989).
function strands(shader) {
  shader.fragmentShader = shader.fragmentShader
    .replace("#include <lights_physical_pars_fragment>", `#include <lights_physical_pars_fragment>
      vec3 strand;
      void RE_Direct_Hair(const in IncidentLight directLight, const in vec3 geometryPosition, const in vec3 geometryNormal, const in vec3 geometryViewDir, const in vec3 geometryClearcoatNormal, const in PhysicalMaterial material, inout ReflectedLight reflectedLight) {
        vec3 l = directLight.direction;
        float facing = clamp((dot(geometryNormal, l) + 0.8) / 1.8, 0.0, 1.0);
        vec3 colour = BRDF_Lambert(material.diffuseContribution);
        reflectedLight.directDiffuse += directLight.color * facing * length(cross(strand, l)) * colour;
        reflectedLight.directSpecular += directLight.color * facing * pow(length(cross(strand, normalize(l + geometryViewDir))), 50.0) * (0.006 + 0.2 * colour);
      }
      #undef RE_Direct
      #define RE_Direct RE_Direct_Hair`)
    // The direction of v, from the picture's own derivatives (Mikkelsen 2010).
    .replace("#include <normal_fragment_maps>", `#include <normal_fragment_maps>
      vec3 dx = dFdx(vViewPosition), dy = dFdy(vViewPosition);
      strand = normalize(cross(dy, normal) * dFdx(vMapUv.y) + cross(normal, dx) * dFdy(vMapUv.y) + vec3(0.0, 1e-9, 0.0));`);
}

// Diffuse light by channel: max(0, (n.l + w) / (1 + w)^2), which keeps the energy (Green, GPU Gems 2004, ch. 16).
function scatter(wrap) {
  const text = wrap.map((w) => w.toFixed(3)).join(", ");
  return (shader) => {
    shader.fragmentShader = shader.fragmentShader.replace(
      "#include <lights_physical_pars_fragment>",
      `#include <lights_physical_pars_fragment>
      float lit = 1.0;
      void RE_Direct_Skin(const in IncidentLight directLight, const in vec3 geometryPosition, const in vec3 geometryNormal, const in vec3 geometryViewDir, const in vec3 geometryClearcoatNormal, const in PhysicalMaterial material, inout ReflectedLight reflectedLight) {
        vec3 before = reflectedLight.directDiffuse;
        IncidentLight light = directLight;
        light.color *= lit;
        RE_Direct_Physical(light, geometryPosition, geometryNormal, geometryViewDir, geometryClearcoatNormal, material, reflectedLight);
        const vec3 w = vec3(${text});
        vec3 soft = clamp((dot(geometryNormal, directLight.direction) + w) / ((1.0 + w) * (1.0 + w)), 0.0, 1.0);
        reflectedLight.directDiffuse = before + soft * light.color * BRDF_Lambert(material.diffuseContribution) * 0.96;
      }
      #undef RE_Direct
      #define RE_Direct RE_Direct_Skin`,
    );
  };
}
