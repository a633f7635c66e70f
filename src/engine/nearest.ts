/** @file "Did you mean …?" */

/** The candidate nearest to a mistyped word, if it is near at all (at most a third of its letters differ). */
export function nearestName(word: string, candidates: readonly string[]): string | undefined {
  const ranked = candidates.map((name) => ({ name, distance: editDistance(word.toLowerCase(), name.toLowerCase()) }));
  const near = ranked.filter(({ name, distance }) => distance <= Math.max(1, name.length / 3));
  return near.sort((a, b) => a.distance - b.distance)[0]?.name;
}

/** The beginning of a hint, `Did you mean moby? `; nothing where no candidate is near, or the word is one of them. */
export function didYouMean(word: string, candidates: readonly string[]): string {
  const name = nearestName(word, candidates);
  return name === undefined || name === word ? "" : `Did you mean ${name}? `;
}

/** Levenshtein distance: insertions, deletions and replacements. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const above = row;
    row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = above[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(replace, above[j]! + 1, row[j - 1]! + 1));
    }
  }
  return row[b.length]!;
}
