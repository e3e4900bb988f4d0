/** The register panel's style, by JupyterLab's own colours where there are some. */
export const STYLE = `
.fpga-registers {
  color: var(--jp-ui-font-color1, #222);
  font: var(--jp-ui-font-size1, 13px) var(--jp-ui-font-family, sans-serif);
  max-width: 100%; overflow-x: auto;
}
.fpga-registers header { display: flex; gap: 8px; align-items: baseline; margin-bottom: 4px; }
.fpga-registers header::before { content: '●'; color: var(--jp-warn-color1, #b60); }
.fpga-registers[data-standing=live] header::before { color: var(--jp-success-color1, #283); }
.fpga-registers[data-standing=over] header::before { color: var(--jp-error-color1, #c22); }
.fpga-registers table { border-collapse: collapse; }
.fpga-registers th { text-align: left; font-weight: 600; padding: 2px 14px 2px 0; color: var(--jp-ui-font-color2, #666); }
.fpga-registers td { padding: 2px 14px 2px 0; vertical-align: middle; text-align: left; }
.fpga-registers tbody tr { border-top: 1px solid var(--jp-border-color2, #ddd); }
.fpga-registers tbody tr.fpga-field { border-top: none; }
.fpga-registers tr.fpga-field th { font-weight: 400; padding-left: 18px; }
.fpga-registers tbody th { color: inherit; font-family: var(--jp-code-font-family, monospace); }
.fpga-registers .fpga-value { font-family: var(--jp-code-font-family, monospace); white-space: nowrap; min-width: 5em; }
.fpga-registers .fpga-doc { color: var(--jp-ui-font-color2, #666); max-width: 32em; }
.fpga-registers input[type=range] { width: 180px; vertical-align: middle; accent-color: var(--jp-brand-color1, #06c); }
.fpga-registers input[type=checkbox] { accent-color: var(--jp-brand-color1, #06c); }
.fpga-registers input[type=text] {
  width: 9em; font-family: var(--jp-code-font-family, monospace); color: inherit; padding: 1px 4px;
  background: var(--jp-layout-color1, #fff); border: 1px solid var(--jp-border-color1, #bbb);
}
.fpga-registers select, .fpga-registers button {
  color: inherit; background: var(--jp-layout-color2, #eee); border: 1px solid var(--jp-border-color1, #bbb);
  border-radius: 2px; padding: 1px 6px; font: inherit;
}
.fpga-registers :focus-visible { outline: 2px solid var(--jp-brand-color1, #06c); outline-offset: 1px; }
.fpga-registers .fpga-trouble { color: var(--jp-error-color1, #c22); }
.fpga-registers :disabled { opacity: 0.5; }
`;
