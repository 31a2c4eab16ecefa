// The studio's light, for surfaces and Gaussians alike: a key and a rim with shadows, a fill, and sky and ground.
const float PI = 3.14159265;

uniform vec3 eye_position;
uniform vec3 light_direction[3];  // towards the light
uniform vec3 light_colour[3];     // linear
uniform vec3 sky_colour;
uniform vec3 ground_colour;
uniform mat4 key_projection;
uniform mat4 rim_projection;
uniform sampler2DShadow key_shadow;
uniform sampler2DShadow rim_shadow;

float outside_shadow(sampler2DShadow shadow, mat4 projection, vec3 position) {
  vec4 to = projection * vec4(position, 1.0);
  vec3 at = to.xyz / to.w * 0.5 + 0.5;
  if (any(lessThan(at, vec3(0.0))) || any(greaterThan(at, vec3(1.0)))) return 1.0;
  vec2 texel = 1.0 / vec2(textureSize(shadow, 0));
  float sum = 0.0;
  for (int x = -2; x <= 2; ++x)
    for (int y = -2; y <= 2; ++y) sum += texture(shadow, vec3(at.xy + vec2(x, y) * 1.5 * texel, at.z));
  return sum / 25.0;
}

// How much of a light gets there; bias: metres that a surface is lifted out of its own shadow.
float lit_share(int light, vec3 position, float bias) {
  vec3 lifted = position + bias * light_direction[light];
  if (light == 0) return outside_shadow(key_shadow, key_projection, lifted);
  if (light == 2) return outside_shadow(rim_shadow, rim_projection, lifted);
  return 1.0;
}

// Diffuse light by colour that bleeds around the terminator, as it does in skin (wrapped diffuse, Green 2004).
vec3 wrapped(float n_l, vec3 bleeding) {
  vec3 soft = clamp((n_l + bleeding) / (1.0 + bleeding), 0.0, 1.0);
  return mix(vec3(max(n_l, 0.0)), soft * soft, step(1e-4, bleeding));
}

vec3 ambient(vec3 n) { return mix(ground_colour, sky_colour, n.y * 0.5 + 0.5); }

// GGX over visibility (Walter et al. 2007), with Schlick's Fresnel.
float highlight(vec3 n, vec3 v, vec3 l, float roughness, float specular) {
  vec3 h = normalize(l + v);
  float n_h = max(dot(n, h), 0.0), n_v = max(dot(n, v), 1e-3), n_l = max(dot(n, l), 0.0);
  float a2 = pow(roughness, 4.0);
  float d = n_h * n_h * (a2 - 1.0) + 1.0;
  float fresnel = specular + (1.0 - specular) * pow(1.0 - max(dot(v, h), 0.0), 5.0);
  float k = (roughness + 1.0) * (roughness + 1.0) / 8.0;
  return n_l * fresnel * a2 / (PI * d * d) / ((n_v * (1.0 - k) + k) * (n_l * (1.0 - k) + k) * 4.0);
}

// What a hair gives back of light from l (Kajiya and Kay 1989); along: its direction, normal: away from the skin.
vec3 hair_light(vec3 along, vec3 normal, vec3 v, vec3 l, vec3 colour) {
  float across = length(cross(along, l)), shine = length(cross(along, normalize(l + v)));
  float facing = clamp((dot(normal, l) + 0.8) / 1.8, 0.0, 1.0);
  return facing * (across * colour + (0.02 + 0.2 * colour) * pow(shine, 50.0));
}

vec3 shown(vec3 x) {  // linear to sRGB: ACES, fitted by Narkowicz 2015
  x = clamp((x * (2.51 * x + 0.03)) / (x * (2.43 * x + 0.59) + 0.14), 0.0, 1.0);
  return pow(x, vec3(1.0 / 2.2));
}
