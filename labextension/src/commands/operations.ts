import type { ILab } from '../lab/model';
import type { IBoard } from '../lab/records';
import { CommandIDs } from './ids';

/**
 * What an operator may do now to a board that is none of their own, as commands: what the lab wouldn't refuse. Nobody
 * else may do anything.
 */
export function operations({ isOperator }: Pick<ILab, 'isOperator'>, board: IBoard): string[] {
  if (!isOperator) {
    return [];
  }
  if (board.health === 'quarantined') {
    return [CommandIDs.clear];
  }
  if (isSomebodyElses(board)) {
    return [CommandIDs.takeBack];
  }
  if (board.state === 'idle') {
    return [CommandIDs.quarantine];
  }
  // A board in `error` that has a job is being reset already.
  return board.state === 'error' && board.current_job_id === null ? [CommandIDs.reset, CommandIDs.quarantine] : [];
}

function isSomebodyElses({ state, session }: IBoard): boolean {
  return state === 'reserved' && session !== null && session.session_id === null;
}
