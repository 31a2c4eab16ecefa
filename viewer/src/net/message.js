// The binary message of sink.viewer, version 1, taken apart: docs/viewer-messages.md shows it.

export const VERSION = 1;

export const Kind = Object.freeze({
  FRAME: 1, CONFIDENCE: 2, VERTICES: 3, NORMALS: 4, GAUSSIANS: 5,
  AUDIO: 6, LEFT_EYE: 7, RIGHT_EYE: 8, EYE_STATE: 9, TIMING: 10,
});

const MAGIC = 0x56475452; // "RTGV"
const HEADER_BYTES = 24;
const SECTION_BYTES = 24;
const ELEMENTS = { 1: Float32Array, 2: Uint8Array };

/**
 * @param {ArrayBuffer} buffer
 * @returns {{seq: number, skipped: number, sentMs: number,
 *   sections: {kind: number, timestampMs: number, rows: number, columns: number, data: Float32Array|Uint8Array}[]}}
 *   data are views of the buffer; times are ms on the graph's clock.
 * @throws {Error} in words, where the buffer is no such message.
 */
export function decode(buffer) {
  const view = new DataView(buffer);
  if (buffer.byteLength < HEADER_BYTES || view.getUint32(0, true) !== MAGIC) throw new Error("not a message of sink.viewer");
  const version = view.getUint16(4, true);
  if (version !== VERSION) throw new Error(`the graph speaks version ${version}, this page ${VERSION}: reload the page`);
  const sections = [];
  let at = HEADER_BYTES;
  for (let left = view.getUint16(6, true); left > 0; left--) {
    const Elements = at + SECTION_BYTES <= buffer.byteLength ? ELEMENTS[view.getUint16(at + 2, true)] : undefined;
    const bytes = Elements ? view.getUint32(at + 12, true) : Infinity;
    const start = at + SECTION_BYTES;
    if (start + bytes > buffer.byteLength) throw new Error("a message of sink.viewer is cut short");
    sections.push({
      kind: view.getUint16(at, true),
      rows: view.getUint32(at + 4, true),
      columns: view.getUint32(at + 8, true),
      timestampMs: Number(view.getBigInt64(at + 16, true)) / 1e6,
      data: new Elements(buffer, start, bytes / Elements.BYTES_PER_ELEMENT),
    });
    at = start + Math.ceil(bytes / 8) * 8;
  }
  return {
    seq: view.getUint32(8, true),
    skipped: view.getUint32(12, true),
    sentMs: Number(view.getBigInt64(16, true)) / 1e6,
    sections,
  };
}
