/** A board's registers, alive: read some times a second while somebody looks, and written as fast as a slider moves. */

import { Refusal, type IDoor } from '../../lab/door';
import { Holding, type Standing } from '../../lab/holding';
import type { ISession } from '../../lab/records';
import { BoardStream, type Answer, type IOperation } from '../../lab/stream';
import { fromWords, toWords, withField, type IField, type IRegister } from './layout';

/** Between two looks at the registers, ms. */
export const LOOK_EVERY = 100;

/** Who is told. */
export interface IWatcher {
  onStanding: (standing: Standing) => void;
  /** A register has other bits than before. */
  onBits: (register: IRegister, bits: bigint) => void;
  /** A register could not be read or written. */
  onTrouble: (register: IRegister, why: string) => void;
  /** What was in the registers is lost: the lab was restarted, and had to program the board again. */
  onLoss: () => void;
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
    this._beginAnew();
    this._holding = new Holding(
      _door,
      _fpgaId,
      _design,
      () => {
        this._connect();
      },
      _watcher.onStanding
    );
    this._holding.begin();
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
    this._holding.close();
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
    const stream = new BoardStream(
      this._door,
      this._fpgaId,
      this._design,
      () => {
        this._broken.clear();
        this._holding.live();
        void this._work(stream);
        void this._askForLoss();
      },
      (code, why) => {
        this._wake?.();
        if (!this._closed) {
          void this._holding.ended(code, why);
        }
      }
    );
    this._stream = stream;
  }

  /** Each time that the lab is there again, it is asked whether the board has outlived what kept it away. */
  private async _askForLoss(): Promise<void> {
    try {
      const session = await this._door.request<ISession>('GET', `fpga/${this._fpgaId}/session`);
      const lost = session.registers_lost_at ?? null;
      if (this._lost !== undefined && lost !== null && lost !== this._lost && !this._closed) {
        this._beginAnew();
        this._watcher.onLoss();
      }
      this._lost = lost;
    } catch (error) {
      if (!(error instanceof Refusal)) {
        throw error;
      }
      // Nobody holds the board, or the lab is away again: the stream has its end, and that is told.
    }
  }

  private _beginAnew(): void {
    this._seen.clear();
    for (const register of this._registers) {
      this._written.set(register, BigInt(register.reset));
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
      const reads = [...wanted, ...(looks ? this._registers.filter(register => isReadable(register) && !this._broken.has(register)) : [])];
      const writes = await this._writes(stream, changes);
      if (writes === null || !(await this._exchange(stream, writes, reads, wanted))) {
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

  /** What is to be written, all bits; a register of which only fields change is read first, if it can be. */
  private async _writes(stream: BoardStream, changes: [IRegister, IChange][]): Promise<[IRegister, bigint][] | null> {
    const partly = changes.filter(([register, change]) => change.bits === undefined && isReadable(register));
    const before = await this._read(
      stream,
      partly.map(([register]) => register)
    );
    if (before === null) {
      return null;
    }
    return changes.map(([register, change]) => {
      let bits = change.bits ?? before.get(register) ?? this._written.get(register) ?? 0n;
      for (const [field, value] of change.fields) {
        bits = withField(field, bits, value);
      }
      return [register, bits];
    });
  }

  /** Write and read in one message; whether the stream is still there. */
  private async _exchange(
    stream: BoardStream,
    writes: [IRegister, bigint][],
    reads: IRegister[],
    wanted: IRegister[]
  ): Promise<boolean> {
    const answers = await run(stream, [
      ...writes.map(([{ offset, words }, bits]) => ({ offset, data: toWords(bits, words) })),
      ...reads.map(reading)
    ]);
    answers?.slice(0, writes.length).forEach((answer, index) => {
      const [register, bits] = writes[index];
      if (typeof answer === 'string') {
        this._watcher.onTrouble(register, answer);
      } else {
        this._written.set(register, bits);
      }
    });
    for (const [register, bits] of this._taken(reads, answers?.slice(writes.length) ?? [])) {
      if (this._seen.get(register) !== bits || wanted.includes(register)) {
        this._seen.set(register, bits);
        this._watcher.onBits(register, bits);
      }
    }
    return answers !== null;
  }

  private async _read(stream: BoardStream, registers: IRegister[]): Promise<Map<IRegister, bigint> | null> {
    const answers = await run(stream, registers.map(reading));
    return answers && this._taken(registers, answers);
  }

  private _taken(registers: IRegister[], answers: Answer[]): Map<IRegister, bigint> {
    const found = new Map<IRegister, bigint>();
    answers.forEach((answer, index) => {
      if (typeof answer !== 'string') {
        found.set(registers[index], fromWords(answer));
      } else if (answer !== '') {
        // It would keep those behind it from being read, each time.
        this._broken.add(registers[index]);
        this._watcher.onTrouble(registers[index], answer);
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

  private readonly _holding: Holding;
  private _stream: BoardStream | null = null;
  private readonly _changes = new Map<IRegister, IChange>();
  private readonly _wanted = new Set<IRegister>();
  private readonly _seen = new Map<IRegister, bigint>();
  /** What was written last: all that is known of registers that can't be read. */
  private readonly _written = new Map<IRegister, bigint>();
  /** Those that the board didn't answer; tried again with the next connection. */
  private readonly _broken = new Set<IRegister>();
  /** When what was in the registers was lost last, as far as it is known; not known at first. */
  private _lost: string | null | undefined;
  private _looking = true;
  private _closed = false;
  private _wake: (() => void) | null = null;
}

/** Whether a register may be read for show. */
export function isReadable(register: IRegister): boolean {
  return register.access !== 'wo' && !register.side_effects;
}

function reading({ offset, words }: IRegister): IOperation {
  return { offset, count: words };
}

async function run(stream: BoardStream, operations: IOperation[]): Promise<Answer[] | null> {
  return operations.length === 0 ? [] : stream.run(operations);
}
