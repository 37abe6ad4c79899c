import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Writes a folder with one small wheel that has the modules cliprpn imports, and a lock file that pins its hash, so that tests
 * can run the real uv without a network.
 *
 * @param python any Python 3.
 */
export function makeTinyIndex(python: string, folder: string, lockFile: string): void {
  const sha256 = execFileSync(python, ["-c", script, folder], { encoding: "utf8" }).trim();
  writeFileSync(lockFile, `torch==2.14.1 \\\n    --hash=sha256:${sha256}\n`);
}

/** Adds a "+cpu" build of the same version, which a lock file with hashes must not install. */
export function addOtherBuild(python: string, folder: string): string {
  execFileSync(python, ["-c", script, folder, "+cpu"]);
  return join(folder, "torch-2.14.1+cpu-py3-none-any.whl");
}

/** Writes a wheel of an extra with one module, and a lock file that pins it. */
export function makeTinyExtra(python: string, folder: string, lockFile: string): void {
  const sha256 = execFileSync(python, ["-c", extraScript, folder], { encoding: "utf8" }).trim();
  writeFileSync(lockFile, `onnxruntime==1.32.0 \\\n    --hash=sha256:${sha256}\n`);
}

/** Python code that writes `files` as a wheel and prints its hash. */
const writeWheel = (name: string): string => `
files[info + "/RECORD"] = "".join("%s,,\\n" % name for name in files) + info + "/RECORD,,\\n"
path = os.path.join(folder, "%s-%s-py3-none-any.whl" % ("${name}", version))
with zipfile.ZipFile(path, "w") as wheel:
    for name, text in files.items():
        wheel.writestr(name, text)
with open(path, "rb") as wheel:
    print(hashlib.sha256(wheel.read()).hexdigest())
`;

const extraScript = `
import hashlib, os, sys, zipfile
folder, version = sys.argv[1], "1.32.0"
info = "onnxruntime-%s.dist-info" % version
files = {
    "onnxruntime.py": "__version__ = '%s'\\n" % version,
    info + "/METADATA": "Metadata-Version: 2.1\\nName: onnxruntime\\nVersion: %s\\n" % version,
    info + "/WHEEL": "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
}
${writeWheel("onnxruntime")}`;

const script = `
import hashlib, os, sys, zipfile
folder, build = sys.argv[1], (sys.argv + [""])[2]
version = "2.14.1" + build
info = "torch-%s.dist-info" % version
files = {
    "torch/__init__.py": "__version__ = '%s'\\nfrom . import backends, cuda\\n" % version,
    "torch/cuda.py": "def device_count(): return 0\\n",
    "torch/backends/__init__.py": "from . import mps\\n",
    "torch/backends/mps.py": "def is_available(): return False\\n",
    info + "/METADATA": "Metadata-Version: 2.1\\nName: torch\\nVersion: %s\\n" % version,
    info + "/WHEEL": "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
}
for name in "torchvision open_clip numpy PIL pyarrow pydantic safetensors scipy tensorboard".split():
    files[name + ".py"] = "__version__ = '1.0'\\n"
${writeWheel("torch")}`;
