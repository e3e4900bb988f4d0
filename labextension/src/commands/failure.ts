import { Notification } from '@jupyterlab/apputils';

/** What went wrong is told; the lab's sentence says what to do. */
export async function tellFailure(doing: Promise<void>): Promise<void> {
  try {
    await doing;
  } catch (error) {
    Notification.error(error instanceof Error ? error.message : String(error), { autoClose: 10_000 });
  }
}
