import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

import { answerOf, queryText, Refusal, type IDoor, type ISocket } from './door';

/** The way to the lab through JupyterLab's own connection to its server. */
export class JupyterDoor implements IDoor {
  readonly pace = 0;

  constructor(settings: ServerConnection.ISettings) {
    this._settings = settings;
  }

  async request<T>(method: string, path: string, body?: unknown): Promise<T> {
    const address = URLExt.join(this._settings.baseUrl, 'jupyter-fpga', path);
    const init: RequestInit = { method };
    if (body !== undefined) {
      init.body = JSON.stringify(body);
    }
    let response: Response;
    try {
      response = await ServerConnection.makeRequest(address, init, this._settings);
    } catch {
      throw new Refusal('no_answer', 'The Jupyter server does not answer.');
    }
    return answerOf<T>(response);
  }

  socket(path: string, query: Record<string, string | number | undefined> = {}): ISocket {
    const token = this._settings.appendToken ? this._settings.token : undefined;
    const address = URLExt.join(this._settings.wsUrl, 'jupyter-fpga', path);
    return new this._settings.WebSocket(address + queryText({ ...query, token: token === '' ? undefined : token }));
  }

  private readonly _settings: ServerConnection.ISettings;
}
