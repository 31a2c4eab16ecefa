#version 330
// One Gaussian as a square on the screen that holds it out to three standard deviations (Zwicker et al. 2001; Kerbl et
// al. 2023).
uniform mat4 view;
uniform mat4 projection;
uniform vec2 focal;  // pixels
uniform vec2 size;   // pixels

in vec2 corner;      // -1..1
in vec3 mean;        // metres
in vec4 rotation;    // x, y, z, w
in vec3 scale;       // metres, one standard deviation
in vec4 tint;        // sRGB and opacity

out vec2 offset;     // standard deviations
out vec4 splat;

mat3 as_matrix(vec4 q) {
  float x = q.x, y = q.y, z = q.z, w = q.w;
  return mat3(1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y + w * z), 2.0 * (x * z - w * y),
              2.0 * (x * y - w * z), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z + w * x),
              2.0 * (x * z + w * y), 2.0 * (y * z - w * x), 1.0 - 2.0 * (x * x + y * y));
}

void main() {
  vec4 at = view * vec4(mean, 1.0);
  mat3 stretch = as_matrix(rotation) * mat3(scale.x, 0, 0, 0, scale.y, 0, 0, 0, scale.z);
  mat3 covariance = mat3(view) * stretch * transpose(stretch) * transpose(mat3(view));
  float z = -at.z;
  mat3 j = mat3(focal.x / z, 0.0, 0.0, 0.0, focal.y / z, 0.0, focal.x * at.x / (z * z), focal.y * at.y / (z * z), 0.0);
  mat3 flat_covariance = j * covariance * transpose(j);
  float a = flat_covariance[0][0] + 0.3, b = flat_covariance[0][1], d = flat_covariance[1][1] + 0.3;
  float middle = 0.5 * (a + d), radius = length(vec2(0.5 * (a - d), b));
  float major = sqrt(middle + radius), minor = sqrt(max(middle - radius, 0.1));
  vec2 axis = radius < 1e-6 ? vec2(1.0, 0.0) : normalize(vec2(b, middle + radius - a));
  if (abs(b) < 1e-9) axis = a >= d ? vec2(1.0, 0.0) : vec2(0.0, 1.0);
  vec2 pixels = 3.0 * (corner.x * major * axis + corner.y * minor * vec2(-axis.y, axis.x));
  offset = 3.0 * corner;
  splat = tint;
  gl_Position = projection * at;
  gl_Position.xy += 2.0 * pixels / size * gl_Position.w;
}
