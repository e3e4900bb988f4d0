/** How it stands with a board, in words and as a sign. */

import type { IBoard } from '../../lab/records';
import type { ITranslate } from '../translate';

/** What a person can do with a board. */
export type Kind = 'free' | 'mine' | 'taken' | 'broken';

export interface IStanding {
  kind: Kind;
  words: string;
}

/** What stands beside the words: shapes that tell without their colours. */
export const SIGNS: Record<Kind, string> = { free: '○', mine: '●', taken: '◐', broken: '✕' };

/** How it stands with a board for whoever sees this record: of one's own session, the lab shows the id. */
export function standing(board: IBoard, translate: ITranslate): IStanding {
  const { session } = board;
  switch (board.state) {
    case 'idle':
      return { kind: 'free', words: translate('free') };
    case 'error':
      return { kind: 'broken', words: broken(board.health, translate) };
    case 'reserved':
      if (session === null) {
        return { kind: 'taken', words: translate('being reset') };
      }
      return session.session_id === null
        ? { kind: 'taken', words: translate('held by %1', session.owner) }
        : { kind: 'mine', words: translate('yours') };
    case 'programming':
      return { kind: session?.session_id ? 'mine' : 'taken', words: translate('being programmed') };
    default:
      return { kind: 'taken', words: translate('waits for a build') };
  }
}

function broken(health: string, translate: ITranslate): string {
  switch (health) {
    case 'quarantined':
      return translate('out of order');
    case 'unplugged':
      return translate('unplugged');
    default:
      return translate('failed, is being reset');
  }
}

/** Whether a cell's design can go there now. */
export function isUsable({ kind }: IStanding): boolean {
  return kind === 'free' || kind === 'mine';
}
