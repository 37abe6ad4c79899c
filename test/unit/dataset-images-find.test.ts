import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { type FoundImages, findImages } from "../../src/dataset/images/find/find-images.ts";
import { FolderTree } from "../../src/dataset/images/find/folder-tree.ts";
import { sharedFolder, tempFolder } from "../helpers/temp-folder.ts";

/** Looks up names among empty files at these paths. */
function find(files: string[], names: string[], folder = tempFolder()): FoundImages {
  make(folder, files);
  const tree = new FolderTree([{ folder, split: null }], false);
  return findImages(
    names.map((file_name) => ({ file_name: file_name.replace("{folder}", folder) })),
    tree,
  );
}

function make(folder: string, files: string[]): void {
  for (const file of files) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), "");
  }
}

const coco2014 = "COCO_train2014_000000000309.jpg";

describe("a name leads to a file", () => {
  test.each<[what: string, files: string[], name: string, path: string]>([
    ["as it is written", ["a.jpg", "x/a.jpg"], "a.jpg", "a.jpg"],
    ["in a folder", ["x/a.jpg", "a.jpg"], "x/a.jpg", "x/a.jpg"],
    ["with a dot before it", ["a.jpg"], "./b/../a.jpg", "a.jpg"],
    ["of Windows", ["x/a.jpg"], "x\\a.jpg", "x/a.jpg"],
    ["below folders that the person left out", ["train/a.jpg", "a.jpg"], "data/train/a.jpg", "train/a.jpg"],
    ["that leads out of the folder", ["a.jpg"], "..\\..\\media\\4\\a.jpg", "a.jpg"],
    ["with the absolute path of the folder", ["x/a.jpg", "y/a.jpg"], "{folder}/x/a.jpg", "x/a.jpg"],
    ["of another machine", ["x/a.jpg"], "/home/me/data/a.jpg", "x/a.jpg"],
    ["with a drive", ["a.jpg"], "C:\\Users\\me\\a.jpg", "a.jpg"],
    ["in Label Studio's storage", ["a b.jpg"], "/data/local-files/?d=photos%2Fa%20b.jpg", "a b.jpg"],
    ["of a URL", ["a.jpg"], "https://example.org/x/a.jpg?size=large", "a.jpg"],
    ["of a file URL", ["x/a.jpg"], "file:///home/me/x/a.jpg", "x/a.jpg"],
    ["percent-encoded", ["große Katze.jpg"], "gro%C3%9Fe%20Katze.jpg", "große Katze.jpg"],
    ["with a percent sign", ["a%20b.jpg", "a b.jpg"], "a%20b.jpg", "a%20b.jpg"],
    ["by its base name", ["deep/er/a.jpg"], "a.jpg", "deep/er/a.jpg"],
    ["by its nearest folders", ["1/train/a.jpg", "1/val/a.jpg"], "x/val/a.jpg", "1/val/a.jpg"],
    ["in another case", ["Images/IMG_1.JPG"], "images/img_1.jpg", "Images/IMG_1.JPG"],
    ["in another Unicode form", ["cafe\u0301.jpg"], "caf\u00e9.jpg", "cafe\u0301.jpg"],
    ["without an ending", ["a.jpg", "a.txt", "a.json"], "a", "a.jpg"],
    ["with the ending before a conversion", ["a.jpg"], "a.HEIC", "a.jpg"],
    ["with an ending that the file lacks", ["hash0815"], "hash0815.jpg", "hash0815"],
    ["of RefCOCO's object", [coco2014], "COCO_train2014_000000000309_1161269.jpg", coco2014],
    ["of COCO's release of 2017", [coco2014], "000000000309.jpg", coco2014],
    ["of COCO's release of 2014", ["train2017/000000000309.jpg"], coco2014, "train2017/000000000309.jpg"],
    ["that is COCO's image id", [coco2014], "309", coco2014],
    ["that is a number", [coco2014, "309.jpg"], "309", "309.jpg"],
    ["beside macOS's own files", ["a.jpg", "._a.jpg", "__MACOSX/a.jpg"], "A.jpg", "a.jpg"],
  ])("%s", (_, files, name, path) => {
    const { files: found, problems } = find(files, [name]);
    expect([...problems.values()]).toEqual([]);
    expect([...found.values()].map((file) => file.path.replace("./b/../", ""))).toEqual([path]);
  });
});

describe("a name leads to no file", () => {
  test.each<[what: string, files: string[], names: string[], problem: RegExp]>([
    ["that is ambiguous", ["x/a.jpg", "y/a.jpg"], ["a.jpg"], /found 2: "x\/a\.jpg", "y\/a\.jpg"/],
    ["with two endings", ["a.jpg", "a.png"], ["a"], /found 2: "a\.jpg", "a\.png"/],
    ["with a typing error", ["kitchen_1.jpg"], ["kitchn_1.jpg"], /nearest name there is "kitchen_1\.jpg"/],
    ["that is a URL", ["b.jpg"], ["https://example.org/a.jpg"], /found a URL; URLs are not downloaded/],
    ["with another number", ["img_0001.jpg"], ["img_0002.jpg"], /found no file of this name$/],
    ["that is too long for a file", ["a.jpg"], [`${"b".repeat(900)}.jpg`], /found no file/],
    ["that only another kind of file has", ["a.txt"], ["a"], /found no file/],
    [
      "in two folders of which there is one",
      ["1.jpg"],
      ["train/1.jpg", "val/1.jpg"],
      /"val\/1\.jpg" leads, too/,
    ],
    ["that has another ending beside it", ["a.jpg"], ["a.jpg", "a.png"], /"a\.png" leads, too/],
    [
      "of frames of two cameras",
      ["1/000000000009.jpg"],
      ["1/000000000009.jpg", "2/000000000009.jpg"],
      /leads, too/,
    ],
    [
      "that only a mask has",
      ["masks/abc.png"],
      ["images/abc.jpg"],
      /nearest name there is "masks\/abc\.png"/,
    ],
    ["outside of the folder", [], ["/etc/hostname", "../../../../../etc/hostname"], /found no file/],
  ])("%s", (_, files, names, problem) => {
    const { files: found, problems } = find(files, names);
    expect([...found]).toEqual([]);
    expect(problems.get(names[0] ?? "")).toMatch(problem);
  });
});

test("several names of one image lead to its file", () => {
  const names = [
    "a.jpg",
    "./a.jpg",
    "images\\a.jpg",
    "data/images/a.jpg",
    `x/${coco2014}`,
    "y/000000000309.jpg",
  ];
  const releases = ["train2014", "val2017"].map((folder) => `${folder}/000000000042.jpg`);
  expect([...find(["000000000042.jpg"], releases).problems]).toEqual([]);
  const { problems } = find(["a.jpg", coco2014], names);
  expect([...problems]).toEqual([]);
});

describe("links", () => {
  test("to folders outside are not searched, and named", () => {
    const outside = tempFolder();
    make(outside, ["a.jpg"]);
    const folder = tempFolder();
    symlinkSync(outside, join(folder, "linked"));
    const wanted = [{ file_name: "b/a.jpg" }];
    const { problems } = findImages(wanted, new FolderTree([{ folder, split: null }], false));
    expect([...problems.values()][0]).toContain(`--follow-links: ${join(folder, "linked")}`);
    const followed = findImages(wanted, new FolderTree([{ folder, split: null }], true));
    expect(followed.files.get("b/a.jpg")?.path).toBe("linked/a.jpg");
  });

  test("in a circle end", () => {
    const folder = tempFolder();
    symlinkSync(folder, join(folder, "again"));
    make(folder, ["x/a.jpg"]);
    const tree = new FolderTree([{ folder, split: null }], true);
    expect(findImages([{ file_name: "a.jpg" }], tree).files.get("a.jpg")?.path).toBe("x/a.jpg");
  });

  test("out of several folders are not followed", () => {
    const base = tempFolder();
    make(base, ["a/1.jpg", "b/2.jpg", "secret.jpg"]);
    symlinkSync(join(base, "secret.jpg"), join(base, "a/3.jpg"));
    const folders = ["a", "b"].map((name) => ({ folder: join(base, name), split: null }));
    const names = ["1.jpg", "3.jpg", "secret.jpg"].map((file_name) => ({ file_name }));
    const { files } = findImages(names, new FolderTree(folders, false));
    expect([...files].map(([name, { path }]) => [name, path])).toEqual([["1.jpg", "a/1.jpg"]]);
  });
});

describe("several folders", () => {
  const base = sharedFolder("find");
  make(base, ["a/1.jpg", "a/2.jpg", "b/1.jpg", "b/3.jpg"]);
  const look = (splits: ["train" | null, "val" | null], name: string): unknown => {
    const folders = [
      { folder: join(base, "a"), split: splits[0] },
      { folder: join(base, "b"), split: splits[1] },
    ];
    const { files, problems } = findImages([{ file_name: name }], new FolderTree(folders, false));
    return files.get(name)?.path ?? problems.get(name);
  };

  test("have the images of all", () => {
    expect(look([null, null], "2.jpg")).toBe("a/2.jpg");
    expect(look([null, null], "3.jpg")).toBe("b/3.jpg");
    expect(look([null, null], "x/b/1.jpg")).toBe("b/1.jpg");
    expect(look([null, null], "1.jpg")).toMatch(/found 2: "a\/1\.jpg", "b\/1\.jpg"/);
  });

  test("of splits have those of their split only", () => {
    expect(look(["train", "val"], "train\t1.jpg")).toBe("a/1.jpg");
    expect(look(["train", "val"], "val\t1.jpg")).toBe("b/1.jpg");
    expect(look(["train", "val"], "val\t2.jpg")).toMatch(/nearest name there is "a\/2\.jpg"/);
    expect(look([null, "val"], "val\t2.jpg")).toBe("a/2.jpg");
    expect(look(["train", "val"], "3.jpg")).toBe("b/3.jpg");
  });
});

test("100,000 names in another case are found, and their number slows down no look-up", () => {
  const paths = Array.from({ length: 100_000 }, (_, index) => `images/IMG_${index}.JPG`);
  const all = new Set(paths);
  let num_listings = 0;
  const tree = {
    name: "here",
    roots: [{ prefix: "", split: null, folders: [] }],
    has: (path: string) => all.has(path),
    paths: () => {
      num_listings += 1;
      return paths;
    },
    leftOut: () => [],
  };
  const names = [
    ...paths.map((path) => path.toLowerCase()),
    ...paths.slice(0, 1000).map((_, index) => `no_${index}`),
  ];
  const { files, problems } = findImages(
    names.map((file_name) => ({ file_name })),
    tree,
  );
  expect([files.size, problems.size, num_listings]).toEqual([100_000, 1000, 1]);
}, 60_000);
