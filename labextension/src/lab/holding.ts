/** Keeping a WebSocket to a board that one holds: made again when it is lost, given up when the board is. */

import { Refusal, type IDoor } from './door';
import { RETRIES } from './events';
import type { ISession } from './records';
import { isFinal, whyOver } from './stream';

/** How it stands with the board. */
export type Standing =
  | { is: 'connecting' }
  | { is: 'live' }
  | { is: 'lost'; why: string }
  /** For good: another design, another holder. */
  | { is: 'over'; why: string };

/** Tells whether a connection that ended is to be made again, and when. */
export class Holding {
  /**
   * @param fpgaId - the board.
   * @param design - digest of the design that is meant; `null` for any.
   * @param connect - makes the connection.
   * @param tell - told how it stands.
   */
  constructor(
    private readonly _door: IDoor,
    private readonly _fpgaId: number,
    private readonly _design: string | null,
    private readonly _connect: () => void,
    private readonly _tell: (standing: Standing) => void
  ) {}

  /** Connect, now. */
  begin(): void {
    clearTimeout(this._timer);
    this._tell({ is: 'connecting' });
    this._connect();
  }

  /** It is connected. */
  live(): void {
    this._attempt = 0;
    this._tell({ is: 'live' });
  }

  /** The connection has ended, or was never made. */
  async ended(code: number, reason: string): Promise<void> {
    const why = whyOver(code, reason);
    const standing: Standing = isFinal(code) ? { is: 'over', why } : await this._standing(why);
    if (this._closed) {
      return;
    }
    this._tell(standing);
    if (standing.is === 'lost') {
      const pause = RETRIES[Math.min(this._attempt, RETRIES.length - 1)];
      this._attempt += 1;
      this._timer = setTimeout(this._connect, pause);
    }
  }

  /** Nobody looks: don't connect again until told to begin. */
  pause(): void {
    clearTimeout(this._timer);
  }

  /** Nobody wants it any more. */
  close(): void {
    this._closed = true;
    clearTimeout(this._timer);
  }

  /** A browser doesn't tell why a handshake was refused: the board's session does. */
  private async _standing(why: string): Promise<Standing> {
    try {
      const session = await this._door.request<ISession>('GET', `fpga/${this._fpgaId}/session`);
      if (session.session_id === null) {
        return { is: 'over', why: `${session.owner} holds board ${this._fpgaId}: run the design's cell again.` };
      }
      const replaced = this._design !== null && (session.design ?? this._design) !== this._design;
      return replaced ? { is: 'over', why: whyOver(4411, '') } : { is: 'lost', why };
    } catch (error) {
      if (error instanceof Refusal && error.code === 'no_active_session') {
        return { is: 'over', why: whyOver(4410, '') };
      }
      return { is: 'lost', why: error instanceof Refusal ? error.message : String(error) };
    }
  }

  private _attempt = 0;
  private _closed = false;
  private _timer: ReturnType<typeof setTimeout> | undefined;
}
