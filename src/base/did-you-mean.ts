import { distance } from "fastest-levenshtein";

/** ` Did you mean learning_rate?` when a known name is close to the typed one; otherwise an empty string. */
export function didYouMean(typed: string, known: readonly string[]): string {
  if (typed.length > 60) return "";
  const ranked = known
    .map((candidate) => ({ candidate, cost: editDistance(normalize(typed), normalize(candidate)) }))
    .filter(({ cost }) => cost <= 1)
    .sort((a, b) => a.cost - b.cost);
  const [best] = ranked;
  return best === undefined ? "" : ` Did you mean ${best.candidate}?`;
}

/** 0 for equal names, above 1 for names that are too different to be a typo. */
function editDistance(typed: string, candidate: string): number {
  if (isAbbreviation(typed, candidate) || sortLetters(typed) === sortLetters(candidate)) return 0.5;
  const parts = candidate.split(".");
  // `num_epochs` for `training.num_epochs`, and `training.lr` for `training.learning_rate`.
  const tail = parts.at(-1) ?? "";
  const [head, typedTail = ""] = typed.split(".");
  if (typed !== tail && tail !== candidate && !typed.includes(".")) return 0.1 + editDistance(typed, tail);
  if (typed === tail) return 0;
  if (parts.length === 2 && head === parts[0] && typedTail !== "") return editDistance(typedTail, tail);
  return distance(typed, candidate) / (Math.max(typed.length, candidate.length) * 0.4);
}

/** Initials (`lr`) or one word (`epochs` of `num_epochs`). */
function isAbbreviation(typed: string, candidate: string): boolean {
  const words = candidate.split("_");
  const initials = words.map(([letter = ""]) => letter).join("");
  return (
    (words.length > 1 && typed === initials) || (typed.length > 2 && words.some((word) => word === typed))
  );
}

/** Makes `vray` equal to `vary`: two letters swapped. */
function sortLetters(text: string): string {
  return [...text].sort().join("");
}

/** Makes `numEpochs`, `num-epochs` and `Num_Epochs` equal. */
function normalize(text: string): string {
  return text
    .replace(/([a-z])([A-Z])/g, "$1_$2")
    .replaceAll("-", "_")
    .toLowerCase();
}
