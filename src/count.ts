/** 1234567 -> "1,234,567", the same in every locale. */
export function count(number: number): string {
  return number.toString().replace(/\B(?=(\d{3})+$)/g, ",");
}
