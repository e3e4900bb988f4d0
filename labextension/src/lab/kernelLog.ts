/**
 * A job's log as the kernel sends it, for pages that don't reach the lab themselves. The kernel's side is
 * `notebook/widgets/_log_feed.py`.
 *
 * One for each model, not for each view: what has come is there for a view that is opened later.
 */

import type { IModel } from '../anywidget';

/** Who is told what a log says. */
export interface ILogReader {
  /** Lines, each with its end. */
  onText: (text: string) => void;
  /** The log is complete: the job's status. */
  onEnd: (status: string) => void;
  /** Why nothing comes; empty when it comes again. */
  onTrouble: (why: string) => void;
}

interface INews {
  log?: { at: number; ended: string | null; trouble: string };
}

/** A kernel sends something as soon as the view is made. A page that has heard nothing for so long, ms, came later. */
const GREETING = 1000;

export class KernelLog {
  constructor(model: IModel) {
    this._model = model;
    model.on('msg:custom', (content: INews, buffers: DataView[]) => {
      if (content.log !== undefined) {
        this._take(content.log, buffers.length > 0 ? new TextDecoder().decode(buffers[0]) : '');
      }
    });
    if (model.get('served') === true) {
      // The kernel leaves it to the page to read the log, until it is asked.
      this._ask();
    } else {
      setTimeout(() => {
        if (!this._heard) {
          this._ask();
        }
      }, GREETING);
    }
  }

  /** Read all of it, from the first line on. Returns a function that ends it. */
  read(reader: ILogReader): () => void {
    this._readers.add(reader);
    if (this._text !== '') {
      reader.onText(this._text);
    }
    this._tell(reader);
    return () => {
      this._readers.delete(reader);
    };
  }

  private _take({ at, ended, trouble }: NonNullable<INews['log']>, text: string): void {
    this._heard = true;
    const { length } = this._text;
    if (at > length) {
      if (!this._asking) {
        this._ask();
      }
      return;
    }
    this._asking = false;
    const fresh = text.slice(length - at);
    this._text += fresh;
    this._ended = ended;
    this._trouble = trouble;
    for (const reader of this._readers) {
      if (fresh !== '') {
        reader.onText(fresh);
      }
      this._tell(reader);
    }
  }

  private _tell(reader: ILogReader): void {
    reader.onTrouble(this._trouble);
    if (this._ended !== null) {
      reader.onEnd(this._ended);
    }
  }

  private _ask(): void {
    this._asking = true;
    this._model.send({ log: { from: this._text.length } });
  }

  private readonly _model: IModel;
  private readonly _readers = new Set<ILogReader>();
  private _text = '';
  private _heard = false;
  /** Whether what is missing has been asked for. */
  private _asking = false;
  private _ended: string | null = null;
  private _trouble = '';
}
