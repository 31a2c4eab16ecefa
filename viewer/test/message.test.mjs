// The message against its golden bytes: the same as in tests/nodes/sink/test_viewer_messages.py.
import assert from "node:assert/strict";
import { test } from "node:test";
import { decode, Kind } from "../src/net/message.js";

const GOLDEN = [
  "52544756", "0100", "0200", "07000000", "03000000", "00ca9a3b00000000",
  "0200", "0100", "02000000", "01000000", "08000000", "40420f0000000000", "0000803f", "0000003f",
  "0700", "0200", "02000000", "03000000", "06000000", "feffffffffffffff", "000102030405", "0000",
].join("");

const bytes = (hex) => Uint8Array.from(hex.match(/../g), (pair) => parseInt(pair, 16)).buffer;

test("golden bytes", () => {
  const message = decode(bytes(GOLDEN));
  assert.deepEqual([message.seq, message.skipped, message.sentMs], [7, 3, 1000]);
  const [confidence, eye] = message.sections;
  assert.deepEqual([confidence.kind, confidence.timestampMs, ...confidence.data], [Kind.CONFIDENCE, 1, 1, 0.5]);
  assert.deepEqual([eye.kind, eye.rows, eye.columns, ...eye.data], [Kind.LEFT_EYE, 2, 3, 0, 1, 2, 3, 4, 5]);
  assert.equal(eye.timestampMs, -2e-6);
});

test("what is no message is said in words", () => {
  assert.throws(() => decode(new ArrayBuffer(0)), /not a message/);
  assert.throws(() => decode(bytes(GOLDEN.replace("52544756", "00000000"))), /not a message/);
  assert.throws(() => decode(bytes(GOLDEN.replace("525447560100", "525447560200"))), /version 2.*reload/);
  for (let length = 24; length < GOLDEN.length / 2 - 2; length++) assert.throws(() => decode(bytes(GOLDEN).slice(0, length)), /cut short/);
});
