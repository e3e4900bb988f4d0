import type { ITrans } from '../views/trans';
import type { IWaveform } from '../views/waveform/signal';
import { keyOf } from './bytes';
import { VcdError } from './error';
import { Trace } from './trace';

/** What was in a file. */
export interface IFound {
  waveform: IWaveform;
  /** What was left out, in sentences. */
  notes: string[];
}

/** Variables whose values aren't bits. */
const NO_BITS = new Set(['real', 'realtime', 'shortreal', 'real_parameter', 'string']);
const SECONDS: Readonly<Partial<Record<string, number>>> = { s: 1, ms: 1e-3, us: 1e-6, ns: 1e-9, ps: 1e-12, fs: 1e-15 };
/** Begins the comment in which our own files say what VCD has no word for. */
const OURS = 'jupyter_fpga';
/** Where our own files have signals whose name has no level above it. */
const SCOPE = 'design.';

/** What a file's commands say: its signals, and what its times mean. */
export class Definitions {
  constructor(private readonly _trans: ITrans) {}

  /** Signals by the keys of their codes; one code may have many names. */
  get traces(): ReadonlyMap<number | string, Trace> {
    return this._traces;
  }

  /** Ticks of the waveform in one of the file. */
  get scale(): number {
    return this._fileSeconds / this._seconds;
  }

  /** The tick at which the waveform ends, where the file says so. */
  get end(): number | null {
    return this._end;
  }

  /**
   * A command with its words.
   *
   * @throws VcdError
   */
  take(command: string, words: string[]): void {
    switch (command) {
      case '$scope':
        // LiteScope leaves the scope's type out, and misspells its end.
        this._scopes.push(words[words.length - 1] ?? '');
        break;
      case '$upscope':
      case '$unscope':
        this._scopes.pop();
        break;
      case '$var':
        this._variable(words);
        break;
      case '$timescale':
        this._timescale(words.join(''));
        break;
      case '$comment':
        if (words[0] === OURS) {
          this._comment(new Map(words.slice(1).map(word => word.split('=', 2) as [string, string])));
        }
        break;
    }
  }

  /** What has been found, up to the last tick that was told. */
  found(last: number): IFound {
    const notes =
      this._leftOut === 0
        ? []
        : [this._trans.__('Signals whose values are real numbers or texts are not shown: %1.', this._leftOut)];
    const waveform = {
      end: this._end ?? last + 1,
      seconds: this._seconds,
      unit: this._unit,
      trigger: this._trigger,
      signals: this._variables.map(({ name, trace }) => trace.signal(name))
    };
    return { waveform, notes };
  }

  private _variable([type, size, code, ...reference]: string[]): void {
    if (NO_BITS.has(type)) {
      this._leftOut += 1;
      return;
    }
    const width = Number(size);
    if (!Number.isInteger(width) || width < 1 || reference.length === 0) {
      throw new VcdError(
        this._trans.__('The VCD file has a $var that cannot be read: “%1”.', [type, size, code, ...reference].join(' '))
      );
    }
    const bytes = new TextEncoder().encode(code);
    const key = keyOf(bytes, 0, bytes.length);
    let trace = this._traces.get(key);
    if (trace === undefined) {
      trace = new Trace(width);
      this._traces.set(key, trace);
    }
    // A range behind the name that says no more than the width is no part of it.
    const name = reference.join('').replace(`[${width - 1}:0]`, '').replace(/^\\/, '');
    const path = [...this._scopes, name].join('.');
    const lone = this._end !== null && path.startsWith(SCOPE);
    this._variables.push({ name: lone ? path.slice(SCOPE.length) : path, trace });
  }

  private _timescale(words: string): void {
    const match = /^(\d+)([munpf]?s)$/.exec(words);
    const unit = SECONDS[match?.[2] ?? ''];
    if (match === null || unit === undefined) {
      throw new VcdError(this._trans.__('The VCD file has a $timescale that cannot be read: “%1”.', words));
    }
    this._fileSeconds = Number(match[1]) * unit;
    if (this._end === null) {
      this._seconds = this._fileSeconds;
      this._unit = match[1] === '1' ? match[2] : `${match[1]} ${match[2]}`;
    }
  }

  /** What our own files say besides. */
  private _comment(facts: ReadonlyMap<string, string>): void {
    const [above, below] = (facts.get('tick') ?? '').split('/');
    const end = facts.get('end');
    if (above !== '' && end !== undefined) {
      this._seconds = Number(above) / Number(below || 1);
      this._unit = facts.get('unit') ?? '';
      this._end = Number(end);
      const trigger = facts.get('trigger');
      this._trigger = trigger === undefined ? null : Number(trigger);
    }
  }

  private readonly _scopes: string[] = [];
  private readonly _variables: { name: string; trace: Trace }[] = [];
  private readonly _traces = new Map<number | string, Trace>();
  private _leftOut = 0;
  /** The file's own tick, and the waveform's. */
  private _fileSeconds = 1e-9;
  private _seconds = 1e-9;
  private _unit = 'ns';
  private _end: number | null = null;
  private _trigger: number | null = null;
}
