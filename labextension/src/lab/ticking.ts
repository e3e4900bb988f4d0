import type { ILab } from './model';

/**
 * Call `tick` every second while one holds a board, and once when that changes: for what shows the time left.
 *
 * @returns a function that ends it.
 */
export function whileHolding(lab: ILab, tick: () => void): () => void {
  let timer: ReturnType<typeof setInterval> | undefined;
  const look = (): void => {
    const holding = lab.sessions.length > 0;
    if (holding && timer === undefined) {
      timer = setInterval(tick, 1000);
    } else if (!holding && timer !== undefined) {
      clearInterval(timer);
      timer = undefined;
    }
    tick();
  };
  lab.boardsChanged.connect(look);
  look();
  return () => {
    lab.boardsChanged.disconnect(look);
    clearInterval(timer);
  };
}
