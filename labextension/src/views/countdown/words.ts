/** What became of a board session, in sentences. */

import type { IEvent } from '../../lab/events';
import type { ITrans } from '../trans';

/** Why one holds the board no more, as the event `session_ended` tells it; without one, only that it is so. */
export function ending(fpgaId: number, event: IEvent | null, trans: ITrans): string {
  switch (event?.reason) {
    case 'released':
      return trans.__('You gave board %1 back.', fpgaId);
    case 'expired':
      return trans.__('The time on board %1 has run out. Run the design’s cell again to get a board.', fpgaId);
    case 'kicked':
      return trans.__('%1 has taken board %2 back. Run the design’s cell again to get a board.', event.by ?? '', fpgaId);
    case 'reset':
      return trans.__('Board %1 was reset. Run the design’s cell again to get a board.', fpgaId);
    case 'board_failed':
      return trans.__('Board %1 has failed. Run the design’s cell again to get another one.', fpgaId);
    case 'board_removed':
      return trans.__('The lab has board %1 no more. Run the design’s cell again to get another one.', fpgaId);
    default:
      return trans.__('You hold board %1 no more. Run the design’s cell again to get a board.', fpgaId);
  }
}
