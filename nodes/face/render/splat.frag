// A Gaussian's share of a pixel, its colour multiplied by its alpha.
in vec2 offset;
in vec4 splat;
out vec4 colour;

void main() {
  float alpha = splat.a * exp(-0.5 * dot(offset, offset));
  if (alpha < 0.004) discard;
  colour = vec4(splat.rgb * alpha, alpha);
}
