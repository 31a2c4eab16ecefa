// Places a vertex of the head and hands on what its surface needs to be lit.
uniform mat4 view_projection;

in vec3 in_position;  // metres
in vec3 in_normal;
in vec2 in_uv;

out vec3 position;
out vec3 normal;
out vec2 uv;

void main() {
  position = in_position;
  normal = in_normal;
  uv = in_uv;
  gl_Position = view_projection * vec4(in_position, 1.0);
}
