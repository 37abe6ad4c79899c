import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { packageRoot } from "../../src/package-root.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

test("a current folder that was removed is named, without a stack trace", () => {
  const script = `mkdir gone && cd gone && rmdir ../gone && "${process.execPath}" "${join(packageRoot, "bin/cliprpn.js")}" list`;
  const { status, stderr } = spawnSync("/bin/sh", ["-c", script], { cwd: tempFolder(), encoding: "utf8" });
  expect(stderr).toMatch(/current folder does not exist/);
  expect(stderr).not.toMatch(/^\s+at /m);
  expect(status).toBe(4);
});
