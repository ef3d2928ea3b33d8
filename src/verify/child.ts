import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';

/**
 * The process that runs Playwright Test: `child.js <cli.js of Playwright Test> <its arguments>`. It ends when its stdin
 * does, so also when the server that holds the other end is killed.
 */
const watchdog = new Worker(new URL('../verify/watchdog.js', import.meta.url));
watchdog.unref();
watchdog.on('message', () => {
  // As Ctrl+C does, on every system: Playwright Test closes browsers and web servers and reports what it has.
  if (!process.emit('SIGINT', 'SIGINT')) process.exit(130);
});

process.argv.splice(1, 1);
await import(pathToFileURL(process.argv[1] ?? '').href);
