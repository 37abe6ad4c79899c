/** Pixels of an image, row by row: uint8, RGB. */
export interface Rgb {
  data: Buffer;
  width: number;
  height: number;
}

/**
 * The image at a size that is not smaller on either axis, by Pillow's bicubic filter. libvips (8.18) enlarges with a shift of
 * half an original pixel: off by 8 grey levels in the mean from Pillow at 640 x 416 to 448 x 448, and boxes with it.
 */
export function enlarge(picture: Rgb, width: number, height: number): Rgb {
  return stretchColumns(stretchRows(picture, width), height);
}

function stretchRows({ data, width, height }: Rgb, to: number): Rgb {
  if (to === width) return { data, width, height };
  const out = Buffer.allocUnsafe(to * height * 3);
  const taps = tapsOf(width, to, 3);
  for (let y = 0; y < height; y += 1) stretch(data, out, taps, y * width * 3, y * to * 3, 3);
  return { data: out, width: to, height };
}

function stretchColumns({ data, width, height }: Rgb, to: number): Rgb {
  if (to === height) return { data, width, height };
  const row = width * 3;
  const out = Buffer.allocUnsafe(row * to);
  stretch(data, out, tapsOf(height, to, row), 0, 0, row);
  return { data: out, width, height: to };
}

/** Each place of the output axis, of `run` bytes, as a weighted sum of four places of the input axis. */
function stretch(
  from: Buffer,
  to: Buffer,
  taps: Taps,
  fromStart: number,
  toStart: number,
  run: number,
): void {
  const { places, weights } = taps;
  let at = toStart;
  for (let tap = 0; tap < places.length; tap += 4) {
    const [a = 0, b = 0, c = 0, d = 0] = places.subarray(tap, tap + 4);
    const [wa = 0, wb = 0, wc = 0, wd = 0] = weights.subarray(tap, tap + 4);
    const end = fromStart + run;
    for (let byte = fromStart; byte < end; byte += 1) {
      const sum =
        wa * (from[a + byte] ?? 0) +
        wb * (from[b + byte] ?? 0) +
        wc * (from[c + byte] ?? 0) +
        wd * (from[d + byte] ?? 0);
      to[at] = sum < 0 ? 0 : sum > 255 ? 255 : sum + 0.5;
      at += 1;
    }
  }
}

/** Four of each for every place of the output axis: where it reads, in bytes, and how much. */
interface Taps {
  places: Int32Array;
  weights: Float64Array;
}

/** Centres map to centres; weights that would fall off the edge are shared by the others. */
function tapsOf(from: number, to: number, step: number): Taps {
  const places = new Int32Array(to * 4);
  const weights = new Float64Array(to * 4);
  for (let place = 0; place < to; place += 1) {
    const centre = ((place + 0.5) * from) / to;
    const first = Math.round(centre - 2);
    let sum = 0;
    for (let tap = 0; tap < 4; tap += 1) {
      const source = first + tap;
      if (source < 0 || source >= from) continue;
      const weight = cubic(source + 0.5 - centre);
      places[place * 4 + tap] = source * step;
      weights[place * 4 + tap] = weight;
      sum += weight;
    }
    for (let tap = 0; tap < 4; tap += 1) weights[place * 4 + tap] = (weights[place * 4 + tap] ?? 0) / sum;
  }
  return { places, weights };
}

/** Keys' cubic, a = -0.5. */
function cubic(distance: number): number {
  const x = Math.abs(distance);
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  if (x < 2) return ((-0.5 * x + 2.5) * x - 4) * x + 2;
  return 0;
}
