/** The way to the lab from a notebook widget, which knows nothing of JupyterLab but the page that it is in. */

import { answerOf, queryText, Refusal, type IDoor, type ISocket } from './door';

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
export function pageDoor(): IDoor | null {
  const config = pageConfig();
  if (config?.baseUrl === undefined) {
    return null;
  }
  const base = new URL('jupyter-fpga/', new URL(config.baseUrl.replace(/\/?$/, '/'), location.href));
  return new PageDoor(base, config.token ?? '');
}

class PageDoor implements IDoor {
  readonly pace = 0;

  constructor(base: URL, token: string) {
    this._base = base;
    this._token = token;
  }

  async request<T>(method: string, path: string, body?: unknown): Promise<T> {
    // With a token, or with the cookie that the page came with and its proof that the page's own script asks.
    const headers: Record<string, string> = { 'Content-Type': 'application/json' };
    const proof = cookie('_xsrf');
    if (this._token !== '') {
      headers['Authorization'] = `token ${this._token}`;
    } else if (proof !== undefined) {
      headers['X-XSRFToken'] = proof;
    }
    let response: Response;
    try {
      response = await fetch(new URL(path, this._base), {
        method,
        headers,
        credentials: 'same-origin',
        ...(body === undefined ? {} : { body: JSON.stringify(body) })
      });
    } catch {
      throw new Refusal('no_answer', 'The Jupyter server does not answer.');
    }
    return answerOf<T>(response);
  }

  socket(path: string, query: Record<string, string | number | undefined> = {}): ISocket {
    const address = new URL(path, this._base);
    address.protocol = address.protocol === 'https:' ? 'wss:' : 'ws:';
    address.search = queryText({ ...query, token: this._token === '' ? undefined : this._token });
    return new WebSocket(address);
  }

  private readonly _base: URL;
  private readonly _token: string;
}
