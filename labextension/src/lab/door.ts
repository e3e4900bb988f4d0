/** The way to the lab as the browser sees it: requests and WebSockets below `…/jupyter-fpga/`. */

/** The lab said no, or did not answer: its machine code, and its own sentence. */
export class Refusal extends Error {
  constructor(
    /** Such as `not_session_holder`; `no_answer` when nobody was there. */
    readonly code: string,
    message: string,
    /** The answer's HTTP status; 0 when there was none, or when it isn't known. */
    readonly status = 0
  ) {
    super(message);
    this.name = 'Refusal';
  }
}

/** What is used of a WebSocket; the kernel's relay has one that isn't the browser's. */
export interface ISocket {
  binaryType: BinaryType;
  readonly readyState: number;
  onopen: ((event: Event) => void) | null;
  onmessage: ((event: MessageEvent) => void) | null;
  onclose: ((event: CloseEvent) => void) | null;
  send(message: string | ArrayBuffer): void;
  close(): void;
}

/** A way to the lab. Panels go through JupyterLab's own connection, notebook widgets through their page's. */
export interface IDoor {
  /** How long whoever sends again and again waits between two messages at least, ms. */
  readonly pace: number;

  /**
   * Ask for something.
   *
   * @param method - of HTTP.
   * @param path - below the lab's base, such as `fpga/0/session`.
   * @param body - sent as JSON.
   * @returns the answer's JSON; `null` when it has none.
   * @throws Refusal
   */
  request<T>(method: string, path: string, body?: unknown): Promise<T>;

  /**
   * Open a WebSocket.
   *
   * @param path - below the lab's base, such as `events`.
   * @param query - such as `{ since: 12 }`; what is `undefined` is left out.
   */
  socket(path: string, query?: Record<string, string | number | undefined>): ISocket;
}

/** A way to the lab by HTTP itself, where an answer may come in pieces. */
export interface IStreamingDoor extends IDoor {
  /**
   * Ask for text that goes on as long as there is more of it, such as a log that is followed.
   *
   * @param path - below the lab's base, with its query.
   * @param accept - the kind of text.
   * @param signal - ends it.
   * @returns pieces as they come, which end anywhere.
   * @throws Refusal - also when the connection is lost in between.
   */
  pieces(path: string, accept: string, signal: AbortSignal): AsyncIterable<string>;
}

/** `?since=12&design=…`, or nothing. */
export function queryText(query: Record<string, string | number | undefined>): string {
  const known = Object.entries(query).filter(([, value]) => value !== undefined);
  const words = new URLSearchParams(known.map(([name, value]) => [name, String(value)]));
  return known.length > 0 ? `?${words.toString()}` : '';
}

/** What an answer says, as JSON or as the refusal that it is. */
export async function answerOf<T>(response: Response): Promise<T> {
  const text = await response.text();
  let said: unknown = null;
  try {
    said = text === '' ? null : JSON.parse(text);
  } catch {
    // A page of a proxy, or of a server without the lab's extension.
    throw new Refusal('no_lab', `What answered is not the lab (HTTP status ${response.status}).`, response.status);
  }
  if (!response.ok) {
    const envelope = (said ?? {}) as { error?: string; message?: string };
    const sentence = envelope.message ?? `The lab answered with HTTP status ${response.status}.`;
    throw new Refusal(envelope.error ?? 'refused', sentence, response.status);
  }
  return said as T;
}

/** Pieces of an answer's text as they come. */
export async function* piecesOf(response: Response): AsyncGenerator<string> {
  if (!response.ok || response.body === null) {
    await answerOf(response);
    return;
  }
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) {
        return;
      }
      yield value;
    }
  } catch {
    throw new Refusal('no_answer', 'The connection to the lab was lost.');
  } finally {
    // Whoever reads no further lets the connection go.
    reader.cancel().catch(() => undefined);
  }
}
