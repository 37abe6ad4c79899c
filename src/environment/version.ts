/** Whether "2.11.0+cu128" is at least [2, 11]. */
export function atLeast(version: string, wanted: readonly number[]): boolean {
  const numbers = version.split(/[.+]/).map((part) => Number.parseInt(part, 10));
  for (const [index, minimum] of wanted.entries()) {
    const number = numbers[index] ?? 0;
    if (Number.isNaN(number) || number < minimum) return false;
    if (number > minimum) return true;
  }
  return true;
}
