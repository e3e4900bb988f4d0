import type { ITranslator } from '@jupyterlab/translation';
import { SidePanel } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { Message } from '@lumino/messaging';
import { AccordionPanel, Widget } from '@lumino/widgets';

import type { ILab } from '../lab/model';
import { freeBoards } from '../words';
import { BoardsSection } from './boards';
import { JobsSection } from './jobs';
import { SessionsSection } from './sessions';

/** The left sidebar: boards, one's sessions, one's jobs, and whether the lab is there at all. */
export class FpgaPanel extends SidePanel {
  constructor(lab: ILab, commands: CommandRegistry, translator: ITranslator) {
    super({ translator });
    this._lab = lab;
    this._translator = translator;
    const trans = translator.load('jupyter_fpga');
    this.addClass('jp-FpgaPanel');
    this._status.setAttribute('role', 'status');
    this._status.className = 'jp-FpgaPanel-status';
    const header = new Widget();
    header.node.append(this._status);
    this.header.addWidget(header);
    this._boards = new BoardsSection(lab, commands, trans);
    const sections: [string, string, Widget][] = [
      ['boards', trans.__('Boards'), this._boards],
      ['sessions', trans.__('My sessions'), new SessionsSection(lab, commands, trans)],
      ['jobs', trans.__('My jobs'), new JobsSection(lab, commands, trans)]
    ];
    for (const [name, label, section] of sections) {
      section.id = `jupyter-fpga-${name}-section`;
      section.title.label = label;
      this.addWidget(section);
    }
    if (this.content instanceof AccordionPanel) {
      this.content.titles.forEach((title, index) => {
        // They open and close their section, which the framework says of a heading only.
        title.setAttribute('role', 'button');
        title.setAttribute('aria-label', sections[index][1]);
      });
    }
    lab.connectionChanged.connect(this._tell, this);
    lab.boardsChanged.connect(this._tell, this);
    this._tell();
  }

  override dispose(): void {
    this._lab.connectionChanged.disconnect(this._tell, this);
    this._lab.boardsChanged.disconnect(this._tell, this);
    super.dispose();
  }

  /** Put the cursor into the list of boards. */
  focusBoards(): void {
    this._boards.focus();
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    if (!this._sized && this.content instanceof AccordionPanel) {
      // Not before there is a height to be shared.
      this._sized = true;
      this.content.setRelativeSizes([5, 2, 3]);
    }
  }

  private _tell(): void {
    const said = this._words();
    // Said again only when it is something else.
    if (this._status.textContent !== said) {
      this._status.textContent = said;
    }
    this.node.dataset.connection = this._lab.connection;
  }

  private _words(): string {
    const trans = this._translator.load('jupyter_fpga');
    const { boards, connection, trouble } = this._lab;
    if (trouble !== '') {
      return trouble;
    }
    if (connection === 'lost') {
      return trans.__('The lab does not answer. Trying again …');
    }
    if (connection === 'starting') {
      return trans.__('Looking for the lab …');
    }
    return freeBoards(trans, boards);
  }

  private readonly _lab: ILab;
  private readonly _translator: ITranslator;
  private readonly _status = document.createElement('p');
  private readonly _boards: BoardsSection;
  private _sized = false;
}
