import { existsSync, mkdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { layeredCache } from "../../src/environment/cache.ts";
import { cacheFolders } from "../../src/environment/cache-folders.ts";
import { ensureEnvironment } from "../../src/environment/ensure-environment.ts";
import { ensureExtras } from "../../src/environment/ensure-extras.ts";
import { errorOf } from "../helpers/error-of.ts";
import { fakeMachine } from "../helpers/fake-tools.ts";
import { canBeReadOnly, makeReadOnly } from "../helpers/read-only.ts";
import { recordingTerminal } from "../helpers/recording-terminal.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

/** A folder with these files. */
function filled(...files: string[]): string {
  const folder = tempFolder();
  for (const file of files) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), file);
  }
  return folder;
}

describe("the own and the shared cache", () => {
  test("CLIPRPN_SHARED_CACHE adds a cache that is only read", () => {
    const [own, shared] = [tempFolder(), tempFolder()];
    const env = { CLIPRPN_CACHE: own, CLIPRPN_SHARED_CACHE: shared };
    expect(cacheFolders(env)).toEqual({ own, shared, isTemporary: false });
  });

  test("a shared cache that does not exist is an error, not an empty one", () => {
    const env = { CLIPRPN_CACHE: tempFolder(), CLIPRPN_SHARED_CACHE: "/nowhere/shared" };
    const error = errorOf(() => cacheFolders(env));
    expect(error.code).toBe("environment_broken");
    expect(error.message).toContain("/nowhere/shared");
  });

  test("an empty HOME is that of the system's entry", () => {
    const { own } = cacheFolders({ HOME: "" });
    expect(own).toBe(cacheFolders({}).own);
    expect(own).toMatch(/^\/.*cliprpn$/);
  });

  test.skipIf(!canBeReadOnly)(
    "a filled cache that cannot be written is shared, with the user's own above it",
    () => {
      const [shared, home] = [filled("features/maps-1/manifest.json"), tempFolder()];
      makeReadOnly(shared);
      expect(cacheFolders({ CLIPRPN_CACHE: shared, XDG_CACHE_HOME: home })).toEqual({
        own: join(home, "cliprpn"),
        shared,
        isTemporary: false,
      });
    },
  );

  test.skipIf(!canBeReadOnly)("without any folder that can be written, new files are temporary", () => {
    const [shared, home] = [filled("features/maps-1/manifest.json"), tempFolder()];
    makeReadOnly(shared);
    makeReadOnly(home);
    const found = cacheFolders({ CLIPRPN_CACHE: shared, XDG_CACHE_HOME: home });
    expect(found).toMatchObject({ shared, isTemporary: true });
    expect(existsSync(found.own)).toBe(true);
  });

  test.skipIf(!canBeReadOnly)(
    "an empty cache that cannot be written stays the cache, and fails when it is written",
    () => {
      const own = tempFolder();
      makeReadOnly(own);
      expect(cacheFolders({ CLIPRPN_CACHE: own })).toEqual({ own, shared: undefined, isTemporary: false });
    },
  );
});

describe("what the shared cache has complete", () => {
  test("is linked into the own one, unless the own one has it", () => {
    const shared = filled(
      "features/maps-1/manifest.json",
      "features/maps-2/progress.json",
      "features/maps-3/manifest.json",
      "demo/d1/demo.json",
      "detectors/trained-1/detector.json",
      "detectors/trained-2/weights.pt",
    );
    const own = filled("features/maps-3/manifest.json");
    layeredCache({ CLIPRPN_CACHE: own, CLIPRPN_SHARED_CACHE: shared }, recordingTerminal());
    expect(readlinkSync(join(own, "features/maps-1"))).toBe(join(shared, "features/maps-1"));
    expect(existsSync(join(own, "features/maps-2"))).toBe(false);
    expect(() => readlinkSync(join(own, "features/maps-3"))).toThrow();
    expect(existsSync(join(own, "demo/d1/demo.json"))).toBe(true);
    expect(existsSync(join(own, "detectors/trained-1/detector.json"))).toBe(true);
    expect(existsSync(join(own, "detectors/trained-2"))).toBe(false);
  });

  test("a dataset gets a folder of its own, so that other sizes and newer facts go there", () => {
    const shared = filled(
      "prepared/p1/dataset.json",
      "prepared/p1/images.parquet",
      "prepared/p1/pixels/squash-224/manifest.json",
      "prepared/p1/pixels/squash-448/shard-0.npy",
      "prepared/p2/images.parquet",
    );
    const own = tempFolder();
    layeredCache({ CLIPRPN_CACHE: own, CLIPRPN_SHARED_CACHE: shared }, recordingTerminal());
    mkdirSync(join(own, "prepared/p1/pixels/squash-448"));
    rmSync(join(own, "prepared/p1/dataset.json"));
    writeFileSync(join(own, "prepared/p1/dataset.json"), "newer");
    expect(existsSync(join(own, "prepared/p1/pixels/squash-224/manifest.json"))).toBe(true);
    expect(readFileSync(join(shared, "prepared/p1/dataset.json"), "utf8")).toBe("prepared/p1/dataset.json");
    expect(existsSync(join(shared, "prepared/p1/pixels/squash-448/manifest.json"))).toBe(false);
    expect(existsSync(join(own, "prepared/p2"))).toBe(false);
  });

  test("links to a shared cache that is gone are removed", () => {
    const [shared, own, other] = [
      filled("features/maps-1/manifest.json", "prepared/p1/dataset.json"),
      tempFolder(),
      tempFolder(),
    ];
    layeredCache({ CLIPRPN_CACHE: own, CLIPRPN_SHARED_CACHE: shared }, recordingTerminal());
    rmSync(shared, { recursive: true });
    layeredCache({ CLIPRPN_CACHE: own, CLIPRPN_SHARED_CACHE: other }, recordingTerminal());
    expect(() => readlinkSync(join(own, "features/maps-1"))).toThrow();
    expect(() => readlinkSync(join(own, "prepared/p1/dataset.json"))).toThrow();
  });
});

test("the environment of the shared cache is used", async () => {
  const machine = fakeMachine();
  const { env, lockDir, cache } = machine;
  const options = { name: "runtime", terminal: recordingTerminal(), lockDir } as const;
  const built = await ensureEnvironment({ ...options, env });
  const layered = { ...env, CLIPRPN_CACHE: tempFolder(), CLIPRPN_SHARED_CACHE: cache };
  expect(await ensureEnvironment({ ...options, env: layered })).toEqual(built);
});

test.skipIf(!canBeReadOnly)(
  "an extra for an environment that cannot be written goes into the own cache, once, on the module path",
  async () => {
    const machine = fakeMachine();
    const { env, lockDir, cache } = machine;
    const terminal = recordingTerminal();
    const environment = await ensureEnvironment({ name: "runtime", terminal, env, lockDir });
    makeReadOnly(cache);
    const own = tempFolder();
    const context = { terminal, lockDir, env: { ...env, CLIPRPN_CACHE: own, CLIPRPN_SHARED_CACHE: cache } };
    const [folder = ""] = await ensureExtras(environment, ["onnx"], context);
    expect(folder.startsWith(own)).toBe(true);
    expect(existsSync(folder)).toBe(true);
    const numCalls = machine.calls().length;
    expect(await ensureExtras(environment, ["onnx"], context)).toEqual([folder]);
    expect(machine.calls()).toHaveLength(numCalls);
  },
);
