/** What the kernel sends to a waveform widget besides the signals: the view itself. */

import { decode } from '../../views/waveform/decode';
import { WaveformView } from '../../views/waveform/view';

/** How high the view gets, pixels: most of a screen's half. */
const MOST_HEIGHT = 420;

/** Show signals; returns a function that ends it. */
export function show(element: HTMLElement, packet: ArrayBuffer): () => void {
  const view = new WaveformView({ mostHeight: MOST_HEIGHT });
  element.append(view.node);
  view.show(decode(packet));
  return () => {
    view.dispose();
  };
}
