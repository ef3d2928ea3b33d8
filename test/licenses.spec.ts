import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { npm } from '../scripts/npm.js';
import { expect, test } from './fixtures.js';

const componentSchema = z.object({
  name: z.string(),
  version: z.string(),
  licenses: z
    .array(
      z.union([
        z.object({ license: z.object({ id: z.string() }) }).transform(({ license }) => license.id),
        z.object({ license: z.object({ name: z.string() }) }).transform(({ license }) => license.name),
        z.object({ expression: z.string() }).transform(({ expression }) => expression),
      ]),
    )
    .default([]),
});
const sbomSchema = z.object({ bomFormat: z.literal('CycloneDX'), components: z.array(componentSchema) });

/** Licenses that allow use in any product, with their text. */
const permissive = ['MIT', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD', 'Apache-2.0', 'BlueOak-1.0.0'];
/** What only development uses and the package does not contain. */
const development = [...permissive, 'MPL-2.0', 'CC-BY-4.0', '(MIT OR CC0-1.0)', '(BSD-3-Clause OR GPL-2.0)'];
/** Packages that name their license only in a file, which is the MIT license. */
const unnamed = ['memorystream'];

function sbom(...args: string[]): z.output<typeof componentSchema>[] {
  const text = npm('.', 'run', '--silent', 'sbom', '--', ...args);
  return sbomSchema.parse(JSON.parse(text)).components;
}

test('every dependency has a license that allows its use', () => {
  const all = sbom();
  expect(all.length).toBeGreaterThan(300);
  const refused = all.filter(
    ({ name, licenses }) => !unnamed.includes(name) && !licenses.some((each) => development.includes(each)),
  );
  expect(refused).toEqual([]);
});

test('what users get is permissive: the dependencies, and the packages in the bundle, with their license texts', async () => {
  const installed = sbom('--omit=dev');
  expect(installed.map(({ name }) => name)).toContain('playwright');
  expect(installed.filter(({ licenses }) => !licenses.some((each) => permissive.includes(each)))).toEqual([]);
  const text = await readFile('dist/THIRD_PARTY_LICENSES.txt', 'utf8');
  const bundled = text.split(`\n${'-'.repeat(80)}\n`).map((part) => part.trim());
  expect(bundled.length).toBeGreaterThan(20);
  for (const part of bundled) {
    const [, license = part] = /^\S+ \S+ \((.+)\)\n/.exec(part) ?? [];
    expect(permissive).toContain(license);
    expect(part, part).toMatch(/permission|redistribution|license/i);
  }
});
