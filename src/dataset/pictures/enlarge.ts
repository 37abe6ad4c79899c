/** Pixels of a picture, row by row: uint8, RGB. */
export interface Rgb {
  data: Buffer;
  width: number;
  height: number;
}

/**
 * The picture at a size that is not smaller on either axis, by Pillow's bicubic filter. libvips (8.18) enlarges with a shift of
 * half an original pixel: off by 8 grey levels in the mean from Pillow at 640 x 416 to 448 x 448, and boxes with it.
 */
export function enlarge(picture: Rgb, width: number, height: number): Rgb {
  return stretchColumns(stretchRows(picture, width), height);
}

function stretchRows({ data, width, height }: Rgb, to: number): Rgb {
  if (to === width) return { data, width, height };
  const out = Buffer.allocUnsafe(to * height * 3);
  const taps = tapsOf(width, to);
  for (let y = 0; y < height; y += 1) stretch(data, out, taps, 3, y * width * 3, y * to * 3, 3);
  return { data: out, width: to, height };
}

function stretchColumns({ data, width, height }: Rgb, to: number): Rgb {
  if (to === height) return { data, width, height };
  const row = width * 3;
  const out = Buffer.allocUnsafe(row * to);
  stretch(data, out, tapsOf(height, to), row, 0, 0, row);
  return { data: out, width, height: to };
}

/** Each place of the output axis as a weighted sum of places of the input axis, `step` bytes apart; `run` bytes lie at a place. */
function stretch(
  from: Buffer,
  to: Buffer,
  taps: Tap[],
  step: number,
  fromStart: number,
  toStart: number,
  run: number,
): void {
  let at = toStart;
  for (const { first, weights } of taps) {
    for (let offset = 0; offset < run; offset += 1) {
      let sum = 0.5;
      let source = fromStart + first * step + offset;
      for (const weight of weights) {
        sum += weight * (from[source] ?? 0);
        source += step;
      }
      to[at] = sum < 0 ? 0 : sum > 255 ? 255 : sum;
      at += 1;
    }
  }
}

interface Tap {
  first: number;
  weights: number[];
}

/** Where each output place reads: centres map to centres; weights that would fall off the edge are shared by the others. */
function tapsOf(from: number, to: number): Tap[] {
  return Array.from({ length: to }, (_, place) => {
    const centre = ((place + 0.5) * from) / to;
    const first = Math.max(0, Math.round(centre - 2));
    const last = Math.min(from, Math.round(centre + 2));
    const raw = Array.from({ length: last - first }, (_, index) => cubic(first + index + 0.5 - centre));
    const sum = raw.reduce((total, weight) => total + weight, 0);
    return { first, weights: raw.map((weight) => weight / sum) };
  });
}

/** Keys' cubic, a = -0.5. */
function cubic(distance: number): number {
  const x = Math.abs(distance);
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  if (x < 2) return ((-0.5 * x + 2.5) * x - 4) * x + 2;
  return 0;
}
