// Runs the peer @met4citizen/headaudio 0.1.0 (MIT) over sound without a browser: float32 samples at 16 kHz on
// standard input, for every 20 ms the number of the active viseme (-1: none) on standard output.
// Usage: node headaudio.mjs FOLDER_OF_THE_PACKAGE < sound
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const folder = process.argv[2];
const load = (name) => import(pathToFileURL(`${folder}/modules/${name}.mjs`));
const [{ Processor }, { Training }, { MODEL_VISEME_SIL }] = await Promise.all(
  ["processor", "training", "parameters"].map(load),
);
const file = readFileSync(`${folder}/dist/model-en-mixed.bin`);
globalThis.fetch = async () => ({ ok: true, arrayBuffer: async () => file.buffer.slice(file.byteOffset, file.byteOffset + file.length) });
const { model } = await new Training().loadModel("model-en-mixed.bin");

let active = -1;
const postMessage = ({ event, viseme }) => {
  // as headaudio.mjs does it: viseme 0 ("aa") is falsy there and changes nothing
  if (event === "viseme" && viseme) active = viseme === MODEL_VISEME_SIL ? -1 : viseme;
  if (event === "ended") active = -1;
};
const processor = new Processor({ sampleRate: 16000 }, { port: { postMessage } });
processor._onmessage({ data: { event: "model", model } });

const input = readFileSync(0);
const sound = new Float32Array(input.buffer.slice(input.byteOffset, input.byteOffset + input.length));
const said = [];
for (let start = 0; start + 320 <= sound.length; start += 320) {
  processor.process(sound.subarray(start, start + 320));
  said.push(active);
}
process.stdout.write(JSON.stringify(said));
