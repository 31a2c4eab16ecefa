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
  if (/teeth|tooth/.test(name)) return shaded(wet(given, { roughness: 0.22, clearcoat: 0.6, clearcoatRoughness: 0.12 }), 0.8);
  if (/gum|tongue|mouth/.test(name)) return shaded(wet(given, { roughness: 0.42, clearcoat: 0.5, clearcoatRoughness: 0.25 }), 0.5);
  if (/lash|brow|hair/.test(name)) return hair(given);
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
  material.onBeforeCompile = scatter(SKIN_WRAP);
  material.customProgramCacheKey = () => "skin";
  return material;
}

function wet(given, settings) {
  const material = physical(given, { metalness: 0, ior: 1.38, ...settings });
  material.onBeforeCompile = scatter([0.2, 0.1, 0.08]);
  material.customProgramCacheKey = () => "wet";
  return material;
}

// Lips and cheeks keep the room's light out of a mouth.
function shaded(material, share) {
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

function hair(given) {
  const material = given.clone();
  material.roughness = Math.max(0.5, given.roughness);
  material.side = DoubleSide;
  if (given.transparent) Object.assign(material, { alphaTest: 0.35, alphaToCoverage: true, transparent: false });
  return material;
}

// Diffuse light by channel: max(0, (n.l + w) / (1 + w)^2), which keeps the energy (Green, GPU Gems 2004, ch. 16).
function scatter(wrap) {
  const text = wrap.map((w) => w.toFixed(3)).join(", ");
  return (shader) => {
    shader.fragmentShader = shader.fragmentShader.replace(
      "#include <lights_physical_pars_fragment>",
      `#include <lights_physical_pars_fragment>
      void RE_Direct_Skin(const in IncidentLight directLight, const in vec3 geometryPosition, const in vec3 geometryNormal, const in vec3 geometryViewDir, const in vec3 geometryClearcoatNormal, const in PhysicalMaterial material, inout ReflectedLight reflectedLight) {
        vec3 before = reflectedLight.directDiffuse;
        RE_Direct_Physical(directLight, geometryPosition, geometryNormal, geometryViewDir, geometryClearcoatNormal, material, reflectedLight);
        const vec3 w = vec3(${text});
        vec3 soft = clamp((dot(geometryNormal, directLight.direction) + w) / ((1.0 + w) * (1.0 + w)), 0.0, 1.0);
        reflectedLight.directDiffuse = before + soft * directLight.color * BRDF_Lambert(material.diffuseContribution) * 0.96;
      }
      #undef RE_Direct
      #define RE_Direct RE_Direct_Skin`,
    );
  };
}
