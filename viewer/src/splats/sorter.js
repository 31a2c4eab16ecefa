// A worker: the order of Gaussians from far to near, by a counting sort over 16 bits of depth.
const BUCKETS = 65536;
const counts = new Uint32Array(BUCKETS + 1);
let depths = new Float32Array(0);
let keys = new Uint16Array(0);

/** means [G * stride], the first three of each; towards: the direction in which depth grows. */
globalThis.onmessage = ({ data: { means, stride, towards: [x, y, z] } }) => {
  const count = means.length / stride;
  if (keys.length !== count) {
    depths = new Float32Array(count);
    keys = new Uint16Array(count);
  }
  let low = Infinity, high = -Infinity;
  for (let i = 0, at = 0; i < count; i++, at += stride) {
    const depth = (depths[i] = means[at] * x + means[at + 1] * y + means[at + 2] * z);
    if (depth < low) low = depth;
    if (depth > high) high = depth;
  }
  const scale = high > low ? (BUCKETS - 1) / (high - low) : 0;
  counts.fill(0);
  for (let i = 0; i < count; i++) {
    keys[i] = (high - depths[i]) * scale; // rounded down
    counts[keys[i] + 1]++;
  }
  for (let i = 1; i <= BUCKETS; i++) counts[i] += counts[i - 1]; // where each key begins
  const order = new Uint32Array(count);
  for (let i = 0; i < count; i++) order[counts[keys[i]]++] = i;
  postMessage({ order, means }, [order.buffer, means.buffer]);
};
