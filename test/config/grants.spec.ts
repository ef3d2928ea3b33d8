import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { settingsOf } from '../../src/config/grants.js';
import { loadConfig, type LoadedConfig } from '../../src/config/load.js';
import { Tokens } from '../../src/config/tokens.js';
import { expect, test } from '../fixtures.js';

const one = { name: 'one', tokenEnv: 'ONE' };
const other = { name: 'other', tokenEnv: 'OTHER' };

async function load(config: object, files: Record<string, object> = {}): Promise<LoadedConfig> {
  const workspace = test.info().outputPath('workspace');
  await mkdir(workspace, { recursive: true });
  for (const [name, content] of Object.entries({ ...files, 'codegen.config.json': config }))
    await writeFile(path.join(workspace, name), JSON.stringify(content));
  return loadConfig({ workspace });
}

test('conflicting grants are rejected with key, value and reason', async () => {
  const cases: [config: object, message: string][] = [
    [{ grants: [{ ...one, name: 'a\r\nb' }] }, 'grants.0.name is "a\\r\\nb": expected up to 64 letters'],
    [{ grants: [{ ...one, name: '../up' }] }, 'grants.0.name is "../up": expected'],
    [{ grants: [one, { ...other, name: 'one' }] }, 'grants.1.name is "one": another grant has this name'],
    [{ grants: [one, { ...other, tokenEnv: 'ONE' }] }, 'grants.1.tokenEnv is "ONE": another grant'],
    [{ grants: [{ name: 'one' }] }, 'grants.0.tokenEnv: expected either tokenEnv or tokenFile'],
    [{ grants: [{ ...one, tokenFile: '/t' }] }, 'grants.0.tokenEnv is "ONE": expected either'],
    [{ grants: [{ name: 'one', tokenFile: 't' }] }, 'grants.0.tokenFile is "t": expected an absolute'],
    [{ grants: [one], secrets: ['ONE'] }, 'grants.0.tokenEnv is "ONE": it is listed in `secrets`'],
    [{ grants: [{ ...one, token: 'x' }] }, 'grants.0.token is "x": unknown key'],
    [
      {
        grants: [
          { ...one, output: { dir: 'tests/./a' } },
          { ...other, output: { dir: 'tests' } },
        ],
      },
      'grants.1.output is {"dir":"tests"}: its directory tests and that of the grant "one" must be the same or separate',
    ],
    [
      { grants: [one, { ...other, output: { dir: 'generated-tests/other' } }] },
      'grants.1.output is {"dir":"generated-tests/other"}: its directory',
    ],
    [
      { http: { allowedHosts: ['https://a.example'] } },
      'http.allowedHosts.0 is "https://a.example": expected a host',
    ],
    [{ http: { allowedOrigins: ['a.example'] } }, 'http.allowedOrigins.0 is "a.example": expected an origin'],
  ];
  for (const [config, message] of cases)
    await expect(load(config), message).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(message),
    });
});

test('a grant has its own settings, the general ones otherwise, and a share of the sessions', async () => {
  const deny = { version: '1', default: 'deny' };
  const limits = [{ counter: 'writes', window: 'day', max: 1, scope: 'server' }];
  const loaded = await load(
    {
      output: { dir: 'general', language: 'javascript' },
      grants: [{ ...one, policy: 'one.json', limits, output: { dir: 'own' }, maxSessions: 2 }, other],
    },
    { 'one.json': deny },
  );
  expect(settingsOf(loaded, 'one', true)).toMatchObject({
    policy: { default: 'deny' },
    config: { output: { dir: 'own', language: 'javascript' }, writes: { limits } },
    maxSessions: 2,
    others: { directories: ['general', 'playwright/.auth/other'] },
  });
  expect(settingsOf(loaded, 'other', true)).toMatchObject({
    policy: { default: 'allow' },
    config: { output: { dir: 'general' } },
    maxSessions: 4,
    others: { directories: ['own', 'playwright/.auth/one'] },
  });
  expect(settingsOf(loaded, 'gone', true).policy).toMatchObject({ default: 'deny', hide: ['*'] });
  expect(settingsOf(loaded, 'local', false)).toMatchObject({ policy: loaded.policy, others: undefined });
});

test('tokens are removed from the environment, and invalid ones are rejected', () => {
  const token = 'a'.repeat(32);
  const environment: NodeJS.ProcessEnv = { ONE: token, PATH: '/bin' };
  const tokens = new Tokens(environment, test.info().outputPath('workspace'));
  expect(tokens.areNeeded).toBe(false);
  tokens.accept([one]);
  expect(environment).toEqual({ PATH: '/bin' });
  expect(tokens.grantOf(token)).toBe('one');
  for (const wrong of ['', token.slice(1), `${token}a`, token.toUpperCase()])
    expect(tokens.grantOf(wrong)).toBeUndefined();

  const refused: [value: string | undefined, message: string][] = [
    [undefined, 'is not set'],
    ['', 'is empty'],
    [`${token}\n`, 'contains characters other than'],
    [token, 'the same token'],
  ];
  for (const [value, message] of refused) {
    if (value !== undefined) environment['OTHER'] = value;
    expect(() => {
      tokens.accept([one, other]);
    }).toThrow(`grants.1.tokenEnv is "OTHER": `);
    expect(() => {
      tokens.accept([one, other]);
    }).toThrow(message);
  }
  expect(tokens.grantOf(token)).toBe('one');
  environment['OTHER'] = 'b'.repeat(32);
  tokens.accept([other]);
  expect([tokens.grantOf(token), tokens.grantOf('b'.repeat(32))]).toEqual([undefined, 'other']);
  tokens.accept([]);
  expect(tokens.areNeeded).toBe(true);
});

test('a token can come from a file outside the workspace', async () => {
  const workspace = test.info().outputPath('workspace');
  const [outside, inside] = [test.info().outputPath('token'), path.join(workspace, 'token')];
  await mkdir(workspace, { recursive: true });
  for (const file of [outside, inside]) await writeFile(file, `${'f'.repeat(32)}\n`, { mode: 0o600 });
  const tokens = new Tokens({}, workspace);
  tokens.accept([{ name: 'one', tokenFile: outside }]);
  expect(tokens.grantOf('f'.repeat(32))).toBe('one');
  for (const [tokenFile, message] of [
    [inside, 'the file must be outside the workspace'],
    [`${outside}-none`, "the file can't be read"],
  ] as const)
    expect(() => {
      tokens.accept([{ name: 'one', tokenFile }]);
    }).toThrow(message);
  await writeFile(outside, 'g'.repeat(32));
  tokens.accept([{ name: 'one', tokenFile: outside }]);
  expect(tokens.grantOf('f'.repeat(32))).toBeUndefined();
});
