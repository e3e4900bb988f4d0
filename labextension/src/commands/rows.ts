import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

/** What of JupyterLab's application a command about a row needs. */
export type IRowsApp = Pick<JupyterFrontEnd, 'commands' | 'contextMenuHitTest'>;

/** Of the row that a context menu is about. */
function rowData(app: IRowsApp, args: ReadonlyPartialJSONObject): DOMStringMap | undefined {
  return args['here'] ? app.contextMenuHitTest(node => node.getAttribute('role') === 'row')?.dataset : undefined;
}

/** The board that a command is about: `{fpga_id}`, or `{here: true}` in a context menu. */
export function boardId(app: IRowsApp, args: ReadonlyPartialJSONObject): number | null {
  const id = args['fpga_id'] ?? rowData(app, args)?.['fpgaId'];
  return id === undefined ? null : Number(id);
}

/** The job that a command is about: `{job_id}`, or `{here: true}` in a context menu. */
export function jobId(app: IRowsApp, args: ReadonlyPartialJSONObject): string | null {
  const id = args['job_id'] ?? rowData(app, args)?.['jobId'];
  return typeof id === 'string' ? id : null;
}
