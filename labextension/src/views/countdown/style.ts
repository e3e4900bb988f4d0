/** The countdown's style, by JupyterLab's own colours where there are some. */
export const STYLE = `
.fpga-countdown {
  display: flex; flex-wrap: wrap; gap: 4px 12px; align-items: baseline; color: var(--jp-ui-font-color1, #222);
  font: var(--jp-ui-font-size1, 13px) var(--jp-ui-font-family, system-ui, sans-serif);
  border-left: 3px solid var(--jp-brand-color1, #06c); padding: 2px 10px;
}
.fpga-countdown [role=timer] {
  font-family: var(--jp-code-font-family, monospace); font-weight: 600; font-variant-numeric: tabular-nums;
  min-width: 4em; text-align: right;
}
.fpga-countdown[data-is=short] { border-left-color: var(--jp-warn-color1, #b60); }
.fpga-countdown[data-is=short] [role=timer] { color: var(--jp-warn-color0, #a40); }
.fpga-countdown[data-is=over] { border-left-color: var(--jp-border-color1, #bbb); }
.fpga-countdown button {
  font: inherit; color: inherit; background: var(--jp-layout-color2, #eee); padding: 1px 8px; cursor: pointer;
  border: 1px solid var(--jp-border-color1, #bbb); border-radius: 2px;
}
.fpga-countdown :focus-visible { outline: 2px solid var(--jp-brand-color1, #06c); outline-offset: 1px; }
.fpga-countdown [role=status] { color: var(--jp-ui-font-color2, #666); }
`;
