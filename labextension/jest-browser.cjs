// What JupyterLab's modules ask of a browser as they are loaded, and jsdom hasn't got.
globalThis.DragEvent ??= class DragEvent extends globalThis.MouseEvent {};
globalThis.matchMedia ??= () => ({ matches: false, addEventListener() {}, removeEventListener() {} });
