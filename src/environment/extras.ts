import { join } from "node:path";

export type ExtraName = "onnx" | "yolo";

/** Packages that only some detectors need. */
export interface Extra {
  /** The feature that needs the extra, as shown to the user. */
  neededBy: string;
  /** The modules to import, and the packages that provide them. */
  packages: Record<string, string>;
  /** License notice, shown before the download. */
  license: string | undefined;
}

const onnxruntime = { onnxruntime: "onnxruntime" };

export const extraNames = ["onnx", "yolo"] as const satisfies ExtraName[];

export const extras: Record<ExtraName, Extra> = {
  onnx: { neededBy: "an ONNX detector", packages: onnxruntime, license: undefined },
  /** Contains all of `onnx`. */
  yolo: {
    neededBy: "a YOLO detector",
    packages: { ultralytics: "ultralytics", ...onnxruntime },
    license:
      "Ultralytics YOLO is licensed under AGPL-3.0: if you distribute software that is built on it, or let others use it over a network, you have to offer the complete source code of that software under AGPL-3.0, or buy a license from Ultralytics (https://ultralytics.com/license). Metrics and detections that it produces are in general not affected. This is not legal advice.",
  },
};

/** Keeps Ultralytics from using the network, installing packages and writing into the home directory. */
export function offlineYoloEnv(env: NodeJS.ProcessEnv, cache: string): NodeJS.ProcessEnv {
  const YOLO_CONFIG_DIR = join(cache, "ultralytics");
  return { ...env, YOLO_CONFIG_DIR, YOLO_OFFLINE: "true", YOLO_AUTOINSTALL: "false" };
}
