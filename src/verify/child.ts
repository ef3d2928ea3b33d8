import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';

/**
 * The process that runs Playwright Test: `child.js <Playwright Test's cli.js> <arguments>`. It exits when its stdin
 * closes, so also when the server is killed.
 */
const watchdog = new Worker(new URL('../verify/watchdog.js', import.meta.url));
watchdog.unref();
watchdog.on('message', () => {
  // Like Ctrl+C, on every system: Playwright Test closes browsers and web servers and writes its report.
  if (!process.emit('SIGINT', 'SIGINT')) process.exit(130);
});

process.argv.splice(1, 1);
await import(pathToFileURL(process.argv[1] ?? '').href);
