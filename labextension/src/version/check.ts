import type { TranslationBundle } from '@jupyterlab/translation';

import type { ILab } from '../lab/model';
import { compareVersions } from './compare';

/** Compares the page's version with the lab's whenever the lab is there anew, and says once when they differ. */
export class VersionCheck {
  /**
   * @param version - the page's.
   * @param tell - says a sentence to the person.
   */
  constructor(
    private readonly lab: ILab,
    private readonly version: string,
    private readonly trans: TranslationBundle,
    private readonly tell: (sentence: string) => void
  ) {
    lab.connectionChanged.connect(() => {
      if (lab.connection === 'live') {
        void this.check();
      }
    });
    if (lab.connection === 'live') {
      void this.check();
    }
  }

  /** Ask the lab, and compare. */
  async check(): Promise<void> {
    let version: string;
    try {
      ({ version } = await this.lab.door.request<{ version: string }>('GET', 'version'));
    } catch {
      // It went away again; the next connection asks anew.
      return;
    }
    const difference = compareVersions(this.version, version);
    if (difference === 'same' || version === this._told) {
      return;
    }
    this._told = version;
    const { trans } = this;
    const facts =
      difference === 'page older'
        ? trans.__('This page has version %1 of the FPGA lab, and the lab has %2.', this.version, version)
        : trans.__('This page has version %1 of the FPGA lab, and the lab still has %2.', this.version, version);
    const advice =
      difference === 'page older'
        ? trans.__('Reload the page; if that does not help, upgrade jupyter-fpga where JupyterLab is installed.')
        : trans.__('Restart the server that hosts the lab, or ask whoever runs it to upgrade it.');
    this.tell(`${facts} ${advice}`);
  }

  private _told = '';
}
