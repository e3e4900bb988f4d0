import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

import { answerOf, piecesOf, queryText, Refusal, type ISocket, type IStreamingDoor } from './door';

/** The way to the lab through JupyterLab's own connection to its server. */
export class JupyterDoor implements IStreamingDoor {
  readonly pace = 0;

  constructor(settings: ServerConnection.ISettings) {
    this._settings = settings;
  }

  async request<T>(method: string, path: string, body?: unknown): Promise<T> {
    const init: RequestInit = { method };
    if (body !== undefined) {
      init.body = JSON.stringify(body);
    }
    return answerOf<T>(await this._ask(path, init));
  }

  async *pieces(path: string, accept: string, signal: AbortSignal): AsyncGenerator<string> {
    yield* piecesOf(await this._ask(path, { headers: { Accept: accept }, signal }));
  }

  socket(path: string, query: Record<string, string | number | undefined> = {}): ISocket {
    const token = this._settings.appendToken ? this._settings.token : undefined;
    const address = URLExt.join(this._settings.wsUrl, 'jupyter-fpga', path);
    return new this._settings.WebSocket(address + queryText({ ...query, token: token === '' ? undefined : token }));
  }

  private async _ask(path: string, init: RequestInit): Promise<Response> {
    const address = URLExt.join(this._settings.baseUrl, 'jupyter-fpga', path);
    try {
      return await ServerConnection.makeRequest(address, init, this._settings);
    } catch {
      throw new Refusal('no_answer', 'The Jupyter server does not answer.');
    }
  }

  private readonly _settings: ServerConnection.ISettings;
}
