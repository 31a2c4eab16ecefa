// Depth as the first light sees it.
in vec3 in_position;
void main() { gl_Position = shadow_projection * vec4(in_position, 1.0); }
