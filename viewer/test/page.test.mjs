// The page in a real browser: frames arrive, the head moves, pages agree, the line comes back, a headset is entered.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { browser, HEADSET, makeHead, open, run, until } from "./graph.mjs";

let chrome;
before(async () => (chrome = await browser()));
after(() => chrome.close());

const choose = (title) => [...document.querySelectorAll(".choice button")].find((b) => b.textContent === title).click();
const isChosen = (title) => document.querySelector('.choice button[aria-pressed="true"]').textContent === title;

// Into a page, before its scripts: `sent`, what it asks the graph to send.
const NOTE_SENT = () => {
  const { send } = WebSocket.prototype;
  globalThis.sent = [];
  WebSocket.prototype.send = function (text) {
    const message = JSON.parse(text);
    if (message.type === "show") sent.push(message.surface);
    send.call(this, text);
  };
};

// Of the head that is shown: the weight of a morph target.
const weightOf = (name) => {
  const mesh = viewer.head.meshes.find((m) => m.morphTargetDictionary?.[name] !== undefined);
  return mesh.morphTargetInfluences[mesh.morphTargetDictionary[name]];
};

test("a station of the tour is on the face, and a slider takes a shape over, on every page", async (t) => {
  const graph = await run({ settings: { "tour.station": "smile" } });
  t.after(graph.stop);
  const [a, b] = await Promise.all([open(chrome, graph.url), open(chrome, graph.url)]);
  assert.ok(Math.abs((await a.evaluate(weightOf, "mouthSmileLeft")) - 0.85) < 1e-3);
  assert.equal(await a.evaluate(weightOf, "jawForward"), 0);
  await a.evaluate(() => {
    const input = document.querySelector('input[aria-label="jawOpen"]');
    input.value = 0.5;
    input.dispatchEvent(new Event("input"));
  });
  await until(b, () => viewer.settings.weights.jawOpen === 0.5);
  await until(b, (name) => {
    const mesh = viewer.head.meshes.find((m) => m.morphTargetDictionary?.[name] !== undefined);
    return mesh.morphTargetInfluences[mesh.morphTargetDictionary[name]] === 0.5;
  }, "jawOpen");
  assert.match(await b.textContent("header"), /live/);
  assert.deepEqual([...a.problems, ...b.problems], []);
  await Promise.all([a.close(), b.close()]);
});

test("the tour moves mouth, lids, eyes and head", async (t) => {
  const graph = await run({ settings: { "tour.hold_s": 0.5, "tour.move_s": 0.1 } });
  t.after(graph.stop);
  const page = await open(chrome, graph.url);
  await page.evaluate(() => {
    viewer.stage.renderer.setAnimationLoop(null); // drawn in software, the page would miss most stations
    globalThis.moved = {};
    const note = (name, value) => {
      const [low, high] = moved[name] ?? [value, value];
      moved[name] = [Math.min(low, value), Math.max(high, value)];
    };
    const mesh = viewer.head.meshes.find((m) => m.morphTargetDictionary?.jawOpen !== undefined);
    const look = () => {
      viewer.head.pose(viewer.frame());
      for (const name of ["mouthSmileLeft", "jawOpen", "eyeBlinkLeft", "tongueOut"]) note(name, mesh.morphTargetInfluences[mesh.morphTargetDictionary[name]]);
      note("leftEye", viewer.head.getObjectByName("leftEye").quaternion.y);
      note("head", viewer.head.getObjectByName("head").quaternion.z);
      setTimeout(look, 20);
    };
    look();
  });
  await until(page, () => {
    const least = { mouthSmileLeft: 0.5, jawOpen: 0.4, eyeBlinkLeft: 0.8, tongueOut: 0.5, leftEye: 0.2, head: 0.05 };
    return Object.entries(least).every(([name, span]) => moved[name][1] - moved[name][0] > span);
  });
  await page.close();
});

test("mesh and streamed vertices are the same face, whoever it is", async (t) => {
  for (const [identity, station] of [["kofi", "tilt"], ["mei", "look_left"]]) {
    const graph = await run({ settings: { "tour.station": station, "decoder.identity": identity, "viewer.identity": identity } });
    t.after(graph.stop);
    const page = await open(chrome, graph.url, { viewport: { width: 160, height: 120 } });
    await until(page, (n) => viewer.stage.pictures > n + 2, await page.evaluate(() => viewer.stage.pictures));
    await page.evaluate(() => {
      const at = viewer.head.position.clone();
      globalThis.moved = viewer.head.meshes.map((mesh) => {
        mesh.updateWorldMatrix(true, false);
        return Array.from({ length: mesh.geometry.attributes.position.count }, (_, i) => mesh.getVertexPosition(i, at.clone()));
      });
      [...document.querySelectorAll(".choice button")].find((b) => b.textContent === "Streamed").click();
    });
    await until(page, () => viewer.head.given);
    const { apart, far, vertices } = await page.evaluate(() => {
      let apart = 0, far = 0, vertices = 0;
      viewer.head.meshes.forEach((mesh, m) => moved[m].forEach((point, i) => {
        const to = (attribute) => point.distanceTo(point.clone().fromBufferAttribute(attribute, i));
        vertices++;
        apart = Math.max(apart, to(mesh.geometry.attributes.position));
        far = Math.max(far, to(mesh.userData.own.position));
      }));
      return { apart, far, vertices };
    });
    t.diagnostic(`${identity}: ${vertices} vertices, at most ${(far * 1e3).toFixed(1)} mm from rest and ${(apart * 1e6).toFixed(3)} µm apart`);
    assert.ok(vertices > 10000 && far > 0.01 && apart < 1e-5, `${identity}: ${apart} m apart, ${far} m from rest`);
    assert.deepEqual(page.problems, []);
    await page.close();
  }
});

test("the line comes back when the graph does", async (t) => {
  const first = await run();
  const page = await open(chrome, first.url);
  await first.stop();
  await until(page, () => document.querySelector(".state").dataset.state !== "live");
  const second = await run({ port: new URL(first.url).port });
  t.after(second.stop);
  await until(page, () => document.querySelector(".state").dataset.state === "live");
  await page.evaluate(() => (globalThis.before = viewer.frame()));
  await until(page, () => viewer.frame() !== globalThis.before);
  await page.close();
});

test("a graph that comes back with another head shows that one, and streams it", async (t) => {
  const first = await run();
  const page = await open(chrome, first.url);
  await page.evaluate(() => [...document.querySelectorAll(".choice button")].find((b) => b.textContent === "Streamed").click());
  await until(page, () => viewer.head.given);
  const before = await page.evaluate(() => [...viewer.head.meshes[0].userData.own.position.array]);
  await first.stop();
  const head = makeHead(t, 7);
  const second = await run({ port: new URL(first.url).port, settings: { "viewer.head": head, "decoder.head": head } });
  t.after(second.stop);
  await until(page, (was) => viewer.head.meshes[0].userData.own?.position.array.some((x, i) => Math.abs(x - was[i]) > 1e-4), before);
  assert.ok(await page.evaluate(() => viewer.head.given && viewer.surface.kind === "vertices"));
  await page.close();
});

test("what cannot be drawn is told, and page, button and graph go back to the mesh", async (t) => {
  const graph = await run();
  t.after(graph.stop);
  const page = await open(chrome, graph.url, { script: NOTE_SENT, viewport: { width: 160, height: 120 } });
  const back = async (problem) => {
    await until(page, isChosen, "Mesh");
    assert.match(await page.textContent(".problem"), problem);
    assert.deepEqual(await page.evaluate(() => [viewer.surface.kind, viewer.head.visible, sent.at(-1)]), ["morphs", true, "morphs"]);
  };
  const splats = "**/splats-*.js";
  await page.route(splats, (route) => route.abort());
  await page.evaluate(choose, "Splats");
  await back(/splats-/);
  await page.evaluate(choose, "Streamed");
  await page.evaluate(() => viewer.surface.vertices(new Float32Array(9)));
  await back(/sends 3 vertices/);
  assert.deepEqual(page.problems.filter((text) => !/Failed to load resource/.test(text)), []);
  await page.close();

  const other = await open(chrome, graph.url, { script: NOTE_SENT, viewport: { width: 160, height: 120 } });
  await other.evaluate(choose, "Splats");
  await until(other, () => !viewer.head.visible);
  await other.evaluate(() => viewer.surface.gaussians(new Float32Array(15)));
  await until(other, isChosen, "Mesh");
  assert.match(await other.textContent(".problem"), /15 numbers/);
  assert.equal(await other.evaluate(() => sent.at(-1)), "morphs");
  await other.waitForTimeout(300); // the last Gaussians are sorted, and not shown for all that
  assert.ok(await other.evaluate(() => viewer.head.visible && !viewer.stage.scene.children.some(({ geometry }) => geometry?.isInstancedBufferGeometry)));
  assert.deepEqual(other.problems, []);
  await other.close();
});

test("a head that goes takes with it all it had on the graphics card", async (t) => {
  const graph = await run();
  t.after(graph.stop);
  const page = await open(chrome, graph.url, { viewport: { width: 160, height: 120 } });
  const { held, soft, bones } = await page.evaluate(async () => {
    const { head, stage } = viewer, { info } = stage.renderer;
    stage.renderer.setAnimationLoop(null);
    const held = [];
    for (let i = 0; i < 3; i++) {
      await head.load("head.glb");
      stage.renderer.render(stage.scene, stage.camera);
      const users = info.programs.reduce((sum, { usedTimes }) => sum + usedTimes, 0); // materials that are not disposed of
      held.push({ textures: info.memory.textures, geometries: info.memory.geometries, users });
    }
    let soft = 0, bones = 0;
    head.traverse((object) => {
      soft += object.isMesh === true && !head.meshes.includes(object);
      bones += Boolean(object.skeleton?.boneTexture);
    });
    return { held, soft, bones };
  });
  assert.ok(soft > 0 && bones > 0, "a head with hair and joints");
  assert.deepEqual(held[2], held[1]);
  await page.close();
});

test("a person who could not be had is asked for again", async (t) => {
  const graph = await run();
  t.after(graph.stop);
  const page = await open(chrome, graph.url);
  let asked = 0;
  await page.route("**/person?*", (route) => (++asked > 1 ? route.continue() : route.fulfill({ status: 503, body: "not now" })));
  const rest = await page.evaluate(() => [...viewer.head.meshes[0].geometry.attributes.position.array]);
  const older = () => {
    const input = document.querySelector('input[aria-label="older"]');
    input.value = 1;
    input.dispatchEvent(new Event("input"));
  };
  await page.evaluate(older);
  await until(page, () => document.body.textContent.includes("not now"));
  await page.evaluate(older);
  await until(page, (was) => viewer.head.meshes[0].geometry.attributes.position.array.some((x, i) => x !== was[i]), rest);
  assert.equal(asked, 2);
  await page.close();
});

test("a headset is entered and left", async (t) => {
  const graph = await run();
  t.after(graph.stop);
  const page = await open(chrome, graph.url, { script: HEADSET });
  await page.evaluate(() => [...document.querySelectorAll("button")].find((b) => b.textContent === "Enter VR").click());
  await until(page, () => viewer.stage.renderer.xr.isPresenting);
  const pictures = await page.evaluate(() => viewer.stage.pictures);
  await until(page, (n) => viewer.stage.pictures > n + 2, pictures);
  const distance = await page.evaluate(() => viewer.head.focus().length());
  assert.ok(distance > 0.4 && distance < 0.8, `the face is ${distance} m away`);
  // The emulator draws over the page, so that no button is within reach: the headset's own button ends the session.
  await page.evaluate(() => viewer.stage.renderer.xr.getSession().end());
  await until(page, () => !viewer.stage.renderer.xr.isPresenting);
  assert.match(await page.textContent("header"), /Enter VR/);
  assert.deepEqual(page.problems, []);
  await page.close();
});

test("a headset that cannot be entered is let go, and can be entered the next time", async (t) => {
  const graph = await run();
  t.after(graph.stop);
  for (const [owner, method] of [["XRSession", "requestReferenceSpace"], ["WebGL2RenderingContext", "makeXRCompatible"]]) {
    const page = await open(chrome, graph.url, { script: HEADSET, viewport: { width: 160, height: 120 } });
    const enter = () => [...document.querySelectorAll("button")].find((b) => b.textContent === "Enter VR").click();
    await page.evaluate(([owner, method]) => {
      const { prototype } = globalThis[owner], works = prototype[method];
      prototype[method] = async () => {
        prototype[method] = works;
        throw new Error("not today");
      };
    }, [owner, method]);
    const size = await page.evaluate(() => viewer.stage.renderer.domElement.width);
    await page.evaluate(enter);
    await until(page, () => document.querySelector(".problem").textContent.includes("not today"));
    await until(page, () => !viewer.stage.renderer.xr.getSession());
    assert.match(await page.textContent("header"), /Enter VR/);
    assert.deepEqual(await page.evaluate(() => [viewer.head.position.length(), viewer.stage.renderer.domElement.width]), [0, size]);
    await page.evaluate(enter);
    await until(page, () => viewer.stage.renderer.xr.isPresenting);
    assert.deepEqual(page.problems, []);
    await page.close();
  }
});
