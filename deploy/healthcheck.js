// Exits with 0 if the server of this container responds. Over stdio there is nothing to ask.
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import process from 'node:process';

/** Process 1 is the server, or what starts it with the same arguments. */
const args = readFileSync(process.argv[2] ?? '/proc/1/cmdline', 'utf8').split('\0');
const port = args[args.indexOf('--port') + 1];
if (!args.includes('--port')) process.exit(0);
for (const { get } of [http, https]) {
  const status = await new Promise((resolve) => {
    const options = { port, path: '/healthz', timeout: 2000, rejectUnauthorized: false };
    get(options, (response) => resolve(response.statusCode)).on('error', () => resolve(undefined));
  });
  if (status === 200) process.exit(0);
}
process.exit(1);
