/** Ids as tables show them: the first twelve digits, as Docker does. */
const shortIdLength = 12;

export function shortId(id: string): string {
  return id.slice(0, shortIdLength);
}

/** Those of snapshots begin with their ordinal, which stands beside them anyhow: here the digits that differ. */
export function shortSnapshotId(id: string): string {
  return id.slice(-shortIdLength);
}
