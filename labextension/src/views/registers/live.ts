/** A board's registers, alive: read some times a second while somebody looks, and written as fast as a slider moves. */

import type { IDoor } from '../../lab/door';
import { Refusal } from '../../lab/door';
import { RETRIES } from '../../lab/events';
import type { IBoard, ISession } from '../../lab/records';
import { BoardStream, isFinal, whyOver, type Answer, type IOperation } from '../../lab/stream';
import { fromWords, toWords, withField, type IField, type IRegister } from './layout';

/** Between two looks at the registers, ms. */
export const LOOK_EVERY = 100;

/** How it stands with the board. */
export type Standing =
  | { is: 'connecting' }
  | { is: 'live'; holder: string }
  | { is: 'lost'; why: string }
  /** For good: another design, another holder. */
  | { is: 'over'; why: string };

/** Who is told. */
export interface IWatcher {
  onStanding: (standing: Standing) => void;
  /** A register has other bits than before. */
  onBits: (register: IRegister, bits: bigint) => void;
  /** A register could not be read or written. */
  onTrouble: (register: IRegister, why: string) => void;
}

/** What is to be written into a register: all bits, or some fields. */
interface IChange {
  bits?: bigint;
  fields: Map<IField, bigint>;
}

export class LiveRegisters {
  /**
   * @param fpgaId - the board.
   * @param design - digest of the design that the registers are of.
   * @param registers - without arrays.
   */
  constructor(
    private readonly _door: IDoor,
    private readonly _fpgaId: number,
    private readonly _design: string,
    private readonly _registers: IRegister[],
    private readonly _watcher: IWatcher
  ) {
    for (const register of _registers) {
      this._written.set(register, BigInt(register.reset));
    }
    this._connect();
  }

  /** Look, or don't: nobody reads what nobody sees. */
  set looking(looking: boolean) {
    this._looking = looking;
    this._wake?.();
  }

  /** Write all bits of a register; of several changes before the board is reached, the last counts. */
  write(register: IRegister, bits: bigint): void {
    this._change(register).bits = bits;
    this._change(register).fields.clear();
    this._wake?.();
  }

  /** Write some bits of a register, and leave the others as they are. */
  writeField(register: IRegister, field: IField, bits: bigint): void {
    const change = this._change(register);
    if (change.bits === undefined) {
      change.fields.set(field, bits);
    } else {
      change.bits = withField(field, change.bits, bits);
    }
    this._wake?.();
  }

  /** Read a register once that is not read for show, since reading it changes something. */
  readOnce(register: IRegister): void {
    this._wanted.add(register);
    this._wake?.();
  }

  close(): void {
    this._closed = true;
    clearTimeout(this._retry);
    this._stream?.close();
    this._wake?.();
  }

  private _change(register: IRegister): IChange {
    let change = this._changes.get(register);
    if (change === undefined) {
      change = { fields: new Map() };
      this._changes.set(register, change);
    }
    return change;
  }

  private _connect(): void {
    this._watcher.onStanding({ is: 'connecting' });
    const stream = new BoardStream(
      this._door,
      this._fpgaId,
      this._design,
      () => {
        this._attempt = 0;
        void this._begin(stream);
      },
      (code, why) => {
        this._wake?.();
        if (!this._closed) {
          void this._ended(code, why);
        }
      }
    );
    this._stream = stream;
  }

  private async _begin(stream: BoardStream): Promise<void> {
    const board = await this._door.request<IBoard>('GET', `fpga/${this._fpgaId}`).catch(() => null);
    if (stream !== this._stream) {
      return;
    }
    this._watcher.onStanding({ is: 'live', holder: board?.owner ?? '' });
    await this._work(stream);
  }

  private async _ended(code: number, why: string): Promise<void> {
    const standing: Standing = isFinal(code) ? { is: 'over', why } : await this._reason(why);
    if (this._closed) {
      return;
    }
    this._watcher.onStanding(standing);
    if (standing.is === 'lost') {
      const pause = RETRIES[Math.min(this._attempt, RETRIES.length - 1)];
      this._retry = setTimeout(() => {
        this._connect();
      }, pause);
      this._attempt += 1;
    }
  }

  /** A browser doesn't tell why a handshake was refused: the board's session does. */
  private async _reason(why: string): Promise<Standing> {
    try {
      const session = await this._door.request<ISession>('GET', `fpga/${this._fpgaId}/session`);
      if (session.session_id === null) {
        return { is: 'over', why: `${session.owner} holds board ${this._fpgaId}: run the design's cell again.` };
      }
      const replaced = (session.design ?? this._design) !== this._design;
      return replaced ? { is: 'over', why: whyOver(4411, '') } : { is: 'lost', why };
    } catch (error) {
      if (error instanceof Refusal && error.code === 'no_active_session') {
        return { is: 'over', why: whyOver(4410, '') };
      }
      return { is: 'lost', why: error instanceof Refusal ? error.message : String(error) };
    }
  }

  /** Writes go at once, looks at their time; one message is under way, so that a slow way is never flooded. */
  private async _work(stream: BoardStream): Promise<void> {
    let nextLook = 0;
    while (stream === this._stream && !this._closed) {
      const looks = this._looking && performance.now() >= nextLook;
      if (!looks && this._changes.size === 0 && this._wanted.size === 0) {
        await this._sleep(this._looking ? nextLook - performance.now() : Infinity);
        continue;
      }
      const begun = performance.now();
      const changes = [...this._changes];
      const wanted = [...this._wanted];
      this._changes.clear();
      this._wanted.clear();
      if (!(await this._apply(stream, changes)) || !(await this._look(stream, looks, wanted))) {
        return;
      }
      if (looks) {
        nextLook = begun + Math.max(LOOK_EVERY, this._door.pace);
      }
      if (this._door.pace > 0) {
        await this._sleep(this._door.pace - (performance.now() - begun), true);
      }
    }
  }

  private async _apply(stream: BoardStream, changes: [IRegister, IChange][]): Promise<boolean> {
    const partly = changes.filter(([register, change]) => change.bits === undefined && isReadable(register));
    const before = await this._read(
      stream,
      partly.map(([register]) => register)
    );
    if (before === null) {
      return false;
    }
    const writes: { register: IRegister; bits: bigint }[] = changes.map(([register, change]) => {
      let bits = change.bits ?? before.get(register) ?? this._written.get(register) ?? 0n;
      for (const [field, value] of change.fields) {
        bits = withField(field, bits, value);
      }
      return { register, bits };
    });
    const answers = await run(
      stream,
      writes.map(({ register, bits }) => ({ offset: register.offset, data: toWords(bits, register.words) }))
    );
    answers?.forEach((answer, index) => {
      const { register, bits } = writes[index];
      if (typeof answer === 'string') {
        this._watcher.onTrouble(register, answer);
      } else {
        this._written.set(register, bits);
      }
    });
    return answers !== null;
  }

  private async _look(stream: BoardStream, all: boolean, wanted: IRegister[]): Promise<boolean> {
    const read = await this._read(stream, [...wanted, ...(all ? this._registers.filter(isReadable) : [])]);
    for (const [register, bits] of read ?? []) {
      if (this._seen.get(register) !== bits || wanted.includes(register)) {
        this._seen.set(register, bits);
        this._watcher.onBits(register, bits);
      }
    }
    return read !== null;
  }

  private async _read(stream: BoardStream, registers: IRegister[]): Promise<Map<IRegister, bigint> | null> {
    const operations = registers.map(register => ({ offset: register.offset, count: register.words }));
    const answers = await run(stream, operations);
    if (answers === null) {
      return null;
    }
    const found = new Map<IRegister, bigint>();
    answers.forEach((answer, index) => {
      if (typeof answer === 'string') {
        this._watcher.onTrouble(registers[index], answer);
      } else {
        found.set(registers[index], fromWords(answer));
      }
    });
    return found;
  }

  private async _sleep(time: number, deep = false): Promise<void> {
    await new Promise<void>(resolve => {
      const timer = time === Infinity ? undefined : setTimeout(resolve, Math.max(0, time));
      this._wake = deep
        ? null
        : () => {
            clearTimeout(timer);
            resolve();
          };
    });
    this._wake = null;
  }

  private _stream: BoardStream | null = null;
  private readonly _changes = new Map<IRegister, IChange>();
  private readonly _wanted = new Set<IRegister>();
  private readonly _seen = new Map<IRegister, bigint>();
  /** What was written last: all that is known of registers that can't be read. */
  private readonly _written = new Map<IRegister, bigint>();
  private _looking = true;
  private _closed = false;
  private _attempt = 0;
  private _retry: ReturnType<typeof setTimeout> | undefined;
  private _wake: (() => void) | null = null;
}

/** Whether a register may be read for show. */
export function isReadable(register: IRegister): boolean {
  return register.access !== 'wo' && !register.side_effects;
}

async function run(stream: BoardStream, operations: IOperation[]): Promise<Answer[] | null> {
  return operations.length === 0 ? [] : stream.run(operations);
}
