import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@playwright/test';
import { outdatedPages } from '../docs/generate.js';
import { policySchema } from '../src/model/policy.js';
import { inspect } from '../src/guard/header.js';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** The blocks of one language in a page. */
async function blocks(page: string, language: string): Promise<string[]> {
  const text = (await readFile(path.join(root, page), 'utf8')).replaceAll('\r\n', '\n');
  return [...text.matchAll(/^```(\w+)\n([^]*?)^```$/gm)].flatMap(([, name, code = '']) =>
    name === language ? [code] : [],
  );
}

test('the references say what the schemas say; `npm run docs` brings them up to date', async () => {
  expect(await outdatedPages(false)).toEqual([]);
});

test('the test in the README is as it was emitted', async () => {
  const emitted = await blocks('README.md', 'ts');
  expect(emitted.map((code) => inspect('generated-tests/adds-a-task.spec.ts', code))).toEqual(['untouched']);
});

test('the policy in the guard page loads', async () => {
  const documents = await blocks('docs/guard.md', 'json');
  expect(documents).toHaveLength(1);
  for (const document of documents)
    expect(policySchema.safeParse(JSON.parse(document))).toMatchObject({ success: true });
});
