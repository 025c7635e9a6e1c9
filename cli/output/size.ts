/** `512 B`, `3.4 KiB`, `1.2 GiB`: one digit behind the point. */
export function formatSize(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB'] as const;
  let [value, at] = [bytes, 0];
  while (value >= 1_024 && at < units.length - 1) {
    value /= 1_024;
    at += 1;
  }
  return `${at === 0 ? value : value.toFixed(1)} ${units[at] ?? 'B'}`;
}
