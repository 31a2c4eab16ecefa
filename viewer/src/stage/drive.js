// What a frame means for a face: eyes that agree with their lids, lids and lips that meet. As rtgraph.models.avatar.drive.
export const FULL_LOOK_RAD = Math.PI / 6; // of an eyeLook shape at 1
const HEAD_LIMIT_RAD = 1.2;
const EYE_LIMIT_RAD = 0.8;
const HELD_BACK = ["LookIn", "LookOut", "LookDown", "LookUp", "Wide", "Squint"]; // by a lid that closes

let agreed = new Float32Array(0);

/**
 * @param {Float32Array} frame weights 0..1 and angles in radians
 * @param {Record<string, number>} at the place of each name
 * @returns {Float32Array} the same names, within range and in agreement; valid until the next call
 */
export function agree(frame, at) {
  if (agreed.length !== frame.length) agreed = new Float32Array(frame.length);
  const w = agreed;
  w.set(frame);
  for (const name of ["headYaw", "headPitch", "headRoll"]) w[at[name]] = within(w[at[name]], HEAD_LIMIT_RAD);
  for (const [side, eye, outward] of [["Left", "leftEye", 1], ["Right", "rightEye", -1]]) {
    look(w, at[`${eye}Yaw`], at[`eyeLookOut${side}`], at[`eyeLookIn${side}`], outward);
    look(w, at[`${eye}Pitch`], at[`eyeLookDown${side}`], at[`eyeLookUp${side}`], 1);
    const open = 1 - w[at[`eyeBlink${side}`]];
    for (const shape of HELD_BACK) w[at[`eye${shape}${side}`]] *= open;
  }
  w[at.mouthClose] = Math.min(w[at.mouthClose], w[at.jawOpen]);
  return w;
}

// An angle and the two opposite shapes that say the same: the larger one holds for both.
function look(w, angle, more, less, sign) {
  const given = within(w[angle], EYE_LIMIT_RAD);
  const implied = sign * FULL_LOOK_RAD * (w[more] - w[less]);
  w[angle] = Math.abs(given) >= Math.abs(implied) ? given : implied;
  const share = (sign * w[angle]) / FULL_LOOK_RAD;
  w[more] = Math.min(Math.max(w[more], share), 1);
  w[less] = Math.min(Math.max(w[less], -share), 1);
}

const within = (value, limit) => Math.min(Math.max(value, -limit), limit);
