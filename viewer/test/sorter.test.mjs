// The order of Gaussians: far to near, each of them once.
import assert from "node:assert/strict";
import { test } from "node:test";

let answer;
globalThis.postMessage = (message) => (answer = message);
await import("../src/splats/sorter.js");

const sort = (depths, stride = 14) => {
  const means = new Float32Array(depths.length * stride);
  depths.forEach((depth, i) => (means[i * stride + 2] = depth));
  globalThis.onmessage({ data: { means, stride, towards: [0, 0, 1] } });
  return [...answer.order];
};

test("far to near", () => {
  assert.deepEqual(sort([0.5, 3, -1, 2]), [1, 3, 0, 2]);
  const depths = Array.from({ length: 5000 }, (_, i) => Math.sin(i * 12.9898) * 0.3);
  const order = sort(depths);
  assert.equal(new Set(order).size, depths.length);
  for (let i = 1; i < order.length; i++) assert.ok(depths[order[i]] <= depths[order[i - 1]] + 0.6 / 65535);
});

test("all at one depth, one alone, none", () => {
  assert.deepEqual(sort([1, 1, 1]), [0, 1, 2]);
  assert.deepEqual(sort([7]), [0]);
  assert.deepEqual(sort([]), []);
});
