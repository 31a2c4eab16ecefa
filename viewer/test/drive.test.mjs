// What a frame means for a face: by hand, and the same as tests of rtgraph.models.avatar ask of its decoder.
import assert from "node:assert/strict";
import { test } from "node:test";
import { agree, FULL_LOOK_RAD } from "../src/stage/drive.js";

const NAMES = [
  ...["Left", "Right"].flatMap((side) => ["Blink", "LookDown", "LookIn", "LookOut", "LookUp", "Squint", "Wide"].map((shape) => `eye${shape}${side}`)),
  "jawOpen", "mouthClose", "headYaw", "headPitch", "headRoll",
  ...["leftEye", "rightEye"].flatMap((eye) => [`${eye}Yaw`, `${eye}Pitch`, `${eye}Roll`]),
];
const AT = Object.fromEntries(NAMES.map((name, i) => [name, i]));
const agreed = (values) => {
  const frame = new Float32Array(NAMES.length);
  for (const [name, value] of Object.entries(values)) frame[AT[name]] = value;
  const w = agree(frame, AT);
  return (name) => Math.round(w[AT[name]] * 1e5) / 1e5;
};
const rad = (value) => Math.round(value * 1e5) / 1e5;

test("shapes turn the eyes, angles move the lids", () => {
  const shapes = agreed({ eyeLookOutLeft: 0.5, eyeLookInRight: 0.5 });
  assert.equal(shapes("leftEyeYaw"), rad(FULL_LOOK_RAD / 2));
  assert.equal(shapes("rightEyeYaw"), rad(FULL_LOOK_RAD / 2)); // both to the person's left
  const angles = agreed({ leftEyePitch: FULL_LOOK_RAD / 4, rightEyeYaw: -FULL_LOOK_RAD });
  assert.equal(angles("eyeLookDownLeft"), 0.25);
  assert.equal(angles("eyeLookOutRight"), 1);
  assert.equal(angles("leftEyePitch"), rad(FULL_LOOK_RAD / 4));
});

test("a closed lid takes over, lips close what is open", () => {
  const blink = agreed({ eyeBlinkLeft: 1, eyeWideLeft: 0.7, eyeLookUpLeft: 1, eyeWideRight: 0.7, mouthClose: 0.8, jawOpen: 0.3 });
  assert.deepEqual([blink("eyeWideLeft"), blink("eyeLookUpLeft"), blink("eyeWideRight")], [0, 0, 0.7]);
  assert.equal(blink("mouthClose"), 0.3);
});

test("no neck turns for ever", () => {
  assert.equal(agreed({ headYaw: 9 })("headYaw"), rad(1.2));
  assert.equal(agreed({ rightEyeYaw: -9 })("rightEyeYaw"), -0.8);
});
