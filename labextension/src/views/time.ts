/** Times as people read them. */

import type { ITrans } from './trans';

/** About how long: `52 min`, `40 s`. */
export function about(seconds: number, trans: ITrans): string {
  const minutes = Math.floor(seconds / 60);
  return minutes >= 1 ? trans.__('%1 min', minutes) : trans.__('%1 s', Math.ceil(seconds));
}

/** Exactly how long, as clocks show it: `52:07`, `1:00:00`. */
export function clock(seconds: number): string {
  const whole = Math.ceil(seconds);
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const shown = parts[0] === 0 ? parts.slice(1) : parts;
  return shown.map((part, index) => (index === 0 ? String(part) : String(part).padStart(2, '0'))).join(':');
}
