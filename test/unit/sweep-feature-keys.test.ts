import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { packageRoot } from "../../src/package-root.ts";
import {
  featureBytes,
  folderName,
  textVersion,
  viewsVersion,
} from "../../src/sweep/estimate/feature-needs.ts";
import { testPython } from "../helpers/python.ts";
import { madeSpec } from "../helpers/report-input.ts";

/** What Python names the folders of features, and the sizes of both backbones' features. */
const script = `
import json
from pathlib import Path
from types import SimpleNamespace
import open_clip, torch
from cliprpn.features.feature_cache import FeatureCache
from cliprpn.features.frozen import features_made_from
from cliprpn.features.text_features import TYPICAL_TOKENS
from cliprpn.features.view_features import mirrored_made_from, view_made_from
from cliprpn.storage.weights_files import load_backbone

names = {}
for device in ("cpu", "cuda"):
    index, pixels = SimpleNamespace(dataset_id="d1"), SimpleNamespace(pixels_id="p1")
    maps, text = features_made_from(index, pixels, "w1", torch.device(device))
    cache = FeatureCache(Path("/c"), lambda: None, "w1", None)
    made = {"maps": maps, "text": text, "view": view_made_from(maps, 2), "mirrored": mirrored_made_from(text)}
    names[device] = {kind: cache.folder(kind, each).name for kind, each in made.items()}
tiny = load_backbone("cliprpn-tiny", "shipped")
with torch.no_grad():
    cells = tiny.feature_map(torch.zeros(1, 3, 224, 224, dtype=torch.uint8))[0].numel()
rn50 = open_clip.get_model_config("RN50-quickgelu")
channels = rn50["vision_cfg"]["width"] * 32
rn50_text = rn50["embed_dim"] + TYPICAL_TOKENS * rn50["text_cfg"]["width"]
print(json.dumps({
    "names": names,
    "tiny": [2 * cells, 2 * (tiny.pooled_dim + TYPICAL_TOKENS * tiny.word_dim)],
    "rn50": [2 * channels * 49, 2 * rn50_text],
}))
`;

test("features are found where Python keeps them, with the sizes that it writes", () => {
  const env = { ...process.env, PYTHONPATH: join(packageRoot, "python"), PYTHONDONTWRITEBYTECODE: "1" };
  const out = execFileSync(testPython(), ["-c", script], { env, encoding: "utf8" });
  const { names, tiny, rn50 } = JSON.parse(out);
  for (const device of ["cpu", "cuda"]) {
    const arithmetic = device === "cpu" ? {} : { device, precision: "float32" };
    const maps = { dataset_id: "d1", pixels_id: "p1", weights_id: "w1", ...arithmetic };
    const text = { dataset_id: "d1", weights_id: "w1", text: textVersion, ...arithmetic };
    expect(names[device]).toEqual({
      maps: folderName("maps", maps),
      text: folderName("text", text),
      view: folderName("view", { ...maps, views: viewsVersion, seed: 0, number: 2 }),
      mirrored: folderName("mirrored", { ...text, views: viewsVersion }),
    });
  }
  const spec = madeSpec("film", 0);
  const bytes = (name: "cliprpn-tiny" | "RN50-quickgelu"): number[] =>
    Object.values(featureBytes({ ...spec, backbone: { ...spec.backbone, name } }));
  expect(bytes("cliprpn-tiny")).toEqual(tiny);
  expect(bytes("RN50-quickgelu")).toEqual(rn50);
});
