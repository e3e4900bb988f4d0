/** The bench's style, by JupyterLab's own colours where there are some. */
export const STYLE = `
.fpga-bench {
  color: var(--jp-ui-font-color1, #222); font: var(--jp-ui-font-size1, 13px) var(--jp-ui-font-family, sans-serif);
  display: inline-block; min-width: 320px; max-width: 100%; box-sizing: border-box; padding: 8px 12px;
  border: 1px solid var(--jp-border-color2, #ddd); border-radius: 4px; background: var(--jp-layout-color1, #fff);
}
.fpga-bench header { display: flex; gap: 8px; align-items: baseline; margin-bottom: 6px; }
.fpga-bench header::before { content: '●'; color: var(--jp-warn-color1, #b60); }
.fpga-bench[data-standing=live] header::before { color: var(--jp-success-color1, #283); }
.fpga-bench[data-standing=over] header::before { color: var(--jp-error-color1, #c22); }
.fpga-bench [role=status] { color: var(--jp-ui-font-color2, #666); }
/* As wide as its longest, so that the bench keeps its size while the speed changes. */
.fpga-bench .fpga-speed { min-width: 12em; font-variant-numeric: tabular-nums; }
.fpga-bench .fpga-row { display: flex; gap: 10px; align-items: center; margin: 6px 0; flex-wrap: wrap; }
.fpga-bench .fpga-row > .fpga-name { min-width: 5em; color: var(--jp-ui-font-color2, #666); }
.fpga-bench .fpga-led { display: inline-flex; flex-direction: column; align-items: center; font-size: 10px; }
.fpga-bench .fpga-led i {
  --lit: 0; width: 18px; height: 18px; border-radius: 50%; border: 1px solid var(--jp-border-color0, #999);
  background: color-mix(in srgb, #ff3b30 calc(var(--lit) * 100%), var(--jp-layout-color3, #ccc));
  box-shadow: 0 0 calc(var(--lit) * 12px) color-mix(in srgb, #ff3b30 calc(var(--lit) * 90%), transparent);
}
.fpga-bench button {
  color: inherit; font: inherit; min-width: 34px; height: 28px; border-radius: 4px; touch-action: none;
  background: var(--jp-layout-color2, #eee); border: 1px solid var(--jp-border-color1, #bbb);
}
.fpga-bench button[aria-pressed=true] { background: var(--jp-brand-color1, #06c); color: var(--jp-ui-inverse-font-color0, #fff); }
.fpga-bench .fpga-switch { display: inline-flex; flex-direction: column; align-items: center; font-size: 10px; }
.fpga-bench .fpga-switch input { width: 18px; height: 18px; margin: 0; accent-color: var(--jp-brand-color1, #06c); }
.fpga-bench pre {
  margin: 0; height: 9em; overflow: auto; padding: 4px 6px; font-family: var(--jp-code-font-family, monospace);
  font-size: var(--jp-code-font-size, 12px); white-space: pre-wrap; overflow-wrap: anywhere;
  background: var(--jp-layout-color2, #f5f5f5); border: 1px solid var(--jp-border-color2, #ddd); color: inherit;
}
.fpga-bench input[type=text] {
  width: 100%; box-sizing: border-box; color: inherit; font-family: var(--jp-code-font-family, monospace);
  background: var(--jp-layout-color1, #fff); border: 1px solid var(--jp-border-color1, #bbb); padding: 3px 6px;
}
.fpga-bench :focus-visible { outline: 2px solid var(--jp-brand-color1, #06c); outline-offset: 1px; }
.fpga-bench :disabled { opacity: 0.5; }
`;
