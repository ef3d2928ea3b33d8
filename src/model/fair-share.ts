/** Bytes that each part may take so that all fit, small parts leaving room to large ones; Infinity if all fit whole. */
export function fairShare(sizes: readonly number[], budget: number): number {
  let left = budget;
  const sorted = sizes.toSorted((one, other) => one - other);
  for (const [index, size] of sorted.entries()) {
    const share = left / (sorted.length - index);
    if (size > share) return share;
    left -= size;
  }
  return Infinity;
}
