import { join } from "node:path";

/** Extras that a worker can run something small with; Ray runs on a cluster, which `doctor --engine ray` tries. */
export type WorkerExtra = "onnx" | "yolo";
export type ExtraName = WorkerExtra | "ray";

/** Packages that only some detectors, or one engine, need. */
export interface Extra {
  /** The feature that needs the extra, as shown to the user. */
  neededBy: string;
  /** The modules to import, and the packages that provide them. */
  packages: Record<string, string>;
  /** License notice, shown before the download. */
  license: string | undefined;
  /** Another extra, all of whose packages are in this one. */
  contains?: ExtraName;
}

const onnxruntime = { onnxruntime: "onnxruntime" };

export const extraNames = ["onnx", "ray", "yolo"] as const satisfies ExtraName[];

export const extras: Record<ExtraName, Extra> = {
  onnx: { neededBy: "an ONNX detector", packages: onnxruntime, license: undefined },
  ray: { neededBy: "Ray clusters (--engine ray)", packages: { ray: "ray" }, license: undefined },
  yolo: {
    neededBy: "a YOLO detector",
    packages: { ultralytics: "ultralytics", ...onnxruntime },
    license:
      "Ultralytics YOLO is licensed under AGPL-3.0: if you distribute software that is built on it, or let others use it over a network, you have to offer the complete source code of that software under AGPL-3.0, or buy a license from Ultralytics (https://ultralytics.com/license). Metrics and detections that it produces are in general not affected. This is not legal advice.",
    contains: "onnx",
  },
};

/** Keeps Ultralytics from using the network, installing packages and writing into the home directory. */
export function offlineYoloEnv(env: NodeJS.ProcessEnv, cache: string): NodeJS.ProcessEnv {
  const YOLO_CONFIG_DIR = join(cache, "ultralytics");
  return { ...env, YOLO_CONFIG_DIR, YOLO_OFFLINE: "true", YOLO_AUTOINSTALL: "false" };
}
