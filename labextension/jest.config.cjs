const swc = ['@swc/jest', { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' } }];
// JupyterLab's modules import one another in circles, which a browser's modules allow as long as nothing is used before
// it is there; as CommonJS, that takes `var`.
const circles = [
  '@swc/jest',
  { jsc: { parser: { syntax: 'ecmascript' } }, env: { targets: 'node 20', include: ['transform-block-scoping'] } }
];

module.exports = {
  testEnvironment: 'jsdom',
  setupFiles: ['<rootDir>/jest-browser.cjs'],
  testMatch: ['<rootDir>/src/**/*.test.ts'],
  transform: { '/node_modules/.+\\.m?js$': circles, '^.+\\.[jt]sx?$': swc },
  // JupyterLab and what it is made of come as ES modules, which Jest doesn't read as they are.
  transformIgnorePatterns: ['/node_modules/(?!(@jupyter|@jupyterlab|@lumino|@microsoft|exenv-es6|lib0|y-protocols|yjs)/)'],
  moduleNameMapper: { '\\.css$': '<rootDir>/jest-text.cjs', '\\.svg$': '<rootDir>/jest-picture.cjs' }
};
