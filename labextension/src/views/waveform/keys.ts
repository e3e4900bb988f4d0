/** What each key does. */

import type { Viewer } from './viewer';

/** Keys that both the names and the picture know. */
const COMMON: Readonly<Partial<Record<string, (viewer: Viewer) => void>>> = {
  '+': viewer => { viewer.zoom(0.5); },
  '=': viewer => { viewer.zoom(0.5); },
  '-': viewer => { viewer.zoom(2); },
  '0': viewer => { viewer.fit(); },
  f: viewer => { viewer.fit(); },
  z: viewer => { viewer.showBetween(); },
  a: viewer => { viewer.activate(0); },
  b: viewer => { viewer.activate(1); },
  t: viewer => { viewer.trigger(); },
  n: viewer => { viewer.edge(1); },
  p: viewer => { viewer.edge(-1); },
  r: viewer => { viewer.nextRadix(); },
  Escape: viewer => { viewer.clear(); },
  Enter: viewer => { viewer.toggle(); },
  ' ': viewer => { viewer.toggle(); },
  ArrowUp: viewer => { viewer.choose(viewer.selected - 1); },
  ArrowDown: viewer => { viewer.choose(viewer.selected + 1); }
};

/** In the names, which are a tree. */
const NAMES: typeof COMMON = {
  ArrowRight: viewer => {
    if (viewer.row?.open === true) {
      viewer.choose(viewer.selected + 1);
    } else {
      viewer.fold(true);
    }
  },
  ArrowLeft: viewer => {
    if (viewer.row?.open === true) {
      viewer.fold(false);
    } else {
      viewer.up();
    }
  },
  Home: viewer => { viewer.choose(0); },
  End: viewer => { viewer.choose(viewer.rows.length - 1); }
};

/** In the picture, where left and right are times. */
const PICTURE: typeof COMMON = {
  ArrowRight: viewer => { viewer.page(1); },
  ArrowLeft: viewer => { viewer.page(-1); },
  'Shift+ArrowRight': viewer => { viewer.step(1); },
  'Shift+ArrowLeft': viewer => { viewer.step(-1); },
  Home: viewer => { viewer.pan(-Infinity); },
  End: viewer => { viewer.pan(Infinity); }
};

/** A key as it is pressed: what `KeyboardEvent` says of it. */
export interface IKey {
  key: string;
  shiftKey: boolean;
  ctrlKey: boolean;
  altKey: boolean;
  metaKey: boolean;
}

/** What a key does in the names or in the picture; `null` when it means nothing there. */
export function keyCommand(pressed: IKey, where: 'names' | 'picture'): ((viewer: Viewer) => void) | null {
  if (pressed.ctrlKey || pressed.altKey || pressed.metaKey) {
    return null;
  }
  const own = where === 'names' ? NAMES : PICTURE;
  const key = pressed.shiftKey && pressed.key.startsWith('Arrow') ? `Shift+${pressed.key}` : pressed.key;
  return own[key] ?? COMMON[key] ?? null;
}
