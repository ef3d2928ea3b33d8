import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Application } from './application.js';
import { instrument, readSources } from './instrument.js';
import { installPackages } from './packages.js';

/** What the flow runs through: navigation, editing, lists, searching, saving on the server. */
const modules = [
  ...['story', 'syncer', 'wiki', 'wiki-bulkops', 'saver-handler', 'startup/story', 'editor/factory'],
  ...['navigator', 'linkcatcher', 'button', 'link', 'list', 'reveal', 'edit', 'edit-text', 'view'].map(
    (name) => `widgets/${name}`,
  ),
  ...['checkbox', 'fieldmangler', 'keyboard', 'count', 'tiddler', 'select'].map((name) => `widgets/${name}`),
  ...['action-sendmessage', 'action-setfield', 'action-deletetiddler', 'action-navigate'].map(
    (name) => `widgets/${name}`,
  ),
  ...['search', 'tag', 'tags', 'tagging', 'sort', 'limit', 'has', 'field', 'each', 'get', 'list', 'all'].map(
    (name) => `filters/${name}`,
  ),
].map((name) => `core/modules/${name}.js`);
const adaptor = 'plugins/tiddlywiki/tiddlyweb/tiddlywebadaptor.js';

/** The notes that are there already. */
const notes: Record<string, { tags?: string; text: string }> = {
  'Garden plan': { tags: 'Garden', text: 'Beans along the fence, see [[Seed order]].' },
  'Seed order': { tags: 'Garden Shopping', text: 'Two bags of beans and one of kale.' },
  Books: { tags: 'Shopping', text: 'A field guide to birds.' },
  '$:/DefaultTiddlers': { text: '[[Garden plan]]' },
  '$:/SiteTitle': { text: 'Notebook' },
  '$:/SiteSubtitle': { text: 'what the house needs' },
  '$:/config/Navigation/UpdateAddressBar': { text: 'permalink' },
  '$:/config/Navigation/UpdateHistory': { text: 'yes' },
  '$:/config/TextEditor/EnableToolbar': { text: 'no' },
  '$:/config/AnimationDuration': { text: '0' },
  '$:/config/Drafts/TypingTimeout': { text: '0' },
};

const editor = "getByRole('region', { name: 'Editor' })";
const note = (text: string): string => `getByRole('article').filter({ hasText: '${text}' })`;
const headings = "getByRole('main').getByRole('heading', { level: 2 })";

export const wiki: Application = {
  name: 'wiki',
  kind: 'TiddlyWiki with its own server: routes and a back end',
  title: 'writes a note and finds it again',
  url: '/',
  sample: 240,
  flow: [
    { action: 'click', target: "getByRole('button', { name: 'new tiddler' })" },
    { action: 'fill', target: `${editor}.locator('input.tc-titlebar')`, value: 'Watering' },
    { action: 'fill', target: `${editor}.getByPlaceholder('tag name')`, value: 'Garden' },
    { action: 'click', target: `${editor}.getByRole('button', { name: 'add' }).first()` },
    { action: 'fill', target: `${editor}.locator('textarea')`, value: 'Twice a week, the beans first.' },
    { action: 'waitForResponse', url: '**/recipes/default/tiddlers/Watering', method: 'PUT' },
    { action: 'click', target: `${editor}.getByRole('button', { name: 'Confirm changes' })` },
    { action: 'fill', target: "getByRole('searchbox')", value: 'beans' },
    { action: 'click', target: "locator('.tc-search-results').getByRole('link', { name: 'Seed order' })" },
    { action: 'clear', target: "getByRole('searchbox')" },
    { action: 'click', target: `${note('Two bags')}.getByText('Shopping', { exact: true })` },
    { action: 'click', target: "getByRole('link', { name: 'Books' })" },
    { action: 'click', target: `${note('along the fence')}.getByRole('button', { name: 'close' })` },
    { action: 'click', target: "getByRole('tab', { name: 'Recent' })" },
    { action: 'click', target: `${note('Twice a week')}.getByRole('button', { name: 'Edit this tiddler' })` },
    { action: 'fill', target: `${editor}.locator('input.tc-titlebar')`, value: 'Watering in June' },
    { action: 'waitForResponse', url: '**/recipes/default/tiddlers/Watering%20in%20June', method: 'PUT' },
    { action: 'click', target: `${editor}.getByRole('button', { name: 'Confirm changes' })` },
    { action: 'reload' },
  ],
  agent: [
    {
      after: 3,
      expect: { target: `${editor}.locator('.tc-tag-list-item')`, matcher: 'toHaveText', expected: 'Garden' },
    },
    {
      after: 6,
      expect: { target: headings, matcher: 'toHaveText', expected: ['Watering', 'Garden plan'] },
    },
    {
      after: 6,
      expect: {
        target: note('Twice a week'),
        matcher: 'toContainText',
        expected: 'Twice a week, the beans first.',
      },
    },
    {
      after: 7,
      expect: {
        target: "locator('.tc-search-results').getByRole('link')",
        matcher: 'toHaveText',
        expected: ['Garden plan', 'Seed order', 'Watering'],
      },
    },
    {
      after: 10,
      expect: {
        target: `${note('Two bags')}.getByRole('link')`,
        matcher: 'toHaveText',
        expected: ['Shopping', 'Books', 'Seed order'],
      },
    },
    {
      after: 12,
      expect: { target: headings, matcher: 'toHaveText', expected: ['Seed order', 'Books', 'Watering'] },
    },
    {
      after: 13,
      expect: {
        target: "getByRole('region', { name: 'Sidebar' }).getByRole('link')",
        matcher: 'toHaveText',
        expected: ['Watering', 'Books', 'Garden plan', 'Seed order'],
      },
    },
    { after: 18, expect: { target: headings, matcher: 'toHaveText', expected: ['Watering in June'] } },
  ],
  async start() {
    const folder = path.join(await installPackages('wiki', ['tiddlywiki@5.4.1']), 'tiddlywiki');
    const { files, mutants } = await instrument(await readSources(folder, [...modules, adaptor]));
    const wikiFolder = path.join(folder, '../.wiki');
    await mkdir(path.join(wikiFolder, 'tiddlers'), { recursive: true });
    const info = {
      plugins: ['tiddlywiki/tiddlyweb'],
      themes: ['tiddlywiki/vanilla', 'tiddlywiki/snowwhite'],
    };
    await writeFile(path.join(wikiFolder, 'tiddlywiki.info'), JSON.stringify(info));
    const stamp = { created: '20240501090000000', modified: '20240501090000000' };
    const tiddlers = Object.entries(notes).map(([title, note]) => ({ title, ...stamp, ...note }));
    await writeFile(path.join(wikiFolder, 'tiddlers/notes.json'), JSON.stringify(tiddlers));
    const instrumentedFile = path.join(wikiFolder, 'instrumented.json');
    const texts = [...files].map(([name, text]) => [`$:/${name}`, text]);
    await writeFile(instrumentedFile, JSON.stringify(Object.fromEntries(texts)));
    const script = fileURLToPath(new URL('wiki-server.js', import.meta.url));
    const child = spawn(process.execPath, [script, folder, wikiFolder, instrumentedFile], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const port = await firstLine(child.stdout);
    if (port === undefined) throw new Error('TiddlyWiki did not start.');
    return {
      baseURL: `http://127.0.0.1:${port}`,
      mutants,
      async close() {
        const exit = once(child, 'exit');
        // False if it has exited already.
        if (child.kill()) await exit;
      },
    };
  },
};

/** The first line of a stream; undefined if it ends before. */
async function firstLine(stream: Readable): Promise<string | undefined> {
  for await (const line of createInterface(stream)) return line;
  return undefined;
}
