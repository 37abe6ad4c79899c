/**
 * What a file is that cannot be decoded, by its first bytes, and what to do; undefined for a kind that can, or an unknown
 * one.
 */
export function undecodableKind(content: Buffer): string | undefined {
  if (content.length === 0) return "an empty file; download or copy it again";
  const head = content.toString("latin1", 0, 512);
  return kinds.find(({ matches }) => matches(head))?.text;
}

interface Kind {
  matches: (head: string) => boolean;
  text: string;
}

const convert = "; convert it to JPEG or PNG";

/** ISO media files name their brand after `ftyp`; AVIF's can be decoded. */
function brand(...names: string[]): Kind["matches"] {
  return (head) => head.slice(4, 8) === "ftyp" && names.includes(head.slice(8, 12));
}

function starts(...magic: string[]): Kind["matches"] {
  return (head) => magic.some((bytes) => head.startsWith(bytes));
}

const kinds: Kind[] = [
  {
    // A `mif1` file names what it has among the brands after it.
    matches: (head) =>
      brand("heic", "heix", "heim", "heis", "hevc", "hevx", "hevm", "hevs")(head) ||
      (brand("mif1", "msf1")(head) &&
        /^(?:.{4})*?(?:hei[cxms]|hev[cxms])/s.test(head.slice(16, head.charCodeAt(3)))),
    text: `a HEIC image, as iPhones take them${convert}, such as with \`magick a.heic a.jpg\` (ImageMagick) or macOS's \`sips -s format jpeg a.heic --out a.jpg\``,
  },
  {
    matches: brand("mp42", "isom", "mp41", "M4V ", "qt  "),
    text: "a video; extract its frames as JPEG or PNG",
  },
  { matches: brand("crx "), text: `a raw camera image (CR3)${convert}` },
  {
    matches: (head) => starts("\x00\x00\x00\x0cjP  ", "\xff\x4f\xff\x51")(head) || brand("jp2 ")(head),
    text: `a JPEG 2000 image${convert}, such as with \`magick a.jp2 a.png\` (ImageMagick)`,
  },
  {
    matches: starts("\xff\x0a", "\x00\x00\x00\x0cJXL "),
    text: `a JPEG XL image${convert}, such as with \`djxl a.jxl a.png\``,
  },
  {
    matches: (head) =>
      /^(\xef\xbb\xbf)?\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)?(<!DOCTYPE svg[^>]*>\s*)?<svg[\s>]/is.test(head),
    text: `an SVG drawing${convert}, such as with \`rsvg-convert a.svg -o a.png\``,
  },
  {
    matches: (head) => /^(\xef\xbb\xbf)?\s*<(!DOCTYPE html|html|head|body)/i.test(head),
    text: "an HTML page, perhaps the error page of a download; download the image again",
  },
  // Markup is never decoded: ten lines of SVG can keep librsvg busy for ten seconds.
  { matches: (head) => /^(\xef\xbb\xbf)?\s*</.test(head), text: "svg, xml or html" },
  {
    matches: starts("version https://git-lfs"),
    text: "a Git LFS pointer in place of the image; run `git lfs pull`",
  },
  { matches: starts("%PDF"), text: `a PDF document${convert}, such as with \`pdftoppm -png a.pdf a\`` },
  { matches: starts("8BPS"), text: `a Photoshop document${convert}` },
  { matches: starts("%!PS", "\xc5\xd0\xd3\xc6"), text: `a PostScript document${convert}` },
  {
    matches: starts("BM"),
    text: `a BMP image${convert}, such as with \`magick mogrify -format png *.bmp\` (ImageMagick)`,
  },
  {
    matches: starts("\x00\x00\x02\x00\x00\x00", "\x00\x00\x0a\x00\x00\x00"),
    text: `a TGA image${convert}`,
  },
  { matches: starts("\x00\x00\x01\x00", "\x00\x00\x02\x00"), text: `an icon (ICO)${convert}` },
  { matches: starts("v/1\x01"), text: `an OpenEXR image${convert}` },
  { matches: starts("#?RADIANCE", "#?RGBE"), text: `a Radiance HDR image${convert}` },
  { matches: starts("DDS "), text: `a DDS texture${convert}` },
  { matches: (head) => /^P[1-7]\s/.test(head), text: `a Netpbm image (PPM, PGM or PBM)${convert}` },
  { matches: starts("FUJIFILMCCD-RAW", "IIRO", "IIRS", "IIU\0"), text: `a raw camera image${convert}` },
  {
    matches: (head) => starts("II*\0")(head) && head.slice(8, 10) === "CR",
    text: `a raw camera image (CR2)${convert}`,
  },
  { matches: starts("PK\x03\x04"), text: "a zip archive; unpack it, or pass it as --images" },
  { matches: starts("\x1f\x8b"), text: "a file compressed with gzip; decompress it" },
  { matches: starts("\x93NUMPY"), text: `a NumPy array${convert}` },
  { matches: starts("\x89HDF"), text: `an HDF5 file${convert}` },
  { matches: starts("{", "["), text: "a text file (JSON?)" },
];
