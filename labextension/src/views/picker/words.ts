/** How it stands with a board, in words and as a sign. */

import type { IBoard } from '../../lab/records';
import type { ITrans } from '../trans';

/** What a person can do with a board. */
export type Kind = 'free' | 'mine' | 'taken' | 'broken';

export interface IStanding {
  kind: Kind;
  words: string;
}

/** What stands beside the words: shapes that tell without their colours. */
export const SIGNS: Record<Kind, string> = { free: '○', mine: '●', taken: '◐', broken: '✕' };

/** How it stands with a board for whoever sees this record: of one's own session, the lab shows the id. */
export function standing(board: IBoard, trans: ITrans): IStanding {
  const { session } = board;
  switch (board.state) {
    case 'idle':
      return { kind: 'free', words: trans.__('free') };
    case 'error':
      return { kind: 'broken', words: broken(board.health, trans) };
    case 'reserved':
      if (session === null) {
        return { kind: 'taken', words: trans.__('being reset') };
      }
      return session.session_id === null
        ? { kind: 'taken', words: trans.__('held by %1', session.owner) }
        : { kind: 'mine', words: trans.__('yours') };
    case 'programming':
      return { kind: session?.session_id ? 'mine' : 'taken', words: trans.__('being programmed') };
    default:
      return { kind: 'taken', words: trans.__('waits for a build') };
  }
}

function broken(health: string, trans: ITrans): string {
  switch (health) {
    case 'quarantined':
      return trans.__('out of order');
    case 'unplugged':
      return trans.__('unplugged');
    default:
      return trans.__('failed, is being reset');
  }
}

/** Whether a cell's design can go there now. */
export function isUsable({ kind }: IStanding): boolean {
  return kind === 'free' || kind === 'mine';
}
