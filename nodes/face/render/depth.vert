// Depth as a light sees it.
uniform mat4 shadow_projection;
in vec3 in_position;
void main() { gl_Position = shadow_projection * vec4(in_position, 1.0); }
