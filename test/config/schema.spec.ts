import fc from 'fast-check';
import { configJsonSchema } from '../../src/config/json-schema.js';
import { validateDocument } from '../../src/config/problems.js';
import { configSchema } from '../../src/config/schema.js';
import { useSchema } from '../../src/model/use.js';
import { expect, test } from '../fixtures.js';

type Schema = ReturnType<typeof configJsonSchema>;

/** Every property in a schema, with the path to it. */
function properties(schema: Schema, parent = ''): { path: string; property: Schema }[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, property]) =>
    typeof property === 'boolean'
      ? []
      : [{ path: `${parent}${key}`, property }, ...properties(property, `${parent}${key}.`)],
  );
}

test('the JSON Schema describes every key and allows no other', () => {
  const schema = configJsonSchema();
  const all = properties(schema);
  expect(all.map(({ path }) => path)).toEqual(
    expect.arrayContaining([
      '$schema',
      'output.dir',
      'browser.use.viewport',
      'writes.limits',
      'policy',
      'state.dir',
    ]),
  );
  expect(all.filter(({ property }) => property.description === undefined)).toEqual([]);
  const objects = [
    schema,
    ...all.map(({ property }) => property).filter((each) => each.properties !== undefined),
  ];
  expect(objects.filter((each) => each.additionalProperties !== false)).toEqual([]);
});

test('the JSON Schema names the defaults that validation sets', () => {
  const { $schema, ...config } = configSchema.parse({});
  expect($schema).toBeUndefined();
  // The default of a section is that of its keys.
  const isSection = ({ properties = {} }: Schema): boolean => Object.keys(properties).length > 0;
  const defaults = properties(configJsonSchema()).filter(
    ({ property }) => property.default !== undefined && !isSection(property),
  );
  expect(defaults.length).toBeGreaterThan(15);
  for (const { path, property } of defaults)
    expect(config, path).toHaveProperty(path.split('.'), property.default);
});

test('whatever the document, it is accepted or its mistakes are named, each in one line', () => {
  const keys = fc.constantFrom(
    'output',
    'browser',
    'use',
    'writes',
    'limits',
    'policy',
    'tools',
    'state',
    'dir',
  );
  const { document } = fc.letrec<{ document: unknown }>((tie) => ({
    document: fc.oneof(
      { maxDepth: 5 },
      fc.jsonValue(),
      fc.dictionary(fc.oneof(keys, fc.string()), tie('document')),
    ),
  }));
  fc.assert(
    fc.property(document, (value) => {
      const checked = validateDocument(configSchema, value);
      if ('data' in checked) return;
      expect(checked.problems).not.toEqual([]);
      for (const problem of checked.problems) expect(problem).toMatch(/^[^\n]+: [^\n]+$/);
    }),
  );
});

test('use takes the keys of Playwright Test that a session can honour, and no others', () => {
  expect(Object.keys(useSchema.shape).sort()).toEqual(
    [
      'browserName headless viewport device locale timezoneId geolocation permissions colorScheme userAgent',
      'storageState baseURL extraHTTPHeaders httpCredentials ignoreHTTPSErrors testIdAttribute isMobile hasTouch deviceScaleFactor offline',
    ]
      .join(' ')
      .split(' ')
      .sort(),
  );
  const use = {
    browserName: 'chromium',
    viewport: null,
    geolocation: { latitude: 45.4, longitude: 12.3 },
    extraHTTPHeaders: { 'x-tenant': 'a' },
    httpCredentials: { username: 'ann', password: 'x' },
    baseURL: 'http://localhost:3000/app/',
  };
  expect(useSchema.parse(use)).toEqual(use);
  for (const wrong of [
    { viewport: { width: 0, height: 100 } },
    { geolocation: { latitude: 91, longitude: 0 } },
    { baseURL: 'file:///etc' },
    { storageState: { cookies: [], origins: [] } },
    { launchOptions: {} },
  ])
    expect(useSchema.safeParse(wrong).success, JSON.stringify(wrong)).toBe(false);
});
