import { logStack } from '../model/log.js';
import type { Secrets } from '../model/secrets.js';

/** Calls `stop` with an exit code when the process receives a signal to stop or has an uncaught exception. */
export function stopWithProcess(stop: (exitCode: number) => void): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => {
      stop(0);
    });
  // The pipe closes when the client exits, which is not an error.
  process.stderr.on('error', () => undefined);
  // An unhandled rejection belongs to one session and must not end the others.
  process.on('unhandledRejection', logStack);
  process.on('uncaughtException', (error) => {
    logStack(error);
    stop(1);
  });
}

/** Redacts secrets in everything that this process writes to stderr. */
export function redactLog(secrets: Secrets): void {
  const write: unknown = Reflect.get(process.stderr, 'write');
  if (typeof write !== 'function') return;
  const redacting = (target: typeof write, stream: unknown, [chunk, ...rest]: unknown[]): unknown =>
    Reflect.apply(target, stream, [typeof chunk === 'string' ? secrets.redact(chunk) : chunk, ...rest]);
  Reflect.set(process.stderr, 'write', new Proxy(write, { apply: redacting }));
}
