// Lights a surface, texel by texel.
const vec3 MOUTH_LIGHT = vec3(1.25, 1.05, 0.92);  // much of it comes from lips and cheeks

uniform sampler2D base_texture;
uniform sampler2D normal_texture;
uniform sampler2D roughness_texture;  // green; red: how much light gets there; as glTF has them
uniform vec4 base_colour;   // linear, multiplies the texture
uniform float normal_scale; // 0: no normal map
uniform float roughness;    // multiplies the texture
uniform float specular;     // reflectance head-on
uniform vec3 bleeding;      // how far diffuse light wraps, by colour
uniform bool sheer;         // the texture's alpha counts
uniform int lights;         // that reach it: of the three the first ones
uniform bool hair;          // strands along v
uniform float least_alpha;  // what is less is left out

in vec3 position;
in vec3 normal;
in vec2 uv;
out vec4 colour;

// Directions of u and v on the surface from the picture's own derivatives (Mikkelsen 2010): a mesh needs no tangents.
mat2x3 tangents(vec3 n) {
  vec3 dx = dFdx(position), dy = dFdy(position);
  vec2 ux = dFdx(uv), uy = dFdy(uv);
  vec3 across = cross(dy, n), along = cross(n, dx);
  vec3 t = across * ux.x + along * uy.x, b = across * ux.y + along * uy.y;
  return mat2x3(t, b) * inversesqrt(max(max(dot(t, t), dot(b, b)), 1e-20));
}

vec3 bent_normal(vec3 n) {
  if (normal_scale == 0.0) return n;
  vec3 bend = texture(normal_texture, uv).xyz * 2.0 - 1.0;
  return normalize(tangents(n) * (bend.xy * normal_scale) + n * bend.z);
}

void main() {
  vec4 base = texture(base_texture, uv);
  base.rgb = pow(base.rgb, vec3(2.2));
  base *= base_colour;
  if (!sheer) base.a = 1.0;
  if (base.a < least_alpha) discard;
  vec3 v = normalize(eye_position - position);
  vec3 smooth_normal = normalize(gl_FrontFacing ? normal : -normal);
  vec3 n = bent_normal(smooth_normal);
  if (hair) {
    vec3 along = tangents(smooth_normal)[1];
    vec3 light = ambient(n) * base.rgb;
    for (int i = 0; i < 3; ++i)
      light += light_colour[i] * lit_share(i, position, 0.012)
        * hair_light(normalize(along), smooth_normal, v, light_direction[i], base.rgb);
    colour = vec4(shown(light), base.a);
    return;
  }
  vec2 surface = texture(roughness_texture, uv).rg;
  float rough = clamp(roughness * surface.g, 0.05, 1.0);
  float edge = pow(1.0 - max(dot(n, v), 0.0), 4.0) * (1.0 - rough);
  vec3 light = ambient(n) * (base.rgb + 2.0 * edge * specular);
  for (int i = 0; i < lights; ++i) {
    vec3 l = light_direction[i];
    float share = lit_share(i, position, 0.002);
    // Red light is what gets around the edge of a shadow.
    vec3 diffuse = wrapped(dot(mix(n, smooth_normal, step(1e-4, bleeding.x)), l), bleeding);
    diffuse *= pow(vec3(share), 1.0 - 0.6 * bleeding);
    light += light_colour[i] * (diffuse * base.rgb + share * highlight(n, v, l, rough, specular));
  }
  if (lights < 3) light *= MOUTH_LIGHT;
  colour = vec4(shown(light * surface.r), base.a);
}
