/** The countdown of a board session: how long one still has the board, and what became of it afterwards. */

import { Refusal, type IDoor } from '../../lab/door';
import type { IEvent } from '../../lab/events';
import { follow, movesBoards } from '../../lab/following';
import type { ISession } from '../../lab/records';
import { element } from '../dom';
import { clock } from '../time';
import { plainTrans, type ITrans } from '../trans';
import { STYLE } from './style';
import { ending } from './words';

/** From here on a session is about to end, seconds. */
const SHORT = 300;

export interface ICountdownOptions {
  /** What the person calls the board. */
  name: string;
  fpgaId: number;
  trans?: ITrans;
}

export class SessionCountdown {
  readonly node: HTMLElement;

  constructor(door: IDoor, { name, fpgaId, trans = plainTrans }: ICountdownOptions) {
    this._door = door;
    this._fpgaId = fpgaId;
    this._trans = trans;
    this._left = element('span', { role: 'timer', 'aria-label': trans.__('Time left') });
    this._status = element('span', { role: 'status' });
    this._buttons = element(
      'span',
      {},
      this._button(trans.__('Renew'), trans.__('Renew board %1', fpgaId), () => this._renew()),
      ' ',
      this._button(trans.__('Release'), trans.__('Release board %1', fpgaId), () => this._release())
    );
    this._buttons.hidden = true;
    this.node = element(
      'section',
      { class: 'fpga-countdown', 'aria-label': trans.__('Board session of %1', name) },
      element('style', {}, STYLE),
      element('b', {}, trans.__('%1 on board %2', name, fpgaId)),
      this._left,
      this._buttons,
      this._status
    );
    const concerns = (event: IEvent): boolean => event.fpga_id === fpgaId && movesBoards(event);
    this._end = follow(door, () => this._ask(), concerns, {
      onRecord: session => {
        this._take(session);
      },
      onTrouble: trouble => {
        this._lost = true;
        this._say(trouble.message);
      },
      onEvent: event => {
        if (event.kind === 'session_ended' && this._isOwn(event)) {
          this._ending = event;
          this._ended = this._seen;
        }
      }
    });
    this._ticking = setInterval(() => {
      this._tick();
    }, 1000);
  }

  dispose(): void {
    clearInterval(this._ticking);
    this._end();
  }

  /** One's own session, or `null` when there is none any more. */
  private async _ask(): Promise<ISession | null> {
    try {
      const session = await this._door.request<ISession>('GET', `fpga/${this._fpgaId}/session`);
      return session.session_id === null ? null : session;
    } catch (error) {
      if (error instanceof Refusal && error.code === 'no_active_session') {
        return null;
      }
      throw error;
    }
  }

  /**
   * Whether it was this session that ended.
   *
   * Operators are also told of the sessions of others. And the event may come after the answer that there is no session
   * any more: when that had been asked for another reason.
   */
  private _isOwn(event: IEvent): boolean {
    return this._seen !== null && event.owner === this._seen.owner && (this._ends !== null || this._ending === null);
  }

  private _take(session: ISession | null): void {
    if (session === null) {
      this._ends = null;
      this._ended = this._seen;
      this._say(ending(this._fpgaId, this._ending, this._trans));
    } else if (this._ends === null && session.session_id === this._ended?.session_id) {
      // An answer from before the end, which took longer than the news of it.
      return;
    } else {
      if (this._ends === null || this._lost) {
        // What was said isn't so any more; the clock says again what is.
        this._say('');
        delete this.node.dataset.is;
      }
      if (session.session_id !== this._ended?.session_id) {
        this._ending = null;
      }
      this._seen = session;
      this._ends = Date.now() + session.remaining_seconds * 1000;
    }
    this._lost = false;
    this._buttons.hidden = session === null;
    this._tick();
  }

  private _tick(): void {
    if (this._ends === null) {
      this._left.textContent = '';
      this.node.dataset.is = 'over';
      return;
    }
    const seconds = Math.max(0, (this._ends - Date.now()) / 1000);
    this._left.textContent = clock(seconds);
    const short = seconds <= SHORT;
    if (short && this.node.dataset.is !== 'short') {
      this._say(this._trans.__('The session is about to end: renew it to keep the board.'));
    } else if (!short && this.node.dataset.is === 'short') {
      this._say('');
    }
    this.node.dataset.is = short ? 'short' : 'held';
  }

  private async _renew(): Promise<void> {
    const before = this._seen?.expires_at;
    const session = await this._door.request<ISession>('POST', `fpga/${this._fpgaId}/session/renew`);
    this._take(session);
    if (this._ends !== null && session.expires_at === before) {
      this._say(this._trans.__('The lab lets nobody hold a board for longer than this.'));
    }
  }

  private async _release(): Promise<void> {
    await this._door.request('POST', `fpga/${this._fpgaId}/session/release`);
  }

  private _button(text: string, label: string, act: () => Promise<void>): HTMLButtonElement {
    const button = element('button', { type: 'button', title: label, 'aria-label': label }, text);
    button.addEventListener('click', () => {
      act().catch((error: unknown) => {
        this._say(error instanceof Error ? error.message : String(error));
      });
    });
    return button;
  }

  private _say(sentence: string): void {
    // A live region speaks whenever it is written to, also when it says the same.
    if (this._status.textContent !== sentence) {
      this._status.textContent = sentence;
    }
  }

  private readonly _door: IDoor;
  private readonly _fpgaId: number;
  private readonly _trans: ITrans;
  private readonly _left: HTMLElement;
  private readonly _status: HTMLElement;
  private readonly _buttons: HTMLElement;
  private readonly _end: () => void;
  private readonly _ticking: ReturnType<typeof setInterval>;
  /** When the session ends, by the page's clock, ms; `null` when there is none. */
  private _ends: number | null = null;
  /** The session that was last seen, and the last one that is known to have ended. */
  private _seen: ISession | null = null;
  private _ended: ISession | null = null;
  private _ending: IEvent | null = null;
  /** Whether the lab didn't answer the last time. */
  private _lost = false;
}
