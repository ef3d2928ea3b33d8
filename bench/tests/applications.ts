import { execFile } from 'node:child_process';
import { access, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { messageOf } from '../../src/model/errors.js';
import { startPetstore } from '../../test/fixtures/petstore.js';
import { serve, type Site } from '../../test/fixtures/serve.js';
import { results, runPlaywright } from './playwright.js';

/** A page to record a test on. */
export interface Page {
  /** The package that contains it. */
  source: string;
  /** Unique, and valid as a file name. */
  name: string;
  baseURL: string;
  /** Path under `baseURL`. */
  url: string;
}

/** Folders and files to serve, by URL path. */
type Mounts = { [prefix: string]: string };

/** A package with pages to measure on. */
interface Source {
  name: string;
  /** Number of pages to measure, selected evenly in alphabetical order. */
  sample: number;
  fetch(cache: string): Promise<{ mounts: Mounts; pages: string[] }>;
}

export interface Applications {
  pages: Page[];
  close(): Promise<void>;
}

const execute = promisify(execFile);
/** Fixed, so that the emitted tests can be run again. */
const [port, petstorePort] = [8653, 8654];

const npmPackages = {
  uikit: '3.25.29',
  dijit: '1.17.3',
  jsoneditor: '10.4.3',
  'simple-datatables': '10.3.0',
  'accessible-autocomplete': '3.0.1',
  awesomplete: '1.1.7',
  tiddlywiki: '5.4.1',
};
const debianPackages = [
  'libjs-jquery-ui-docs',
  'libjs-jquery-ui',
  'libjs-jquery',
  'libjs-requirejs',
  'node-nouislider-doc',
  'libjs-nouislider',
];

const sources: Source[] = [
  {
    name: 'jquery-ui',
    sample: 20,
    async fetch(cache) {
      const root = await debian(cache);
      const examples = path.join(root, 'usr/share/doc/libjs-jquery-ui-docs/examples');
      return {
        mounts: {
          '/jquery-ui/': examples,
          '/usr/share/': path.join(root, 'usr/share'),
          '/usr/share/nodejs/require.js': path.join(root, 'usr/share/javascript/requirejs/require.js'),
        },
        // Skips fragments that the examples load, purely visual effects, and pages with remote maps and videos.
        pages: (await list('/jquery-ui/', examples)).filter((page) => !/ajax|effect|maps|video/.test(page)),
      };
    },
  },
  {
    name: 'nouislider',
    sample: 4,
    async fetch(cache) {
      const root = path.join(await debian(cache), 'usr/share');
      return {
        mounts: {
          '/nouislider/': path.join(root, 'doc/node-nouislider'),
          '/nouislider/dist/': path.join(root, 'javascript/nouislider'),
        },
        pages: await list('/nouislider/', path.join(root, 'doc/node-nouislider'), /\w\/index\.html$/),
      };
    },
  },
  {
    name: 'dijit',
    sample: 14,
    async fetch(cache) {
      const root = await npm(cache);
      const pages = await list('/dojo/dijit/tests/', path.join(root, 'dijit/tests'), /\/test_\w+\.html$/);
      return { mounts: { '/dojo/': root }, pages: pages.filter((page) => !/\/robot\/|_Bidi/.test(page)) };
    },
  },
  {
    name: 'uikit',
    sample: 18,
    async fetch(cache) {
      const root = path.join(await npm(cache), 'uikit');
      // The package lacks a script that the pages load. This replaces it, without the theme selector.
      const load = [
        `<link rel="stylesheet" href="../dist/css/uikit.css">`,
        `<script src="../dist/js/uikit.js"></script><script src="../dist/js/uikit-icons.js"></script>`,
      ].join('');
      const script = `document.writeln(${JSON.stringify(load).replaceAll('</', '<\\/')});\n`;
      await writeFile(path.join(root, 'tests/js/test.js'), script);
      return {
        mounts: { '/uikit/': root },
        pages: (await list('/uikit/tests/', path.join(root, 'tests'))).filter(
          (page) => !page.endsWith('/index.html'),
        ),
      };
    },
  },
  {
    name: 'simple-datatables',
    sample: 8,
    async fetch(cache) {
      const root = path.join(await npm(cache), 'simple-datatables');
      const demos = path.join(root, 'docs/demos');
      return {
        mounts: {
          '/simple-datatables/': demos,
          // The demos expect their build output here.
          '/simple-datatables/dist/': path.join(root, 'dist'),
          '/simple-datatables/dist/css/': path.join(root, 'dist'),
          '/simple-datatables/dist/umd.js': path.join(root, 'dist/umd/simple-datatables.js'),
        },
        pages: (await list('/simple-datatables/', demos, /\/\d[^/]*\/index\.html$/)).filter(
          (page) => !/cdn|1000/.test(page),
        ),
      };
    },
  },
  {
    name: 'jsoneditor',
    sample: 6,
    async fetch(cache) {
      const root = path.join(await npm(cache), 'jsoneditor');
      const pages = await list(
        '/jsoneditor/examples/',
        path.join(root, 'examples'),
        /examples\/\d\d_\w+\.html$/,
      );
      return { mounts: { '/jsoneditor/': root }, pages };
    },
  },
  {
    name: 'autocompletes',
    sample: 4,
    async fetch(cache) {
      const root = await npm(cache);
      const examples = path.join(root, 'accessible-autocomplete/examples');
      return {
        mounts: {
          '/accessible-autocomplete/': path.join(root, 'accessible-autocomplete'),
          '/awesomplete/': path.join(root, 'awesomplete'),
        },
        pages: [
          '/awesomplete/index.html',
          ...(await list('/accessible-autocomplete/examples/', examples, /examples\/[^/]+\.html$/)).filter(
            (page) => !page.includes('ajax'),
          ),
        ],
      };
    },
  },
  {
    name: 'tiddlywiki',
    sample: 1,
    async fetch(cache) {
      const root = path.join(await npm(cache), 'tiddlywiki');
      const output = path.join(cache, 'tiddlywiki');
      await execute(
        process.execPath,
        ['tiddlywiki.js', 'editions/empty', '--output', output, '--build', 'empty'],
        { cwd: root },
      );
      return { mounts: { '/tiddlywiki/': output }, pages: ['/tiddlywiki/empty.html'] };
    },
  },
  {
    name: 'playwright-report',
    sample: 2,
    async fetch() {
      return {
        mounts: { '/playwright-report/': await makeReport() },
        pages: ['/playwright-report/index.html', '/playwright-report/index.html#?q=s:failed'],
      };
    },
  },
];

/**
 * Downloads the packages (once, without root), serves them locally, and returns the sample of pages, or `limit` pages
 * per source, whose name (`source/page`) matches. Packages that can't be downloaded are reported and skipped.
 */
export async function startApplications(only: RegExp, limit = Infinity): Promise<Applications> {
  const cache = path.join(tmpdir(), 'codegen-session-mcp-bench');
  await mkdir(cache, { recursive: true });
  const mounts: Mounts = {};
  const pages: Page[] = [];
  const site = await serve(async (request, response, url) => {
    request.resume();
    const content = await readFile(locate(mounts, decodeURIComponent(url.pathname))).catch(() => undefined);
    if (content === undefined) {
      response.writeHead(404).end();
      return;
    }
    response
      .setHeader('content-type', contentTypes[path.extname(url.pathname)] ?? 'application/octet-stream')
      // Blocks remote resources, so that every machine sees the same page.
      .setHeader('content-security-policy', "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:")
      .end(content);
  }, port);
  const sites: Site[] = [site];
  const petstore = {
    name: 'swagger-ui',
    sample: 1,
    fetch: () => Promise.resolve({ mounts: {}, pages: ['/'] }),
  };
  for (const source of [petstore, ...sources]) {
    try {
      const fetched = await source.fetch(cache);
      Object.assign(mounts, fetched.mounts);
      let baseURL = site.url;
      if (source === petstore) {
        const api = await startPetstore(petstorePort);
        sites.push(api);
        baseURL = api.url;
      }
      const named = fetched.pages.map((url) => ({
        source: source.name,
        name: nameOf(source.name, url),
        baseURL,
        url,
      }));
      const wanted = named.filter(({ name }) => only.test(`${source.name}/${name}`));
      const all = only.source === everything.source;
      pages.push(...spread(wanted, Math.min(limit, all ? source.sample : Infinity)));
    } catch (error) {
      console.error(`${source.name} is left out: ${messageOf(error)}`);
    }
  }
  return {
    pages,
    async close() {
      await Promise.all(sites.map((each) => each.close()));
    },
  };
}

/** Matches every page. */
export const everything = /(?:)/;

const contentTypes: { [extension: string]: string } = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.gif': 'image/gif',
  '.jpg': 'image/jpeg',
};

function locate(mounts: Mounts, pathname: string): string {
  const prefixes = Object.keys(mounts).filter((prefix) => pathname.startsWith(prefix));
  const [longest = ''] = prefixes.sort((one, other) => other.length - one.length);
  return path.join(mounts[longest] ?? '', pathname.slice(longest.length));
}

/** The paths of a folder's HTML files, sorted. */
async function list(prefix: string, folder: string, pattern = /\.html$/): Promise<string[]> {
  const names = await readdir(folder, { recursive: true });
  return names
    .map((name) => prefix + name.split(path.sep).join('/'))
    .filter((url) => url.endsWith('.html') && pattern.test(url))
    .sort();
}

function nameOf(source: string, url: string): string {
  const words = url.replace(/\.html|index|dojo\/|tests\/|examples\//g, '').match(/[a-z0-9]+/gi) ?? [];
  const own = words.join('-').toLowerCase();
  return own.startsWith(source) ? own : `${source}-${own}`.replace(/-$/, '');
}

function spread<Item>(items: Item[], count: number): Item[] {
  if (count >= items.length) return items;
  const chosen = new Set(
    Array.from({ length: count }, (_, index) => Math.floor((index * items.length) / count)),
  );
  return items.filter((_, index) => chosen.has(index));
}

/** Downloads into a folder, unless it exists. The folder is created only when it is complete. */
async function once(folder: string, fetch: (fresh: string) => Promise<void>): Promise<string> {
  const isThere = await access(folder).then(
    () => true,
    () => false,
  );
  if (isThere) return folder;
  const fresh = `${folder}-${process.pid}`;
  await mkdir(fresh, { recursive: true });
  try {
    await fetch(fresh);
    await rename(fresh, folder);
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
  return folder;
}

/** The folder of the npm packages. */
async function npm(cache: string): Promise<string> {
  const wanted = Object.entries(npmPackages).map(([name, version]) => `${name}@${version}`);
  const folder = await once(path.join(cache, 'npm'), async (fresh) => {
    console.log(`Fetching ${wanted.join(', ')}`);
    const args = ['install', '--prefix', fresh, '--ignore-scripts', '--omit=peer', '--no-audit', '--no-fund'];
    await execute('npm', [...args, ...wanted], { shell: process.platform === 'win32' });
  });
  return path.join(folder, 'node_modules');
}

/** The folder into which Debian packages are unpacked. */
async function debian(cache: string): Promise<string> {
  return once(path.join(cache, 'debian'), async (fresh) => {
    console.log(`Fetching ${debianPackages.join(', ')}`);
    await execute('apt-get', ['download', ...debianPackages], { cwd: fresh }).catch((error: unknown) => {
      throw new Error(
        `Debian packages need apt-get and its package lists (apt-get update): ${messageOf(error)}`,
      );
    });
    for (const name of await readdir(fresh))
      if (name.endsWith('.deb')) await execute('dpkg', ['-x', name, '.'], { cwd: fresh });
  });
}

/** The folder of an HTML report with passed, failed, flaky and skipped tests. */
async function makeReport(): Promise<string> {
  const spec = `import { test, expect } from '@playwright/test';
test.describe('basket', () => {
  test('adds up', { tag: '@fast' }, async () => {
    await test.step('two and two', () => expect(2 + 2).toBe(4));
  });
  test('takes a voucher', () => expect({ total: 90, items: ['tea', 'cup'] }).toEqual({ total: 80, items: ['tea'] }));
  test('ships abroad', () => expect(test.info().retry).toBe(1));
  test.skip('takes back', () => {});
});
`;
  const folder = path.join(results, 'playwright-report');
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, 'basket.spec.ts'), spec);
  await runPlaywright(folder, { retries: 1, reporter: [['html', { open: 'never', outputFolder: 'html' }]] });
  return path.join(folder, 'html');
}
