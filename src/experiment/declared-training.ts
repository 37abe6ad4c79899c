import type { DeclaredTraining, DetectorChoice } from "../contract/generated/types.ts";
import type { ReadExperiment } from "./check-experiment.ts";
import type { ResolvedSetting } from "./resolve.ts";

/** What an experiment declares with `trained_on`; undefined if nothing. Declarations for one file are joined. */
export function declaredTraining({ experiment, settings }: ReadExperiment): DeclaredTraining | undefined {
  const backbone = experiment.backbone?.trained_on;
  const detectors: DeclaredTraining["detectors"] = {};
  for (const setting of settings) {
    const sha256 = detectorFile(setting);
    const choice = writtenDetector(setting) ?? experiment.settings?.baseline?.detector;
    if (sha256 === undefined || typeof choice !== "object" || choice.trained_on === undefined) continue;
    const [first, ...others] = [...new Set([...(detectors[sha256] ?? []), ...choice.trained_on])];
    if (first !== undefined) detectors[sha256] = [first, ...others];
  }
  if (backbone === undefined && Object.keys(detectors).length === 0) return undefined;
  return { ...(backbone === undefined ? {} : { backbone }), detectors };
}

function detectorFile(setting: ResolvedSetting): string | undefined {
  if (setting.kind !== "baseline") return undefined;
  const { detector } = setting.baseline;
  return "sha256" in detector ? detector.sha256 : undefined;
}

/** The detector as the experiment writes it for this setting; checked by the schema. */
function writtenDetector({ varied }: ResolvedSetting): DetectorChoice | undefined {
  return varied["baseline.detector"] as DetectorChoice | undefined;
}
