/** What became of a board session, in sentences. */

import type { IEvent } from '../../lab/events';
import type { ITranslate } from '../translate';

/** Why one holds the board no more, as the event `session_ended` tells it; without one, only that it is so. */
export function ending(fpgaId: number, event: IEvent | null, translate: ITranslate): string {
  switch (event?.reason) {
    case 'released':
      return translate('You gave board %1 back.', fpgaId);
    case 'expired':
      return translate('The time on board %1 has run out. Run the design’s cell again to get a board.', fpgaId);
    case 'kicked':
      return translate('%1 has taken board %2 back. Run the design’s cell again to get a board.', event.by ?? '', fpgaId);
    case 'reset':
      return translate('Board %1 was reset. Run the design’s cell again to get a board.', fpgaId);
    case 'board_failed':
      return translate('Board %1 has failed. Run the design’s cell again to get another one.', fpgaId);
    case 'board_removed':
      return translate('The lab has board %1 no more. Run the design’s cell again to get another one.', fpgaId);
    default:
      return translate('You hold board %1 no more. Run the design’s cell again to get a board.', fpgaId);
  }
}
