import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { commands } from "../../src/commands/table.ts";
import { packageRoot } from "../../src/package-root.ts";

const text = readFileSync(join(packageRoot, "docs/kubernetes.yaml"), "utf8");
const job = parse(text, { strict: true, uniqueKeys: true });
const pod = job.spec.template.spec;
const [container] = pod.containers;

test("it is a Job of as many pods as run at the same time, each with one GPU and the shared volume", () => {
  expect(job).toMatchObject({ apiVersion: "batch/v1", kind: "Job" });
  expect(job.spec.completions).toBe(job.spec.parallelism);
  expect(pod.containers).toHaveLength(1);
  expect(container.resources.limits["nvidia.com/gpu"]).toBe(1);
  const [mount] = container.volumeMounts;
  expect(pod.volumes).toEqual([{ name: mount.name, persistentVolumeClaim: { claimName: "cliprpn-share" } }]);
  for (const { value } of container.env) expect(value).toMatch(new RegExp(`^${mount.mountPath}/`));
});

test("names are what Kubernetes takes, and its failure policy is one for pods that are not restarted", () => {
  const names = [job.metadata.name, container.name, ...pod.volumes.map(({ name }: { name: string }) => name)];
  for (const name of names) expect(name).toMatch(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);
  expect(container.image).toMatch(/^[a-z0-9.-]+\/[a-z0-9-]+:[\w.-]+$/);
  expect(pod.restartPolicy).toBe("Never"); // With another one, podFailurePolicy is refused.
  for (const value of [...container.command, ...container.args]) expect(value).toBeTypeOf("string");
});

test("its command and options are those of cliprpn worker, in the sweep's folder", () => {
  expect(container.command).toEqual(["cliprpn", "worker"]);
  const worker = commands.find(({ usage }) => usage === "worker");
  const given = new Map<string, string>(
    container.args.map((arg: string) => /^--([a-z-]+)=(.+)$/.exec(arg)?.slice(1) ?? [arg, ""]),
  );
  const commented = [...text.matchAll(/# - --([a-z-]+)=/g)].map(([, name = ""]) => name);
  const known = Object.keys(worker?.options ?? {});
  expect([...given.keys(), ...commented].filter((name) => !known.includes(name))).toEqual([]);
  expect(given.get("join")).toMatch(new RegExp(`^${given.get("runs-dir")}/sweeps/[\\w-]+$`));
});

test("the command of the sweep has the options of cliprpn sweep", () => {
  const sweep = commands.find(({ usage }) => usage.startsWith("sweep "));
  const [line = ""] = /cliprpn sweep .*/.exec(text) ?? [];
  const options = [...line.matchAll(/--([a-z-]+)/g)].map(([, name = ""]) => name);
  expect(options).toEqual(["engine", "runs-dir"]);
  expect(options.filter((name) => sweep?.options?.[name] === undefined)).toEqual([]);
});
