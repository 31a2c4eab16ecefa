import{$ as x,E as v,G as g,Ga as C,I as c,S as y,ca as w,ea as b,h as m,i as u,j as d,pa as z,u as p,w as f}from"./chunk-BAN45AER.js";var n=14,l=7,o=128,I="0.3",A=class extends x{#t=new Worker("sorter.js",{type:"module"});#a=!1;#i=null;#r=0;#e=null;constructor(t){super(M(),new z({glslVersion:v,vertexShader:E,fragmentShader:T,transparent:!0,depthTest:!1,depthWrite:!1,blending:m,blendSrc:u,blendDst:d,uniforms:{gaussians:{value:null},viewport:{value:new g},lightDirection:{value:Array.from({length:4},()=>new c)},lightColour:{value:Array.from({length:4},()=>new c)},ambient:{value:0}}})),this.frustumCulled=!1,this.studio=t,this.#t.onmessage=({data:a})=>{if(this.#a=!1,this.#i=a.means.buffer,a.order.length!==this.geometry.instanceCount)return;let e=this.geometry.getAttribute("order");e.array.set(a.order),e.needsUpdate=!0,this.visible=!0}}show(t,a){let e=t.length/n;if(!Number.isInteger(e))throw new Error(`the graph sends ${t.length} numbers as Gaussians of ${n} each: connect those of face.avatar_decoder to the viewer`);e!==this.#r&&this.#s(e),this.#e=t;let{gaussians:s}=this.material.uniforms;s.value.image.data.set(t),s.value.needsUpdate=!0,this.#o(a)}onBeforeRender=(t,a,e)=>{let{viewport:s,lightDirection:S,lightColour:F,ambient:q}=this.material.uniforms;t.getDrawingBufferSize(s.value);let{key:D,fill:_,rims:j}=this.studio;[D,_,...j].forEach((r,h)=>{S.value[h].copy(r.position).normalize().transformDirection(e.matrixWorldInverse),F.value[h].set(r.color.r,r.color.g,r.color.b).multiplyScalar(1.2*r.intensity/Math.PI)}),q.value=.62*a.environmentIntensity,this.#o(e)};dispose(){this.#t.terminate(),this.material.uniforms.gaussians.value?.dispose(),this.material.dispose(),this.geometry.dispose()}#o(t){if(this.#a||!this.#e)return;this.#a=!0;let a=this.modelViewMatrix.multiplyMatrices(t.matrixWorldInverse,this.matrixWorld).elements,e=this.#i?.byteLength===this.#e.byteLength?new Float32Array(this.#i):new Float32Array(this.#e.length);e.set(this.#e),this.#t.postMessage({means:e,stride:n,towards:[-a[2],-a[6],-a[10]]},[e.buffer])}#s(t){let{gaussians:a}=this.material.uniforms;a.value?.dispose();let e=Math.ceil(t/o);a.value=new w(new Float32Array(e*o*n),o*l,e,f,p),this.geometry.dispose(),this.geometry=M(),this.geometry.setAttribute("order",new b(new Uint32Array(t),1)),this.geometry.instanceCount=t,this.#r=t,this.visible=!1}};function M(){let i=new C;return i.setAttribute("position",new y(new Float32Array([-1,-1,0,1,-1,0,1,1,0,-1,1,0]),3)),i.setIndex([0,1,2,0,2,3]),i.instanceCount=0,i}var E=`
precision highp float;
uniform highp sampler2D gaussians;
uniform vec2 viewport;
uniform vec3 lightDirection[4], lightColour[4];
uniform float ambient;
in uint order;
out vec2 at;
out vec4 colour;

mat3 turned(vec4 q) { // w x y z
  float w = q.x, x = q.y, y = q.z, z = q.w;
  return mat3(1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y + w * z), 2.0 * (x * z - w * y),
              2.0 * (x * y - w * z), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z + w * x),
              2.0 * (x * z + w * y), 2.0 * (y * z - w * x), 1.0 - 2.0 * (x * x + y * y));
}

void main() {
  ivec2 place = ivec2(int(order % ${o}u) * ${l}, int(order / ${o}u));
  vec2 t[${l}];
  for (int i = 0; i < ${l}; i++) t[i] = texelFetch(gaussians, place + ivec2(i, 0), 0).xy;
  vec3 mean = vec3(t[0], t[1].x), scale = vec3(t[3].y, t[4]);
  vec3 albedo = vec3(t[5], t[6].x);
  float opacity = t[6].y;
  vec4 centre = modelViewMatrix * vec4(mean, 1.0);
  mat3 axes = mat3(modelViewMatrix) * turned(vec4(t[1].y, t[2], t[3].x));

  // Discs are lit as the surface they lie on: their thinnest axis, towards us, is its normal. Long thin ones are hairs.
  vec3 normal = scale.x <= min(scale.y, scale.z) ? axes[0] : scale.y <= scale.z ? axes[1] : axes[2];
  normal = normalize(normal) * (dot(normal, centre.xyz) > 0.0 ? -1.0 : 1.0);
  bool hair = scale.x > 3.0 * max(scale.y, scale.z);
  // The flatter a disc, the smoother the surface; never so smooth that its light falls between two discs.
  float thinnest = min(scale.x, min(scale.y, scale.z)), widest = max(scale.x, max(scale.y, scale.z));
  float roughness = clamp(thinnest / (${I} * widest), 0.28, 1.0), sharp = 2.0 / pow(roughness, 4.0) - 2.0;
  vec3 view = normalize(-centre.xyz);
  vec3 lit = albedo * ambient * (0.8 + 0.2 * normal.y);
  for (int i = 0; i < 4; i++) {
    vec3 l = lightDirection[i], between = normalize(l + view);
    if (hair) { // Kajiya and Kay 1989
      float facing = clamp((dot(normal, l) + 0.8) / 1.8, 0.0, 1.0), shine = length(cross(axes[0], between));
      lit += lightColour[i] * facing * (albedo * length(cross(axes[0], l)) + (0.02 + 0.2 * albedo) * pow(shine, 50.0));
    } else {
      vec3 wrap = vec3(0.32, 0.14, 0.09);
      vec3 soft = max((dot(normal, l) + wrap) / ((1.0 + wrap) * (1.0 + wrap)), 0.0);
      float shine = pow(max(dot(normal, between), 1e-3), sharp) * (sharp + 2.0) * max(dot(normal, l), 0.0);
      lit += lightColour[i] * (albedo * soft + 0.0028 * shine); // Blinn 1977, with the energy kept
    }
  }

  // Covariance in view space, then on the screen by the projection's Jacobian, in pixels.
  mat3 spread = axes * mat3(scale.x, 0, 0, 0, scale.y, 0, 0, 0, scale.z);
  mat3 covariance = spread * transpose(spread);
  float depth = -centre.z;
  vec2 focal = vec2(projectionMatrix[0][0], projectionMatrix[1][1]) * viewport * 0.5;
  mat3 jacobian = mat3(focal.x / depth, 0, 0, 0, focal.y / depth, 0,
                       focal.x * centre.x / (depth * depth), focal.y * centre.y / (depth * depth), 0);
  mat3 onScreen = jacobian * covariance * transpose(jacobian);
  float a = onScreen[0][0] + 0.3, b = onScreen[0][1], c = onScreen[1][1] + 0.3;
  // What is thinner than a pixel is drawn as wide as one, and fainter by as much (Yu et al. 2024).
  float thin = sqrt(clamp(((a - 0.3) * (c - 0.3) - b * b) / (a * c - b * b), 0.0, 1.0));
  colour = vec4(lit, opacity * thin);
  float middle = 0.5 * (a + c), radius = sqrt(max(0.25 * (a - c) * (a - c) + b * b, 1e-9));
  vec2 longest = abs(b) > 1e-6 ? normalize(vec2(b, middle + radius - a)) : a >= c ? vec2(1, 0) : vec2(0, 1);
  vec2 first = 3.0 * sqrt(middle + radius) * longest;
  vec2 second = 3.0 * sqrt(max(middle - radius, 0.05)) * vec2(-longest.y, longest.x);

  vec4 clip = projectionMatrix * centre;
  at = 3.0 * position.xy;
  gl_Position = depth < 0.02 ? vec4(2.0, 2.0, 2.0, 1.0)
    : clip + vec4((position.x * first + position.y * second) / viewport * 2.0 * clip.w, 0.0, 0.0);
}`,T=`
precision highp float;
in vec2 at;
in vec4 colour;
layout(location = 0) out highp vec4 pc_fragColor;
#define gl_FragColor pc_fragColor

void main() {
  float alpha = colour.a * exp(-0.5 * dot(at, at));
  if (alpha < 0.004) discard;
  gl_FragColor = vec4(colour.rgb, 1.0);
  #include <tonemapping_fragment>
  #include <colorspace_fragment>
  gl_FragColor *= alpha;
}`;export{A as Splats};
