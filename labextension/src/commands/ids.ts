/** Commands of the lab, for menus, palettes, shortcuts and other extensions. */
export const CommandIDs = {
  /** Show the list of boards, sessions and jobs. */
  openBoards: 'jupyter-fpga:open-boards',
  openDashboard: 'jupyter-fpga:open-dashboard',
  /** `{fpga_id}`: use it in the notebook's current cell, or in a new one. */
  pick: 'jupyter-fpga:pick-board',
  /** `{fpga_id}`, or the only board that one holds, or the one that is chosen in a dialog. */
  release: 'jupyter-fpga:release-board',
  renew: 'jupyter-fpga:renew-session',
  reset: 'jupyter-fpga:reset-board',
  /** `{fpga_id}`, for operators: end somebody else's session on it; take it out of service; return it to service. */
  takeBack: 'jupyter-fpga:take-board-back',
  quarantine: 'jupyter-fpga:quarantine-board',
  clear: 'jupyter-fpga:return-board-to-service',
  /** `{job_id}`, or the newest. */
  showLog: 'jupyter-fpga:show-log',
  cancelJob: 'jupyter-fpga:cancel-job',
  /** `{fpga_id?}`: a notebook with a first design, for that board. */
  newNotebook: 'jupyter-fpga:new-notebook'
} as const;
