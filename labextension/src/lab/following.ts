/** What the lab says of something, kept up: asked for when the lab is there, and again when an event says that it is
 * otherwise now. */

import type { IDoor } from './door';
import { followEvents, type IEvent } from './events';
import { Gathering } from './gathering';

/** Who listens. */
export interface IFollower<T> {
  onRecord: (record: T) => void;
  /** The lab doesn't answer, or refuses: an {@link Error} with a sentence for people. */
  onTrouble: (trouble: Error) => void;
  /** An event about it, before it is asked for anew. */
  onEvent?: (event: IEvent) => void;
}

/**
 * Follow something.
 *
 * One question at a time, and none sooner than the way to the lab allows: a burst of events costs one more question,
 * not one each.
 *
 * @param ask - asks for it.
 * @param concerns - whether it is otherwise after this event.
 * @returns a function that ends it.
 */
export function follow<T>(
  door: IDoor,
  ask: () => Promise<T>,
  concerns: (event: IEvent) => boolean,
  follower: IFollower<T>
): () => void {
  let ended = false;
  const gathering = new Gathering<'record'>(
    async () => {
      const record = await ask();
      if (!ended) {
        follower.onRecord(record);
      }
    },
    error => {
      if (!ended) {
        follower.onTrouble(error instanceof Error ? error : new Error(String(error)));
      }
    },
    door.pace
  );
  const end = followEvents(door, {
    onReady: () => {
      gathering.add('record');
    },
    onEvent: event => {
      if (concerns(event)) {
        follower.onEvent?.(event);
        gathering.add('record');
      }
    },
    onLost: () => {
      follower.onTrouble(new Error('The lab does not answer. Trying again …'));
    }
  });
  return () => {
    ended = true;
    gathering.close();
    end();
  };
}

/** Whether boards or their sessions are otherwise after an event; what jobs do in between isn't. */
export function movesBoards(event: IEvent): boolean {
  return typeof event.fpga_id === 'number' && /^(board|session)_/.test(event.kind);
}
