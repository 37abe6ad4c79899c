import { distance } from "fastest-levenshtein";

/** ` Did you mean learning_rate?` where something known is close to what was found; else nothing. */
export function hint(found: string, known: readonly string[]): string {
  if (found.length > 60) return "";
  const ranked = known
    .map((candidate) => ({ candidate, far: farness(plain(found), plain(candidate)) }))
    .filter(({ far }) => far <= 1)
    .sort((a, b) => a.far - b.far);
  const [best] = ranked;
  return best === undefined ? "" : ` Did you mean ${best.candidate}?`;
}

/** 0 for the same, more than 1 for what nobody would confuse. */
function farness(found: string, candidate: string): number {
  if (isShort(found, candidate) || letters(found) === letters(candidate)) return 0.5;
  const parts = candidate.split(".");
  // `num_epochs` for `training.num_epochs`, and `training.lr` for `training.learning_rate`.
  const tail = parts.at(-1) ?? "";
  const [head, foundTail = ""] = found.split(".");
  if (found !== tail && tail !== candidate && !found.includes(".")) return 0.1 + farness(found, tail);
  if (found === tail) return 0;
  if (parts.length === 2 && head === parts[0] && foundTail !== "") return farness(foundTail, tail);
  return distance(found, candidate) / (Math.max(found.length, candidate.length) * 0.4);
}

/** Initials (`lr`) or a whole word (`epochs` of `num_epochs`). */
function isShort(found: string, candidate: string): boolean {
  const all = candidate.split("_");
  const initials = all.map(([letter = ""]) => letter).join("");
  return (all.length > 1 && found === initials) || (found.length > 2 && all.some((word) => word === found));
}

/** `vray` is `vary`, two letters swapped. */
function letters(text: string): string {
  return [...text].sort().join("");
}

/** `numEpochs`, `num-epochs` and `Num_Epochs` are one. */
function plain(text: string): string {
  return text
    .replace(/([a-z])([A-Z])/g, "$1_$2")
    .replaceAll("-", "_")
    .toLowerCase();
}
