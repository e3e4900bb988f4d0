import type { JupyterFrontEnd } from '@jupyterlab/application';
import {
  ABCWidgetFactory,
  DocumentWidget,
  TextModelFactory,
  type DocumentRegistry
} from '@jupyterlab/docregistry';
import { ServerConnection, type Contents } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import { PromiseDelegate } from '@lumino/coreutils';
import { Widget } from '@lumino/widgets';

import { WaveformView } from '../views/waveform/view';
import { readVcd } from './reading';

/**
 * A model without contents: JupyterLab would load the whole file as one text that can be edited together, and a VCD file
 * may have hundreds of megabytes. The view reads it itself.
 */
export class VcdModelFactory extends TextModelFactory {
  override get name(): string {
    return 'vcd';
  }

  override get fileFormat(): Contents.FileFormat {
    return null;
  }
}

/** The waveform of one file, or how far it is read, or why it can't be. */
export class VcdContent extends Widget {
  constructor(
    private readonly _context: DocumentRegistry.Context,
    private readonly _services: JupyterFrontEnd['serviceManager'],
    private readonly _trans: TranslationBundle
  ) {
    super();
    this.addClass('jp-FpgaVcd');
    this._view = new WaveformView({ trans: _trans });
    this._words.className = 'jp-FpgaVcd-words';
    this._words.setAttribute('role', 'status');
    this.node.append(this._words);
    void _context.ready.then(() => {
      this._read();
      // “Reload from disk”, or another program wrote it.
      _context.fileChanged.connect(() => {
        this._read();
      });
    });
  }

  /** It is read for the first time, or can't be. */
  get ready(): Promise<void> {
    return this._ready.promise;
  }

  override dispose(): void {
    this._reading?.abort();
    this._view.dispose();
    super.dispose();
  }

  private _read(): void {
    if (this.isDisposed) {
      return;
    }
    this._reading?.abort();
    const reading = new AbortController();
    this._reading = reading;
    void this._show(reading.signal)
      .catch((error: unknown) => {
        if (!reading.signal.aborted) {
          this._view.node.remove();
          this._say(error instanceof Error ? error.message : String(error));
        }
      })
      .finally(() => {
        this._ready.resolve();
      });
  }

  private async _show(signal: AbortSignal): Promise<void> {
    this._say(this._trans.__('Reading …'));
    const { serverSettings, contents } = this._services;
    const address = await contents.getDownloadUrl(this._context.path);
    const response = await ServerConnection.makeRequest(address, { signal, cache: 'no-store' }, serverSettings);
    if (!response.ok || response.body === null) {
      throw new Error(this._trans.__('The file cannot be read: the server answered with status %1.', response.status));
    }
    const size = Number(response.headers.get('Content-Length') ?? this._context.contentsModel?.size ?? 0);
    const { waveform, notes } = await readVcd(
      response.body,
      this._trans,
      bytes => {
        this._say(
          size > 0
            ? this._trans.__('Reading: %1 %', Math.min(Math.round((100 * bytes) / size), 100))
            : this._trans.__('Reading: %1 MB', Math.round(bytes / 1e6))
        );
      },
      signal
    );
    signal.throwIfAborted();
    this._say(notes.join(' '));
    this.node.append(this._view.node);
    this._view.show(waveform);
  }

  private _say(sentence: string): void {
    this._words.textContent = sentence;
    this._words.hidden = sentence === '';
  }

  private readonly _view: WaveformView;
  private readonly _words = document.createElement('p');
  private readonly _ready = new PromiseDelegate<void>();
  private _reading: AbortController | null = null;
}

/** Opens VCD files. */
export class VcdFactory extends ABCWidgetFactory<DocumentWidget<VcdContent>> {
  constructor(
    options: DocumentRegistry.IWidgetFactoryOptions<DocumentWidget<VcdContent>>,
    private readonly _services: JupyterFrontEnd['serviceManager'],
    private readonly _trans: TranslationBundle
  ) {
    super(options);
  }

  protected override createNewWidget(context: DocumentRegistry.Context): DocumentWidget<VcdContent> {
    const content = new VcdContent(context, this._services, this._trans);
    return new DocumentWidget({ content, context, reveal: content.ready });
  }
}
