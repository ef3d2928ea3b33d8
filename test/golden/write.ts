// Writes the texts that the sessions emit now: `npx tsx test/golden/write.ts`, after a deliberate change of them.
import { writeFile } from 'node:fs/promises';
import { emitGroup } from './emit.js';
import { expectedFile, groupNames, readGroup } from './groups.js';

for (const name of groupNames) await writeFile(expectedFile(name), await emitGroup(await readGroup(name)));
