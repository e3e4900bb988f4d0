module.exports = {
  testEnvironment: 'jsdom',
  setupFiles: ['<rootDir>/jest-setup.cjs'],
  testMatch: ['<rootDir>/src/**/*.test.ts'],
  transform: { '^.+\\.[jt]sx?$': ['@swc/jest', { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' } }] },
  // JupyterLab and what it is made of come as ES modules, which Jest doesn't read as they are.
  transformIgnorePatterns: ['/node_modules/(?!(@jupyter|@jupyterlab|@lumino|@microsoft|lib0|y-protocols|yjs)/)'],
  moduleNameMapper: { '\\.(css|svg)$': '<rootDir>/jest-text.cjs' }
};
