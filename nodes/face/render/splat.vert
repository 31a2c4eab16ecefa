// One Gaussian as a square on the screen that holds it out to three standard deviations (Zwicker et al. 2001; Kerbl et
// al. 2023), lit: a disc as the skin that it lies on, a long thin one as a hair (Kajiya and Kay 1989).
const vec3 BLEEDING = vec3(0.32, 0.14, 0.09);
const float SPECULAR = 0.028, THICKNESS = 0.3;

uniform mat4 view;
uniform mat4 projection;
uniform vec2 focal;  // pixels
uniform vec2 size;   // pixels

in vec2 corner;      // -1..1
in vec3 mean;        // metres
in vec4 rotation;    // x, y, z, w
in vec3 scale;       // metres, one standard deviation
in vec4 tint;        // linear RGB and opacity

out vec2 offset;     // standard deviations
out vec4 splat;

mat3 as_matrix(vec4 q) {
  float x = q.x, y = q.y, z = q.z, w = q.w;
  return mat3(1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y + w * z), 2.0 * (x * z - w * y),
              2.0 * (x * y - w * z), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z + w * x),
              2.0 * (x * z + w * y), 2.0 * (y * z - w * x), 1.0 - 2.0 * (x * x + y * y));
}

// The light that leaves it, linear. A hair's first axis is along it; the thinnest axis is the normal of both.
vec3 lit(mat3 axes) {
  vec3 normal = scale.x <= min(scale.y, scale.z) ? axes[0] : scale.y <= scale.z ? axes[1] : axes[2];
  vec3 v = normalize(eye_position - mean);
  normal *= dot(normal, v) < 0.0 ? -1.0 : 1.0;
  float reach = 0.004 + 1.5 * max(scale.x, max(scale.y, scale.z));  // discs lie a little below the surface
  bool hair = scale.x > 3.0 * max(scale.y, scale.z);
  // The flatter a disc, the smoother the surface; never so smooth that its light falls between two discs.
  float thinnest = min(scale.x, min(scale.y, scale.z)), widest = max(scale.x, max(scale.y, scale.z));
  float roughness = clamp(thinnest / (THICKNESS * widest), 0.28, 1.0);
  vec3 light = ambient(normal) * tint.rgb;
  for (int i = 0; i < 3; ++i) {
    vec3 l = light_direction[i];
    float share = lit_share(i, mean + reach * normal, hair ? 0.012 : 0.003);
    if (hair) {
      light += light_colour[i] * share * hair_light(axes[0], normal, v, l, tint.rgb);
    } else {
      vec3 diffuse = wrapped(dot(normal, l), BLEEDING) * pow(vec3(share), 1.0 - 0.6 * BLEEDING);
      light += light_colour[i] * (diffuse * tint.rgb + share * highlight(normal, v, l, roughness, SPECULAR));
    }
  }
  return light;
}

void main() {
  vec4 at = view * vec4(mean, 1.0);
  mat3 axes = as_matrix(rotation);
  mat3 stretch = axes * mat3(scale.x, 0, 0, 0, scale.y, 0, 0, 0, scale.z);
  mat3 covariance = mat3(view) * stretch * transpose(stretch) * transpose(mat3(view));
  float z = -at.z;
  mat3 j = mat3(focal.x / z, 0.0, 0.0, 0.0, focal.y / z, 0.0, focal.x * at.x / (z * z), focal.y * at.y / (z * z), 0.0);
  mat3 flat_covariance = j * covariance * transpose(j);
  float a = flat_covariance[0][0] + 0.3, b = flat_covariance[0][1], d = flat_covariance[1][1] + 0.3;
  // What is thinner than a pixel is drawn as wide as one, and fainter by as much (Yu et al. 2024).
  float thin = sqrt(clamp(((a - 0.3) * (d - 0.3) - b * b) / (a * d - b * b), 0.0, 1.0));
  float middle = 0.5 * (a + d), radius = length(vec2(0.5 * (a - d), b));
  float major = sqrt(middle + radius), minor = sqrt(max(middle - radius, 0.1));
  vec2 axis = radius < 1e-6 ? vec2(1.0, 0.0) : normalize(vec2(b, middle + radius - a));
  if (abs(b) < 1e-9) axis = a >= d ? vec2(1.0, 0.0) : vec2(0.0, 1.0);
  vec2 pixels = 3.0 * (corner.x * major * axis + corner.y * minor * vec2(-axis.y, axis.x));
  offset = 3.0 * corner;
  splat = vec4(shown(lit(axes)), tint.a * thin);
  gl_Position = projection * at;
  gl_Position.xy += 2.0 * pixels / size * gl_Position.w;
}
