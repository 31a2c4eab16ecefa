// "Enter VR": the head at arm's length before the eyes of whoever wears the headset; its trigger calibrates their eyes.
import { Euler, Mesh, MeshBasicMaterial, SphereGeometry, Vector3 } from "three";

const PLACE = new Vector3(0, -0.03, -0.6); // of the face, metres from the wearer's eyes
const POINT_M = 8, POINT_RAD = 0.006; // how far away a point to look at is, so that both eyes look the same way; its size

export async function enterVr(stage, head, button, looks, problem) {
  const { xr } = stage.renderer;
  if (!(await navigator.xr?.isSessionSupported("immersive-vr").catch(() => false))) return;
  button.hidden = false;
  xr.setReferenceSpaceType("local");
  const point = pointOf(stage);
  button.addEventListener("click", async () => {
    const running = xr.getSession();
    if (running) return running.end();
    let session;
    try {
      session = await navigator.xr.requestSession("immersive-vr", { optionalFeatures: ["local-floor"] });
      const offset = head.focus().sub(head.position);
      head.position.copy(PLACE).sub(offset);
      stage.studio.position.copy(head.position);
      button.textContent = "Leave VR";
      session.addEventListener("select", () => looks.run(point));
      session.addEventListener("end", () => {
        looks.failed();
        head.position.set(0, 0, 0);
        stage.studio.position.set(0, 0, 0);
        button.textContent = "Enter VR";
      });
      await xr.setSession(session);
    } catch (error) {
      problem(`the headset cannot be entered: ${error.message}`);
      session?.end().catch(() => {}); // it may have ended by itself
    }
  });
}

// A point that stands still before the eyes, wherever the head turns.
function pointOf(stage) {
  const point = new Mesh(new SphereGeometry(POINT_M * POINT_RAD), new MeshBasicMaterial({ color: "white", depthTest: false }));
  const away = new Vector3();
  Object.assign(point, { visible: false, frustumCulled: false, renderOrder: 1 });
  point.onBeforeRender = (renderer, scene, camera) => {
    const eyes = renderer.xr.isPresenting ? renderer.xr.getCamera() : camera;
    point.position.copy(away).applyMatrix4(eyes.matrixWorld);
    point.updateMatrixWorld();
    point.modelViewMatrix.multiplyMatrices(camera.matrixWorldInverse, point.matrixWorld);
  };
  stage.scene.add(point);
  return {
    show(yawDeg, pitchDeg) {
      // Who wears it looks along -Z: yaw to the left is positive, and so is pitch down.
      away.set(0, 0, -POINT_M).applyEuler(new Euler((-pitchDeg * Math.PI) / 180, (yawDeg * Math.PI) / 180, 0, "YXZ"));
      point.visible = true;
    },
    hide: () => (point.visible = false),
  };
}
