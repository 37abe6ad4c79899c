/** One command on an input of the field, and its right outcome. */
export interface Case {
  /** Folder and input, which name the case. */
  name: string;
  /** The command; `{cases}` is the folder of the inputs, `{photos}` the folder of real images. */
  command: string[];
  /** A command that must succeed first, in the same folder. */
  first?: string[];
  /** The exit code: 0 if it is read, 2 if it is refused. */
  code: number;
  /** What the output must say; it ends with the number of expressions of the prepared dataset. */
  says: RegExp;
}

const xywh = ["--box-format", "xywh"];
const xyxy = ["--box-format", "xyxy"];
const coco = ["--format", "coco"];
const photos = ["--images", "{photos}"];
/** The number of expressions of most inputs. */
const all = /total: 38 expressions/;

export const cases: Case[] = [
  read("01-json-array/rows.json", [...xyxy, ...photos]),
  read("01-json-array/rows.jsonl", [...xyxy, ...photos]),
  refuse(
    "02-vlm-0-1000/big-norm1000.jsonl",
    [...xyxy, "--images", "{cases}/02-vlm-0-1000/big-photos"],
    /xyxy_1000/,
  ),
  read(
    "02-vlm-0-1000/big-norm1000.jsonl",
    ["--box-format", "xyxy_1000", "--images", "{cases}/02-vlm-0-1000/big-photos"],
    /total: 8 expressions/,
  ),
  refuse(
    "02-vlm-0-1000/norm1000.jsonl",
    [...xyxy, ...photos],
    /norm1000\.jsonl[\s\S]*xyxy_1000|xyxy_1000[\s\S]*norm1000\.jsonl/,
  ),
  read("02-vlm-0-1000/norm1000.jsonl", ["--box-format", "xyxy_1000", ...photos]),
  refuse("03-shares/xyxy01.jsonl", [...xyxy, ...photos], /xyxy_norm/),
  read("03-shares/xyxy01.jsonl", ["--box-format", "xyxy_norm", ...photos]),
  refuse("03-shares/xywh01.jsonl", [...xywh, ...photos], /xywh_norm/),
  read("03-shares/xywh01.jsonl", ["--box-format", "xywh_norm", ...photos]),
  read("04-csv-four-columns/xmin.csv", ["--columns", "box=xmin+ymin+xmax+ymax", ...xyxy, ...photos]),
  read("05-box-object/rows.jsonl", [...xywh, ...photos]),
  read("05-box-object/coco.json", [...coco, ...photos]),
  ...["backslash", "dotdot", "localfiles"].map((name) =>
    read(`06-label-studio/${name}.json`, [...coco, "--images", "{cases}/06-label-studio/images"]),
  ),
  prepare(
    "08-roboflow, one folder",
    [...roboflow(), ...coco, "--images", "{cases}/08-roboflow"],
    0,
    /test +\d+ images?/,
  ),
  prepare(
    "08-roboflow, a folder a split",
    [
      ...roboflow(),
      ...coco,
      ...["train=train", "val=valid", "test=test"].flatMap((pair) => [
        "--images",
        pair.replace("=", "={cases}/08-roboflow/"),
      ]),
    ],
    0,
    /test +\d+ images?/,
  ),
  read("09-string-ids/coco.json", [...coco, ...photos]),
  read("10-mdetr/two-boxes.json", ["--format", "mdetr", ...photos], /several objects/),
  read("10-mdetr/no-target.json", ["--format", "mdetr", ...photos], /no object/),
  read("10-mdetr/text-sizes.json", ["--format", "mdetr", ...photos]),
  read(
    "11-grefcoco/grefs(unc).json",
    ["--format", "grefcoco", "--instances", "{photos}/../annotations/instances.json", ...photos],
    /no object/,
  ),
  read("12-splits/validation.jsonl", [...xywh, ...photos], /val +\d+ images[\s\S]*validation/),
  read("12-splits/minival.jsonl", [...xywh, ...photos], /val +\d+ images[\s\S]*minival/),
  ...["case", "noext"].map((name) =>
    read(`13-names/${name}.jsonl`, [...xywh, ...names()], /total: 2 expressions/),
  ),
  read("13-names/odd.jsonl", [...xywh, ...names()], /total: 4 expressions/),
  read("13-names/url.jsonl", [...xywh, ...names()], /total: 2 expressions/),
  read("14-refcoco-file-name/rows.jsonl", [
    ...xywh,
    ...photos,
    ...["--columns", "image=file_name,sentence=sent,box=bbox"],
  ]),
  read("15-talk2car/val_commands.json", [
    ...["--rows", "commands", "--columns", "image=t2c_img,sentence=command,box=2d_box"],
    ...xywh,
    ...photos,
  ]),
  read("17-odvg/odvg.jsonl", ["--format", "odvg", ...photos]),
  ...[
    "excel-de.csv",
    "header-case.csv",
    "nan.jsonl",
    "np-box.csv",
    "npfloat-box.csv",
    "pandas-index.csv",
  ].map((name) => read(`19-tables/${name}`, [...xywh, ...photos])),
  ...["text-numbers.jsonl", "tuple-box.csv"].map((name) => read(`19-tables/${name}`, [...xywh, ...photos])),
  read("19-tables/rows.tsv", [...xyxy, ...photos]),
  read("19-tables/sentences-list.jsonl", [...xywh, ...photos], /total: 76 expressions/),
  refuse("19-tables/excel-cp1252.csv", [...xywh, ...photos], /UTF-8|cp1252|Windows-1252/),
  refuse("19-tables/noheader.tsv", [...xyxy, ...photos], /header/),
  ...detections(),
  ...["control", "lists", "seven"].map((name) =>
    read(`21-transvg-pth/${name}.pth`, ["--format", "transvg", ...xywh, ...photos]),
  ),
  ...["numpy", "tensor", "dicts"].map((name) =>
    read(`21-transvg-pth/${name}.pth`, ["--format", "transvg", ...xywh, ...photos]),
  ),
  image("exif-no-size", 0, /upright/),
  image("exif-upright-size", 0, /orientation|EXIF/),
  image("exif-square", 0, /orientation|EXIF/),
  image("exif-upright-boxes-stored-size", 0, /orientation|EXIF/),
  image("exif-upright-boxes-stored-size-outside", 2, /--orientation upright/),
  image("box-past", 2, /box-past\.jsonl:1[\s\S]*--clip-boxes/),
  image("box-past", 0, /clipped/, ["--clip-boxes"]),
  image("box-outside", 2, /box-outside\.jsonl:1/),
  image("box-outside", 0, /left out/, ["--allow-invalid"]),
  image("size-off-by-one", 2, /601 x 600/),
  image("bmp", 2, /BMP/i),
  image("wrong-ext", 0, /total: 2 expressions/),
  image("no-extension", 0, /total: 2 expressions/),
  image("zero", 2, /zero\.jpg/),
  image("cut", 2, /cut\.jpg/),
  ...onnx(),
  read("26-zip-paths/rows.jsonl", [...xywh, "--images", "{photos}/.."]),
  read("27-long/rows.jsonl", [...xywh, ...photos], /77 tokens/),
  ...configs(),
  ...fusions(),
];

function prepare(name: string, args: string[], code: number, says: RegExp): Case {
  return { name, command: ["prepare", "mine", ...args], code, says };
}

function read(input: string, args: string[], says: RegExp = all): Case {
  return prepare(input, ["--from", `{cases}/${input}`, ...args], 0, says);
}

function refuse(input: string, args: string[], says: RegExp): Case {
  return prepare(input, ["--from", `{cases}/${input}`, ...args], 2, says);
}

function names(): string[] {
  return ["--images", "{cases}/13-names/photos"];
}

function roboflow(): string[] {
  return ["train=train", "val=valid", "test=test"].flatMap((pair) => [
    "--from",
    `${pair.replace("=", "={cases}/08-roboflow/")}/_annotations.coco.json`,
  ]);
}

function image(name: string, code: number, says: RegExp, options: string[] = []): Case {
  const input = `22-pictures/${name}.jsonl`;
  const images = ["--images", "{cases}/22-pictures/photos"];
  return prepare(input, ["--from", `{cases}/${input}`, ...xywh, ...images, ...options], code, says);
}

/** Files of detections as the boxes of a baseline. */
function detections(): Case[] {
  const first = ["prepare", "mine", "--from", "{cases}/20-detections/rows.jsonl", ...xywh, ...photos];
  const hit = /75\.0/;
  const outcomes: [name: string, code: number, says: RegExp][] = [
    ["control.json", 0, hit],
    ["bom.json", 0, hit],
    ["stem-ids.json", 0, hit],
    ["text-ids.json", 0, hit],
    ["file-names.json", 0, hit],
    ["image-id-float.json", 0, hit],
    ["category-as-text.json", 0, hit],
    ["category-float.json", 0, hit],
    ["confidence.json", 0, hit],
    ["lines.jsonl", 0, hit],
    ["reclip-dict.json", 0, hit],
    ["no-score.json", 0, hit],
    ["score-1.0000001.json", 0, hit],
    ["negative-corner.json", 0, /Acc@0\.5/],
    ["zero-based.json", 0, hit],
    ["label-word.json", 0, /Acc@0\.5/],
    ["shares.json", 2, /xywh_norm/],
    ["percent.json", 2, /score/],
    ["nan.json", 2, /score/],
    ["trailing-comma.json", 2, /JSON/],
  ];
  return outcomes.map(([name, code, says]) => ({
    ...{ name: `20-detections/${name}`, first, code, says },
    command: [
      ...["baseline", "--detector", "file", "--file", `{cases}/20-detections/${name}`, "--data", "mine"],
      ...["--ranking", "crop+blur", "--category-prior"],
    ],
  }));
}

function onnx(): Case[] {
  const first = ["prepare", "mine", "--from", "{cases}/20-detections/rows.jsonl", ...xywh, ...photos];
  const outcomes: [name: string, code: number, says: RegExp][] = [
    ["good", 0, /Acc@0\.5/],
    ["names-text-keys", 0, /Acc@0\.5/],
    ["names-json", 0, /Acc@0\.5/],
    ["names-list", 0, /Acc@0\.5/],
    ["one-class", 0, /Acc@0\.5/],
    ["yolov5-repo", 0, /Acc@0\.5/],
    ["rtdetr", 2, /RT-DETR/],
    ["end2end-lower", 0, /Acc@0\.5/],
    ["nms", 0, /Acc@0\.5/],
    ["transposed", 0, /Acc@0\.5/],
    ["obb", 2, /oriented|OBB/i],
    ["grey", 0, /Acc@0\.5/],
    ["batch8", 0, /Acc@0\.5/],
    ["no-metadata-v8", 2, /names|metadata/],
  ];
  return outcomes.map(([name, code, says]) => ({
    ...{ name: `25-onnx/${name}.onnx`, first, code, says },
    command: ["baseline", "--yolo", "--weights", `{cases}/25-onnx/${name}.onnx`, "--data", "mine"],
  }));
}

function configs(): Case[] {
  const outcomes: [name: string, code: number, says: RegExp][] = [
    ["bom-crlf-comments.json", 2, /missing required key question[^\n]*\n[^\n]*1 problem/],
    ["exp.yaml", 2, /YAML/],
    ["single-quotes.json", 2, /double quotes/],
    ["utf16.json", 2, /UTF-8/],
    ["lr.json", 2, /learning_rate/],
    ["nan.json", 2, /NaN/],
    ["range.json", 2, /list/],
    ["scalar.json", 2, /list|\["film"\]/],
    ["seed.json", 2, /seeds/],
    ["seeds3.json", 2, /\[0,1,2\]/],
  ];
  const dry = ["sweep", "{cases}/30-config/lr.json", "--dry-run"];
  return [
    ...outcomes.map(([name, code, says]) => ({
      name: `30-config/${name}`,
      command: ["sweep", `{cases}/30-config/${name}`, "--dry-run"],
      ...{ code, says },
    })),
    {
      name: "30-config, --set vary.fusion=a,b",
      command: [...dry, "--set", "vary.fusion=film,cross_attention"],
      code: 2,
      says: /\[/,
    },
    {
      name: "30-config, --set a=1 b=2",
      command: [...dry, "--set", "training.num_epochs=1", "seeds=[0]"],
      code: 2,
      says: /--set/,
    },
    { name: "30-config, --resume", command: [...dry, "--resume"], code: 2, says: /same command|resume/ },
  ];
}

/** A person's fusion that fails: its file and line, and the file of the traceback. */
function fusions(): Case[] {
  const outcomes: [name: string, code: number, says: RegExp][] = [
    ["print", 0, /\[2\/2\]/],
    ["raise", 3, /base\.py:10[\s\S]*traceback\.txt/],
    ["nan", 3, /base\.py|NaN|not finite/],
    ["exit", 3, /base\.py:11[\s\S]*traceback\.txt/],
    ["kbd", 3, /base\.py:17[\s\S]*traceback\.txt/],
    ["oom", 3, /base\.py:20, in forward: .*memory/],
    ["osexit", 3, /worker_died: .*base\.py:13/],
    ["segv", 3, /worker_died: .*base\.py:15/],
  ];
  return outcomes.map(([name, code, says]) => ({
    name: `40-fusions/${name}.json`,
    command: ["sweep", `{cases}/40-fusions/${name}.json`, "--set", "training.num_epochs=1"],
    ...{ code, says },
  }));
}
