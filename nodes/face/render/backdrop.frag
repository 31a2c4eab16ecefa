// A wall far behind, with the light's glow on it.
uniform float aspect;  // width / height
in vec2 place;
out vec4 colour;

void main() {
  float away = length((place - vec2(0.0, 0.12)) * vec2(min(aspect, 1.6), 1.0)) / 1.5;
  // A little noise, for a gradient this dark would show bands.
  float noise = fract(52.9829189 * fract(dot(gl_FragCoord.xy, vec2(0.06711056, 0.00583715)))) / 255.0;
  vec3 wall = mix(vec3(0.150, 0.168, 0.190), vec3(0.030, 0.035, 0.042), smoothstep(0.0, 1.0, away));
  colour = vec4(wall + noise, 1.0);
}
