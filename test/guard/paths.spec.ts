import { mkdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { checkSpecPath } from '../../src/guard/paths.js';
import { expect, test } from '../fixtures.js';

const allowed = {
  'login.spec.ts': 'generated-tests/login.spec.ts',
  './login.spec.ts': 'generated-tests/login.spec.ts',
  'generated-tests/login.spec.ts': 'generated-tests/login.spec.ts',
  './generated-tests/./login.spec.ts': 'generated-tests/login.spec.ts',
  'shop/cart/add item.spec.ts': 'generated-tests/shop/cart/add item.spec.ts',
  'generated-tests/generated-tests/a.spec.ts': 'generated-tests/generated-tests/a.spec.ts',
  'Ünïcode-購入-🎉.spec.ts': 'generated-tests/Ünïcode-購入-🎉.spec.ts',
  'console.spec.ts': 'generated-tests/console.spec.ts',
  'a..b.spec.ts': 'generated-tests/a..b.spec.ts',
  [`${'a'.repeat(247)}.spec.ts`]: `generated-tests/${'a'.repeat(247)}.spec.ts`,
  'inner-link/a.spec.ts': 'generated-tests/inner-link/a.spec.ts',
};

const refused = [
  '',
  ' ',
  '.',
  '..',
  '../a.spec.ts',
  '../../etc/cron.d/a.spec.ts',
  'shop/../../a.spec.ts',
  'shop/../a.spec.ts',
  'generated-tests/../../a.spec.ts',
  'shop/..',
  '/etc/a.spec.ts',
  '//server/share/a.spec.ts',
  'C:/a.spec.ts',
  'c:a.spec.ts',
  'C:\\a.spec.ts',
  '\\\\server\\share\\a.spec.ts',
  '\\\\?\\C:\\a.spec.ts',
  '..\\a.spec.ts',
  'shop\\a.spec.ts',
  'file:///tmp/a.spec.ts',
  'a.spec.ts\0.png',
  'a\0.spec.ts',
  'a\n.spec.ts',
  'a\x7f.spec.ts',
  'a\u0085.spec.ts',
  'a\u2028.spec.ts',
  'a\u202est.ceps.spec.ts',
  'a\u200b.spec.ts',
  'a\u00ad.spec.ts',
  'a\u{e0041}.spec.ts',
  'a\u3164.spec.ts',
  'a\ufe0f.spec.ts',
  'a\u034f.spec.ts',
  'a\ud800.spec.ts',
  '.hidden.spec.ts',
  '.spec.ts',
  '.git/a.spec.ts',
  '.codegen/a.spec.ts',
  '.codegen/state/a.spec.ts',
  'generated-tests/.codegen/a.spec.ts',
  'shop/.git/hooks/a.spec.ts',
  'node_modules/a.spec.ts',
  'shop/Node_Modules/a.spec.ts',
  'CON.spec.ts',
  'con.spec.ts',
  'nul.spec.ts',
  'Aux /a.spec.ts',
  'aux/a.spec.ts',
  'PRN.spec.ts',
  'com1.spec.ts',
  'LPT9.spec.ts',
  'com¹.spec.ts',
  'CONIN$.spec.ts',
  'nul .spec.ts',
  'shop./a.spec.ts',
  'shop /a.spec.ts',
  '.../a.spec.ts',
  'a.spec.ts ',
  'a.spec.ts.',
  'a.spec.ts:stream',
  'a.spec.ts::$DATA',
  'a<b.spec.ts',
  'a>b.spec.ts',
  'a"b.spec.ts',
  'a|b.spec.ts',
  'a?.spec.ts',
  'a*.spec.ts',
  'shop//a.spec.ts',
  'a.spec.ts/',
  'shop/',
  'a.ts',
  'a.spec.js',
  'a.spec.tsx',
  'a.SPEC.TS',
  'package.json',
  `${'a'.repeat(248)}.spec.ts`,
  `${'é'.repeat(124)}.spec.ts`,
  `${'shop/'.repeat(200)}a.spec.ts`,
  'out-link/a.spec.ts',
  'out-link/new/a.spec.ts',
  'parent-link/a.spec.ts',
  'state-link/a.spec.ts',
  'git-link/a.spec.ts',
  'modules-link/a.spec.ts',
  'dangling/a.spec.ts',
  'loop/a.spec.ts',
  'file-link.spec.ts',
  'out-file-link.spec.ts',
  'dangling.spec.ts',
  'directory.spec.ts',
  'checkout.spec.ts',
  'existing.Spec.ts',
  'Existing.spec.ts',
  'SHOP/a.spec.ts',
];

async function workspace() {
  const root = test.info().outputPath('workspace');
  const outside = test.info().outputPath('outside');
  const output = path.join(root, 'generated-tests');
  for (const directory of [
    'generated-tests/directory.spec.ts',
    'generated-tests/shop',
    'src',
    '.git',
    '.codegen',
    'node_modules',
  ]) {
    await mkdir(path.join(root, directory), { recursive: true });
  }
  await mkdir(outside);
  for (const name of ['existing.spec.ts', 'Checkout.spec.ts']) await writeFile(path.join(output, name), '');
  await writeFile(path.join(outside, 'there.spec.ts'), '');
  for (const [name, target] of [
    ['inner-link', path.join(root, 'src')],
    ['out-link', outside],
    ['parent-link', path.join(root, '..')],
    ['state-link', path.join(root, '.codegen')],
    ['git-link', path.join(root, '.git')],
    ['modules-link', path.join(root, 'node_modules')],
    ['dangling', path.join(outside, 'nowhere')],
    ['loop', path.join(output, 'loop')],
    ['file-link.spec.ts', path.join(output, 'existing.spec.ts')],
    ['out-file-link.spec.ts', path.join(outside, 'there.spec.ts')],
    ['dangling.spec.ts', path.join(root, 'src', 'new.spec.ts')],
  ] as const) {
    await symlink(target, path.join(output, name));
  }
  return { workspace: root, stateDirectory: path.join(root, '.codegen') };
}

test('paths inside the output directory are resolved', async () => {
  const territory = await workspace();
  for (const [file, relative] of Object.entries(allowed)) {
    const directory = path.posix.dirname(relative).replace('generated-tests/inner-link', 'src').split('/');
    expect(await checkSpecPath(territory, 'generated-tests', 'typescript', file)).toEqual({
      relative,
      absolute: path.join(territory.workspace, relative),
      directory,
    });
  }
});

test('harmful paths are rejected, with a reason and a hint', async () => {
  const territory = await workspace();
  const passed: string[] = [];
  for (const file of refused) {
    const outcome: unknown = await checkSpecPath(territory, 'generated-tests', 'typescript', file).catch(
      (error: unknown) => error,
    );
    if (!(outcome instanceof Error && 'code' in outcome && outcome.code === 'PATH_NOT_ALLOWED'))
      passed.push(file);
    else
      expect(outcome).toMatchObject({
        message: expect.stringMatching(/^The path ".*\.$/),
        hint: expect.any(String),
      });
  }
  expect(passed).toEqual([]);
});

test('a name that exists in the same case is allowed', async () => {
  const territory = await workspace();
  const { relative } = await checkSpecPath(territory, 'generated-tests', 'typescript', 'existing.spec.ts');
  expect(relative).toBe('generated-tests/existing.spec.ts');
});

test('the extension follows the language', async () => {
  const territory = await workspace();
  const { relative } = await checkSpecPath(territory, 'generated-tests', 'javascript', 'a.spec.js');
  expect(relative).toBe('generated-tests/a.spec.js');
  await expect(checkSpecPath(territory, 'generated-tests', 'javascript', 'a.spec.ts')).rejects.toThrow(
    '.spec.js',
  );
});

test('the output directory follows the same rules', async () => {
  const territory = await workspace();
  const check = (directory: string) => checkSpecPath(territory, directory, 'typescript', 'a.spec.ts');
  expect((await check('e2e/shop/')).relative).toBe('e2e/shop/a.spec.ts');
  expect((await check('.')).relative).toBe('a.spec.ts');
  for (const directory of [
    '..',
    '/tmp',
    '.codegen',
    'node_modules/x',
    'generated-tests/out-link',
    'C:\\x',
    '',
    'SRC',
  ]) {
    await expect(check(directory), directory).rejects.toMatchObject({ code: 'PATH_NOT_ALLOWED' });
  }
});

test('output never goes into a state directory that is not hidden', async () => {
  const { workspace: root } = await workspace();
  const territory = { workspace: root, stateDirectory: path.join(root, 'src') };
  for (const file of ['src/a.spec.ts', 'generated-tests/inner-link/a.spec.ts']) {
    await expect(checkSpecPath(territory, '.', 'typescript', file)).rejects.toThrow(
      'is in the state directory',
    );
  }
});
