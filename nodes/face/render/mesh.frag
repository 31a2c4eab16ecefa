#version 330
// Lights a surface: GGX highlights (Walter et al. 2007), and diffuse light that bleeds around the terminator, red the
// furthest, as it does in skin (wrapped diffuse, Green 2004).
const float PI = 3.14159265;

uniform vec3 eye_position;
uniform vec3 light_direction[3];  // towards the light
uniform vec3 light_colour[3];     // linear
uniform vec3 sky_colour;
uniform vec3 ground_colour;
uniform sampler2DShadow shadow_map;  // of the first light

uniform sampler2D base_texture;
uniform sampler2D normal_texture;
uniform vec4 base_colour;   // linear, multiplies the texture
uniform float normal_scale; // 0: no normal map
uniform float roughness;
uniform float specular;     // reflectance head-on
uniform vec3 bleeding;      // how far diffuse light wraps, by colour
uniform bool sheer;          // the texture's alpha counts

in vec3 position;
in vec3 normal;
in vec2 uv;
in vec4 in_shadow;
out vec4 colour;

// Tangents from the picture's own derivatives (Mikkelsen 2010), so that a mesh needs none.
vec3 bent_normal(vec3 n) {
  if (normal_scale == 0.0) return n;
  vec3 dx = dFdx(position), dy = dFdy(position);
  vec2 ux = dFdx(uv), uy = dFdy(uv);
  vec3 across = cross(dy, n), along = cross(n, dx);
  vec3 t = across * ux.x + along * uy.x;
  vec3 b = across * ux.y + along * uy.y;
  float scale = inversesqrt(max(max(dot(t, t), dot(b, b)), 1e-20));
  vec3 bend = texture(normal_texture, uv).xyz * 2.0 - 1.0;
  return normalize(t * scale * bend.x * normal_scale + b * scale * bend.y * normal_scale + n * bend.z);
}

float lit_share() {
  vec3 at = in_shadow.xyz / in_shadow.w * 0.5 + 0.5;
  if (any(lessThan(at, vec3(0.0))) || any(greaterThan(at, vec3(1.0)))) return 1.0;
  vec2 texel = 1.0 / vec2(textureSize(shadow_map, 0));
  float sum = 0.0;
  for (int x = -2; x <= 2; ++x)
    for (int y = -2; y <= 2; ++y) sum += texture(shadow_map, vec3(at.xy + vec2(x, y) * 1.5 * texel, at.z - 0.002));
  return sum / 25.0;
}

float ggx(float n_h, float a2) {
  float d = n_h * n_h * (a2 - 1.0) + 1.0;
  return a2 / (PI * d * d);
}

vec3 tone_mapped(vec3 x) {  // ACES, fitted by Narkowicz 2015
  return clamp((x * (2.51 * x + 0.03)) / (x * (2.43 * x + 0.59) + 0.14), 0.0, 1.0);
}

void main() {
  vec4 base = texture(base_texture, uv);
  base.rgb = pow(base.rgb, vec3(2.2));
  base *= base_colour;
  if (base.a < 0.02) discard;
  if (!sheer) base.a = 1.0;
  vec3 v = normalize(eye_position - position);
  vec3 smooth_normal = normalize(gl_FrontFacing ? normal : -normal);
  vec3 n = bent_normal(smooth_normal);
  float n_v = max(dot(n, v), 1e-3);
  float a = roughness * roughness;
  vec3 ambient = mix(ground_colour, sky_colour, n.y * 0.5 + 0.5);
  vec3 light = ambient * base.rgb + ambient * specular * pow(1.0 - n_v, 4.0) * 2.0;
  for (int i = 0; i < 3; ++i) {
    vec3 l = light_direction[i];
    float share = i == 0 ? lit_share() : 1.0;
    vec3 soft = clamp((dot(smooth_normal, l) + bleeding) / (1.0 + bleeding), 0.0, 1.0);
    float n_l = max(dot(n, l), 0.0);
    vec3 diffuse = mix(vec3(n_l), soft * soft, step(1e-4, bleeding)) * mix(bleeding * 0.5, vec3(1.0), share);
    vec3 h = normalize(l + v);
    float n_h = max(dot(n, h), 0.0);
    float fresnel = specular + (1.0 - specular) * pow(1.0 - max(dot(v, h), 0.0), 5.0);
    float k = (roughness + 1.0) * (roughness + 1.0) / 8.0;
    float visible = 1.0 / ((n_v * (1.0 - k) + k) * (n_l * (1.0 - k) + k) * 4.0);
    light += light_colour[i] * (diffuse * base.rgb + share * n_l * fresnel * ggx(n_h, a * a) * visible);
  }
  colour = vec4(pow(tone_mapped(light), vec3(1.0 / 2.2)), base.a);
}
