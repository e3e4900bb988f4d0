import { Refusal, type IStreamingDoor } from '../lab/door';

/** A line of `…/logs` as NDJSON. */
interface ILine {
  seq: number;
  text: string;
}

/** Who is told what a log says. */
export interface ILogReader {
  /** Lines, each with its end. */
  onText: (text: string) => void;
  /** The log is complete. */
  onEnd: () => void;
  /** The lab is away, or says no: why. */
  onTrouble: (error: Refusal) => void;
}

/** A job's log as it grows; after a loss it goes on behind the line that came last. */
export class LogStream {
  constructor(
    private readonly door: IStreamingDoor,
    private readonly jobId: string,
    private readonly reader: ILogReader
  ) {}

  /** Read on to the log's end, or until the lab is lost; does nothing while it reads already, or when all is read. */
  async read(): Promise<void> {
    if (this._reading || this._ended) {
      return;
    }
    this._reading = true;
    try {
      await this._read();
      this._ended = true;
      this.reader.onEnd();
    } catch (error) {
      if (!this._abort.signal.aborted) {
        this.reader.onTrouble(error instanceof Refusal ? error : new Refusal('no_answer', String(error)));
      }
    } finally {
      this._reading = false;
    }
  }

  /** Read no further. */
  close(): void {
    this._ended = true;
    this._abort.abort();
  }

  private async _read(): Promise<void> {
    const path = `jobs/${this.jobId}/logs?follow=1&after=${this._seen}`;
    let rest = '';
    for await (const piece of this.door.pieces(path, 'application/x-ndjson', this._abort.signal)) {
      const lines = (rest + piece).split('\n');
      rest = lines.pop() ?? '';
      this._take(lines.filter(line => line !== '').map(line => JSON.parse(line) as ILine));
    }
  }

  private _take(lines: ILine[]): void {
    if (lines.length > 0) {
      this._seen = lines[lines.length - 1].seq;
      this.reader.onText(lines.map(line => (line.text.endsWith('\n') ? line.text : `${line.text}\n`)).join(''));
    }
  }

  private readonly _abort = new AbortController();
  private _seen = 0;
  private _reading = false;
  private _ended = false;
}
