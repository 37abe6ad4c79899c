import { join } from "node:path";

export type ExtraName = "onnx" | "yolo";

/** Packages that only some detectors need. */
export interface Extra {
  /** What needs it. */
  use: string;
  /** The modules to import and the packages that bring them. */
  packages: Record<string, string>;
  /** What a person has to know before it is fetched. */
  licence: string | undefined;
}

const onnxruntime = { onnxruntime: "onnxruntime" };

export const extraNames = ["onnx", "yolo"] as const satisfies ExtraName[];

export const extraPackages: Record<ExtraName, Extra> = {
  onnx: { use: "an ONNX detector", packages: onnxruntime, licence: undefined },
  /** Holds all of `onnx`. */
  yolo: {
    use: "a YOLO detector",
    packages: { ultralytics: "ultralytics", ...onnxruntime },
    licence:
      "Ultralytics YOLO is under AGPL-3.0: who ships software built on it, or lets others use it over a network, has to offer that software's whole source under AGPL-3.0, or buy a licence from Ultralytics (https://ultralytics.com/license). Figures and detections made with it are in general not affected; this is not legal advice.",
  },
};

/** Ultralytics asks the network, installs packages and writes into the home unless it is told not to. */
export function tamed(env: NodeJS.ProcessEnv, cache: string): NodeJS.ProcessEnv {
  const YOLO_CONFIG_DIR = join(cache, "ultralytics");
  return { ...env, YOLO_CONFIG_DIR, YOLO_OFFLINE: "true", YOLO_AUTOINSTALL: "false" };
}
