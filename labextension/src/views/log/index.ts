export { LogView, type ILogOptions } from './view';
