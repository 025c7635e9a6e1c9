/**
 * The daemon: composition root, configuration, API server and life cycle. The only folder that knows every other one,
 * and the only one with a container (`container.ts`, `modules/`, `tokens.ts`).
 */
export { importStore } from './import-store.ts';
export { runDaemon } from './run-daemon.ts';
