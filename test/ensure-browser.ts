import { ensureBrowser } from './install-browser.js';

const { source } = await ensureBrowser((line) => process.stderr.write(`${line}\n`));
process.stderr.write(`Browser: ${source}\n`);
