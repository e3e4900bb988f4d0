/**
 * The module that is saved in each notebook with a waveform: it only gets the view and the signals from the kernel,
 * which the notebook shall not have to carry, and of which neither is of use without the other.
 */

import type { IRenderContext } from '../anywidget';

/** A piece of the signals, of so many; with the first comes the view's own module. */
interface IPiece {
  piece: number;
  pieces: number;
}

/** What zlib made small. */
function inflate(parts: readonly BlobPart[]): Response {
  return new Response(new Blob([...parts]).stream().pipeThrough(new DecompressionStream('deflate')));
}

async function viewOf(code: BlobPart): Promise<typeof import('./parts/waveform')> {
  const source = new Blob([await inflate([code]).arrayBuffer()], { type: 'text/javascript' });
  const address = URL.createObjectURL(source);
  try {
    return (await import(address)) as typeof import('./parts/waveform');
  } finally {
    URL.revokeObjectURL(address);
  }
}

function render({ model, el }: IRenderContext): () => void {
  const found: BlobPart[] = [];
  let view: Promise<typeof import('./parts/waveform')> | undefined;
  let end: (() => void) | undefined;
  let ended = false;

  const ask = (): void => {
    model.send({ ask: found.length });
  };
  const show = async (): Promise<void> => {
    try {
      const [module, packet] = await Promise.all([view, inflate(found).arrayBuffer()]);
      if (!ended) {
        el.replaceChildren();
        end = module?.show(el, packet);
      }
    } catch (error) {
      // A browser of before 2023, or a page that allows no modules but its own.
      el.textContent = `This page cannot show the waveform: ${String(error)}`;
    }
  };
  const take = (content: Partial<IPiece>, buffers: DataView<ArrayBuffer>[]): void => {
    // Another view of the same waveform may have asked as well.
    if (content.piece !== found.length || content.pieces === undefined) {
      return;
    }
    found.push(buffers[0]);
    view ??= viewOf(buffers[1]);
    if (found.length < content.pieces) {
      ask();
    } else {
      model.off('msg:custom', take);
      void show();
    }
  };

  model.on('msg:custom', take);
  // A kernel that computes answers when it is done.
  const waiting = document.createElement('p');
  waiting.setAttribute('role', 'status');
  waiting.textContent = 'Waiting for the kernel …';
  el.append(waiting);
  ask();
  return () => {
    ended = true;
    model.off('msg:custom', take);
    end?.();
  };
}

export default { render };
