/** How the page's version is to the lab's: what a person has to do about it, if anything. */
export type Difference = 'same' | 'page older' | 'lab older';

/** Compare versions such as `0.1.0`; what stands behind the numbers tells two apart, and not which is older. */
export function compareVersions(page: string, lab: string): Difference {
  if (page === lab) {
    return 'same';
  }
  const [ours, theirs] = [page, lab].map(version => version.split(/[.+-]/).map(part => parseInt(part, 10) || 0));
  for (let place = 0; place < Math.max(ours.length, theirs.length); place += 1) {
    const difference = (ours[place] ?? 0) - (theirs[place] ?? 0);
    if (difference !== 0) {
      return difference < 0 ? 'page older' : 'lab older';
    }
  }
  return 'page older';
}
