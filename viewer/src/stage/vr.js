// "Enter VR": the head at arm's length before the eyes of whoever wears the headset.
import { Vector3 } from "three";

const PLACE = new Vector3(0, -0.03, -0.6); // of the face, metres from the wearer's eyes

export async function enterVr(stage, head, button, problem) {
  const { xr } = stage.renderer;
  if (!(await navigator.xr?.isSessionSupported("immersive-vr").catch(() => false))) return;
  button.hidden = false;
  xr.setReferenceSpaceType("local");
  button.addEventListener("click", async () => {
    const running = xr.getSession();
    if (running) return running.end();
    try {
      const session = await navigator.xr.requestSession("immersive-vr", { optionalFeatures: ["local-floor"] });
      const offset = head.focus().sub(head.position);
      head.position.copy(PLACE).sub(offset);
      stage.studio.position.copy(head.position);
      button.textContent = "Leave VR";
      session.addEventListener("end", () => {
        head.position.set(0, 0, 0);
        stage.studio.position.set(0, 0, 0);
        button.textContent = "Enter VR";
      });
      await xr.setSession(session);
    } catch (error) {
      problem(`the headset cannot be entered: ${error.message}`);
    }
  });
}
