/** 1234567 -> "1,234,567", the same in every locale. */
export function count(number: number): string {
  return number.toString().replace(/\B(?=(\d{3})+$)/g, ",");
}

/** 1 -> "1 image", 2000 -> "2,000 images". */
export function counted(number: number, thing: string): string {
  return `${count(number)} ${thing}${number === 1 ? "" : "s"}`;
}
