/** The way to the lab from a notebook widget, which knows nothing of JupyterLab but the page that it is in. */

import { answerOf, piecesOf, queryText, Refusal, type ISocket, type IStreamingDoor } from './door';

/** What a Jupyter page says of itself, in an element that JupyterLab, Notebook and nbclassic's successors share. */
interface IPageConfig {
  baseUrl?: string;
  wsUrl?: string;
  token?: string;
}

function pageConfig(): IPageConfig | null {
  const text = document.getElementById('jupyter-config-data')?.textContent;
  return text ? (JSON.parse(text) as IPageConfig) : null;
}

function cookie(name: string): string | undefined {
  const found = document.cookie.split('; ').find(part => part.startsWith(`${name}=`));
  return found?.slice(name.length + 1);
}

/** The page's own way; `null` where the page is no Jupyter server's, as in an editor with notebooks of its own. */
export function pageDoor(): IStreamingDoor | null {
  const config = pageConfig();
  if (config?.baseUrl === undefined) {
    return null;
  }
  const base = new URL('jupyter-fpga/', new URL(config.baseUrl.replace(/\/?$/, '/'), location.href));
  return new PageDoor(base, config.token ?? '');
}

class PageDoor implements IStreamingDoor {
  readonly pace = 0;

  constructor(base: URL, token: string) {
    this._base = base;
    this._token = token;
  }

  async request<T>(method: string, path: string, body?: unknown): Promise<T> {
    return answerOf<T>(
      await this._ask(path, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
    );
  }

  async *pieces(path: string, accept: string, signal: AbortSignal): AsyncGenerator<string> {
    yield* piecesOf(await this._ask(path, { signal }, { Accept: accept }));
  }

  socket(path: string, query: Record<string, string | number | undefined> = {}): ISocket {
    const address = new URL(path, this._base);
    address.protocol = address.protocol === 'https:' ? 'wss:' : 'ws:';
    address.search = queryText({ ...query, token: this._token === '' ? undefined : this._token });
    return new WebSocket(address);
  }

  private async _ask(path: string, init: RequestInit, more: Record<string, string> = {}): Promise<Response> {
    // With a token, or with the cookie that the page came with and its proof that the page's own script asks.
    const headers: Record<string, string> = { 'Content-Type': 'application/json', ...more };
    const proof = cookie('_xsrf');
    if (this._token !== '') {
      headers['Authorization'] = `token ${this._token}`;
    } else if (proof !== undefined) {
      headers['X-XSRFToken'] = proof;
    }
    try {
      return await fetch(new URL(path, this._base), { ...init, headers, credentials: 'same-origin' });
    } catch {
      throw new Refusal('no_answer', 'The Jupyter server does not answer.');
    }
  }

  private readonly _base: URL;
  private readonly _token: string;
}
