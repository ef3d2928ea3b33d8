import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { parsePolicy } from '../config/load.js';
import { patchOf } from '../guard/difference.js';
import { sha256 } from '../model/text.js';
import { replaceFile } from '../state/files.js';
import { onPost, requireRole } from './access.js';
import { Refusal } from './failures.js';
import type { PageApp, PageOptions } from './options.js';
import type { PolicyChange, PolicyText } from './shapes.js';

const changeSchema = z.strictObject({ grant: z.string(), text: z.string(), hash: z.string() });

/**
 * Lets an operator change a policy that has a file of its own. A policy that is part of the configuration can't be
 * changed here.
 */
export function addPolicyFile(app: PageApp, options: PageOptions): void {
  let saved = Promise.resolve();

  app.get('/ui/api/policy/text/:grant', async (context) => {
    requireRole(context.get('login').person, 'operator');
    const file = fileOf(options, context.req.param('grant'));
    const text = await readText(options, file);
    return context.json({ text, hash: sha256(text) } satisfies PolicyText);
  });

  const diff = { needs: 'operator', body: changeSchema } as const;
  onPost({ app, options }, 'policy/diff', diff, async ({ body: { grant, text, hash } }) => {
    const file = fileOf(options, grant);
    await parsePolicy(file, text);
    const before = await readText(options, file, hash);
    return { diff: patchOf(path.relative(options.workspace, file), before, text) } satisfies PolicyChange;
  });

  onPost(
    { app, options },
    'policy/save',
    { needs: 'operator', action: 'edit policy', body: changeSchema },
    ({ body: { grant, text, hash }, note }) => {
      note({ policyOf: grant });
      const file = fileOf(options, grant);
      note({ file, before: hash, after: sha256(text) });
      // One after the other, so that the second of two people sees that the first has changed the file.
      const saving = saved.then(async () => {
        await parsePolicy(file, text);
        await readText(options, file, hash);
        await replaceFile(file, text);
        await options.refresh();
      });
      saved = saving.catch(() => undefined);
      return saving;
    },
  );
}

function fileOf({ grants, policyOf }: PageOptions, grant: string): string {
  const file = grants().includes(grant) ? policyOf(grant).file : undefined;
  if (file !== undefined) return file;
  throw new Refusal(
    404,
    `The policy of ${JSON.stringify(grant)} has no file of its own.`,
    'Set `policy` in the configuration to the path of a JSON or YAML file.',
  );
}

/** The text of the file as it is now. Throws if it is not the one with this hash. */
async function readText({ secrets }: PageOptions, file: string, hash?: string): Promise<string> {
  const text = await readFile(file, 'utf8');
  if (secrets.redact(text) !== text)
    throw new Refusal(400, 'The file contains the value of a secret.', 'Change it with an editor.');
  if (hash !== undefined && sha256(text) !== hash)
    throw new Refusal(400, 'The file has changed in the meantime.', 'Close the editor, and edit it again.');
  return text;
}
